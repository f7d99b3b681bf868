//! What a measure would touch, before it is made: what it names, what is inside of that, and what was made of all this.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{MeasureOrder, Result};
use crate::{
    code::{RunId, Serial},
    epcis::Class,
    limits::{LEDGERS_READ_AT_ONCE, TRACED_BATCHES_MAX, TRANSFORMATION_LEVELS_MAX},
    registration::Targets,
    service::{
        Basis, Caller, Service,
        contents::Contents,
        whereabouts::{Held, Holding, Whereabouts},
    },
    store::{self, Slice},
    trace::{
        BatchId, Block, Entry, OrganizationId, Part, RecordId, Role, Scope, Span, State, Subject, What, authority,
    },
};

/// What a measure would touch. Nothing is written for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// How many codes it would be on: those that it names, those that anybody reported to be inside of units or packages that it
    /// names, and those of what was made of all these.
    pub codes: u64,
    /// The batches of these codes.
    pub batches: Vec<ReachedBatch>,
    /// How many units it would be on, named or inside of others.
    pub units: usize,
    /// How many of the codes the public has scanned.
    pub scanned: u64,
    /// The codes by holder and state.
    pub holdings: BTreeMap<OrganizationId, Holding>,
    /// How many codes are in none of `holdings`: their batch is too scattered to tell of single codes, or another importer's.
    pub unplaced: u64,
    /// How many batches and levels of transformation were not looked into.
    pub further: usize,
}

/// A batch that a measure would touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReachedBatch {
    /// Its number.
    pub batch: BatchId,
    /// How many of its codes.
    pub codes: u64,
    /// Whether it is all of it.
    pub whole: bool,
    /// Whether it was made of what is named, and is not named itself.
    pub made: bool,
}

/// Goods that a measure would be on.
#[derive(Default)]
struct Goods {
    /// Whole batches.
    batches: BTreeSet<BatchId>,
    /// Codes and units.
    contents: Contents,
}

/// A preview on its way from what is named to what was made of it.
struct Walk<'s> {
    service: &'s Service,
    caller: &'s Caller,
    /// Batches of which something is named, or inside of what is named.
    named: BTreeSet<BatchId>,
    batches: BTreeSet<BatchId>,
    contents: Contents,
    /// Transformations that were looked into.
    read: HashSet<RecordId>,
    reach: Reach,
}

impl Service {
    /// What a measure would touch. The same goods are refused as when it is made.
    ///
    /// # Errors
    /// As [`Service::make_measure`]; [`store::Error::TooLarge`] where units are named of which too many records speak.
    pub async fn preview_measure(&self, caller: &Caller, order: &MeasureOrder) -> Result<Reach> {
        let targets = self.targets(caller, &order.targets).await?;
        let mut goods = self.named_goods(caller, targets).await?;
        let (named, batches, contents) = (BTreeSet::new(), BTreeSet::new(), Contents::default());
        let (read, reach) = (HashSet::new(), Reach::default());
        let mut walk = Walk { service: self, caller, named, batches, contents, read, reach };
        for level in 0..=TRANSFORMATION_LEVELS_MAX {
            let consumed = walk.reach(goods, level == 0).await?;
            goods = walk.made_of(consumed).await?;
            if goods.is_empty() {
                break;
            }
        }
        walk.reach.further += usize::from(!goods.is_empty());
        Ok(walk.counted().await?)
    }

    /// What a measure names.
    async fn named_goods(&self, caller: &Caller, targets: Targets) -> store::Result<Goods> {
        let mut batches: BTreeSet<_> = targets.batch.into_iter().collect();
        if let Some((gtin, lot)) = &targets.lot {
            // An importer's word counts on its own batches of a lot alone.
            let of = (caller.role != Role::Inspector).then_some(caller.organization);
            batches.extend(self.batches_of_lot(*gtin, lot, of).await?);
        }
        let spans = targets.spans.iter().map(|(_, span)| *span).collect();
        Ok(Goods { batches, contents: Contents { spans, epcs: targets.units.into_iter().collect() } })
    }

