//! An event that was read and checked, before it is known which of its EPCs are own codes.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    Class, ClassQuantity, CodeAt, DocumentError, Event, Hosts, Ruling,
    common_fields::CommonFields,
    error::{Checked, Fault, Reason, Under, quote},
    event::Position,
    event_hash, fields, gs1_uri,
    json::{Json, Members},
};
use crate::{
    code::{RunId, code_epc},
    limits::RECORD_BYTES_MAX,
    trace::{BatchId, Span},
};

/// The extension that names spans.
pub(super) const SPANS: &str = "https://w3id.org/coldproof/1/spans";

/// What an event is about, as far as its document tells.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    pub(super) codes: Vec<CodeAt>,
    pub(super) classes: Vec<ClassQuantity>,
    /// From `cp:spans` alone.
    pub(super) spans: Vec<Span>,
    pub(super) names_spans: bool,
}

/// An event of a document, checked as far as the document goes. The caller rules on each of [`Draft::codes`]
/// and gets the [`Event`] from [`Draft::seal`].
#[derive(Debug)]
pub struct Draft<'a> {
    /// Which event of the document, from 0; `None` where it came alone.
    index: Option<usize>,
    /// Pointer to the event in the document.
    pointer: String,
    common: CommonFields,
    subjects: Subjects,
    members: Members<'a>,
    hosts: &'a Hosts,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        common: CommonFields,
        subjects: Subjects,
        members: Members<'a>,
        hosts: &'a Hosts,
    ) -> Checked<Self> {
        let missing = |field, expected| move || fields::missing(field, expected);
        common.event_time_ms.ok_or_else(missing("eventTime", "when it happened"))?;
        common
            .offset_minutes
            .ok_or_else(missing("eventTimeZoneOffset", "the local offset from UTC, such as +08:00"))?;
        common.action.ok_or_else(missing("action", "ADD, OBSERVE or DELETE"))?;
        Ok(Self { index: None, pointer: String::new(), common, subjects, members, hosts })
    }

    /// Notes where in its document it stands.
    pub(super) fn placed(self, index: usize, pointer: String) -> Self {
        Self { index: Some(index), pointer, ..self }
    }

    /// What reads as an own code: single codes of the EPC list, and both ends of each span.
    pub fn codes(&self) -> &[CodeAt] {
        &self.subjects.codes
    }

    /// An error about one of its codes that the caller found: a wrong tag, never issued, another product's.
    pub fn refuse(&self, code: &CodeAt, found: &str, expected: &'static str) -> DocumentError {
        let fault = Fault::unexpected(found, expected);
        let fault = match code.at {
            Position::Epc(at) => fault.under(&at.to_string()).under("epcList"),
            Position::First(at) => fault.under("first").under(&at.to_string()).under(SPANS),
            Position::Last(at) => fault.under("last").under(&at.to_string()).under(SPANS),
        };
        fault.in_event(self)
    }

    /// Checks the quantities beside `cp:spans`, where there are any: one element per batch, and its quantity the number
    /// of codes that the spans name of it. `batch_of` knows the batch of a run.
    pub fn check_quantities(&self, batch_of: impl Fn(RunId) -> Option<BatchId>) -> Result<(), DocumentError> {
        const EXPECTED: &str = "one element per batch, its quantity the number of codes that the spans name of it";
        if !self.subjects.names_spans || self.subjects.classes.is_empty() {
            return Ok(());
        }
        let mut named: BTreeMap<BatchId, u64> = BTreeMap::new();
        for span in &self.subjects.spans {
            if let Some(batch) = batch_of(span.run()) {
                *named.entry(batch).or_default() += u64::from(span.codes());
            }
        }
        let refuse = |fault: Fault| fault.under("quantityList").in_event(self);
        for (at, ClassQuantity { class, quantity, .. }) in self.subjects.classes.iter().enumerate() {
            // Taken out, so that a second element of the same batch finds none.
            let codes = if let Class::Batch(batch) = class { named.remove(batch).unwrap_or(0) } else { 0 };
            // Both are below 2^53, where doubles count exactly.
            if codes == 0 || *quantity != Some(codes as f64) {
                let counted = quantity.unwrap_or_default();
                let found = format!("a quantity of {counted}, where the spans name {codes} codes more of that class");
                return Err(refuse(Fault::unexpected(found, EXPECTED).under(&at.to_string())));
            }
        }
        match named.first_key_value() {
            None => Ok(()),
            Some((batch, codes)) => {
                Err(refuse(Fault::unexpected(format!("no element for {codes} codes of batch {batch}"), EXPECTED)))
            }
        }
    }

    /// Makes the event canonical. `rule` is asked once for each of [`Draft::codes`] that stands in the EPC list.
    /// Errors where something is named twice.
    pub fn seal(mut self, mut rule: impl FnMut(&CodeAt) -> Ruling) -> Result<Event, DocumentError> {
        let sealed = self.seal_checked(&mut rule);
        sealed.map_err(|fault| fault.in_event(&self))
    }

    fn seal_checked(&mut self, rule: &mut dyn FnMut(&CodeAt) -> Ruling) -> Checked<Event> {
        let (singles, epcs) = self.rule_epcs(rule).under("epcList")?;
        let spans = fold(self.subjects.spans.drain(..).chain(singles).collect())?;
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
            event_time_ms,
            offset_minutes: common.offset_minutes.ok_or_else(missing)?,
            action: common.action.ok_or_else(missing)?,
            biz_step: common.biz_step,
            disposition: common.disposition,
            set: common.set,
            unset: common.unset,
            spans,
            names_spans: self.subjects.names_spans,
            epcs,
            classes: std::mem::take(&mut self.subjects.classes),
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

    /// Single own codes as spans of one, and the other EPCs in canonical form. Own codes become canonical in the tree.
    fn rule_epcs(&mut self, rule: &mut dyn FnMut(&CodeAt) -> Ruling) -> Checked<(Vec<Span>, Vec<String>)> {
        let (mut singles, mut epcs) = (Vec::new(), Vec::new());
        let list = self.members.iter_mut().find(|(name, _)| name == "epcList");
        let Some((_, Json::Array(items))) = list else { return Ok((singles, epcs)) };
        let mut codes = self.subjects.codes.iter().filter(|code| matches!(code.at, Position::Epc(_))).peekable();
        for (at, item) in items.iter_mut().enumerate() {
            let code = codes.next_if(|code| code.at == Position::Epc(at));
            if let Some(code) = code
                && let Ruling::Ours(gtin) = rule(code)
            {
                let text = code_epc(self.hosts.canonical(), gtin, code.code);
                singles.extend(Span::new(code.code.run, code.code.serial, code.code.serial));
                *item = Json::String(Cow::Owned(text));
            } else {
                let uri = fields::text(item, "an EPC")?;
                epcs.push(gs1_uri::canonical(uri).unwrap_or_else(|| uri.to_owned()));
            }
        }
        fields::all_differ(&epcs)?;
        Ok((singles, epcs))
    }
}

impl Fault {
    fn in_event(mut self, draft: &Draft<'_>) -> DocumentError {
        self.pointer.insert_str(0, &draft.pointer);
        self.in_document(draft.index)
    }
}

/// Spans in ascending order, neighbours joined. Errors where two overlap.
fn fold(mut spans: Vec<Span>) -> Checked<Vec<Span>> {
    spans.sort_unstable();
    let mut folded: Vec<Span> = Vec::with_capacity(spans.len().min(16));
    for span in spans {
        match folded.last_mut() {
            Some(last) if last.run() == span.run() && span.first() <= last.last() => {
                let found = quote(&format!("serial {} of run {}", span.first().get(), span.run().bits()));
                return Err(Fault::new(Reason::Duplicate { found }));
            }
            Some(last) if last.run() == span.run() && span.first().get() == last.last().get() + 1 => {
                if let Some(joined) = Span::new(last.run(), last.first(), span.last()) {
                    *last = joined;
                }
            }
            _ => folded.push(span),
        }
    }
    Ok(folded)
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
        let text = format!(
            r#"{{"@context":[],"type":"ObjectEvent","eventTime":"2026-05-04T09:30:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE","epcList":[],"quantityList":[{}],"{SPANS}":[{},{}]}}"#,
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
