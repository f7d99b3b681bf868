//! `GET /v1/organizations/{id}`, and its history.

use axum::extract::State;

use super::OrganizationJson;
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

/// The newest version of an organization.
#[utoipa::path(get, path = "/v1/organizations/{id}", tag = "registration",
    params(("id" = u64, Path, description = "number of the organization")),
    responses((status = 200, body = OrganizationJson), (status = "4XX", body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<Private<OrganizationJson>, Problem> {
    let statement = app.service.readable(&caller, Kind::Organization, id).await?;
    Ok(Private(OrganizationJson::new(&statement)?))
}

/// All versions of an organization, oldest first; `after` names a version.
#[utoipa::path(get, path = "/v1/organizations/{id}/versions", tag = "registration",
    params(("id" = u64, Path, description = "number of the organization"), Page),
    responses((status = 200, body = List<OrganizationJson>), (status = "4XX", body = Problem)))]
pub async fn versions(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(page): Query<Page>,
) -> Result<Private<List<OrganizationJson>>, Problem> {
    let (from, limit) = (page.from_version()?, page.limit()?);
    let versions = app.service.history(&caller, Kind::Organization, id, from).await?;
    Ok(Private(List::of_versions(versions, limit, OrganizationJson::new)?))
}
