//! `GET /v1/products/{id}`, and its history.

use axum::extract::State;

use super::ProductJson;
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

/// The newest version of a product.
#[utoipa::path(get, path = "/v1/products/{id}", tag = "registration",
    params(("id" = u64, Path, description = "number of the product")),
    responses((status = 200, body = ProductJson), (status = "4XX", body = Problem)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<u64>) -> Result<Private<ProductJson>, Problem> {
    let statement = app.service.readable(&caller, Kind::Product, id).await?;
    Ok(Private(ProductJson::new(&statement)?))
}

/// All versions of a product, oldest first; `after` names a version.
#[utoipa::path(get, path = "/v1/products/{id}/versions", tag = "registration",
    params(("id" = u64, Path, description = "number of the product"), Page),
    responses((status = 200, body = List<ProductJson>), (status = "4XX", body = Problem)))]
pub async fn versions(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(page): Query<Page>,
) -> Result<Private<List<ProductJson>>, Problem> {
    let (from, limit) = (page.from_version()?, page.limit()?);
    let versions = app.service.history(&caller, Kind::Product, id, from).await?;
    Ok(Private(List::of_versions(versions, limit, ProductJson::new)?))
}
