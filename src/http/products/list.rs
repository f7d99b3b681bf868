//! `GET /v1/products`.

use axum::extract::State;

use super::ProductJson;
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

/// Products that the caller may read.
#[utoipa::path(get, path = "/v1/products", tag = "registration", params(Page),
    responses((status = 200, body = List<ProductJson>), (status = "4XX", body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Private<List<ProductJson>>, Problem> {
    caller.require(&GOODS_READERS)?;
    let limit = page.limit()?;
    let parent = Service::list_parent(&caller);
    let statements = app.service.listed(&parent, Kind::Product, page.after, limit).await?;
    Ok(Private(List::new(statements, limit, ProductJson::new)?))
}
