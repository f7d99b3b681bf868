//! What tests say: events, documents, and the JSON around them.

use serde_json::{Value, json};

use super::START_MS;

/// An ObjectEvent, `minutes` after the start, with fields laid over.
pub fn event(minutes: i64, over: Value) -> Value {
    let time = jiff::Timestamp::from_millisecond(START_MS + minutes * 60_000).unwrap();
    let mut event = json!({ "type": "ObjectEvent", "action": "OBSERVE", "eventTime": time.to_string(),
        "eventTimeZoneOffset": "+08:00" });
    lay_over(&mut event, over);
    event
}

pub fn document(events: Vec<Value>) -> Value {
    json!({ "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            { "cp": "https://w3id.org/coldproof/1/" }],
        "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-06-01T00:00:00Z",
        "epcisBody": { "eventList": events } })
}

/// The class of a batch.
pub fn class(batch: u64) -> String {
    format!("https://trace.example/batch/{batch}")
}

/// Fields that name one span of a batch.
pub fn span(batch: u64, first: &str, last: &str, codes: u32) -> Value {
    json!({ "cp:spans": [{ "first": first, "last": last }],
        "quantityList": [{ "epcClass": class(batch), "quantity": codes }] })
}

/// Fields of a measure: `set` or `unset`, of `non_sellable_other` or `recalled`.
pub fn measure(number: u64, change: &str, disposition: &str) -> Value {
    let mut fields = json!({ "persistentDisposition": { change: [disposition] },
        "bizTransactionList": [{ "type": "https://w3id.org/coldproof/1/measure",
            "bizTransaction": format!("https://trace.example/measure/{number}") }] });
    if change == "set" {
        fields["bizStep"] = json!("holding");
    }
    fields
}

/// The members of `over` into `value`.
pub fn lay_over(value: &mut Value, over: Value) {
    let Value::Object(over) = over else { panic!("{over} is no object") };
    value.as_object_mut().unwrap().extend(over);
}

/// Both objects in one.
pub fn both(mut one: Value, other: Value) -> Value {
    lay_over(&mut one, other);
    one
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Texts of a list.
pub fn texts(value: &Value) -> Vec<String> {
    value.as_array().map(|values| values.iter().map(text).collect()).unwrap_or_default()
}
