//! `GET /v1/codes/{code}/qr.svg` and `qr.png`: the symbol to print.

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::code_of;
use crate::{
    code::{LinkPrefix, qr},
    http::{
        App,
        error::Problem,
        extract::{Path, Query},
    },
    limits::QR_SIDE_PIXELS_MAX,
    service::Caller,
};

/// How large.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SizeQuery {
    /// Side in pixels, quiet zone included; 300 where left out.
    pub size: Option<u32>,
}

/// The symbol as SVG.
#[utoipa::path(get, path = "/v1/codes/{code}/qr.svg", tag = "codes",
    params(("code" = String, Path, description = "the code")),
    responses((status = 200, content_type = "image/svg+xml"), (status = "4XX", body = Problem)))]
pub async fn svg(State(app): State<App>, caller: Caller, Path(code): Path<String>) -> Result<Response, Problem> {
    let matrix = matrix(&app, &caller, &code).await?;
    Ok((headers("image/svg+xml"), qr::svg(&matrix)).into_response())
}

/// The symbol as PNG.
#[utoipa::path(get, path = "/v1/codes/{code}/qr.png", tag = "codes",
    params(("code" = String, Path, description = "the code"), SizeQuery),
    responses((status = 200, content_type = "image/png"), (status = "4XX", body = Problem)))]
pub async fn png(
    State(app): State<App>,
    caller: Caller,
    Path(code): Path<String>,
    Query(query): Query<SizeQuery>,
) -> Result<Response, Problem> {
    let matrix = matrix(&app, &caller, &code).await?;
    let side = query.size.unwrap_or(300);
    let image = qr::png(&matrix, side).map_err(|error| {
        Problem::invalid("size", format!("found {side}, expected at most {QR_SIDE_PIXELS_MAX} pixels: {error}"))
    })?;
    Ok((headers("image/png"), image).into_response())
}

async fn matrix(app: &App, caller: &Caller, code: &str) -> Result<qr::Matrix, Problem> {
    let found = code_of(app, caller, code).await;
    caller.require_printer(found.as_ref().ok().map(|(_, run, _)| run))?;
    let (code, _, gtin) = found?;
    let settings = &app.service.settings;
    let prefix = LinkPrefix::new(settings.link_scheme, &settings.host, gtin, settings.link_case);
    qr::draw(&prefix.link(code)).map_err(|error| Problem::conflict("symbol", error.to_string()))
}

fn headers(media_type: &'static str) -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "private, max-age=86400")]
}
