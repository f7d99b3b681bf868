//! An event that was read and checked, before it is known which of its EPCs are own codes.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    Class, ClassQuantity, CodeAt, DocumentError, Event, EventKind, Goods, GoodsList, Hosts, Ruling,
    common_fields::CommonFields,
    error::{Checked, Fault, Reason, Under},
    event::Position,
    event_hash, fields, gs1_uri,
    json::{Json, Members},
    listing::Listing,
    named::Named,
    parts::Parts,
};
use crate::{
    code::{RunId, code_epc},
    limits::RECORD_BYTES_MAX,
    trace::BatchId,
};

/// An event of a document, checked as far as the document goes. The caller rules on each of [`Draft::codes`]
/// and gets the [`Event`] from [`Draft::seal`].
#[derive(Debug)]
pub struct Draft<'a> {
    /// Which event of the document, from 0; `None` where it came alone.
    index: Option<usize>,
    /// Pointer to the event in the document.
    pointer: String,
    kind: EventKind,
    common: CommonFields,
    goods: Listing,
    outputs: Listing,
    /// Of all lists, and the parent.
    codes: Vec<CodeAt>,
    transformation_id: Option<String>,
    members: Members<'a>,
    hosts: &'a Hosts,
}

impl<'a> Draft<'a> {
    pub(super) fn new(mut parts: Parts, members: Members<'a>, hosts: &'a Hosts) -> Checked<Self> {
        let missing = |field, expected| move || fields::missing(field, expected);
        let common = parts.common;
        common.event_time_ms.ok_or_else(missing("eventTime", "when it happened"))?;
        common
            .offset_minutes
            .ok_or_else(missing("eventTimeZoneOffset", "the local offset from UTC, such as +08:00"))?;
        if parts.kind != EventKind::Transformation {
            common.action.ok_or_else(missing("action", "ADD, OBSERVE or DELETE"))?;
        }
        let mut codes = std::mem::take(&mut parts.goods.codes);
        codes.append(&mut parts.outputs.codes);
        codes.extend(parts.parent_code);
        Ok(Self {
            index: None,
            pointer: String::new(),
            kind: parts.kind,
            common,
            goods: parts.goods,
            outputs: parts.outputs,
            codes,
            transformation_id: parts.transformation_id,
            members,
            hosts,
        })
    }

    /// Notes where in its document it stands.
    pub(super) fn placed(self, index: usize, pointer: String) -> Self {
        Self { index: Some(index), pointer, ..self }
    }

    /// What reads as an own code: single codes of lists of EPCs, both ends of each span, and the parent.
    pub fn codes(&self) -> &[CodeAt] {
        &self.codes
    }

    /// An error about one of its codes that the caller found: a wrong tag, never issued, another product's.
    pub fn refuse(&self, code: &CodeAt, found: &str, expected: &'static str) -> DocumentError {
        self.at(code.at, Fault::unexpected(found, expected)).in_event(self)
    }

    /// A fault of what stands at a position.
    fn at(&self, position: Position, fault: Fault) -> Fault {
        let (list, at, end) = match position {
            Position::Parent => return fault.under("parentID"),
            Position::Epc(list, at) => return fault.under(&at.to_string()).under(list.epcs()),
            Position::First(list, at) => (list, at, "first"),
            Position::Last(list, at) => (list, at, "last"),
        };
        let listing = if list == GoodsList::Outputs { &self.outputs } else { &self.goods };
        let field = listing.spans_field.as_deref().unwrap_or(list.spans());
        fault.under(end).under(&at.to_string()).under(field)
    }

    /// Checks the quantities beside spans, where there are any: one element per batch, and its quantity the number of
    /// codes that the spans name of it. `batch_of` knows the batch of a run.
    pub fn check_quantities(&self, batch_of: impl Fn(RunId) -> Option<BatchId>) -> Result<(), DocumentError> {
        for listing in [&self.goods, &self.outputs] {
            check_counts(listing, &batch_of).under(listing.list.quantities()).map_err(|fault| fault.in_event(self))?;
        }
        Ok(())
    }

    /// Makes the event canonical. `rule` is asked once for each of [`Draft::codes`] that stands in a list of EPCs or is the
    /// parent. Errors where something is named twice.
    pub fn seal(mut self, mut rule: impl FnMut(&CodeAt) -> Ruling) -> Result<Event, DocumentError> {
        let sealed = self.seal_checked(&mut rule);
        sealed.map_err(|fault| fault.in_event(&self))
    }

