//! `PATCH /v1/products/{id}`.

use axum::extract::State;

use super::{ProductBody, ProductJson};
use crate::{
    http::{
        App,
        answer::Private,
        error::Problem,
        extract::{Json, Path},
    },
    service::Caller,
    trace::{ProductId, Role},
};

/// Changes a product of the caller's organization; its GTIN stays.
#[utoipa::path(patch, path = "/v1/products/{id}", tag = "registration", request_body = ProductBody,
    params(("id" = u64, Path, description = "number of the product")),
    responses((status = 200, body = ProductJson), (status = "4XX", body = Problem)))]
pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Json(body): Json<ProductBody>,
) -> Result<Private<ProductJson>, Problem> {
    caller.require(&[Role::Importer])?;
    let statement = app.service.change_product(&caller, ProductId(id), |product| body.merge(product)).await?;
    Ok(Private(ProductJson::new(&statement)?))
}
