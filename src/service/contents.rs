//! What may be inside of units: everything that somebody says was packed into them, and into what was packed into them.
//! Whether it is there still, and whether whoever said so had it, is for the fold of each code to tell.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Service;
use crate::{
    code::RunId,
    epcis::Action,
    limits::{CONTAINMENT_LEVELS_MAX, CONTENTS_RECORDS_MAX},
    registration::Level,
    store,
    trace::{Entry, Instance, Part, RecordId, Scope, Span},
};

/// Goods by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// Own codes; spans may overlap.
    pub(super) spans: BTreeSet<Span>,
    /// Units and other EPCs.
    pub(super) epcs: BTreeSet<String>,
}

impl Contents {
    /// One thing.
    pub(super) fn of(instance: &Instance) -> Self {
        let mut contents = Self::default();
        match instance {
            Instance::Code { run, serial } => drop(contents.spans.insert(Span::single(*run, *serial))),
            Instance::Epc(uri) => drop(contents.epcs.insert(uri.clone())),
        }
        contents
    }

    /// Its spans by run, in ascending order, none overlapping another, neighbours joined.
    pub(super) fn by_run(&self) -> BTreeMap<RunId, Vec<Span>> {
        let mut runs: BTreeMap<RunId, Vec<Span>> = BTreeMap::new();
        for span in &self.spans {
            let spans = runs.entry(span.run()).or_default();
            match spans.last_mut() {
                Some(last) if span.first().get() <= last.last().get() + 1 => {
                    let joined = Span::new(span.run(), last.first(), last.last().max(span.last()));
                    *last = joined.unwrap_or(*last);
                }
                _ => spans.push(*span),
            }
        }
        runs
    }

    /// Takes out what `known` has too.
    fn without(mut self, known: &Self) -> Self {
        self.spans.retain(|span| !known.spans.contains(span));
        self.epcs.retain(|epc| !known.epcs.contains(epc));
        self
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.epcs.is_empty()
    }
}

impl Service {
    /// Goods, with all that may be inside of them.
    ///
    /// # Errors
    /// [`store::Error::TooLarge`] where more than `CONTENTS_RECORDS_MAX` records speak of it.
    pub(super) async fn with_contents(&self, goods: Contents) -> store::Result<Contents> {
        let (mut all, mut new, mut read) = (Contents::default(), goods, HashSet::new());
        for _ in 0..=CONTAINMENT_LEVELS_MAX {
            if new.is_empty() {
                break;
            }
            let records = self.packings(&new).await?;
            all.spans.extend(new.spans);
            all.epcs.extend(new.epcs);
            let mut inside = Contents::default();
            for id in records {
                if !read.insert(id) {
                    continue;
                }
                if read.len() > CONTENTS_RECORDS_MAX {
                    let what = "the records of what was packed";
                    return Err(store::Error::TooLarge { what, found: read.len(), max: CONTENTS_RECORDS_MAX });
                }
                let Some(record) = self.store.record(id).await? else { continue };
                let event = self.event_of(&record)?;
                inside.spans.extend(event.goods.spans);
                inside.epcs.extend(event.goods.epcs);
            }
            new = inside.without(&all);
        }
        Ok(all)
    }

    /// The records that say that something was put into any of these things.
    async fn packings(&self, into: &Contents) -> store::Result<BTreeSet<RecordId>> {
        let mut records = BTreeSet::new();
        for epc in &into.epcs {
            let entries = self.instance_entries(&Instance::Epc(epc.clone()), i64::MIN).await?;
            records.extend(entries.iter().filter(|entry| fills(entry)).map(|entry| entry.place.record));
        }
        for (run, spans) in into.by_run() {
            // Nothing is inside of an item.
            if self.run(run).await?.is_none_or(|run| run.level == Level::Item) {
                continue;
            }
            let filled = |entry: &Entry| match entry.scope {
                Scope::Span(of) => spans.iter().any(|span| span.contains(of.first())),
                Scope::All | Scope::Some => false,
            };
            let entries = self.span_entries(&spans).await?;
            let packings = entries.iter().filter(|entry| fills(entry) && filled(entry));
            records.extend(packings.map(|entry| entry.place.record));
        }
        Ok(records)
    }
}

/// Whether an entry says that something was put into what it speaks of.
fn fills(entry: &Entry) -> bool {
    matches!(entry.part, Part::Parent { .. }) && entry.action == Some(Action::Add) && !entry.declares_error
}
