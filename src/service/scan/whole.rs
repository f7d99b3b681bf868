//! Whole batches and lots, as their own links show them: from memory where nothing changed since they were last asked
//! for.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use jiff::civil::Date;

use super::{
    facts::BatchFacts,
    origins::{MadeOf, Origins},
    view::{Line, shown},
};
use crate::{
    code::{Gtin, Lot},
    limits::{LOT_BATCHES_SHOWN_MAX, PAGE_ITEMS_MAX},
    registration::{Kind, Parent},
    service::{
        Basis, Service, Watched,
        provenance::WholeTold,
        temperature::{ColdRecord, limits, newest, sensed},
    },
    store,
    trace::{BatchId, Owners, Standing, Verdict, fold},
};

/// Numbers whole batches and lots, so that what is rendered of them can be kept beside them.
fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A whole batch, as its own link shows it.
#[derive(Debug)]
pub struct Whole {
    /// No other view has had it since the start.
    pub number: u64,
    /// The batch with all that it refers to.
    pub facts: BatchFacts,
    /// What holds for all of it, gravest first; empty where nothing speaks against it.
    pub verdicts: Vec<Verdict>,
    /// The temperatures that it went through, where anybody reported one.
    pub cold_record: Option<ColdRecord>,
    /// Measures that stand for all of it, by number.
    pub measures: Vec<Standing>,
    /// What happened to all of it, latest first, at most `PUBLIC_TIMELINE_LINES_MAX`.
    pub lines: Vec<Arc<Line>>,
    /// How many lines more there are.
    pub lines_further: usize,
    /// What it was made of, where that is told.
    pub made_of: Option<Box<MadeOf>>,
    /// The day that the verdicts are of.
    today: Date,
    basis: Basis,
}

impl Whole {
    fn is_current(&self, today: Date) -> bool {
        self.today == today && self.basis.is_current()
    }

    /// Roughly how much memory it takes, in bytes.
    pub fn bytes(&self) -> u32 {
        let (lines, documents) = (self.lines.len(), self.facts.documents.len());
        u32::try_from(4_096 + lines * 600 + documents * 500).unwrap_or(u32::MAX)
    }
}

/// The batches of a lot, as the lot's link shows them.
#[derive(Debug)]
pub struct WholeLot {
    /// No other view has had it since the start.
    pub number: u64,
    /// The newest first, at most `LOT_BATCHES_SHOWN_MAX`; never empty, no drafts.
    pub batches: Vec<Arc<Whole>>,
    /// How many more there are.
    pub batches_further: usize,
    /// What holds for any of them, gravest first; expired only where all of them are.
    pub verdicts: Vec<Verdict>,
    /// Measures that stand for all of any of them, by number.
    pub measures: Vec<Standing>,
    /// The list of batches.
    basis: Basis,
}

impl WholeLot {
    fn is_current(&self, today: Date) -> bool {
        self.basis.is_current() && self.batches.iter().all(|batch| batch.is_current(today))
    }

    /// Roughly how much memory it takes with its batches, in bytes.
    pub fn bytes(&self) -> u32 {
        self.batches.iter().map(|batch| batch.bytes()).fold(1_024, u32::saturating_add)
    }
}

impl Service {
    /// A whole batch; `None` where it is not registered. Its ledger alone is looked at, not its codes'.
    pub async fn whole_batch(&self, id: BatchId, today: Date) -> store::Result<Option<Arc<Whole>>> {
        if let Some(known) = self.batches.get(&id).filter(|batch| batch.is_current(today)) {
            return Ok(Some(known));
        }
        let mut basis = Basis::default();
        let Some((facts, said)) = self.batch_and_said(id, None, &mut basis).await? else { return Ok(None) };
        let owners = Owners::one(facts.batch.organization);
        let told = self.told_of(id, said.entries, owners, &mut basis).await?;
        let WholeTold { entries, bearings, status: whole, provenance } = told;
        let origins = Origins { own: None, whole: provenance.as_deref() };
        let status = fold(&[], &whole, owners);
        let sensed = newest(sensed(entries.iter().zip(bearings.iter().copied()), &[]));
        let cold_record = self.cold_record(&sensed, limits(facts.effective().storage), &said.bodies).await?;
        let is_broken = cold_record.as_ref().is_some_and(ColdRecord::is_broken) || origins.is_broken();
        let mut verdicts = status.verdicts(facts.is_expired(today), is_broken);
        // Labels are applied code by code; of a batch as a whole neither is said.
        verdicts.retain(|verdict| !matches!(verdict, Verdict::NotActivated | Verdict::Genuine));
        let (latest, lines_further) = shown(entries.iter().zip(bearings).chain(origins.lines()));
        let lines = self.public_lines(&facts.importer, &latest, &origins.places(), &mut basis).await?;
        let made_of = origins.made_of(facts.batch.expiry.map(|days| days.last));
        let (number, measures) = (next_number(), status.measures);
        let whole =
            Whole { number, facts, verdicts, cold_record, measures, lines, lines_further, made_of, today, basis };
        let whole = Arc::new(whole);
        self.batches.insert(id, Arc::clone(&whole));
        Ok(Some(whole))
    }

    /// The batches that carry a lot; `None` where there are none, or only drafts.
    pub async fn whole_lot(&self, gtin: Gtin, lot: &Lot, today: Date) -> store::Result<Option<Arc<WholeLot>>> {
        let parent = Parent::Lot(gtin.to_string(), lot.to_string());
        if let Some(known) = self.lots.get(&parent).filter(|lot| lot.is_current(today)) {
            return Ok(Some(known));
        }
        let mut basis = Basis::default();
        // Whatever becomes of one of its batches is written under the lot again, so that a draft need not be watched.
        self.watch.add(&mut basis, Watched::Children(parent.clone(), Kind::Batch));
        let ids = self.store.children(&parent, Kind::Batch, None, PAGE_ITEMS_MAX).await?;
        let mut batches = Vec::new();
        for id in ids.iter().rev().take(LOT_BATCHES_SHOWN_MAX) {
            let batch = self.whole_batch(BatchId(*id), today).await?;
            batches.extend(batch.filter(|batch| !batch.facts.batch.draft));
        }
        if batches.is_empty() {
            return Ok(None);
        }
        let batches_further = ids.len().saturating_sub(LOT_BATCHES_SHOWN_MAX);
        let (verdicts, measures) = (verdicts_of_any(&batches, today), measures_of_any(&batches));
        let whole = WholeLot { number: next_number(), batches, batches_further, verdicts, measures, basis };
        let whole = Arc::new(whole);
        self.lots.insert(parent, Arc::clone(&whole));
        Ok(Some(whole))
    }
}

fn verdicts_of_any(batches: &[Arc<Whole>], today: Date) -> Vec<Verdict> {
    let all = batches.iter().flat_map(|batch| &batch.verdicts).copied();
    let mut verdicts: Vec<_> = all.filter(|verdict| *verdict != Verdict::Expired).collect();
    if batches.iter().all(|batch| batch.facts.is_expired(today)) {
        verdicts.push(Verdict::Expired);
    }
    verdicts.sort_unstable();
    verdicts.dedup();
    verdicts
}

/// One that stands for several batches is told once, from its beginning.
fn measures_of_any(batches: &[Arc<Whole>]) -> Vec<Standing> {
    let mut measures: Vec<_> = batches.iter().flat_map(|batch| &batch.measures).copied().collect();
    measures.sort_unstable_by_key(|standing| (standing.measure, standing.recall, standing.since_ms));
    measures.dedup_by_key(|standing| (standing.measure, standing.recall));
    measures
}
