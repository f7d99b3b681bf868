//! What a measure would touch, before it is made.

use std::collections::{BTreeMap, HashSet};

use super::{MeasureOrder, Result};
use crate::{
    registration::Targets,
    service::{
        Caller, Service,
        whereabouts::{Held, Holding, Whereabouts},
    },
    store,
    trace::{BatchId, Block, OrganizationId, Role, Span, State},
};

/// What a measure would touch. Nothing is written for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// How many codes it names: those of whole batches, and of spans; codes inside units are not among them.
    pub codes: u64,
    /// The batches that it names, or names codes of, by number.
    pub batches: Vec<ReachedBatch>,
    /// How many units it names.
    pub units: usize,
    /// How many of the codes the public has scanned.
    pub scanned: u64,
    /// The codes by holder and state.
    pub holdings: BTreeMap<OrganizationId, Holding>,
    /// How many codes are in none of `holdings`, because their batch is too scattered to tell of single codes.
    pub unplaced: u64,
}

/// A batch that a measure would touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReachedBatch {
    /// Its number.
    pub batch: BatchId,
    /// How many of its codes are named.
    pub codes: u64,
    /// Whether all of it is named.
    pub whole: bool,
}

impl Service {
    /// What a measure would touch. The same goods are refused as when it is made.
    ///
    /// # Errors
    /// As [`Service::make_measure`].
    pub async fn preview_measure(&self, caller: &Caller, order: &MeasureOrder) -> Result<Reach> {
        let targets = self.targets(caller, &order.targets).await?;
        Ok(self.reach(caller, &targets).await?)
    }

    async fn reach(&self, caller: &Caller, targets: &Targets) -> store::Result<Reach> {
        // Of each batch the spans that are named; `None` where all of it is.
        let mut named: BTreeMap<BatchId, Option<Vec<Span>>> = BTreeMap::new();
        for (batch, span) in &targets.spans {
            named.entry(*batch).or_insert(Some(Vec::new())).as_mut().into_iter().for_each(|spans| spans.push(*span));
        }
        named.extend(targets.batch.map(|batch| (batch, None)));
        if let Some((gtin, lot)) = &targets.lot {
            // An importer's word counts on its own batches of a lot alone.
            let of = (caller.role != Role::Inspector).then_some(caller.organization);
            named.extend(self.batches_of_lot(*gtin, lot, of).await?.into_iter().map(|batch| (batch, None)));
        }
        let mut reach = Reach { units: targets.units.len(), ..Reach::default() };
        for (batch, spans) in named {
            let Some(found) = self.whereabouts(batch).await? else { continue };
            match spans {
                None => {
                    reach.scanned += self.scanned_of(batch).await?;
                    reach.add_whole(found);
                }
                Some(spans) => {
                    reach.scanned += self.scanned_in(&spans).await?;
                    reach.add_spans(&found, &spans);
                }
            }
        }
        Ok(reach)
    }

    /// How many codes of the spans the public has scanned.
    async fn scanned_in(&self, spans: &[Span]) -> store::Result<u64> {
        let mut scanned = 0;
        for span in spans {
            let blocks = [span.first(), span.last()].map(|serial| Block::of(span.run(), serial).index);
            for index in blocks[0]..=blocks[1] {
                let block = Block { run: span.run(), index };
                let sums = self.store.scans(block).await?;
                let codes = sums.iter().flat_map(|(_, codes)| codes).filter(|(_, sum)| sum.count > 0);
                let named = |offset: &u16| block.serial(*offset).is_some_and(|serial| span.contains(serial));
                scanned += codes.map(|(offset, _)| *offset).filter(named).collect::<HashSet<_>>().len() as u64;
            }
        }
        Ok(scanned)
    }
}

impl Reach {
    /// How many of the codes are on goods in a state.
    pub fn in_state(&self, state: State) -> u64 {
        self.holdings.values().filter_map(|holding| holding.codes.get(state.word())).sum()
    }

    fn add_whole(&mut self, found: Whereabouts) {
        let Whereabouts { batch, codes, holdings, .. } = found;
        self.codes += codes;
        self.batches.push(ReachedBatch { batch, codes, whole: true });
        for (holder, holding) in holdings {
            let all = &mut self.holdings.entry(holder).or_default().codes;
            holding.codes.into_iter().for_each(|(state, codes)| *all.entry(state).or_default() += codes);
        }
    }

    /// `spans` and the lines of whereabouts are in ascending order.
    fn add_spans(&mut self, found: &Whereabouts, spans: &[Span]) {
        let (mut codes, mut placed) = (0, 0);
        for span in spans {
            codes += u64::from(span.codes());
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
        self.codes += codes;
        self.unplaced += codes - placed;
        self.batches.push(ReachedBatch { batch: found.batch, codes, whole: false });
    }
}
