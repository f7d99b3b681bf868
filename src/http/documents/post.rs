//! `POST /v1/consignments/{id}/documents` and `/v1/batches/{batch}/documents`.

use axum::extract::{FromRequest, Multipart, Request, State};

use super::{DocumentJson, FILE_TYPES, UploadForm, upload::Upload};
use crate::{
    http::{
        App,
        answer::Created,
        error::Problem,
        extract::{Path, TooLarge},
        given::problem_of_fields,
    },
    registration::{Document, DocumentOf, FieldError, Kind, StoredFile, ValueError},
    service::Caller,
    trace::{BatchId, ConsignmentId, DocumentId, OrganizationId, Role},
};

/// Registers a document of a consignment, with its files.
#[utoipa::path(post, path = "/v1/consignments/{id}/documents", tag = "registration",
    params(("id" = u64, Path, description = "number of the consignment")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = DocumentJson), (status = "4XX", body = Problem)))]
pub async fn to_consignment(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    request: Request,
) -> Result<Created<DocumentJson>, Problem> {
    register(&app, &caller, DocumentOf::Consignment(ConsignmentId(id)), request).await
}

/// Registers a document of a batch, with its files.
#[utoipa::path(post, path = "/v1/batches/{batch}/documents", tag = "registration",
    params(("batch" = u64, Path, description = "number of the batch")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = DocumentJson), (status = "4XX", body = Problem)))]
pub async fn to_batch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    request: Request,
) -> Result<Created<DocumentJson>, Problem> {
    register(&app, &caller, DocumentOf::Batch(BatchId(id)), request).await
}

/// Puts or replaces a document's rendition for the public: a part named `public`.
#[utoipa::path(post, path = "/v1/documents/{id}/public", tag = "registration",
    params(("id" = u64, Path, description = "number of the document")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = DocumentJson), (status = "4XX", body = Problem)))]
pub async fn public(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    request: Request,
) -> Result<Created<DocumentJson>, Problem> {
    caller.require(&[Role::Importer])?;
    app.service.owned(&caller, Kind::Document, id).await?;
    let _upload = app.service.uploads.acquire().await.map_err(|_| Problem::unavailable("the service is stopping"))?;
    let upload = read(&app, request).await?;
    let file = upload.public.ok_or_else(|| missing("/public", "a part with the rendition: PDF, PNG or JPEG"))?;
    let file = app.service.store_file("/public", file, &FILE_TYPES).await?;
    let statement = app.service.publish_document(&caller, DocumentId(id), file).await?;
    Ok(Created { location: format!("/v1/documents/{id}"), body: DocumentJson::new(&statement)? })
}

async fn register(
    app: &App,
    caller: &Caller,
    of: DocumentOf,
    request: Request,
) -> Result<Created<DocumentJson>, Problem> {
    caller.require(&[Role::Importer])?;
    match of {
        DocumentOf::Consignment(id) => app.service.owned(caller, Kind::Consignment, id.0).await?,
        DocumentOf::Batch(id) => app.service.owned(caller, Kind::Batch, id.0).await?,
    };
    let _upload = app.service.uploads.acquire().await.map_err(|_| Problem::unavailable("the service is stopping"))?;
    let upload = read(app, request).await?;
    let kind = upload.kind.ok_or_else(|| missing("/kind", "a kind of document, such as test_report"))?;
    let number = upload.number.ok_or_else(|| missing("/number", "the paper's own number"))?;
    let mut files: [Option<StoredFile>; 2] = [None, None];
    for (file, (field, bytes)) in files.iter_mut().zip([("/original", upload.original), ("/public", upload.public)]) {
        if let Some(bytes) = bytes {
            *file = Some(app.service.store_file(field, bytes, &FILE_TYPES).await?);
        }
    }
    let [original, public] = files;
    let (issuer, date) = (upload.issuer, upload.date);
    let (id, organization, created_ms) = (DocumentId(0), OrganizationId(0), 0);
    let document = Document { id, organization, of, kind, number, issuer, date, original, public, created_ms };
    let statement = app.service.create_document(caller, document).await?;
    Ok(Created { location: format!("/v1/documents/{}", statement.id), body: DocumentJson::new(&statement)? })
}

async fn read(app: &App, request: Request) -> Result<Upload, Problem> {
    let too_large = TooLarge::of(&request);
    let parts = Multipart::from_request(request, app).await.map_err(|rejection| {
        let detail = format!("{}; expected multipart/form-data with a boundary", rejection.body_text());
        Problem::unsupported_media_type(detail).at("Content-Type")
    })?;
    Upload::read(parts, &too_large).await
}

fn missing(field: &str, expected: &'static str) -> Problem {
    problem_of_fields(vec![FieldError::new(field, ValueError::Missing { expected })])
}
