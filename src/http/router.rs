//! Every route on one page.

use axum::{
    Router,
    http::Method,
    middleware,
    routing::{delete, get, patch, post, put},
};

use super::{
    App, alerts, audit, backup, batches, codes, consignments, documents, epcis,
    error::Problem,
    extract::{cut, limit_body},
    idempotency, inspections, keys,
    layers::to_its_end,
    looks, measures, movements, openapi, organizations, products, runs, scan, site, splits, temperatures, units,
    verify,
};
use crate::limits::{DOCUMENT_BYTES_MAX, LOGGER_BYTES_MAX, MEASURE_BYTES_MAX, SPANS_BYTES_MAX, UPLOAD_BYTES_MAX};

/// The whole interface. What no route names is a link to be scanned.
pub fn router(app: App) -> Router {
    // What inspectors read of goods is noted first.
    let noted = |routes: Router<App>| routes.layer(middleware::from_fn_with_state(app.clone(), looks::noted));
    // Inside the limit of the body, because it reads the body.
    let once =
        |routes: Router<App>| routes.layer(middleware::from_fn_with_state(app.clone(), idempotency::idempotency));
    let goods = Router::new()
        .merge(once(registration()))
        .merge(once(codes()))
        .merge(once(spans()).layer(limit_body(SPANS_BYTES_MAX)))
        .merge(once(units()))
        .merge(once(temperatures()).layer(limit_body(LOGGER_BYTES_MAX)))
        .merge(once(looked_at()).layer(limit_body(MEASURE_BYTES_MAX)))
        .merge(once(holds_and_recalls()).layer(limit_body(MEASURE_BYTES_MAX)))
        .merge(once(documents()).layer(limit_body(UPLOAD_BYTES_MAX)))
        .merge(once(pictures()).layer(limit_body(DOCUMENT_BYTES_MAX)))
        .merge(events());
    Router::new()
        .merge(noted(goods).layer(middleware::from_fn(to_its_end)))
        .merge(operations())
        .merge(public())
        .fallback(scan::scan)
        .method_not_allowed_fallback(other_method)
        .with_state(app)
}

/// Answers a method that a path does not have; what the router knows of it goes into `Allow`.
pub async fn other_method(method: Method) -> Problem {
    let method = cut(method.as_str());
    Problem::method_not_allowed(format!("found {method}, expected a method that this path has; `Allow` names them"))
}

/// What anyone may ask.
fn public() -> Router<App> {
    Router::new()
        .route("/", get(site::start))
        .route("/scan", get(scan::typed))
        .route("/assets/{name}", get(site::asset))
        .route("/favicon.ico", get(site::icon))
        .route("/robots.txt", get(site::robots))
        .route("/docs", get(site::docs))
        .route("/openapi.json", get(openapi::json))
        .route("/v1/verify", post(verify::verify))
}

/// Issuing, and what was issued.
fn codes() -> Router<App> {
    Router::new()
        .route("/v1/batches/{batch}/runs", post(runs::post::post).get(runs::list::of_batch))
        .route("/v1/batches/{batch}/codes", get(runs::codes::of_batch))
        .route("/v1/splits", post(splits::post::post))
        .route("/v1/runs/{run}", get(runs::list::get))
        .route("/v1/runs/{run}/codes", get(runs::codes::of_run))
        .route("/v1/codes/{code}/qr.svg", get(codes::symbol::svg))
        .route("/v1/codes/{code}/qr.png", get(codes::symbol::png))
        .route("/v1/codes/{code}/timeline", get(codes::timeline::get))
        .route("/v1/alerts", get(alerts::list))
}

/// What the operator of the service does.
fn operations() -> Router<App> {
    Router::new()
        .route("/v1/audit", post(audit::post))
        .route("/v1/looks", get(looks::list))
        .route("/v1/backup", post(backup::post))
        .route("/v1/backup/retire", post(backup::retire))
        .route("/v1/quarantine/release", post(backup::release))
}

/// Units and stock.
fn units() -> Router<App> {
    Router::new()
        .route("/v1/units", post(units::post::post))
        .route("/v1/units/{unit}", get(units::get::get))
        .route("/v1/organizations/{id}/stock", get(organizations::stock::get))
}

/// What becomes of labels and goods.
fn spans() -> Router<App> {
    Router::new()
        .route("/v1/movements", post(movements::post::post))
        .route("/v1/runs/{run}/applied", post(runs::spans::applied))
        .route("/v1/runs/{run}/void", post(runs::spans::void))
}

/// What loggers read.
fn temperatures() -> Router<App> {
    Router::new()
        .route("/v1/batches/{batch}/temperatures", post(temperatures::post::of_batch))
        .route("/v1/units/{unit}/temperatures", post(temperatures::post::of_unit))
}

/// Measures: anyone may read what is public of them.
fn holds_and_recalls() -> Router<App> {
    Router::new()
        .route("/v1/measures", post(measures::post::post).get(measures::list::list))
        .route("/v1/measures/preview", post(measures::preview::preview))
        .route("/v1/measures/{measure}", get(measures::get::get))
        .route("/v1/measures/{measure}/lift", post(measures::lift::lift))
}

/// What inspections found.
fn looked_at() -> Router<App> {
    Router::new().route("/v1/inspections", post(inspections::post))
}

/// EPCIS. Its bodies have limits of their own.
fn events() -> Router<App> {
    Router::new()
        .route("/epcis/capture", post(epcis::capture::post))
        .route("/epcis/capture/{id}", get(epcis::capture::get))
        .route("/epcis/events", post(epcis::event::post))
        .route("/epcis/events/{id}", get(epcis::event::get))
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
        .route("/v1/batches/{batch}/whereabouts", get(batches::whereabouts::get))
        .route("/v1/documents/{id}", get(documents::list::get))
        .route("/v1/documents/{id}/original", get(documents::file::original))
}

/// Papers of goods.
fn documents() -> Router<App> {
    Router::new()
        .route(
            "/v1/consignments/{id}/documents",
            post(documents::post::to_consignment).get(documents::list::of_consignment),
        )
        .route("/v1/batches/{batch}/documents", post(documents::post::to_batch).get(documents::list::of_batch))
        .route("/v1/documents/{id}/public", post(documents::post::public).get(documents::file::public))
}

/// Pictures of products.
fn pictures() -> Router<App> {
    Router::new().route("/v1/products/{id}/picture", put(products::picture::put).get(products::picture::get))
}
