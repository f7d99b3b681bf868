//! Our own events, in the shapes of `docs/spec/epcis-events.md`. Each is built as JSON and then read like anybody
//! else's, so that none can be made that would be refused.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    DocumentError, Event, GoodsList, Hosts, Ruling,
    document::{NAME_SPACE, parse_canonical},
    epc, event_hash, time,
};
use crate::{
    code::{Code, Gtin, Lot, lot_class},
    trace::{BatchId, MeasureId},
};

pub use super::{
    batch_facts::{BatchFacts, DocumentFact},
    goods_shapes::{Movement, NamedGoods, NamedParty, Transformation, aggregation, movement, transformation, units},
    inspection_shape::{Inspection, InspectionKind, InspectionResult, Sample, inspection},
    sensor_shape::{Carrier, temperatures},
};

/// When an event happened, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occasion {
    /// Milliseconds since 1970-01-01 UTC.
    pub event_time_ms: i64,
    /// The local offset from UTC, -840 to 840 minutes.
    pub offset_minutes: i16,
    /// Where, as a URI (a GLN's Digital Link).
    pub read_point: Option<String>,
}

/// Codes of one batch: one run, an inclusive range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSpan {
    /// The batch.
    pub batch: BatchId,
    /// The first code.
    pub first: Code,
    /// The last code; of the same run, at or behind the first.
    pub last: Code,
}

/// What is done to codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeStep {
    /// Issued: the codes exist, on no goods yet.
    Issued,
    /// Put on goods.
    Applied,
    /// Never to be on goods; final.
    Void,
}

/// What a measure does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureKind {
    /// Not to be sold for now.
    Hold,
    /// To be taken back.
    Recall,
}

impl MeasureKind {
    /// Its word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Recall => "recall",
        }
    }
}

/// A hold or recall, or its lift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its number.
    pub id: MeasureId,
    /// What it does.
    pub kind: MeasureKind,
    /// Whole batches.
    pub batches: Vec<BatchId>,
    /// Whole lots.
    pub lots: Vec<(Gtin, Lot)>,
    /// Codes.
    pub spans: Vec<BatchSpan>,
    /// Units and other EPCs, as URIs.
    pub units: Vec<String>,
    /// Why.
    pub reason: Option<String>,
    /// What the public is told.
    pub notice: Option<String>,
    /// What a holder should do.
    pub advice: Option<String>,
}

/// Registration of a batch: ADD, `creating_class_instance`, `active`; the facts are in ilmd. `certificates` are URIs of
/// its documents.
///
/// # Errors
/// A fact that no event can carry, such as a place that is no URI.
pub fn registration(
    occasion: &Occasion,
    batch: BatchId,
    facts: &BatchFacts,
    certificates: &[String],
    hosts: &Hosts,
) -> Result<Event, DocumentError> {
    let mut event = base(occasion, "ADD", Some("creating_class_instance"), Some("active"));
    let mut element = json!({ "epcClass": epc::batch_uri(batch, hosts) });
    if let (Some(element), Some((quantity, uom))) = (element.as_object_mut(), &facts.quantity) {
        element.insert("quantity".into(), json!(quantity));
        if let Some(uom) = uom {
            element.insert("uom".into(), json!(uom));
        }
    }
    event.insert("quantityList".into(), json!([element]));
    if !certificates.is_empty() {
        event.insert("certificationInfo".into(), json!(certificates));
    }
    event.insert("ilmd".into(), Value::Object(facts.to_ilmd()));
    read(event, hosts)
}

/// Correction of a registration: the standing event declared in error (`incorrect_data`), naming the one that
/// stands in its place; and that one, as [`registration`] made it. Both go into one capture, declaration first.
///
/// # Errors
/// Where `standing` is no canonical event.
pub fn declared_in_error(
    standing: &Event,
    in_its_place: Option<&Event>,
    declaration_time_ms: i64,
    hosts: &Hosts,
) -> Result<Event, DocumentError> {
    let mut declaration = json!({
        "declarationTime": time::hash_form(declaration_time_ms).unwrap_or_default(),
        "reason": if in_its_place.is_some() { "incorrect_data" } else { "did_not_occur" },
    });
    if let (Some(declaration), Some(other)) = (declaration.as_object_mut(), in_its_place) {
        declaration.insert("correctiveEventIDs".into(), json!([event_hash::event_id(other.hash)]));
    }
    let mut event: Map<String, Value> = serde_json::from_str(&standing.body).unwrap_or_default();
    event.insert("errorDeclaration".into(), declaration);
    read(event, hosts)
}

/// Codes issued, applied or void: `cp:spans`, and one quantity per batch.
///
/// # Errors
/// Spans that run backward, over two runs, or into one another.
pub fn codes(occasion: &Occasion, step: CodeStep, spans: &[BatchSpan], hosts: &Hosts) -> Result<Event, DocumentError> {
    let (action, biz_step, disposition) = match step {
        CodeStep::Issued => ("ADD", "reserving", "reserved"),
        CodeStep::Applied => ("ADD", "commissioning", "active"),
        CodeStep::Void => ("DELETE", "decommissioning", "inactive"),
    };
    let mut event = base(occasion, action, Some(biz_step), Some(disposition));
    insert_spans(&mut event, GoodsList::Objects, spans, hosts);
    read(event, hosts)
}

