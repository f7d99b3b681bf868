//! `POST /v1/batches/{batch}/temperatures` and `/v1/units/{unit}/temperatures`.

use axum::{
    Json as AxumJson,
    extract::{Request, State},
    http::StatusCode,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ColdChainJson,
    body::{self, ReadingsBody},
};
use crate::{
    cold_chain::{
        Unit,
        logger::{self, DateOrder, LoggerFile, Told, parse_zone},
    },
    epcis::{NAME_SPACE, event_id, shapes::Carrier},
    http::{
        App,
        error::Problem,
        extract::{Path, Query, body_bytes, media_type, require_json},
    },
    limits::{CLOCK_SKEW_MS_MAX, LOGGER_BYTES_MAX, LOGGER_LINES_MAX},
    registration::unit_epc,
    service::{Basis, Caller, capture::heavy, temperature::LoggerReadings},
    trace::{BatchId, Role},
};

/// Longest serial number of a logger, in characters.
const DEVICE_CHARS_MAX: usize = 200;

/// What a logger's file does not tell. Each is asked for by name where it is needed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LoggerQuery {
    /// Offset of its times from UTC, such as `+08:00`.
    #[param(example = "+08:00")]
    pub zone: Option<String>,
    /// `dmy`, `mdy` or `ymd`.
    pub date_order: Option<String>,
    /// `C`, `F` or `K`.
    pub unit: Option<String>,
    /// Name or number (from 1) of the column with the temperatures.
    pub column: Option<String>,
    /// The logger: a URI, or its serial number; what the file says where left out.
    pub device: Option<String>,
}

/// What became of readings.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedJson {
    /// The public ids of the events that were made.
    pub events: Vec<String>,
    /// The logger, as a URI.
    pub device: Option<String>,
    /// Rows without a reading: the sensor failed, or the row is a remark.
    pub skipped: u64,
    /// Readings whose second another reading has.
    pub duplicates: u64,
    /// Readings that stood behind a later one.
    pub out_of_order: u64,
    /// What these readings say by themselves.
    #[serde(flatten)]
    pub record: ColdChainJson,
}

/// Reports the temperatures of a whole batch: a logger's file (CSV), or readings as JSON.
#[utoipa::path(post, path = "/v1/batches/{batch}/temperatures", tag = "trace",
    params(("batch" = u64, Path, description = "number of the batch"), LoggerQuery),
    request_body(content((String = "text/csv"), (ReadingsBody = "application/json"))),
    responses((status = 201, body = ReportedJson), (status = "4XX", body = Problem)))]
pub async fn of_batch(
    State(app): State<App>,
    caller: Caller,
    Path(batch): Path<u64>,
    Query(query): Query<LoggerQuery>,
    request: Request,
) -> Result<(StatusCode, AxumJson<ReportedJson>), Problem> {
    caller.require(&[Role::Operator, Role::Importer, Role::Inspector])?;
    let id = BatchId(batch);
    let known = app.service.batch_facts(id, &mut Basis::default()).await?.filter(|facts| !facts.batch.draft);
    let facts = known.ok_or_else(|| Problem::not_found(format!("there is no batch {batch}")))?;
    let confirmed = caller.role == Role::Inspector || facts.batch.organization == caller.organization;
    report(&app, &caller, Carrier::Batch(id), Some(confirmed), &query, request).await
}

/// Reports the temperatures of a unit: an SSCC, a container (ISO 6346) or a returnable asset (GRAI).
#[utoipa::path(post, path = "/v1/units/{unit}/temperatures", tag = "trace",
    params(("unit" = String, Path, description = "SSCC, container number or GRAI"), LoggerQuery),
    request_body(content((String = "text/csv"), (ReadingsBody = "application/json"))),
    responses((status = 201, body = ReportedJson), (status = "4XX", body = Problem)))]
pub async fn of_unit(
    State(app): State<App>,
    caller: Caller,
    Path(unit): Path<String>,
    Query(query): Query<LoggerQuery>,
    request: Request,
) -> Result<(StatusCode, AxumJson<ReportedJson>), Problem> {
    caller.require(&[Role::Operator, Role::Importer, Role::Inspector])?;
    let uri = unit_epc(&unit, &app.service.hosts).map_err(|error| Problem::invalid("path", error.to_string()))?;
    report(&app, &caller, Carrier::Unit(uri), None, &query, request).await
}

