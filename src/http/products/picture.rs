//! `PUT` and `GET /v1/products/{id}/picture`.

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};

use super::ProductJson;
use crate::{
    http::{
        App,
        answer::Private,
        download::{Downloader, send},
        error::Problem,
        extract::{Path, body_bytes},
    },
    registration::{Content, Kind},
    service::Caller,
    trace::{ProductId, Role},
};

/// Sets the picture: the bytes of a PNG, JPEG or WebP. What it is, its bytes tell; it is decoded before it is kept.
#[utoipa::path(put, path = "/v1/products/{id}/picture", tag = "registration",
    params(("id" = u64, Path, description = "number of the product")),
    request_body(content = Vec<u8>, content_type = "image/*"),
    responses((status = 200, body = ProductJson), (status = "4XX", body = Problem)))]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    request: Request,
) -> Result<Private<ProductJson>, Problem> {
    caller.require(&[Role::Importer])?;
    let _upload = app.service.uploads.acquire().await.map_err(|_| Problem::unavailable("the service is stopping"))?;
    let bytes: Bytes = body_bytes(request, &app).await?;
    let statement = app.service.set_picture(&caller, ProductId(id), bytes).await?;
    Ok(Private(ProductJson::new(&statement)?))
}

/// The picture. It is public, as the page of a scan is.
#[utoipa::path(get, path = "/v1/products/{id}/picture", tag = "registration",
    params(("id" = u64, Path, description = "number of the product")),
    responses((status = 200, content_type = "image/*"), (status = "4XX", body = Problem)))]
pub async fn get(
    State(app): State<App>,
    _: Downloader,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let statement = app.service.statement(Kind::Product, id).await?;
    let picture = match statement.map(|statement| statement.content) {
        Some(Content::Product(product)) => product.picture,
        _ => None,
    };
    let picture = picture.ok_or_else(|| Problem::not_found(format!("there is no picture of product {id}")))?;
    send(&app, &headers, &picture, "public, max-age=3600").await
}
