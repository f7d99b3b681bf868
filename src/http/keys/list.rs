//! `GET /v1/keys`.

use axum::extract::State;

use super::KeyJson;
use crate::{
    http::{
        App,
        answer::{List, Page, Private},
        error::Problem,
        extract::Query,
    },
    registration::Kind,
    service::{Caller, Service},
    trace::Role,
};

/// Keys that the caller may read.
#[utoipa::path(get, path = "/v1/keys", tag = "registration", params(Page),
    responses((status = 200, body = List<KeyJson>), (status = "4XX", body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Private<List<KeyJson>>, Problem> {
    caller.require(&[Role::Admin])?;
    let limit = page.limit()?;
    let parent = Service::list_parent(&caller);
    let statements = app.service.listed(&parent, Kind::Key, page.after, limit).await?;
    Ok(Private(List::new(statements, limit, KeyJson::new)?))
}
