//! EPCIS documents in JSON (EPCIS 2.0, clause 9.5): taken apart into events, and put together again.

use std::borrow::Cow;

use super::{
    DocumentError, Draft, Hosts, aggregation_event, association_event,
    context::Context,
    error::{Checked, Fault, Reason, Under, quote},
    fields, header,
    json::{Json, Members},
    object_event, time, transaction_event, transformation_event,
};
use crate::limits::{CAPTURE_BYTES_MAX, CAPTURE_EVENTS_MAX};

/// EPCIS 2.0's own context, by its versioned URL.
pub const STANDARD_CONTEXT: &str = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";
/// The name space of our extensions, fixed for ever.
pub const NAME_SPACE: &str = "https://w3id.org/coldproof/1/";

/// What the body of a document must be, and what it may have.
pub(super) const BODY_EXPECTED: &str = "an object with eventList";
pub(super) const BODY_FIELDS_EXPECTED: &str = "eventList, or event for a single one";

/// Reads an EPCISDocument. Its events come in the document's order.
pub fn parse_document<'a>(bytes: &'a [u8], hosts: &'a Hosts) -> Result<Vec<Draft<'a>>, DocumentError> {
    let members = parse_root(bytes)?;
    let (context, body) = read_envelope(members).map_err(|fault| fault.in_document(None))?;
    let (pointer, events) = read_body(body).under("epcisBody").map_err(|fault| fault.in_document(None))?;
    let mut drafts = Vec::with_capacity(events.len());
    for (index, event) in events.into_iter().enumerate() {
        let pointer =
            if pointer == "event" { "/epcisBody/event".to_owned() } else { format!("/epcisBody/eventList/{index}") };
        match read_event(event, &context, hosts) {
            Ok(draft) => drafts.push(draft.placed(index, pointer)),
            Err(mut fault) => {
                fault.pointer.insert_str(0, &pointer);
                return Err(fault.in_document(Some(index)));
            }
        }
    }
    Ok(drafts)
}

/// Reads a single event with its own `@context`, as `POST /epcis/events` takes it.
pub fn parse_event<'a>(bytes: &'a [u8], hosts: &'a Hosts) -> Result<Draft<'a>, DocumentError> {
    let members = parse_root(bytes)?;
    if !members.iter().any(|(name, _)| name == "@context") {
        return Err(fields::missing("@context", "EPCIS's context, and one's own prefixes").in_document(None));
    }
    read_event(Json::Object(members), &Context::default(), hosts).map_err(|fault| fault.in_document(None))
}

/// Reads a stored canonical event, J, again.
pub fn parse_canonical<'a>(body: &'a str, hosts: &'a Hosts) -> Result<Draft<'a>, DocumentError> {
    let members = parse_root(body.as_bytes())?;
    read_event(Json::Object(members), &Context::default(), hosts).map_err(|fault| fault.in_document(None))
}

/// A stored canonical event on its way out.
#[derive(Clone, Copy, Debug)]
pub struct StoredEvent<'a> {
    /// J.
    pub body: &'a str,
    /// When it was accepted, milliseconds since 1970-01-01 UTC.
    pub record_time_ms: i64,
    /// Whether its organization gave its `eventID` to another event too.
    pub is_conflicting: bool,
}