    fn seal_checked(&mut self, rule: &mut dyn FnMut(&CodeAt) -> Ruling) -> Checked<Event> {
        let mut named = self.rule_instances(rule)?;
        named.check_each_once().map_err(|(position, fault)| self.at(position, fault))?;
        let goods = sealed(&mut self.goods, &mut named);
        let outputs = sealed(&mut self.outputs, &mut named);
        for (_, value) in &mut self.members {
            value.sort_names();
        }
        super::json::sort_members(&mut self.members);
        let tree = Json::Object(std::mem::take(&mut self.members));
        let hash = event_hash::of_tree(&tree);
        let body = serde_json::to_string(&tree)
            .map_err(|error| Fault::unexpected(error.to_string(), "an event that RFC 8785 can write"))?;
        if body.len() > RECORD_BYTES_MAX {
            let what = "bytes of canonical JSON in one event";
            return Err(Fault::new(Reason::TooMany { what, found: body.len(), max: RECORD_BYTES_MAX }));
        }
        let common = std::mem::take(&mut self.common);
        let missing = || fields::missing("eventTime", "checked before");
        let event_time_ms = common.event_time_ms.ok_or_else(missing)?;
        let temperatures = common.sensors.temperatures.into_iter().map(|found| found.in_event(event_time_ms));
        Ok(Event {
            kind: self.kind,
            event_time_ms,
            offset_minutes: common.offset_minutes.ok_or_else(missing)?,
            action: common.action,
            biz_step: common.biz_step,
            disposition: common.disposition,
            set: common.set,
            unset: common.unset,
            parent: named.parent(),
            goods,
            outputs,
            transformation_id: self.transformation_id.take(),
            measure: common.measure,
            read_point: common.read_point,
            biz_location: common.biz_location,
            sources: common.sources,
            destinations: common.destinations,
            temperatures: temperatures.collect::<Checked<_>>()?,
            error_declaration: common.error_declaration,
            given_event_id: common.event_id.filter(|id| event_hash::parse_event_id(id) != Some(hash)),
            hash,
            body,
        })
    }

    /// All own codes and other EPCs. Own codes become canonical in the tree.
    fn rule_instances(&mut self, rule: &mut dyn FnMut(&CodeAt) -> Ruling) -> Checked<Named> {
        let mut named = Named::default();
        for listing in [&self.goods, &self.outputs] {
            let list = listing.list;
            named.add_spans(list, &listing.spans);
            let member = self.members.iter_mut().find(|(name, _)| name == list.epcs());
            let Some((_, Json::Array(items))) = member else { continue };
            let mut codes =
                self.codes.iter().filter(|code| matches!(code.at, Position::Epc(of, _) if of == list)).peekable();
            for (at, item) in items.iter_mut().enumerate() {
                let at = Position::Epc(list, at);
                let code = codes.next_if(|code| code.at == at);
                rule_instance(item, at, code, rule, self.hosts, &mut named)?;
            }
        }
        // Types of events without a parent do not have the field.
        if let Some((_, item)) = self.members.iter_mut().find(|(name, _)| name == "parentID") {
            let code = self.codes.iter().find(|code| code.at == Position::Parent);
            rule_instance(item, Position::Parent, code, rule, self.hosts, &mut named)?;
        }
        Ok(named)
    }
}

fn rule_instance(
    item: &mut Json<'_>,
    at: Position,
    code: Option<&CodeAt>,
    rule: &mut dyn FnMut(&CodeAt) -> Ruling,
    hosts: &Hosts,
    named: &mut Named,
) -> Checked<()> {
    if let Some(code) = code
        && let Ruling::Ours(gtin) = rule(code)
    {
        *item = Json::String(Cow::Owned(code_epc(hosts.canonical(), gtin, code.code)));
        named.add_code(at, code.code);
    } else {
        let uri = fields::text(item, "an EPC")?;
        named.add_epc(at, gs1_uri::canonical(uri).unwrap_or_else(|| uri.to_owned()));
    }
    Ok(())
}

