//! `GET /v1/batches/{batch}/whereabouts`: who holds which codes, and what became of them.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::trace::{BalanceJson, TransformedJson, balance_csv, came_from, trace_csv, went_into};
use crate::{
    http::{
        App,
        answer::{self, Private},
        error::Problem,
        extract::{Path, Query},
        spreadsheet,
    },
    limits::WHEREABOUTS_PAGE_LINES_MAX,
    registration::{Content, Kind},
    service::{
        Caller,
        whereabouts::{Held, Holding, Whereabouts},
    },
    trace::{BatchId, Instance, OrganizationId, Role, State as GoodsState},
};

/// Which lines, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhereaboutsQuery {
    /// How many lines to skip; 0 where left out.
    #[serde(default)]
    pub from: usize,
    /// How many lines, 0 to 10,000; 1,000 where left out.
    pub limit: Option<usize>,
    /// `json` or `csv`; JSON where left out.
    #[serde(default)]
    pub form: Form,
    /// What of it the CSV has: `lines`, `trace` or `balance`; lines where left out. JSON has all of it.
    #[serde(default)]
    pub part: Part,
}

/// A part of whereabouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Who holds which codes.
    #[default]
    Lines,
    /// What it was made of and what was made of it.
    Trace,
    /// The mass balance.
    Balance,
}

/// How whereabouts are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// JSON.
    #[default]
    Json,
    /// CSV, UTF-8, with a header.
    Csv,
}

/// Where a batch is.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhereaboutsJson {
    /// The batch.
    pub batch: u64,
    /// How many codes were issued.
    pub codes: u64,
    /// How many of them the public has scanned.
    pub scanned: u64,
    /// How many codes each organization has, by state.
    pub holders: Vec<HolderJson>,
    /// Codes that share what became of them, run by run.
    pub lines: Vec<HeldJson>,
    /// How many lines there are in all.
    pub lines_total: usize,
    /// What the batch was made of, nearest first.
    pub came_from: Vec<TransformedJson>,
    /// How many inputs more were not looked into.
    pub came_from_further: usize,
    /// What was made of it, nearest first.
    pub went_into: Vec<TransformedJson>,
    /// How many more there are at least.
    pub went_into_further: usize,
    /// The mass balance.
    pub balance: BalanceJson,
}

/// What one organization has.
#[derive(Debug, Serialize, ToSchema)]
pub struct HolderJson {
    /// Its number.
    pub organization: u64,
    /// Its name.
    pub name: String,
    /// How many codes, by the state of the goods.
    pub codes: BTreeMap<&'static str, u64>,
}

/// Codes that share what became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldJson {
    /// The first code.
    pub first: String,
    /// The last code.
    pub last: String,
    /// How many there are.
    pub codes: u32,
    /// The organization that has them, as far as shippers and receivers agree.
    pub holder: u64,
    /// Where they are in their life.
    #[schema(value_type = String)]
    pub state: GoodsState,
    /// The case, pallet or container that they are inside of.
    pub unit: Option<String>,
    /// Whether a hold or recall stands on them.
    pub measured: bool,
    /// Whether reports speak of two things under one code.
    pub suspicious: bool,
}

/// Where a batch is: for its importer and inspectors.
#[utoipa::path(get, path = "/v1/batches/{batch}/whereabouts", tag = "trace",
    params(("batch" = u64, Path, description = "number of the batch"), WhereaboutsQuery),
    responses((status = 200, body = WhereaboutsJson), (status = "4XX", body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(query): Query<WhereaboutsQuery>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Importer, Role::Inspector])?;
    let limit = answer::limit(query.limit, 1_000, 0..=WHEREABOUTS_PAGE_LINES_MAX)?;
    app.service.readable(&caller, Kind::Batch, id).await?;
    let unknown = || Problem::not_found(format!("there is no batch {id}"));
    let found = app.service.whereabouts(BatchId(id)).await?.ok_or_else(unknown)?;
    let lines: Vec<_> = found.lines.iter().skip(query.from).take(limit).map(|held| held_json(&app, held)).collect();
    match (query.form, query.part) {
        (Form::Json, _) => Ok(Private(whereabouts_json(&app, found, lines).await?).into_response()),
        (Form::Csv, Part::Lines) => csv(lines),
        (Form::Csv, Part::Trace) => {
            let trace = app.service.trace_batch(&found).await?;
            let back: Vec<_> = trace.came_from.iter().map(|source| came_from(&app, source)).collect();
            let forward: Vec<_> = trace.went_into.iter().map(|made| went_into(&app, made)).collect();
            trace_csv(&back, &forward)
        }
        (Form::Csv, Part::Balance) => balance_csv(&balance_json(&app, &found).await?),
    }
}

async fn balance_json(app: &App, found: &Whereabouts) -> Result<BalanceJson, Problem> {
    let balance = app.service.balance(found).await?.ok_or_else(Problem::internal)?;
    Ok(BalanceJson::from(&balance))
}

async fn whereabouts_json(app: &App, found: Whereabouts, lines: Vec<HeldJson>) -> Result<WhereaboutsJson, Problem> {
    let trace = app.service.trace_batch(&found).await?;
    Ok(WhereaboutsJson {
        balance: balance_json(app, &found).await?,
        came_from: trace.came_from.iter().map(|source| came_from(app, source)).collect(),
        came_from_further: trace.came_from_further,
        went_into: trace.went_into.iter().map(|made| went_into(app, made)).collect(),
        went_into_further: trace.went_into_further,
        batch: found.batch.0,
        codes: found.codes,
        scanned: app.service.scanned_of(found.batch).await?,
        lines_total: found.lines.len() + found.lines_further,
        holders: holders(app, found.holdings).await?,
        lines,
    })
}

/// Who has how many codes, with their names.
pub async fn holders(app: &App, holdings: BTreeMap<OrganizationId, Holding>) -> Result<Vec<HolderJson>, Problem> {
    let mut holders = Vec::with_capacity(holdings.len());
    for (id, Holding { codes }) in holdings {
        let name = match app.service.statement(Kind::Organization, id.0).await?.map(|statement| statement.content) {
            Some(Content::Organization(organization)) => organization.public_name.unwrap_or(organization.legal_name),
            _ => String::new(),
        };
        holders.push(HolderJson { organization: id.0, name, codes });
    }
    Ok(holders)
}

/// A line.
pub fn held_json(app: &App, held: &Held) -> HeldJson {
    let code = |serial| app.service.instance_text(&Instance::Code { run: held.span.run(), serial });
    HeldJson {
        first: code(held.span.first()),
        last: code(held.span.last()),
        codes: held.span.codes(),
        holder: held.holder.0,
        state: held.state,
        unit: held.unit.as_ref().map(|unit| app.service.instance_text(unit)),
        measured: held.measured,
        suspicious: held.suspicious,
    }
}

fn csv(lines: Vec<HeldJson>) -> Result<Response, Problem> {
    let columns = ["first", "last", "codes", "holder", "state", "unit", "measured", "suspicious"];
    let row = |line: HeldJson| {
        let (codes, holder) = (line.codes.to_string(), line.holder.to_string());
        let (measured, suspicious) = (line.measured.to_string(), line.suspicious.to_string());
        let (state, unit) = (line.state.word().to_owned(), line.unit.unwrap_or_default());
        [line.first, line.last, codes, holder, state, unit, measured, suspicious]
    };
    spreadsheet::respond(columns, lines.into_iter().map(row))
}