/// Wraps stored events into an EPCISDocument. The time is in milliseconds since 1970-01-01 UTC.
pub fn document_of(events: &[StoredEvent<'_>], creation_ms: i64) -> String {
    let length: usize = events.iter().map(|event| event.body.len() + 128).sum();
    let mut document = String::with_capacity(length + 256);
    document.push_str(r#"{"@context":[""#);
    document.push_str(STANDARD_CONTEXT);
    document.push_str(r#"",{"cp":""#);
    document.push_str(NAME_SPACE);
    document.push_str(r#""}],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":""#);
    document.push_str(&time::hash_form(creation_ms).unwrap_or_default());
    document.push_str(r#"","epcisBody":{"eventList":["#);
    for (at, event) in events.iter().enumerate() {
        if at > 0 {
            document.push(',');
        }
        document.push_str(event.body.strip_suffix('}').unwrap_or(event.body));
        document.push_str(r#","recordTime":""#);
        document.push_str(&time::hash_form(event.record_time_ms).unwrap_or_default());
        document.push_str(if event.is_conflicting { r#"","cp:conflicting":true}"# } else { "\"}" });
    }
    document.push_str("]}}");
    document
}

fn parse_root(bytes: &[u8]) -> Result<Members<'_>, DocumentError> {
    if bytes.len() > CAPTURE_BYTES_MAX {
        let reason = Reason::TooMany { what: "bytes in one document", found: bytes.len(), max: CAPTURE_BYTES_MAX };
        return Err(Fault::new(reason).in_document(None));
    }
    match Json::parse(bytes) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(other) => Err(Fault::unexpected(other.describe(), "an object").in_document(None)),
        Err(fault) => Err(fault.in_document(None)),
    }
}

/// Checks the document's own fields (clause 9.5 and the JSON schema's `epcisDocument`); returns context and body.
pub(super) fn read_envelope(members: Members<'_>) -> Checked<(Context<'static>, Json<'_>)> {
    let context = envelope_context(&members)?;
    require_members(|field| members.iter().any(|(name, _)| name == field))?;
    let mut body = None;
    for (name, value) in members {
        match name.as_ref() {
            "epcisBody" => body = Some(value),
            _ => read_member(name, value, &context)?,
        }
    }
    Ok((context, body.ok_or_else(|| fields::missing("epcisBody", "an object with eventList"))?))
}

/// The prefixes that the document's own `@context` declares.
pub(super) fn envelope_context(members: &Members<'_>) -> Checked<Context<'static>> {
    let mut context = Context::default();
    let declared = members.iter().find(|(name, _)| name == "@context");
    let (_, declared) =
        declared.ok_or_else(|| fields::missing("@context", "EPCIS's context, and one's own prefixes"))?;
    context.extend(declared).under("@context")?;
    Ok(context)
}

/// What a document must have beside its body.
pub(super) fn require_members(has: impl Fn(&str) -> bool) -> Checked<()> {
    let required =
        [("type", "EPCISDocument"), ("schemaVersion", "2.0"), ("creationDate", "when the document was made")];
    match required.into_iter().find(|(field, _)| !has(field)) {
        None => Ok(()),
        Some((field, expected)) => Err(fields::missing(field, expected)),
    }
}

/// Checks one field of a document beside its body.
pub(super) fn read_member(mut name: Cow<'_, str>, mut value: Json<'_>, context: &Context) -> Checked<()> {
    match name.as_ref() {
        "@context" => {}
        "type" => one_of(&value, &["EPCISDocument"], "EPCISDocument").under("type")?,
        "schemaVersion" => one_of(&value, &["2.0", "2.0.0", "2.0.1", "2"], "2.0").under("schemaVersion")?,
        "creationDate" => drop(fields::date_time(&value).under("creationDate")?),
        "id" => drop(fields::uri(&mut value, context).under("id")?),
        "instanceIdentifier" | "sender" | "receiver" => drop(fields::text(&value, "a string").under(&name)?),
        "epcisHeader" => header::read(&mut value, context).under("epcisHeader")?,
        _ => fields::extension(&mut name, &mut value, context)?,
    }
    Ok(())
}

fn one_of(value: &Json<'_>, known: &[&str], expected: &'static str) -> Checked<()> {
    match value {
        Json::String(text) if known.contains(&text.as_ref()) => Ok(()),
        other => Err(Fault::unexpected(other.describe(), expected)),
    }
}

/// The events, and the field that they stand in.
fn read_body(body: Json<'_>) -> Checked<(&'static str, Vec<Json<'_>>)> {
    let Json::Object(members) = body else { return Err(Fault::unexpected(body.describe(), BODY_EXPECTED)) };
    let mut found = None;
    for (name, value) in members {
        let events = match (name.as_ref(), value) {
            ("eventList", Json::Array(events)) => ("eventList", events),
            ("event", event @ Json::Object(_)) => ("event", vec![event]),
            ("eventList", other) => {
                return Err(Fault::unexpected(other.describe(), "an array of events")).under("eventList");
            }
            ("event", other) => return Err(Fault::unexpected(other.describe(), "an event")).under("event"),
            (other, _) => return Err(fields::unknown(other, BODY_FIELDS_EXPECTED)),
        };
        if found.replace(events).is_some() {
            return Err(Fault::unexpected("both eventList and event", "one of the two"));
        }
    }
    let (field, events) = found.ok_or_else(|| fields::missing("eventList", "an array of events"))?;
    if events.len() > CAPTURE_EVENTS_MAX {
        let reason = Reason::TooMany { what: "events in one document", found: events.len(), max: CAPTURE_EVENTS_MAX };
        return Err(Fault::new(reason)).under(field);
    }
    Ok((field, events))
}

pub(super) fn read_event<'a>(event: Json<'a>, document: &Context, hosts: &'a Hosts) -> Checked<Draft<'a>> {
    let Json::Object(members) = event else { return Err(Fault::unexpected(event.describe(), "an event")) };
    let own = match members.iter().find(|(name, _)| name == "@context") {
        Some((_, declared)) => {
            let mut own = Context::within(document);
            own.extend(declared).under("@context")?;
            Some(own)
        }
        None => None,
    };
    let kind = members.iter().find(|(name, _)| name == "type").map(|(_, value)| value);
    match kind {
        Some(Json::String(kind)) => {
            let read = match kind.as_ref() {
                "ObjectEvent" => object_event::read,
                "AggregationEvent" => aggregation_event::read,
                "TransactionEvent" => transaction_event::read,
                "TransformationEvent" => transformation_event::read,
                "AssociationEvent" => association_event::read,
                other => return Err(Fault::new(Reason::UnknownType { found: quote(other) })).under("type"),
            };
            read(members, own.as_ref().unwrap_or(document), hosts)
        }
        Some(other) => Err(Fault::unexpected(other.describe(), "the name of a type of event")).under("type"),
        None => Err(fields::missing("type", "the name of a type of event")),
    }
}
