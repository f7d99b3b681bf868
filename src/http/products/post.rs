//! `POST /v1/products`.

use axum::extract::State;

use super::{ProductBody, ProductJson, blank};
use crate::{
    http::{App, answer::Created, error::Problem, extract::Json},
    service::Caller,
    trace::Role,
};

/// Registers a product of the caller's organization.
#[utoipa::path(post, path = "/v1/products", tag = "registration", request_body = ProductBody,
    responses((status = 201, body = ProductJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<ProductBody>,
) -> Result<Created<ProductJson>, Problem> {
    caller.require(&[Role::Importer])?;
    let mut product = blank();
    body.merge(&mut product)?;
    let statement = app.service.create_product(&caller, product).await?;
    Ok(Created { location: format!("/v1/products/{}", statement.id), body: ProductJson::new(&statement)? })
}
