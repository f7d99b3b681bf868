//! Every route on one page.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, patch, post, put},
};

use super::{App, batches, consignments, documents, keys, organizations, products};
use crate::limits::{DOCUMENT_BYTES_MAX, UPLOAD_BYTES_MAX};

/// The whole interface.
pub fn router(app: App) -> Router {
    Router::new().merge(registration()).merge(uploads()).with_state(app)
}

/// What admins, importers and inspectors use before codes are issued.
fn registration() -> Router<App> {
    Router::new()
        .route("/v1/organizations", post(organizations::post::post).get(organizations::list::list))
        .route("/v1/organizations/{id}", patch(organizations::patch::patch).get(organizations::get::get))
        .route("/v1/organizations/{id}/versions", get(organizations::get::versions))
        .route("/v1/keys", post(keys::post::post).get(keys::list::list))
        .route("/v1/keys/{id}", delete(keys::delete::delete))
        .route("/v1/products", post(products::post::post).get(products::list::list))
        .route("/v1/products/{id}", patch(products::patch::patch).get(products::get::get))
        .route("/v1/products/{id}/versions", get(products::get::versions))
        .route("/v1/consignments", post(consignments::post::post).get(consignments::list::list))
        .route("/v1/consignments/{id}", patch(consignments::patch::patch).get(consignments::get::get))
        .route("/v1/consignments/{id}/versions", get(consignments::get::versions))
        .route("/v1/consignments/{id}/batches", post(batches::post::post).get(batches::list::of_consignment))
        .route("/v1/batches", get(batches::list::list))
        .route("/v1/batches/{batch}", patch(batches::patch::patch).get(batches::get::get))
        .route("/v1/batches/{batch}/versions", get(batches::get::versions))
        .route("/v1/documents/{id}", get(documents::list::get))
        .route("/v1/documents/{id}/original", get(documents::file::original))
}

/// Files: their bodies may be larger.
fn uploads() -> Router<App> {
    let documents = Router::new()
        .route(
            "/v1/consignments/{id}/documents",
            post(documents::post::to_consignment).get(documents::list::of_consignment),
        )
        .route("/v1/batches/{batch}/documents", post(documents::post::to_batch).get(documents::list::of_batch))
        .route("/v1/documents/{id}/public", post(documents::post::public).get(documents::file::public))
        .layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX));
    let pictures = Router::new()
        .route("/v1/products/{id}/picture", put(products::picture::put).get(products::picture::get))
        .layer(DefaultBodyLimit::max(DOCUMENT_BYTES_MAX));
    documents.merge(pictures)
}
