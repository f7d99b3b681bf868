//! Gathering what was said of a code: its own ledgers, and those of the units that it was inside of.
//!
//! Only units that the fold itself puts around the code are read, so that nobody's unfounded claim costs a look. Reading goes
//! level by level: what is known so far is folded, the units that it names are read, and so on until none is new.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures_util::future::try_join_all;

use super::{Basis, Service, Watched};
use crate::{
    limits::{LEDGER_ENTRIES_MAX, PAGE_ITEMS_MAX, UNITS_AROUND_MAX},
    store::{self, Slice},
    trace::{
        Bearing, Block, Entry, Group, Instance, Mark, Owners, Place, RecordId, Scope, Status, Subject, Told,
        WholeStatus, fold, in_order,
    },
};

/// What was said of a code by itself and of the units around it, and what follows from it.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// What bears on the code, in the order of the fold.
    pub lines: Vec<TimelineLine>,
    /// What follows.
    pub status: Status,
}

/// One entry of a timeline.
#[derive(Clone, Debug)]
pub struct TimelineLine {
    /// What was said.
    pub entry: Entry,
    /// The unit that it was said of; `None` where it names the code, its batch or its lot.
    pub of: Option<Instance>,
    /// What it counts for.
    pub bearing: Bearing,
    /// What it is marked with where it speaks of custody.
    pub mark: Option<Mark>,
}

/// A unit, and the event time from which on it is read.
type UnitFrom = (Instance, i64);

/// What was said of units, read once for all codes that are looked at together.
#[derive(Debug, Default)]
pub(super) struct Units(HashMap<UnitFrom, Arc<Vec<Entry>>>);

impl Service {
    /// Folds a code's own entries with those of the units around it. Everything read is added to `basis` before.
    ///
    /// # Errors
    /// [`store::Error::TooLarge`] where it was inside more units than `UNITS_AROUND_MAX`.
    pub(super) async fn gather(
        &self,
        own: &[&Entry],
        whole: &WholeStatus,
        owners: Owners,
        units: &mut Units,
        basis: &mut Basis,
    ) -> store::Result<Gathered> {
        let mut around: Vec<(Instance, Arc<Vec<Entry>>)> = Vec::new();
        let mut read: HashSet<Instance> = HashSet::new();
        loop {
            let mut told: Vec<_> = own.iter().map(|entry| Told { entry, of: None }).collect();
            for (unit, entries) in &around {
                told.extend(entries.iter().map(|entry| Told { entry, of: Some(unit) }));
            }
            in_order(&mut told);
            let status = fold(&told, whole, owners);
            let new = status.stays.iter().filter(|stay| read.insert(stay.unit.clone()));
            let new: Vec<_> = new.map(|stay| (stay.unit.clone(), stay.from_ms)).collect();
            if new.is_empty() {
                return Ok(Gathered { lines: lines(&told, &status), status });
            }
            if read.len() > UNITS_AROUND_MAX {
                let what = "the units around a code";
                return Err(store::Error::TooLarge { what, found: read.len(), max: UNITS_AROUND_MAX });
            }
            let entries = try_join_all(self.unread(&new, units, basis)).await?;
            units.0.extend(entries.into_iter().map(|(unit, entries)| (unit, Arc::new(entries))));
            around.extend(new.into_iter().filter_map(|new| Some((new.0.clone(), Arc::clone(units.0.get(&new)?)))));
        }
    }

