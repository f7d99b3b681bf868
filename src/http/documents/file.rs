//! A document's files.

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::{
    http::{
        App,
        answer::other_kind,
        download::{Downloader, send},
        error::Problem,
        extract::Path,
    },
    registration::{Content, Document, Kind, Statement, StoredFile},
    service::Caller,
};

/// The original: for its owner and inspectors.
#[utoipa::path(get, path = "/v1/documents/{id}/original", tag = "registration",
    params(("id" = u64, Path, description = "number of the document")),
    responses((status = 200, content_type = "application/pdf"), (status = "4XX", body = Problem)))]
pub async fn original(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let statement = app.service.readable(&caller, Kind::Document, id).await?;
    let document = document(&statement)?;
    send(&app, &headers, file(document.original.as_ref(), id)?, "private, no-store").await
}

/// The rendition for the public: for anyone.
#[utoipa::path(get, path = "/v1/documents/{id}/public", tag = "registration",
    params(("id" = u64, Path, description = "number of the document")),
    responses((status = 200, content_type = "application/pdf"), (status = "4XX", body = Problem)))]
pub async fn public(
    State(app): State<App>,
    _: Downloader,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let statement = app.service.statement(Kind::Document, id).await?;
    let public = match &statement {
        Some(statement) => document(statement)?.public.as_ref(),
        None => None,
    };
    send(&app, &headers, file(public, id)?, "public, max-age=3600").await
}

fn document(statement: &Statement) -> Result<&Document, Problem> {
    match &statement.content {
        Content::Document(document) => Ok(document),
        _ => Err(other_kind(statement)),
    }
}

fn file(file: Option<&StoredFile>, id: u64) -> Result<&StoredFile, Problem> {
    file.ok_or_else(|| Problem::not_found(format!("there is no such file of document {id}")))
}
