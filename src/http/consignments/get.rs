//! `GET /v1/consignments/{id}`, and its history.

use axum::extract::State;

use super::ConsignmentJson;
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

/// The newest version of a consignment.
#[utoipa::path(get, path = "/v1/consignments/{id}", tag = "registration",
    params(("id" = u64, Path, description = "number of the consignment")),
    responses((status = 200, body = ConsignmentJson), (status = "4XX", body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<Private<ConsignmentJson>, Problem> {
    let statement = app.service.readable(&caller, Kind::Consignment, id).await?;
    Ok(Private(ConsignmentJson::new(&statement)?))
}

/// All versions of a consignment, oldest first; `after` names a version.
#[utoipa::path(get, path = "/v1/consignments/{id}/versions", tag = "registration",
    params(("id" = u64, Path, description = "number of the consignment"), Page),
    responses((status = 200, body = List<ConsignmentJson>), (status = "4XX", body = Problem)))]
pub async fn versions(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(page): Query<Page>,
) -> Result<Private<List<ConsignmentJson>>, Problem> {
    let (from, limit) = (page.from_version()?, page.limit()?);
    let versions = app.service.history(&caller, Kind::Consignment, id, from).await?;
    Ok(Private(List::of_versions(versions, limit, ConsignmentJson::new)?))
}
