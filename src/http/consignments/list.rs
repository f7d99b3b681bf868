//! `GET /v1/consignments`.

use axum::extract::State;

use super::ConsignmentJson;
use crate::{
    http::{
        App, GOODS_READERS,
        answer::{List, Page, Private},
        error::Problem,
        extract::Query,
    },
    registration::Kind,
    service::{Caller, Service},
};

/// Consignments that the caller may read.
#[utoipa::path(get, path = "/v1/consignments", tag = "registration", params(Page),
    responses((status = 200, body = List<ConsignmentJson>), (status = "4XX", body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Private<List<ConsignmentJson>>, Problem> {
    caller.require(&GOODS_READERS)?;
    let limit = page.limit()?;
    let parent = Service::list_parent(&caller);
    let statements = app.service.listed(&parent, Kind::Consignment, page.after, limit).await?;
    Ok(Private(List::new(statements, limit, ConsignmentJson::new)?))
}
