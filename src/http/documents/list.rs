//! `GET` of a document, and of the documents of a consignment or a batch.

use axum::extract::State;

use super::DocumentJson;
use crate::{
    http::{
        App,
        answer::{List, Page, Private},
        error::Problem,
        extract::{Path, Query},
    },
    registration::{Kind, Parent},
    service::Caller,
};

/// A document, without its files.
#[utoipa::path(get, path = "/v1/documents/{id}", tag = "registration",
    params(("id" = u64, Path, description = "number of the document")),
    responses((status = 200, body = DocumentJson), (status = "4XX", body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<Private<DocumentJson>, Problem> {
    let statement = app.service.readable(&caller, Kind::Document, id).await?;
    Ok(Private(DocumentJson::new(&statement)?))
}

/// Documents of a consignment.
#[utoipa::path(get, path = "/v1/consignments/{id}/documents", tag = "registration",
    params(("id" = u64, Path, description = "number of the consignment"), Page),
    responses((status = 200, body = List<DocumentJson>), (status = "4XX", body = Problem)))]
pub async fn of_consignment(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(page): Query<Page>,
) -> Result<Private<List<DocumentJson>>, Problem> {
    app.service.readable(&caller, Kind::Consignment, id).await?;
    listed(&app, &Parent::Consignment(id), &page).await
}

/// Documents of a batch alone; those of its consignment are listed there.
#[utoipa::path(get, path = "/v1/batches/{batch}/documents", tag = "registration",
    params(("batch" = u64, Path, description = "number of the batch"), Page),
    responses((status = 200, body = List<DocumentJson>), (status = "4XX", body = Problem)))]
pub async fn of_batch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(page): Query<Page>,
) -> Result<Private<List<DocumentJson>>, Problem> {
    app.service.readable(&caller, Kind::Batch, id).await?;
    listed(&app, &Parent::Batch(id), &page).await
}

async fn listed(app: &App, parent: &Parent, page: &Page) -> Result<Private<List<DocumentJson>>, Problem> {
    let limit = page.limit()?;
    let statements = app.service.listed(parent, Kind::Document, page.after, limit).await?;
    Ok(Private(List::new(statements, limit, DocumentJson::new)?))
}