async fn report(
    app: &App,
    caller: &Caller,
    carrier: Carrier,
    confirmed: Option<bool>,
    query: &LoggerQuery,
    request: Request,
) -> Result<(StatusCode, AxumJson<ReportedJson>), Problem> {
    let is_csv = is_csv(&media_type(request.headers()));
    if !is_csv {
        require_json(request.headers())?;
        if let Some((name, _)) = query.given().into_iter().find(|(_, given)| *given) {
            return Err(Problem::invalid(name, "found it beside JSON, expected it with text/csv only"));
        }
    }
    let bytes = body_bytes(request, app).await.map_err(|problem| match problem.status {
        413 => Problem::too_large(format!(
            "found more than {LOGGER_BYTES_MAX} bytes, expected a file of at most so many and of at most {LOGGER_LINES_MAX} lines"
        ))
        .at("body"),
        _ => problem,
    })?;
    let latest_ms = app.service.now_ms() + CLOCK_SKEW_MS_MAX;
    let told = query.told(latest_ms)?;
    // A long file takes a moment, in which the thread serves nobody else.
    let file = heavy(bytes.len(), || read(&bytes, is_csv, &told))?;
    let device = query.device.as_deref().or(file.device.as_deref()).map(device_uri).transpose()?;
    let LoggerFile { readings, offset_minutes, skipped, duplicates, out_of_order, .. } = file;
    let logger = LoggerReadings { carrier, readings, offset_minutes, device: device.clone() };
    let reported = app.service.report_temperatures(caller, logger).await?;
    let body = ReportedJson {
        events: reported.captured.events.into_iter().map(event_id).collect(),
        device,
        skipped,
        duplicates,
        out_of_order,
        record: ColdChainJson::of(&reported.chain, reported.chain.breach.is_some(), confirmed),
    };
    Ok((StatusCode::CREATED, AxumJson(body)))
}

fn read(bytes: &[u8], is_csv: bool, told: &Told<'_>) -> Result<LoggerFile, Problem> {
    if is_csv { Ok(logger::read(bytes, told)?) } else { body::read(bytes, told.latest_ms) }
}

fn is_csv(media_type: &str) -> bool {
    matches!(media_type, "text/csv" | "text/plain" | "text/tab-separated-values")
}

impl LoggerQuery {
    /// Which of those that speak of a file are given.
    fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("zone", self.zone.is_some()),
            ("date_order", self.date_order.is_some()),
            ("unit", self.unit.is_some()),
            ("column", self.column.is_some()),
        ]
    }

    fn told(&self, latest_ms: i64) -> Result<Told<'_>, Problem> {
        let refused = |name: &'static str, found: &str, expected: &str| {
            Problem::invalid(name, format!("found {found:?}, expected {expected}"))
        };
        // A plus sign that was not escaped arrives as a space.
        let zone = |text: &String| {
            let signed = text.strip_prefix(' ').map_or_else(|| text.clone(), |rest| format!("+{rest}"));
            parse_zone(&signed).ok_or_else(|| refused("zone", text, "an offset from UTC such as +08:00"))
        };
        let order = |text: &String| {
            let known = DateOrder::ALL.into_iter().find(|order| order.word().eq_ignore_ascii_case(text));
            known.ok_or_else(|| refused("date_order", text, "dmy, mdy or ymd"))
        };
        let unit = |text: &String| match text.as_str() {
            "C" | "c" | "CEL" => Ok(Unit::Celsius),
            "F" | "f" | "FAH" => Ok(Unit::Fahrenheit),
            "K" | "k" | "KEL" => Ok(Unit::Kelvin),
            _ => Err(refused("unit", text, "C, F or K")),
        };
        Ok(Told {
            zone_minutes: self.zone.as_ref().map(zone).transpose()?,
            date_order: self.date_order.as_ref().map(order).transpose()?,
            unit: self.unit.as_ref().map(unit).transpose()?,
            column: self.column.as_deref(),
            latest_ms,
        })
    }
}

/// A logger as a URI: as it is given, or its serial number in our own name space.
fn device_uri(device: &str) -> Result<String, Problem> {
    let device = device.trim();
    if device.is_empty() || device.chars().count() > DEVICE_CHARS_MAX {
        let detail =
            format!("found {device:?}, expected a URI or a serial number of 1 to {DEVICE_CHARS_MAX} characters");
        return Err(Problem::invalid("device", detail));
    }
    if ["urn:", "https:", "http:"].iter().any(|scheme| device.starts_with(scheme)) {
        return Ok(device.to_owned());
    }
    Ok(format!("{NAME_SPACE}device/{}", utf8_percent_encode(device, NON_ALPHANUMERIC)))
}