    /// How many codes of the spans the public has scanned. The spans are in ascending order, and none overlaps another.
    async fn scanned_in(&self, spans: &[Span]) -> store::Result<u64> {
        let named = |run: RunId, serial: Serial| {
            let at = spans.partition_point(|span| (span.run(), span.last()) < (run, serial));
            spans.get(at).is_some_and(|span| span.run() == run && span.contains(serial))
        };
        let mut blocks: Vec<_> = spans.iter().flat_map(Block::of_span).collect();
        blocks.dedup();
        let counts = stream::iter(blocks).map(|block| async move {
            let sums = self.store.scans(block).await?;
            let codes = sums.iter().flat_map(|(_, codes)| codes).filter(|(_, sum)| sum.count > 0);
            let scanned: HashSet<_> = codes.filter_map(|(offset, _)| block.serial(*offset)).collect();
            store::Result::Ok(scanned.into_iter().filter(|serial| named(block.run, *serial)).count() as u64)
        });
        counts.buffer_unordered(LEDGERS_READ_AT_ONCE).try_fold(0, |sum, count| async move { Ok(sum + count) }).await
    }
}

impl Walk<'_> {
    /// Adds goods with what is inside of them; says which records consumed any of it.
    async fn reach(&mut self, goods: Goods, named: bool) -> store::Result<BTreeSet<RecordId>> {
        let mut consumed = BTreeSet::new();
        for batch in goods.batches {
            consumed.extend(self.whole(batch, named).await?);
        }
        let inside = self.service.with_contents(goods.contents).await?;
        for epc in &inside.epcs {
            let subject = Subject::Epc(epc.clone());
            let entries = self.service.ledger(&subject, Slice::Shared, &mut Basis::default()).await?;
            consumed.extend(consuming(&entries).map(|entry| entry.place.record));
        }
        for (run, spans) in inside.by_run() {
            let Some(run) = self.service.run(run).await? else { continue };
            let of = self.owner(run.batch).await?;
            // Of an importer's word on a unit others' goods inside of it are free.
            if named && !self.is_callers(of) && run.organization != self.caller.organization {
                continue;
            }
            let meets = |entry: &&Entry| match entry.scope {
                Scope::Span(of) => spans.iter().any(|span| span.first() <= of.last() && of.first() <= span.last()),
                Scope::All | Scope::Some => false,
            };
            let entries = self.service.span_entries(&spans).await?;
            consumed.extend(consuming(&entries).filter(meets).map(|entry| entry.place.record));
            if named {
                self.named.insert(run.batch);
            }
            self.contents.spans.extend(spans);
        }
        self.contents.epcs.extend(inside.epcs);
        Ok(consumed)
    }

    /// Adds a whole batch; says which records consumed any of it.
    async fn whole(&mut self, batch: BatchId, named: bool) -> store::Result<Vec<RecordId>> {
        if self.batches.contains(&batch) {
            return Ok(Vec::new());
        }
        if self.batches.len() == TRACED_BATCHES_MAX {
            self.reach.further += 1;
            return Ok(Vec::new());
        }
        self.batches.insert(batch);
        if named {
            self.named.insert(batch);
        }
        let Some(found) = self.service.whereabouts(batch).await? else { return Ok(Vec::new()) };
        self.reach.scanned += self.service.scanned_of(batch).await?;
        self.reach.batches.push(ReachedBatch { batch, codes: found.codes, whole: true, made: !named });
        let visible = self.is_callers(self.owner(batch).await?);
        self.reach.add_whole(&found, visible);
        Ok(found.consumed.into_keys().collect())
    }

    /// What came out of transformations.
    async fn made_of(&mut self, consumed: BTreeSet<RecordId>) -> store::Result<Goods> {
        let mut made = Goods::default();
        for id in consumed {
            if !self.read.insert(id) {
                continue;
            }
            let Some(record) = self.service.store.record(id).await? else { continue };
            let event = self.service.event_of(&record)?;
            for output in self.service.outputs_of(&record, &event).await? {
                match output.what {
                    What::Span(span) => drop(made.contents.spans.insert(span)),
                    What::Epc(epc) => drop(made.contents.epcs.insert(epc)),
                    // Nobody makes goods of another's batch by saying so; of codes the door has asked that.
                    What::Class(Class::Batch(batch)) if self.owner(batch).await? == Some(record.organization) => {
                        made.batches.insert(batch);
                    }
                    What::Class(Class::Lot { gtin, lot }) => {
                        made.batches.extend(self.service.batches_of_lot(gtin, &lot, Some(record.organization)).await?);
                    }
                    What::Class(Class::Batch(_) | Class::Other(_)) => {}
                }
            }
        }
        Ok(made)
    }

    /// Counts the codes that are not of whole batches, each once.
    async fn counted(mut self) -> store::Result<Reach> {
        let mut of_batches: BTreeMap<BatchId, Vec<Span>> = BTreeMap::new();
        for (run, spans) in self.contents.by_run() {
            let batch = self.service.run(run).await?.map(|run| run.batch);
            let Some(batch) = batch.filter(|batch| !self.batches.contains(batch)) else { continue };
            of_batches.entry(batch).or_default().extend(spans);
        }
        self.reach.units = self.contents.epcs.len();
        for (batch, spans) in of_batches {
            self.reach.scanned += self.service.scanned_in(&spans).await?;
            let codes = spans.iter().map(|span| u64::from(span.codes())).sum();
            self.reach.codes += codes;
            let made = !self.named.contains(&batch);
            self.reach.batches.push(ReachedBatch { batch, codes, whole: false, made });
            let placed = if self.is_callers(self.owner(batch).await?) {
                let found = self.service.whereabouts(batch).await?;
                found.map_or(0, |found| self.reach.place(&found, &spans))
            } else {
                0
            };
            self.reach.unplaced += codes - placed;
        }
        self.reach.batches.sort_unstable_by_key(|reached| (reached.made, reached.batch));
        Ok(self.reach)
    }

    async fn owner(&self, batch: BatchId) -> store::Result<Option<OrganizationId>> {
        Ok(self.service.batch(batch.0).await?.map(|batch| batch.organization))
    }

    /// Whether the caller may know where goods of an importer are.
    fn is_callers(&self, importer: Option<OrganizationId>) -> bool {
        self.caller.role == Role::Inspector || importer == Some(self.caller.organization)
    }
}