fn sealed(listing: &mut Listing, named: &mut Named) -> Goods {
    Goods {
        spans: named.folded(listing.list),
        names_spans: listing.spans_field.is_some(),
        epcs: named.take_epcs(listing.list),
        classes: std::mem::take(&mut listing.classes),
    }
}

/// See [`Draft::check_quantities`]; for the quantities of one list.
fn check_counts(listing: &Listing, batch_of: &dyn Fn(RunId) -> Option<BatchId>) -> Checked<()> {
    const EXPECTED: &str = "one element per batch, its quantity the number of codes that the spans name of it";
    if listing.spans_field.is_none() || listing.classes.is_empty() {
        return Ok(());
    }
    let mut named: BTreeMap<BatchId, u64> = BTreeMap::new();
    for span in &listing.spans {
        if let Some(batch) = batch_of(span.run()) {
            *named.entry(batch).or_default() += u64::from(span.codes());
        }
    }
    for (at, ClassQuantity { class, quantity, .. }) in listing.classes.iter().enumerate() {
        // Taken out, so that a second element of the same batch finds none.
        let codes = if let Class::Batch(batch) = class { named.remove(batch).unwrap_or(0) } else { 0 };
        // Both are below 2^53, where doubles count exactly.
        if codes == 0 || *quantity != Some(codes as f64) {
            let counted = quantity.unwrap_or_default();
            let found = format!("a quantity of {counted}, where the spans name {codes} codes more of that class");
            return Err(Fault::unexpected(found, EXPECTED)).under_index(at);
        }
    }
    match named.first_key_value() {
        None => Ok(()),
        Some((batch, codes)) => {
            Err(Fault::unexpected(format!("no element for {codes} codes of batch {batch}"), EXPECTED))
        }
    }
}

impl Fault {
    fn in_event(mut self, draft: &Draft<'_>) -> DocumentError {
        self.pointer.insert_str(0, &draft.pointer);
        self.in_document(draft.index)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_event;
    use super::*;
    use crate::code::{Code, Serial, Tag};

    /// Checks an event of the spans `0..=9` of run 3, of batch 7, and `0..=4` of run 4, of batch 8.
    fn check(quantities: &[(u64, u32)]) -> Result<(), DocumentError> {
        let hosts = Hosts::new("demo.coldproof.example".parse().unwrap(), []);
        let run = |bits| RunId::from_bits(bits).unwrap();
        let code = |bits, serial| Code { run: run(bits), serial: Serial::new(serial).unwrap(), tag: Tag([0; 6]) };
        let span = |bits, last| format!(r#"{{"first":"{}","last":"{}"}}"#, code(bits, 0), code(bits, last));
        let element = |(batch, quantity): &(u64, u32)| {
            format!(r#"{{"epcClass":"https://demo.coldproof.example/batch/{batch}","quantity":{quantity}}}"#)
        };
        let spans = GoodsList::Objects.spans();
        let text = format!(
            r#"{{"@context":[],"type":"ObjectEvent","eventTime":"2026-05-04T09:30:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE","epcList":[],"quantityList":[{}],"{spans}":[{},{}]}}"#,
            quantities.iter().map(element).collect::<Vec<_>>().join(","),
            span(3, 9),
            span(4, 4),
        );
        let batches = [(run(3), BatchId(7)), (run(4), BatchId(8))];
        parse_event(text.as_bytes(), &hosts)?
            .check_quantities(|of| batches.iter().find(|(run, _)| *run == of).map(|(_, batch)| *batch))
    }

    #[test]
    fn quantities_beside_spans_count_each_batch_once() {
        for right in [&[][..], &[(7, 10), (8, 5)], &[(8, 5), (7, 10)]] {
            check(right).unwrap();
        }
        // All have the right sum.
        for (wrong, pointer) in [
            (&[(7, 5), (8, 10)][..], "/quantityList/0"),
            (&[(7, 15)], "/quantityList/0"),
            (&[(7, 10), (9, 5)], "/quantityList/1"),
            (&[(7, 10), (7, 5)], "/quantityList/1"),
            (&[(7, 10), (8, 5), (9, 0)], "/quantityList/2"),
        ] {
            let error = check(wrong).unwrap_err();
            assert_eq!(error.pointer, pointer, "{error}");
            assert!(error.to_string().contains("one element per batch"), "{error}");
        }
    }
}
