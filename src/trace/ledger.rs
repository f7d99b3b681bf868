//! A ledger in memory: entries in order of place, and an index that finds those that name a serial.

use super::{Entry, Scope};
use crate::code::Serial;

/// The entries of one subject, or of one slice of it, in ascending order of place.
///
/// A lookup costs O(log entries + hits): the spans are an implicit augmented tree, each node knowing the furthest
/// serial that its subtree reaches.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// Positions of entries with spans, ascending by first serial, with the span's ends.
    spans: Vec<SpanAt>,
    /// For each position in `spans` as the root of its subtree: the furthest last serial.
    reach: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct SpanAt {
    first: u32,
    last: u32,
    entry: u32,
}

impl Ledger {
    /// From entries in ascending order of place.
    pub fn new(entries: Vec<Entry>) -> Self {
        debug_assert!(entries.is_sorted_by_key(|entry| entry.place));
        let mut spans: Vec<_> = (0..)
            .zip(&entries)
            .filter_map(|(at, entry)| match entry.scope {
                Scope::Span(span) => Some(SpanAt { first: span.first().get(), last: span.last().get(), entry: at }),
                Scope::All | Scope::Some => None,
            })
            .collect();
        spans.sort_by_key(|span| (span.first, span.entry));
        let mut reach = vec![0; spans.len()];
        fill_reach(&spans, &mut reach);
        Self { entries, spans, reach }
    }

    /// All entries, in order of place.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds to `hits` the entries whose span names the serial; in no particular order.
    pub fn find<'a>(&'a self, serial: Serial, hits: &mut Vec<&'a Entry>) {
        self.descend(&self.spans, &self.reach, serial.get(), hits);
    }

    fn descend<'a>(&'a self, spans: &[SpanAt], reach: &[u32], serial: u32, hits: &mut Vec<&'a Entry>) {
        let middle = spans.len() / 2;
        let (Some(span), Some(furthest)) = (spans.get(middle), reach.get(middle)) else { return };
        if *furthest < serial {
            return;
        }
        let (left, right) = (spans.split_at(middle).0, spans.get(middle + 1..).unwrap_or_default());
        self.descend(left, reach.get(..middle).unwrap_or_default(), serial, hits);
        if span.first > serial {
            return;
        }
        if serial <= span.last {
            hits.extend(self.entries.get(span.entry as usize));
        }
        self.descend(right, reach.get(middle + 1..).unwrap_or_default(), serial, hits);
    }

    /// Adds to `borders` each serial at which the set of hits changes: a span's first serial and the one after its last.
    pub fn borders(&self, borders: &mut Vec<u32>) {
        borders.extend(self.spans.iter().flat_map(|span| [span.first, span.last + 1]));
    }
}

/// Fills `reach` for the subtree over `spans` and returns its root's.
fn fill_reach(spans: &[SpanAt], reach: &mut [u32]) -> u32 {
    let middle = spans.len() / 2;
    let Some(span) = spans.get(middle) else { return 0 };
    let (left, rest) = reach.split_at_mut(middle);
    let Some((root, right)) = rest.split_first_mut() else { return 0 };
    let below =
        fill_reach(spans.split_at(middle).0, left).max(fill_reach(spans.get(middle + 1..).unwrap_or_default(), right));
    *root = below.max(span.last);
    *root
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        code::{KeySlot, RunId},
        epcis::Action,
        trace::{EventHash, HandOver, OrganizationId, Part, Place, RecordId, Role, Span},
    };

    fn entry(at: i64, first: u32, last: u32) -> Entry {
        let run = RunId::new(KeySlot::new(0).unwrap(), 0).unwrap();
        Entry {
            place: Place { event_time_ms: at, record: RecordId([0; 32]), ordinal: 0 },
            event: EventHash([0; 32]),
            organization: OrganizationId(1),
            role: Role::Importer,
            record_time_ms: 0,
            scope: Scope::Span(Span::new(run, Serial::new(first).unwrap(), Serial::new(last).unwrap()).unwrap()),
            part: Part::Object,
            action: Some(Action::Observe),
            biz_step: None,
            disposition: None,
            set: Vec::new(),
            unset: Vec::new(),
            measure: None,
            declares_error: false,
            hand_over: HandOver::default(),
            observed_ms: None,
        }
    }

    proptest! {
        #[test]
        fn a_lookup_finds_just_the_spans_that_name_the_serial(ends in prop::collection::vec((0..300_u32, 0..300_u32), 0..60), serial in 0..300_u32) {
            let entries: Vec<_> = (0..).zip(&ends).map(|(at, (a, b))| entry(at, *a.min(b), *a.max(b))).collect();
            let expected: Vec<_> = (0..).zip(&ends).filter(|(_, (a, b))| (a.min(b)..=a.max(b)).contains(&&serial)).map(|(at, _): (i64, _)| at).collect();
            let ledger = Ledger::new(entries);
            let mut hits = Vec::new();
            ledger.find(Serial::new(serial).unwrap(), &mut hits);
            let mut found: Vec<_> = hits.iter().map(|entry| entry.place.event_time_ms).collect();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
