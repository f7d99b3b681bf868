//! `GET /v1/batches` and `GET /v1/consignments/{id}/batches`.

use axum::extract::State;

use super::{BatchJson, show};
use crate::{
    http::{
        App, GOODS_READERS,
        answer::{List, Page, Private},
        error::Problem,
        extract::{Path, Query},
    },
    registration::{Kind, Parent},
    service::{Caller, Service},
};

/// Batches that the caller may read.
#[utoipa::path(get, path = "/v1/batches", tag = "registration", params(Page),
    responses((status = 200, body = List<BatchJson>), (status = "4XX", body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Private<List<BatchJson>>, Problem> {
    caller.require(&GOODS_READERS)?;
    listed(&app, &caller, &Service::list_parent(&caller), &page).await
}

/// Batches of a consignment.
#[utoipa::path(get, path = "/v1/consignments/{id}/batches", tag = "registration",
    params(("id" = u64, Path, description = "number of the consignment"), Page),
    responses((status = 200, body = List<BatchJson>), (status = "4XX", body = Problem)))]
pub async fn of_consignment(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(page): Query<Page>,
) -> Result<Private<List<BatchJson>>, Problem> {
    app.service.readable(&caller, Kind::Consignment, id).await?;
    listed(&app, &caller, &Parent::Consignment(id), &page).await
}

async fn listed(app: &App, caller: &Caller, parent: &Parent, page: &Page) -> Result<Private<List<BatchJson>>, Problem> {
    let limit = page.limit()?;
    let statements = app.service.listed(parent, Kind::Batch, page.after, limit).await?;
    let next = List::<BatchJson>::next(&statements, limit);
    let mut items = Vec::with_capacity(statements.len());
    for statement in &statements {
        items.push(show(app, caller, statement).await?);
    }
    Ok(Private(List { items, next }))
}