impl Goods {
    fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.contents.is_empty()
    }
}

/// Entries that stand and say that what they are about went into something.
fn consuming(entries: &[Entry]) -> impl Iterator<Item = &Entry> {
    let declarations: Vec<_> = entries.iter().filter(|entry| entry.declares_error).collect();
    let stands = move |entry: &&Entry| !declarations.iter().any(|declaration| authority::voids(declaration, entry));
    entries.iter().filter(|entry| entry.part == Part::Input && !entry.declares_error).filter(stands)
}

impl Reach {
    /// How many of the codes are on goods in a state.
    pub fn in_state(&self, state: State) -> u64 {
        self.holdings.values().filter_map(|holding| holding.codes.get(state.word())).sum()
    }

    fn add_whole(&mut self, found: &Whereabouts, visible: bool) {
        self.codes += found.codes;
        if !visible {
            self.unplaced += found.codes;
            return;
        }
        for (holder, holding) in &found.holdings {
            let all = &mut self.holdings.entry(*holder).or_default().codes;
            holding.codes.iter().for_each(|(state, codes)| *all.entry(state).or_default() += codes);
        }
    }

    /// Adds spans to the holdings, as far as the lines of their batch's whereabouts tell; says how many codes that were. Spans
    /// and lines are in ascending order.
    fn place(&mut self, found: &Whereabouts, spans: &[Span]) -> u64 {
        let mut placed = 0;
        for span in spans {
            let before = |held: &Held| (held.span.run(), held.span.last()) < (span.run(), span.first());
            let lines = found.lines.iter().skip(found.lines.partition_point(before));
            for held in lines.take_while(|held| held.span.run() == span.run() && held.span.first() <= span.last()) {
                let (first, last) = (held.span.first().max(span.first()), held.span.last().min(span.last()));
                let both = u64::from(last.get() - first.get() + 1);
                let holding = self.holdings.entry(held.holder).or_default();
                *holding.codes.entry(held.state.word()).or_default() += both;
                placed += both;
            }
        }
        placed
    }
}