/// Sets a measure: OBSERVE, `holding`, a persistent disposition, and the measure's number as business transaction. One
/// event for classes and units, one for spans, because the quantities beside spans count them.
///
/// # Errors
/// As [`codes`]; and where the measure names nothing.
pub fn measure(occasion: &Occasion, measure: &Measure, hosts: &Hosts) -> Result<Vec<Event>, DocumentError> {
    measure_events(occasion, measure, "set", hosts)
}

/// Lifts a measure: the unset that names its number, on the same goods.
///
/// # Errors
/// As [`measure`].
pub fn lift(occasion: &Occasion, measure: &Measure, hosts: &Hosts) -> Result<Vec<Event>, DocumentError> {
    measure_events(occasion, measure, "unset", hosts)
}

fn measure_events(
    occasion: &Occasion,
    measure: &Measure,
    change: &'static str,
    hosts: &Hosts,
) -> Result<Vec<Event>, DocumentError> {
    let disposition = match measure.kind {
        MeasureKind::Hold => "non_sellable_other",
        MeasureKind::Recall => "recalled",
    };
    let step = (change == "set").then_some("holding");
    let mut event = base(occasion, "OBSERVE", step, None);
    event.insert("persistentDisposition".into(), json!({ change: [disposition] }));
    let transaction =
        json!({ "type": format!("{NAME_SPACE}measure"), "bizTransaction": epc::measure_uri(measure.id, hosts) });
    event.insert("bizTransactionList".into(), json!([transaction]));
    for (name, text) in [("reason", &measure.reason), ("notice", &measure.notice), ("advice", &measure.advice)] {
        if let Some(text) = text {
            event.insert(format!("{NAME_SPACE}{name}"), json!(text));
        }
    }
    let mut events = Vec::new();
    if !measure.spans.is_empty() {
        let mut event = event.clone();
        insert_spans(&mut event, GoodsList::Objects, &measure.spans, hosts);
        events.push(read(event, hosts)?);
    }
    let batches = measure.batches.iter().map(|batch| epc::batch_uri(*batch, hosts));
    let classes = batches.chain(measure.lots.iter().map(|(gtin, lot)| lot_class(*gtin, lot)));
    let classes: Vec<Value> = classes.map(|class| json!({ "epcClass": class })).collect();
    if !classes.is_empty() {
        event.insert("quantityList".into(), json!(classes));
    }
    if !measure.units.is_empty() {
        event.insert("epcList".into(), json!(measure.units));
    }
    if events.is_empty() || event.contains_key("quantityList") || event.contains_key("epcList") {
        events.push(read(event, hosts)?);
    }
    Ok(events)
}

pub(super) fn base(
    occasion: &Occasion,
    action: &str,
    step: Option<&str>,
    disposition: Option<&str>,
) -> Map<String, Value> {
    let minutes = occasion.offset_minutes;
    let sign = if minutes < 0 { '-' } else { '+' };
    let offset = format!("{sign}{:02}:{:02}", minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60);
    let mut event = Map::new();
    event.insert("type".into(), json!("ObjectEvent"));
    event.insert("eventTime".into(), json!(time::hash_form(occasion.event_time_ms).unwrap_or_default()));
    event.insert("eventTimeZoneOffset".into(), json!(offset));
    event.insert("action".into(), json!(action));
    for (name, word) in [("bizStep", step), ("disposition", disposition)] {
        if let Some(word) = word {
            event.insert(name.into(), json!(word));
        }
    }
    if let Some(place) = &occasion.read_point {
        event.insert("readPoint".into(), json!({ "id": place }));
    }
    event
}

/// The spans' extension of a list, and beside it one quantity per batch: how many codes the spans name of it.
pub(super) fn insert_spans(event: &mut Map<String, Value>, list: GoodsList, spans: &[BatchSpan], hosts: &Hosts) {
    let mut counts: Vec<(BatchId, u64)> = Vec::new();
    for span in spans {
        let codes = 1 + u64::from(span.last.serial.get().saturating_sub(span.first.serial.get()));
        match counts.iter_mut().find(|(batch, _)| *batch == span.batch) {
            Some((_, count)) => *count += codes,
            None => counts.push((span.batch, codes)),
        }
    }
    let element =
        |(batch, count): &(BatchId, u64)| json!({ "epcClass": epc::batch_uri(*batch, hosts), "quantity": count });
    event.insert(list.quantities().into(), counts.iter().map(element).collect());
    let span = |span: &BatchSpan| json!({ "first": span.first.to_string(), "last": span.last.to_string() });
    event.insert(list.spans().into(), spans.iter().map(span).collect());
}

/// Reads the event as one of somebody else's; EPCs in it that read as own codes are taken as they stand.
pub(super) fn read(event: Map<String, Value>, hosts: &Hosts) -> Result<Event, DocumentError> {
    let text = Value::Object(event).to_string();
    parse_canonical(&text, hosts)?.seal(|code| Ruling::Ours(code.gtin))
}
