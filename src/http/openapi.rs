//! The description of the interface, made from the code: `/openapi.json`.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{
    alerts, audit, backup, batches, codes, consignments, documents, epcis, error, inspections, keys, looks, measures,
    movements, organizations, products, runs, splits, temperatures, units, verify,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Coldproof", description = "Traceable source codes for imported cold-chain food."),
    modifiers(&BearerKeys),
    security(("key" = [])),
    tags(
        (name = "registration", description = "Organizations, keys, products, consignments, batches, documents"),
        (name = "codes", description = "Ordering codes, downloading them, symbols, labels applied and void"),
        (name = "epcis", description = "EPCIS 2.0 capture and events"),
        (name = "measures", description = "Holds and recalls by number"),
        (name = "goods", description = "Moving goods, units and stock, without writing EPCIS"),
        (name = "trace", description = "What happened to goods"),
        (name = "scan", description = "What anyone may ask about codes"),
        (name = "operations", description = "For operators of the service"),
    ),
    paths(
        organizations::post::post, organizations::list::list, organizations::get::get, organizations::get::versions,
        organizations::patch::patch, keys::post::post, keys::list::list, keys::delete::delete, products::post::post,
        products::list::list, products::get::get, products::get::versions, products::patch::patch,
        products::picture::put, products::picture::get, consignments::post::post, consignments::list::list,
        consignments::get::get, consignments::get::versions, consignments::patch::patch, batches::post::post,
        batches::list::list, batches::list::of_consignment, batches::get::get, batches::get::versions,
        batches::patch::patch, documents::post::to_consignment, documents::post::to_batch, documents::post::public,
        documents::list::of_consignment, documents::list::of_batch, documents::list::get, documents::file::original,
        documents::file::public, runs::post::post, runs::list::of_batch, runs::list::get, runs::codes::of_run,
        runs::codes::of_batch, runs::spans::applied, runs::spans::void, splits::post::post, codes::symbol::svg, codes::symbol::png,
        codes::timeline::get, batches::whereabouts::get, measures::post::post, measures::preview::preview,
        measures::lift::lift, measures::list::list, measures::get::get, epcis::capture::post, epcis::capture::get,
        epcis::event::post, epcis::event::get, temperatures::post::of_batch, temperatures::post::of_unit,
        units::post::post, units::get::get, movements::post::post, organizations::stock::get, alerts::list,
        inspections::post, looks::list, verify::verify, audit::post, backup::post, backup::retire, backup::release,
    ),
    components(schemas(error::Problem, error::FieldError)),
)]
struct Description;

struct BearerKeys;

impl Modify for BearerKeys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("an API key, cp_...")).build();
        let components = openapi.components.get_or_insert_with(Components::new);
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// The description.
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// `GET /openapi.json`.
pub async fn json() -> Response {
    static JSON: LazyLock<String> = LazyLock::new(|| description().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str()).into_response()
}
