//! The start page, the page to browse the interface, and the assets of all pages.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    error::Problem,
    extract::{Path, cut},
    openapi,
    scan::page_headers,
};
use crate::pages::{ASSET_CACHE_CONTROL, Asset, Lang, render_api, render_start};

/// A field to type a code into.
pub async fn start(request: Request) -> Response {
    page(render_start(lang(&request)))
}

/// The interface, for people; made from the same description as `/openapi.json`.
pub async fn docs(request: Request) -> Response {
    page(render_api(lang(&request), &openapi::description()))
}

/// A file that pages refer to, under a name that changes with its content.
pub async fn asset(Path(name): Path<String>) -> Response {
    let Some(asset) = Asset::at(&format!("/assets/{name}")) else {
        let detail = format!("there is no asset {:?}", cut(&name));
        return Problem::not_found(detail).into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, ASSET_CACHE_CONTROL),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.body).into_response()
}

/// Pages name their own icon; browsers ask for this one all the same.
pub async fn icon() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// A search engine has no business with anybody's code.
pub async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /\n"
}

fn page(html: String) -> Response {
    let mut headers = HeaderMap::new();
    page_headers(&mut headers);
    headers.insert(header::VARY, header::HeaderValue::from_static("accept-language"));
    (headers, html).into_response()
}

fn lang(request: &Request) -> Lang {
    let query = request.uri().query().unwrap_or_default();
    let asked = query.split('&').find_map(|parameter| parameter.strip_prefix("lang="));
    let accepted = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Lang::choose(asked, accepted)
}
