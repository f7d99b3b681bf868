//! What goods were made of: the inputs of the transformations that they came out of, what those were made of, and so on.
//!
//! What holds of an input holds of what was made of it: a recall, a hold, a doubt, a broken cold chain. So everything that
//! is read here is watched, and a recall far upstream is on the next scan. What an input went through is told only where
//! its consumption took effect, that is, where whoever consumed it had it.

pub mod balance;
mod inputs;
pub mod trace;

mod whole;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use self::whole::WholeOf;
pub(super) use self::whole::WholeTold;
use super::{Basis, Service, gather::Units, temperature::Sensed};
use crate::{
    epcis::{BizStep, Event, OutputFacts, output_facts},
    limits::{INPUTS_MAX, TRANSFORMATION_LEVELS_MAX},
    registration::{Decimal, Quantity, Run, Uom, date},
    service::scan::BatchFacts,
    store::{self, Slice},
    trace::{
        BatchId, Bearing, Entry, EventHash, Listed, OrganizationId, Owners, Part, Record, RecordId, Standing, Subject,
        What, WholeStatus, listed,
    },
};

/// What goods were made of.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// Each input once, nearest first.
    pub sources: Vec<Source>,
    /// How many inputs more were not looked into.
    pub further: usize,
    /// What the latest transformation says of the goods themselves.
    pub portion: Portion,
}

/// Goods that came out of a transformation, as it tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Portion {
    /// The last day on which they may be used.
    pub expiry: Option<jiff::civil::Date>,
    /// What one code holds.
    pub content: Option<Quantity>,
    /// What all of them weigh together.
    pub net_weight: Option<Quantity>,
}

/// One input.
#[derive(Clone, Debug)]
pub struct Source {
    /// How many transformations lie between, from 1.
    pub level: usize,
    /// The public id of the transformation that consumed it.
    pub event: EventHash,
    /// The record that says so.
    pub record: RecordId,
    /// When it was consumed, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Who said it.
    pub organization: OrganizationId,
    /// The business step.
    pub biz_step: Option<BizStep>,
    /// What was consumed.
    pub input: Listed,
    /// Its run, where it is codes.
    pub run: Option<Run>,
    /// Its batch, where it is of one that is registered.
    pub batch: Option<Arc<BatchFacts>>,
    /// Whether its consumption took effect.
    pub confirmed: bool,
    /// Holds and recalls that stand on it.
    pub measures: Vec<Standing>,
    /// Whether it is suspicious.
    pub suspicious: bool,
    /// Whether its cold chain was broken before it was consumed.
    pub chain_broken: bool,
    /// What happened to it until then, where its consumption took effect; the latest of it. Not of the whole batch,
    /// where that is the batch of the goods themselves.
    pub lines: Vec<(Entry, Bearing)>,
    /// Of these the ones with temperatures, until then.
    pub(super) sensed: Vec<Sensed>,
}

/// A walk upstream.
struct Walk<'s> {
    service: &'s Service,
    /// The batch of the goods that are asked about.
    of: BatchId,
    wholes: HashMap<BatchId, Option<Arc<WholeOf>>>,
    units: Units,
    found: Provenance,
    /// What one organization consumed again and again is looked into once.
    seen: HashSet<(What, OrganizationId)>,
    /// Transformations that were read: cycles end here.
    read: HashSet<RecordId>,
    /// How many histories may still be looked into.
    left: usize,
}

/// A transformation on the way.
struct Made<'r> {
    level: usize,
    record: &'r Record,
    biz_step: Option<BizStep>,
}

impl Provenance {
    /// Holds and recalls that stand on any input.
    pub fn measures(&self) -> Vec<Standing> {
        self.sources.iter().flat_map(|source| &source.measures).copied().collect()
    }

    /// Whether any input is suspicious.
    pub fn is_suspicious(&self) -> bool {
        self.sources.iter().any(|source| source.suspicious)
    }

    /// Whether the cold chain of any input was broken before it was consumed.
    pub fn is_broken(&self) -> bool {
        self.sources.iter().any(|source| source.chain_broken)
    }

    /// What was measured in the inputs of the same batch: with what is known of the batch it is one record.
    pub(super) fn sensed(&self, of: BatchId) -> impl Iterator<Item = &Sensed> {
        let same = move |source: &&Source| source.batch.as_ref().is_some_and(|facts| facts.batch.id == of);
        self.sources.iter().filter(same).flat_map(|source| &source.sensed)
    }