    /// Readings of those units that are not in memory; each is watched before.
    fn unread<'s>(
        &'s self,
        new: &[UnitFrom],
        units: &Units,
        basis: &mut Basis,
    ) -> Vec<impl Future<Output = store::Result<(UnitFrom, Vec<Entry>)>> + use<'s>> {
        let mut reading = Vec::new();
        for unit in new.iter().filter(|unit| !units.0.contains_key(unit)).cloned() {
            for (subject, slice) in slices_of(&unit.0) {
                let watched = match (subject, slice) {
                    (Subject::Block(block), Slice::Serial(offset)) => Watched::Code(block, offset as u16),
                    (subject, _) => Watched::Ledger(subject),
                };
                self.watch.add(basis, watched);
            }
            reading.push(async move {
                let entries = self.instance_entries(&unit.0, unit.1).await?;
                Ok((unit, entries))
            });
        }
        reading
    }

    /// How people name a thing: the 20 characters of a code, or the URI of another EPC.
    pub fn instance_text(&self, instance: &Instance) -> String {
        match instance {
            Instance::Code { run, serial } => match self.keys.run_key(*run) {
                Some(key) => key.code(*serial).to_string(),
                None => format!("{run}/{}", serial.get()),
            },
            Instance::Epc(uri) => uri.clone(),
        }
    }

    /// What was said of one thing from an event time on, in order of place.
    pub(super) async fn instance_entries(&self, instance: &Instance, from_ms: i64) -> store::Result<Vec<Entry>> {
        let after = Some(before_all(from_ms));
        let names = |entry: &Entry| match (instance, entry.scope) {
            (Instance::Code { serial, .. }, Scope::Span(span)) => span.contains(*serial),
            (Instance::Code { .. }, _) => false,
            (Instance::Epc(_), _) => true,
        };
        let slices = slices_of(instance);
        let read = slices.iter().map(|(subject, slice)| self.ledger_after(subject, *slice, after));
        let mut entries: Vec<_> = try_join_all(read).await?.into_iter().flatten().filter(names).collect();
        entries.sort_unstable_by_key(|entry| entry.place);
        Ok(entries)
    }

    /// The entries of a slice above a place, page by page, at most `LEDGER_ENTRIES_MAX`.
    pub(super) async fn ledger_after(
        &self,
        subject: &Subject,
        slice: Slice,
        mut after: Option<Place>,
    ) -> store::Result<Vec<Entry>> {
        const PAGE: usize = PAGE_ITEMS_MAX * 10;
        let mut entries: Vec<Entry> = Vec::new();
        while entries.len() < LEDGER_ENTRIES_MAX {
            let mut page = self.store.entries(subject, slice, after, PAGE).await?;
            self.parties.resolve(&mut page);
            let is_last = page.len() < PAGE;
            after = page.last().map(|entry| entry.place);
            entries.extend(page);
            if is_last {
                return Ok(entries);
            }
        }
        Err(store::Error::TooLarge { what: "ledger", found: entries.len(), max: LEDGER_ENTRIES_MAX })
    }
}

fn lines(told: &[Told<'_>], status: &Status) -> Vec<TimelineLine> {
    let counted = status.bearings.iter().zip(&status.marks);
    let lines = told.iter().zip(counted).filter_map(|(told, (bearing, mark))| {
        Some(TimelineLine { entry: told.entry.clone(), of: told.of.cloned(), bearing: (*bearing)?, mark: *mark })
    });
    lines.collect()
}

/// The slices of ledgers that tell of one thing by itself.
pub(super) fn slices_of(instance: &Instance) -> Vec<(Subject, Slice)> {
    match instance {
        Instance::Epc(uri) => vec![(Subject::Epc(uri.clone()), Slice::Shared)],
        Instance::Code { run, serial } => {
            let block = Subject::Block(Block::of(*run, *serial));
            vec![
                (Subject::Run(*run), Slice::Shared),
                (Subject::Group(Group::of(*run, *serial)), Slice::Shared),
                (block.clone(), Slice::Shared),
                (block, Slice::Serial(Block::offset(*serial).into())),
            ]
        }
    }
}

/// The place below all entries of an event time.
fn before_all(event_time_ms: i64) -> Place {
    Place { event_time_ms: event_time_ms.saturating_sub(1), record: RecordId([0xff; 32]), ordinal: u32::MAX }
}
