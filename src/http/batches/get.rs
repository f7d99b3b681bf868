//! `GET /v1/batches/{batch}`, and its history.

use axum::extract::State;

use super::{BatchJson, seen, show};
use crate::{
    http::{
        App,
        answer::{List, Page, Private},
        error::Problem,
        extract::{Path, Query},
    },
    registration::Kind,
    service::Caller,
};

/// The newest version of a batch, with what it lacks before codes can be issued.
#[utoipa::path(get, path = "/v1/batches/{batch}", tag = "registration",
    params(("batch" = u64, Path, description = "number of the batch")),
    responses((status = 200, body = BatchJson), (status = "4XX", body = Problem)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<u64>) -> Result<Private<BatchJson>, Problem> {
    let statement = app.service.readable(&caller, Kind::Batch, id).await?;
    Ok(Private(show(&app, &caller, &statement).await?))
}

/// All versions of a batch, oldest first; `after` names a version.
#[utoipa::path(get, path = "/v1/batches/{batch}/versions", tag = "registration",
    params(("batch" = u64, Path, description = "number of the batch"), Page),
    responses((status = 200, body = List<BatchJson>), (status = "4XX", body = Problem)))]
pub async fn versions(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(page): Query<Page>,
) -> Result<Private<List<BatchJson>>, Problem> {
    let (from, limit) = (page.from_version()?, page.limit()?);
    let versions = app.service.history(&caller, Kind::Batch, id, from).await?;
    let mut list = List::of_versions(versions, limit, BatchJson::new)?;
    for batch in &mut list.items {
        batch.same_line = seen(&app, &caller, batch.same_line).await;
    }
    Ok(Private(list))
}
