//! `GET /v1/codes/{code}/timeline`: every entry, for its importer and inspectors.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::code_of;
use crate::{
    epcis::{Action, event_id},
    http::{
        App,
        answer::{self, Private, timestamp},
        batches::{
            trace::{TransformedJson, came_from},
            whereabouts::Form,
        },
        error::Problem,
        extract::{Path, Query},
        spreadsheet,
    },
    limits::TIMELINE_LINES_MAX,
    service::{Caller, timeline::TimelineLine},
    trace::{Bearing, Mark, Role, Scope, State as GoodsState, Stay, Verdict},
};

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LinesQuery {
    /// How many lines to skip; 0 where left out.
    #[serde(default)]
    pub from: usize,
    /// How many, 1 to 1,000; 1,000 where left out.
    pub limit: Option<usize>,
    /// `json` or `csv`; JSON where left out. The CSV has the lines alone, lists with `|` between their words.
    #[serde(default)]
    pub form: Form,
}

/// Everything that is said of one code.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineJson {
    /// The code.
    pub code: String,
    /// Where the goods are in their life.
    #[schema(value_type = String)]
    pub state: GoodsState,
    /// What a scan says of it, expiry apart.
    #[schema(value_type = Vec<String>)]
    pub verdicts: Vec<Verdict>,
    /// The organization that has the goods, as far as shippers and receivers agree.
    pub holder: u64,
    /// The units that the goods were inside of, in order.
    pub stays: Vec<StayJson>,
    /// In ascending order of event time.
    pub lines: Vec<LineJson>,
    /// How many lines there are in all.
    pub lines_total: usize,
    /// What the goods were made of, nearest first.
    pub came_from: Vec<TransformedJson>,
    /// How many inputs more were not looked into.
    pub came_from_further: usize,
}

/// From when to when the goods were inside a unit, directly or inside another.
#[derive(Debug, Serialize, ToSchema)]
pub struct StayJson {
    /// A code or the unit's URI.
    pub unit: String,
    /// When they came in.
    #[schema(value_type = String)]
    pub from: Timestamp,
    /// When they came out; absent while they are inside.
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
}

/// One organization's statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineJson {
    /// When it happened.
    #[schema(value_type = String)]
    pub event_time: Timestamp,
    /// When it was accepted.
    #[schema(value_type = String)]
    pub record_time: Timestamp,
    /// The public event id.
    pub event: String,
    /// The record, in hex.
    pub record: String,
    /// Who said it.
    pub organization: u64,
    /// In which role.
    #[schema(value_type = String)]
    pub role: Role,
    /// ADD, OBSERVE or DELETE; a transformation has none.
    pub action: Option<&'static str>,
    /// The business step.
    pub biz_step: Option<String>,
    /// The disposition.
    pub disposition: Option<String>,
    /// Persistent dispositions set.
    pub set: Vec<String>,
    /// Persistent dispositions unset.
    pub unset: Vec<String>,
    /// The measure that it sets or lifts.
    pub measure: Option<u64>,
    /// `all` of the batch or lot, `some` of it, or `span`: codes by name.
    pub scope: &'static str,
    /// `effective`, `report`, `declared_in_error` or `error_declaration`.
    #[schema(value_type = String)]
    pub bearing: Bearing,
    /// Where it speaks of custody: `confirmed`, `unconfirmed`, or how another report contradicts it.
    pub mark: Option<&'static str>,
    /// The case, pallet or container that it was said of, where the code was inside.
    pub unit: Option<String>,
}

/// Every entry that bears on the code.
#[utoipa::path(get, path = "/v1/codes/{code}/timeline", tag = "trace",
    params(("code" = String, Path, description = "the code"), LinesQuery),
    responses((status = 200, body = TimelineJson), (status = "4XX", body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(code): Path<String>,
    Query(query): Query<LinesQuery>,
) -> Result<Response, Problem> {
    let limit = answer::limit(query.limit, TIMELINE_LINES_MAX, 1..=TIMELINE_LINES_MAX)?;
    let (code, run, _) = code_of(&app, &caller, &code).await?;
    let timeline = app.service.timeline(&code, &run).await?;
    let lines = timeline.lines.iter().skip(query.from).take(limit).map(|line| line_json(&app, line));
    if let Form::Csv = query.form {
        return csv(lines);
    }
    Ok(Private(TimelineJson {
        code: code.to_string(),
        state: timeline.status.state,
        verdicts: timeline.status.verdicts(false, timeline.came_from.iter().any(|source| source.chain_broken)),
        holder: timeline.status.holder.0,
        stays: timeline.status.stays.iter().map(|stay| stay_json(&app, stay)).collect(),
        lines_total: timeline.lines.len(),
        came_from: timeline.came_from.iter().map(|source| came_from(&app, source)).collect(),
        came_from_further: timeline.came_from_further,
        lines: lines.collect(),
    })
    .into_response())
}

fn csv(lines: impl Iterator<Item = LineJson>) -> Result<Response, Problem> {
    let columns = [
        "event_time",
        "record_time",
        "event",
        "record",
        "organization",
        "role",
        "action",
        "biz_step",
        "disposition",
        "set",
        "unset",
        "measure",
        "scope",
        "bearing",
        "mark",
        "unit",
    ];
    let row = |line: LineJson| {
        [
            line.event_time.to_string(),
            line.record_time.to_string(),
            line.event,
            line.record,
            line.organization.to_string(),
            line.role.word().to_owned(),
            line.action.unwrap_or_default().to_owned(),
            line.biz_step.unwrap_or_default(),
            line.disposition.unwrap_or_default(),
            line.set.join("|"),
            line.unset.join("|"),
            line.measure.map(|measure| measure.to_string()).unwrap_or_default(),
            line.scope.to_owned(),
            line.bearing.word().to_owned(),
            line.mark.unwrap_or_default().to_owned(),
            line.unit.unwrap_or_default(),
        ]
    };
    spreadsheet::respond(columns, lines.map(row))
}

/// A stay.
pub fn stay_json(app: &App, stay: &Stay) -> StayJson {
    let unit = app.service.instance_text(&stay.unit);
    StayJson { unit, from: timestamp(stay.from_ms), until: stay.until_ms.map(timestamp) }
}

/// A line.
pub fn line_json(app: &App, line: &TimelineLine) -> LineJson {
    let entry = &line.entry;
    let words = |dispositions: &[crate::epcis::Disposition]| {
        dispositions.iter().map(|disposition| disposition.as_str().to_owned()).collect()
    };
    LineJson {
        event_time: timestamp(entry.place.event_time_ms),
        record_time: timestamp(entry.record_time_ms),
        event: event_id(entry.event),
        record: entry.place.record.to_string(),
        organization: entry.organization.0,
        role: entry.role,
        action: entry.action.map(Action::as_str),
        biz_step: entry.biz_step.as_ref().map(|step| step.as_str().to_owned()),
        disposition: entry.disposition.as_ref().map(|disposition| disposition.as_str().to_owned()),
        set: words(&entry.set),
        unset: words(&entry.unset),
        measure: entry.measure.map(|measure| measure.0),
        scope: match entry.scope {
            Scope::All => "all",
            Scope::Some => "some",
            Scope::Span(_) => "span",
        },
        bearing: line.bearing,
        mark: line.mark.map(Mark::word),
        unit: line.of.as_ref().map(|unit| app.service.instance_text(unit)),
    }
}
