//! `GET /v1/organizations`.

use axum::extract::State;

use super::OrganizationJson;
use crate::{
    http::{
        App,
        answer::{List, Page, Private},
        error::Problem,
        extract::Query,
    },
    registration::Kind,
    service::{Caller, Service},
};

/// Organizations that the caller may read.
#[utoipa::path(get, path = "/v1/organizations", tag = "registration", params(Page),
    responses((status = 200, body = List<OrganizationJson>), (status = "4XX", body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Private<List<OrganizationJson>>, Problem> {
    let limit = page.limit()?;
    let parent = Service::list_parent(&caller);
    let statements = app.service.listed(&parent, Kind::Organization, page.after, limit).await?;
    Ok(Private(List::new(statements, limit, OrganizationJson::new)?))
}
