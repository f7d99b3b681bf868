//! `POST /v1/inspections`: what somebody found who looked at goods.

use axum::{Json as AxumJson, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    App,
    error::Problem,
    extract::Json,
    given::Fields,
    goods::QuantityJson,
    runs::spans::{EventsJson, SpanBody},
    text_or::TextOr,
};
use crate::{
    code::Code,
    epcis::{
        Hosts, event_id,
        shapes::{InspectionKind, InspectionResult, Sample},
    },
    limits::{CLOCK_SKEW_MS_MAX, MEASURE_SPANS_MAX, MEASURE_TEXT_CHARS_MAX, MEASURE_UNITS_MAX},
    registration::{FieldError, Kind, NAME_CHARS_MAX, NUMBER_CHARS_MAX, ValueError, text, unit_epc},
    service::{
        Caller,
        inspection::{InspectionError, InspectionOrder},
        measure::{MeasureError, NamedTargets},
    },
    trace::{BatchId, DocumentId, Role},
};

/// An inspection: of a whole batch, or of codes and units.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectionBody {
    /// Codes, spans of codes (`{"first", "last"}`) and units, at most 10,000 codes and spans and 1,000 units; or `batch`.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub what: Vec<TextOr<SpanBody>>,
    /// Number of a batch: all of it.
    pub batch: Option<u64>,
    /// `inspection`, or `sampling` where a sample was taken.
    #[schema(value_type = String, example = "sampling")]
    pub kind: InspectionKind,
    /// `passed`, `failed`, or `pending` where it is not known yet.
    #[schema(value_type = String, example = "passed")]
    pub result: InspectionResult,
    /// The sample.
    pub sample: Option<SampleBody>,
    /// Number of an uploaded document: the report.
    pub document: Option<u64>,
    /// What else there is to say, at most 1,000 characters.
    pub note: Option<String>,
    /// When; now where left out.
    #[schema(format = DateTime)]
    pub at: Option<String>,
}

/// A sample.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleBody {
    /// Its number.
    pub number: Option<String>,
    /// How much was taken.
    pub quantity: Option<QuantityJson>,
    /// Who tests it.
    pub laboratory: Option<String>,
}

/// Where in `what` spans and units stand.
#[derive(Default)]
struct Positions {
    spans: Vec<usize>,
    units: Vec<usize>,
}

impl Positions {
    /// A field among spans or units as one of `what`.
    fn field(&self, field: &str) -> String {
        let mut parts = field.trim_start_matches('/').splitn(3, '/');
        let list = match parts.next() {
            Some("spans") => &self.spans,
            Some("units") => &self.units,
            _ => return field.to_owned(),
        };
        let at = parts.next().and_then(|at| list.get(at.parse::<usize>().ok()?));
        let Some(at) = at else { return "what".to_owned() };
        parts.next().map_or_else(|| format!("what/{at}"), |end| format!("what/{at}/{end}"))
    }

    fn error(&self, error: InspectionError) -> Problem {
        match error {
            InspectionError::Targets(MeasureError::Invalid(errors)) => {
                let named = |error: FieldError| FieldError::new(self.field(&error.field), error.error);
                MeasureError::Invalid(errors.into_iter().map(named).collect()).into()
            }
            InspectionError::Targets(MeasureError::Forbidden { field, .. }) => {
                let problem = Problem::forbidden("found goods of another organization, expected one's own");
                field.iter().fold(problem, |problem, field| problem.at(format!("/{}", self.field(field))))
            }
            InspectionError::Targets(error) => error.into(),
            InspectionError::Capture(error) => error.into(),
        }
    }
}