    /// Roughly how much memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let source = |source: &Source| size_of::<Source>() + 4_096 + source.lines.len() * size_of::<Entry>();
        self.sources.iter().map(source).sum()
    }
}

impl Portion {
    /// What a transformation says; a fact that cannot be read is none.
    pub fn of(facts: OutputFacts) -> Self {
        let amount = |(value, uom): (f64, String)| {
            Some(Quantity { value: Decimal::from_number(value).ok()?, uom: Uom::parse(&uom).ok()? })
        };
        Self {
            expiry: facts.expiry.and_then(|day| date(&day).ok()),
            content: facts.content.and_then(amount),
            net_weight: facts.net_weight.and_then(amount),
        }
    }
}

impl Service {
    /// What goods of batch `of` were made of, by the records of the transformations that they came out of, in order of
    /// event time. Everything that is read and can change is added to `basis` before.
    pub(super) async fn provenance(
        &self,
        of: BatchId,
        made: &[RecordId],
        basis: &mut Basis,
    ) -> store::Result<Provenance> {
        let mut walk = Walk {
            service: self,
            of,
            wholes: HashMap::new(),
            units: Units::default(),
            found: Provenance::default(),
            seen: HashSet::new(),
            read: HashSet::new(),
            left: INPUTS_MAX,
        };
        let mut records = made.to_vec();
        for level in 1..=TRANSFORMATION_LEVELS_MAX {
            let mut next = Vec::new();
            for id in records {
                walk.transformation(level, id, &mut next, basis).await?;
            }
            records = next;
        }
        walk.found.further += records.iter().filter(|record| !walk.read.contains(record)).count();
        if walk.found.further > 0 {
            let (batch, further) = (of, walk.found.further);
            tracing::warn!(%batch, further, "goods were made of more than is looked into");
        }
        Ok(walk.found)
    }

    /// The other events that one organization says are the same transformation, each with its record.
    pub(super) async fn joined(
        &self,
        record: &Record,
        event: &Event,
        basis: &mut Basis,
    ) -> store::Result<Vec<(Record, Event)>> {
        let Some(id) = &event.transformation_id else { return Ok(Vec::new()) };
        let entries = self.ledger(&Subject::Epc(id.clone()), Slice::Shared, basis).await?;
        let owners = Owners::one(record.organization);
        let (_, bearings) = WholeStatus::of(&entries, owners);
        let stands = |(entry, bearing): &(&Entry, Bearing)| {
            let said = matches!(bearing, Bearing::Effective | Bearing::Report);
            said && entry.part == Part::Joined && entry.organization == record.organization
        };
        let others = entries.iter().zip(bearings).filter(stands).map(|(entry, _)| entry.place.record);
        let mut joined = Vec::new();
        for other in others.filter(|other| *other != record.id).take(INPUTS_MAX) {
            let Some(other) = self.store.record(other).await? else { continue };
            let event_of_other = self.event_of(&other)?;
            if event_of_other.transformation_id == event.transformation_id {
                joined.push((other, event_of_other));
            }
        }
        Ok(joined)
    }
}

impl Walk<'_> {
    /// Looks into the inputs of one transformation, and of those that it is one with; `next` gets the transformations that
    /// these came out of.
    async fn transformation(
        &mut self,
        level: usize,
        id: RecordId,
        next: &mut Vec<RecordId>,
        basis: &mut Basis,
    ) -> store::Result<()> {
        if !self.read.insert(id) {
            return Ok(());
        }
        let Some(record) = self.service.store.record(id).await? else { return Ok(()) };
        let event = self.service.event_of(&record)?;
        if level == 1 {
            self.found.portion = Portion::of(output_facts(&record.body));
        }
        self.inputs(level, &record, &event, next, basis).await?;
        for (record, event) in self.service.joined(&record, &event, basis).await? {
            if self.read.insert(record.id) {
                self.inputs(level, &record, &event, next, basis).await?;
            }
        }
        Ok(())
    }

    async fn inputs(
        &mut self,
        level: usize,
        record: &Record,
        event: &Event,
        next: &mut Vec<RecordId>,
        basis: &mut Basis,
    ) -> store::Result<()> {
        let made = Made { level, record, biz_step: event.biz_step.clone() };
        for input in listed(&event.goods) {
            if !self.seen.insert((input.what.clone(), record.organization)) {
                continue;
            }
            match self.left.checked_sub(1) {
                Some(left) => self.left = left,
                None => {
                    self.found.further += 1;
                    continue;
                }
            }
            self.input(&made, input, next, basis).await?;
        }
        Ok(())
    }
}
