//! `GET /v1/organizations/{id}/stock`: what an organization has now.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    http::{
        App,
        answer::{self, Private},
        batches::whereabouts::{HeldJson, held_json},
        error::Problem,
        extract::{Path, Query},
    },
    limits::{PAGE_ITEMS_MAX, STOCK_BATCHES_MAX},
    registration::Kind,
    service::{Caller, stock::BatchStock},
    trace::{BatchId, OrganizationId, Role},
};

/// Which batches.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StockQuery {
    /// Only batches with numbers above this one.
    pub after: Option<u64>,
    /// How many batches to look at, 1 to 1,000; 100 where left out. An answer of 10,000 lines ends earlier.
    pub limit: Option<usize>,
}

/// What an organization has.
#[derive(Debug, Serialize, ToSchema)]
pub struct StockJson {
    /// The organization.
    pub organization: u64,
    /// In ascending order of their numbers; batches of which it has nothing are left out.
    pub batches: Vec<BatchStockJson>,
    /// Outermost units that these goods are inside of.
    pub units: Vec<StockUnitJson>,
    /// What to give as `after` for the next batches; `null` at the end.
    pub next: Option<u64>,
}

/// What it has of one batch: not sold, destroyed or void, and labels that are on goods.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchStockJson {
    /// Number of the batch.
    pub batch: u64,
    /// How many codes, by the state of the goods. What is `in_transit` left and nobody has received it yet.
    pub codes: BTreeMap<&'static str, u64>,
    /// Which, run by run, at most 10,000 lines.
    pub lines: Vec<HeldJson>,
    /// How many lines more there are.
    pub lines_further: usize,
}

/// A unit with goods in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StockUnitJson {
    /// Its EPC URI, or a case's code.
    pub unit: String,
    /// How many codes are inside, of those that the answer shows.
    pub codes: u64,
}

/// What an organization has now: for itself and for inspectors.
#[utoipa::path(get, path = "/v1/organizations/{id}/stock", tag = "goods",
    params(("id" = u64, Path, description = "number of the organization"), StockQuery),
    responses((status = 200, body = StockJson), (status = "4XX", body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(query): Query<StockQuery>,
) -> Result<Private<StockJson>, Problem> {
    caller.require(&[Role::Importer, Role::Operator, Role::Inspector])?;
    app.service.readable(&caller, Kind::Organization, id).await?;
    let limit = answer::limit(query.limit, PAGE_ITEMS_MAX, 1..=STOCK_BATCHES_MAX)?;
    let stock = app.service.stock(OrganizationId(id), query.after.map(BatchId), limit).await?;
    let batch = |stock: &BatchStock| BatchStockJson {
        batch: stock.batch.0,
        codes: stock.codes.clone(),
        lines: stock.lines.iter().map(|held| held_json(&app, held)).collect(),
        lines_further: stock.lines_further,
    };
    let units = stock.units.iter();
    Ok(Private(StockJson {
        organization: id,
        batches: stock.batches.iter().map(batch).collect(),
        units: units
            .map(|(unit, codes)| StockUnitJson { unit: app.service.instance_text(unit), codes: *codes })
            .collect(),
        next: stock.next.map(|batch| batch.0),
    }))
}