/// Records an inspection or a sample: an inspector's of any goods, an importer's of its own.
#[utoipa::path(post, path = "/v1/inspections", tag = "trace", request_body = InspectionBody,
    responses((status = 201, body = EventsJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<InspectionBody>,
) -> Result<(StatusCode, AxumJson<EventsJson>), Problem> {
    caller.require(&[Role::Inspector, Role::Importer])?;
    if let Some(id) = body.document {
        let known = app.service.readable(&caller, Kind::Document, id).await;
        known.map_err(|_| Problem::invalid("/document", format!("found {id}, expected the number of a document")))?;
    }
    let (order, positions) = body.read(&app.service.hosts, app.service.now_ms())?;
    let captured = app.service.inspect(&caller, order).await.map_err(|error| positions.error(error))?;
    let events = captured.events.into_iter().map(event_id).collect();
    Ok((StatusCode::CREATED, AxumJson(EventsJson { events })))
}

impl InspectionBody {
    fn read(self, hosts: &Hosts, now_ms: i64) -> Result<(InspectionOrder, Positions), Problem> {
        let mut fields = Fields::default();
        if self.what.is_empty() == self.batch.is_none() {
            let expected = "goods in `what`, or the number of a batch in `batch`, and not both";
            fields.refuse("/what", ValueError::Missing { expected });
        }
        let (mut targets, mut positions) = (NamedTargets::default(), Positions::default());
        targets.batch = self.batch.map(BatchId);
        fields.inside("/what", |fields| {
            fields.list(self.what, MEASURE_SPANS_MAX + MEASURE_UNITS_MAX, |_, what| Some(what)).map(|whats| {
                for (at, what) in whats.into_iter().enumerate() {
                    fields.inside(&format!("/{at}"), |fields| targets.add(at, what, &mut positions, fields, hosts));
                }
            })
        });
        for (found, most) in [(targets.spans.len(), MEASURE_SPANS_MAX), (targets.units.len(), MEASURE_UNITS_MAX)] {
            if found > most {
                fields.refuse("/what", ValueError::out_of_range(found, format!("at most {most} of a kind")));
            }
        }
        let note = self.note.and_then(|note| fields.keep("/note", text(&note, MEASURE_TEXT_CHARS_MAX)));
        let sample = self.sample.and_then(|sample| fields.inside("/sample", |fields| sample.read(fields)));
        let at_ms = self.at.map_or(Some(now_ms), |at| fields.keep("/at", time_ms(&at, now_ms)));
        fields.finish()?;
        let (document, at_ms) = (self.document.map(DocumentId), at_ms.unwrap_or(now_ms));
        Ok((
            InspectionOrder { targets, kind: self.kind, result: self.result, sample, document, note, at_ms },
            positions,
        ))
    }
}

impl NamedTargets {
    /// Adds goods that stand at a position of `what`.
    fn add(
        &mut self,
        at: usize,
        what: TextOr<SpanBody>,
        positions: &mut Positions,
        fields: &mut Fields,
        hosts: &Hosts,
    ) -> Option<()> {
        let code = |text: &str| Code::parse(text).map_err(|error| ValueError::out_of_range(text, error));
        let span = match what {
            TextOr::Parts(span) => {
                let (first, last) = (fields.keep("/first", code(&span.first)), fields.keep("/last", code(&span.last)));
                (first?, last?)
            }
            TextOr::Text(name) => match Code::parse(&name) {
                Ok(code) => (code, code),
                Err(_) => {
                    self.units.push(fields.keep("", unit_epc(&name, hosts))?);
                    positions.units.push(at);
                    return Some(());
                }
            },
        };
        self.spans.push(span);
        positions.spans.push(at);
        Some(())
    }
}

impl SampleBody {
    fn read(self, fields: &mut Fields) -> Option<Sample> {
        let mut words = |pointer: &str, given: Option<String>, chars_max: usize| match given {
            None => Some(None),
            Some(given) => fields.keep(pointer, text(&given, chars_max)).map(Some),
        };
        let number = words("/number", self.number, NUMBER_CHARS_MAX);
        let laboratory = words("/laboratory", self.laboratory, NAME_CHARS_MAX);
        let quantity = match self.quantity {
            None => Some(None),
            Some(quantity) => fields.inside("/quantity", |fields| quantity.read(fields)).map(Some),
        };
        let quantity = quantity?.map(|quantity| (quantity.value.to_number(), quantity.uom.to_string()));
        Some(Sample { number: number?, quantity, laboratory: laboratory? })
    }
}

fn time_ms(text: &str, now_ms: i64) -> Result<i64, ValueError> {
    let time = text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    let expected = "RFC 3339 with its zone, such as 2026-05-31T10:00:00+08:00, from 1970 to one day after now";
    time.filter(|time_ms| (0..=now_ms + CLOCK_SKEW_MS_MAX).contains(time_ms))
        .ok_or_else(|| ValueError::out_of_range(text, expected))
}
