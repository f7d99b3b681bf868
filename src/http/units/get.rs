//! `GET /v1/units/{unit}`: what is inside of it, where it is, and what was said of it.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{
        App,
        answer::{self, Private},
        batches::whereabouts::{HeldJson, held_json},
        codes::timeline::{LineJson, LinesQuery, StayJson, line_json, stay_json},
        error::Problem,
        extract::{Path, Query},
        movements::instance_of,
    },
    limits::TIMELINE_LINES_MAX,
    service::{Caller, unit::InsideCodes},
    trace::{Role, State as GoodsState},
};

/// What is known of a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitFactsJson {
    /// Its EPC URI, or the 20 characters of a case's code.
    pub unit: String,
    /// The organization whose unit it is.
    pub owner: u64,
    /// The organization that has it, as far as shippers and receivers agree.
    pub holder: u64,
    /// Where it is in its life.
    #[schema(value_type = String)]
    pub state: GoodsState,
    /// The units that it was inside of, in order.
    pub stays: Vec<StayJson>,
    /// Codes that are inside now, directly or in other units, at most 10,000 lines.
    pub codes: Vec<InsideJson>,
    /// How many lines more there are.
    pub codes_further: usize,
    /// Units that are inside now, directly or in others.
    pub units: Vec<String>,
    /// What was said of it, in ascending order of event time.
    pub lines: Vec<LineJson>,
    /// How many lines there are in all.
    pub lines_total: usize,
}

/// Codes that are inside.
#[derive(Debug, Serialize, ToSchema)]
pub struct InsideJson {
    /// Number of their batch.
    pub batch: u64,
    /// Which they are, and what became of them.
    #[serde(flatten)]
    pub held: HeldJson,
}

/// What is inside of a unit, where it is, and what was said of it: for whoever has or had to do with it, or has goods in it.
#[utoipa::path(get, path = "/v1/units/{unit}", tag = "goods",
    params(("unit" = String, Path, description = "SSCC, container number, GRAI, or a case's code"), LinesQuery),
    responses((status = 200, body = UnitFactsJson), (status = "4XX", body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(unit): Path<String>,
    Query(query): Query<LinesQuery>,
) -> Result<Private<UnitFactsJson>, Problem> {
    caller.require(&[Role::Operator, Role::Importer, Role::Inspector])?;
    let limit = answer::limit(query.limit, TIMELINE_LINES_MAX, 1..=TIMELINE_LINES_MAX)?;
    let instance = instance_of(&unit, &app.service).map_err(|error| Problem::invalid("path", error.to_string()))?;
    let unknown = || Problem::not_found(format!("there is no unit {unit}"));
    let instance = instance.ok_or_else(unknown)?;
    let facts = app.service.unit_facts(&caller, &instance).await?.ok_or_else(unknown)?;
    let inside = |inside: &InsideCodes| InsideJson { batch: inside.batch.0, held: held_json(&app, &inside.held) };
    Ok(Private(UnitFactsJson {
        unit: app.service.instance_text(&instance),
        owner: facts.owner.0,
        holder: facts.status.holder.0,
        state: facts.status.state,
        stays: facts.status.stays.iter().map(|stay| stay_json(&app, stay)).collect(),
        codes: facts.codes.iter().map(inside).collect(),
        codes_further: facts.codes_further,
        units: facts.units,
        lines: facts.lines.iter().skip(query.from).take(limit).map(|line| line_json(&app, line)).collect(),
        lines_total: facts.lines.len(),
    }))
}
