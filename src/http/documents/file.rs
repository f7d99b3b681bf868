//! A document's files.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::{
    http::{App, answer::other_kind, error::Problem, extract::Path},
    registration::{Content, Document, Kind, Statement, StoredFile},
    service::Caller,
};

/// The original: for its owner and inspectors.
#[utoipa::path(get, path = "/v1/documents/{id}/original", tag = "registration",
    params(("id" = u64, Path, description = "number of the document")),
    responses((status = 200, content_type = "application/pdf"), (status = "4XX", body = Problem)))]
pub async fn original(State(app): State<App>, caller: Caller, Path(id): Path<u64>) -> Result<Response, Problem> {
    let statement = app.service.readable(&caller, Kind::Document, id).await?;
    let document = document(&statement)?;
    send(&app, id, document.original.as_ref(), "private, no-store").await
}

/// The rendition for the public: for anyone.
#[utoipa::path(get, path = "/v1/documents/{id}/public", tag = "registration",
    params(("id" = u64, Path, description = "number of the document")),
    responses((status = 200, content_type = "application/pdf"), (status = "4XX", body = Problem)))]
pub async fn public(State(app): State<App>, Path(id): Path<u64>) -> Result<Response, Problem> {
    let statement = app.service.statement(Kind::Document, id).await?;
    let file = match &statement {
        Some(statement) => document(statement)?.public.as_ref(),
        None => None,
    };
    send(&app, id, file, "public, max-age=3600").await
}

fn document(statement: &Statement) -> Result<&Document, Problem> {
    match &statement.content {
        Content::Document(document) => Ok(document),
        _ => Err(other_kind(statement)),
    }
}

/// An uploaded file is nobody's script: the browser may neither guess its type nor run what is in it.
async fn send(app: &App, id: u64, file: Option<&StoredFile>, cached: &str) -> Result<Response, Problem> {
    let file = file.ok_or_else(|| Problem::not_found(format!("there is no such file of document {id}")))?;
    let bytes = app.service.read_file(file).await?;
    let headers = [
        (header::CONTENT_TYPE, file.media_type.as_str().to_owned()),
        (header::CACHE_CONTROL, cached.to_owned()),
        (header::ETAG, format!("\"{}\"", file.sha256)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
