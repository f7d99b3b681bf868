//! Stock: what an organization has now. It has goods of its own batches, and goods that it received: of these its ledger
//! says which to look at. What follows for each code is folded each time, so that there is nothing that could drift.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Basis, Service,
    contents::Contents,
    gather::{Gathered, Units},
    whereabouts::{Held, held, span_of_run},
};
use crate::{
    code::RunId,
    limits::STOCK_LINES_MAX,
    registration::{Content, Kind, Parent, Run},
    store::{self, Slice},
    trace::{BatchId, Instance, Ledger, OrganizationId, Owners, Part, Scope, Span, State, Subject, WholeStatus},
};

/// Goods of one batch that an organization has.
#[derive(Clone, Debug)]
pub struct BatchStock {
    /// The batch.
    pub batch: BatchId,
    /// How many codes, by state.
    pub codes: BTreeMap<&'static str, u64>,
    /// Which, run by run, at most `STOCK_LINES_MAX` lines.
    pub lines: Vec<Held>,
    /// How many lines more there are.
    pub lines_further: usize,
}

/// Goods that an organization has, batch by batch.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    /// In ascending order of their numbers; batches of which it has nothing are left out.
    pub batches: Vec<BatchStock>,
    /// Outermost units that the goods are inside of, with how many codes.
    pub units: BTreeMap<Instance, u64>,
    /// Behind which batch there may be more.
    pub next: Option<BatchId>,
}

/// Where to look for goods of one organization: spans of runs by batch.
type Candidates = BTreeMap<BatchId, BTreeMap<RunId, (Run, Vec<Span>)>>;

impl Service {
    /// What an organization has of the next `limit` batches above `after`. Less where it has more lines than one answer.
    ///
    /// # Errors
    /// Where the store fails, or it received more than can be looked through.
    pub async fn stock(
        &self,
        organization: OrganizationId,
        after: Option<BatchId>,
        limit: usize,
    ) -> store::Result<Stock> {
        let received = self.received(organization).await?;
        let (parent, after_number) = (Parent::Organization(organization.0), after.map(|after| after.0));
        let own = self.store.children(&parent, Kind::Batch, after_number, limit + 1).await?;
        let own: BTreeSet<BatchId> = own.into_iter().map(BatchId).collect();
        let above = received.keys().copied().filter(|batch| Some(*batch) > after);
        let batches: BTreeSet<BatchId> = own.iter().copied().chain(above).collect();
        let (mut stock, mut units, mut lines, mut last) = (Stock::default(), Units::default(), 0, None);
        for (at, batch) in batches.into_iter().enumerate() {
            if at == limit || lines >= STOCK_LINES_MAX {
                stock.next = last;
                break;
            }
            let spans = if own.contains(&batch) { None } else { received.get(&batch) };
            let found = self.batch_stock(organization, batch, spans, &mut units).await?;
            for held in &found.lines {
                if let Some(unit) = &held.unit {
                    *stock.units.entry(unit.clone()).or_default() += u64::from(held.span.codes());
                }
            }
            lines += found.lines.len();
            last = Some(batch);
            if !found.codes.is_empty() {
                stock.batches.push(found);
            }
        }
        Ok(stock)
    }

    /// What was received, with all that may be inside of it.
    async fn received(&self, organization: OrganizationId) -> store::Result<Candidates> {
        let mut named = Contents::default();
        for entry in self.ledger_after(&Subject::Party(organization), Slice::Shared, None).await? {
            match (entry.scope, entry.part) {
                (Scope::Span(span), _) => drop(named.spans.insert(span)),
                (_, Part::Received(Some(epc))) => drop(named.epcs.insert(epc.into())),
                _ => {}
            }
        }
        let mut candidates = Candidates::new();
        for (id, spans) in self.with_contents(named).await?.by_run() {
            if let Some(run) = self.run(id).await? {
                candidates.entry(run.batch).or_default().insert(id, (run, spans));
            }
        }
        Ok(candidates)
    }

    /// What an organization has of one batch: of spans, or of all.
    async fn batch_stock(
        &self,
        organization: OrganizationId,
        batch: BatchId,
        spans: Option<&BTreeMap<RunId, (Run, Vec<Span>)>>,
        units: &mut Units,
    ) -> store::Result<BatchStock> {
        let mut stock = BatchStock { batch, codes: BTreeMap::new(), lines: Vec::new(), lines_further: 0 };
        let Some((importer, whole)) = self.whole_status(batch).await? else { return Ok(stock) };
        let whole_run = |run: Run| (run.id, (run.clone(), span_of_run(&run).into_iter().collect()));
        let mut all: BTreeMap<RunId, (Run, Vec<Span>)> = match spans {
            Some(spans) => spans.clone(),
            None => self.runs_of(batch).await?.into_iter().map(whole_run).collect(),
        };
        // Portions are whose split made them, without any receipt.
        let portions = self.split_runs_of(batch).await?.into_iter();
        let portions = portions.filter(|run| run.count > 0 && (spans.is_none() || run.organization == organization));
        all.extend(portions.map(whole_run));
        for (run, spans) in all.into_values() {
            let owners = Owners { issuer: run.organization, importer };
            let ledger = Ledger::new(self.span_entries(&spans).await?);
            let meet = |span, Gathered { status, .. }: &Gathered| {
                if status.holder == organization && is_stock(status.state) {
                    stock.add(held(span, status));
                }
            };
            self.fold_spans(&spans, &ledger, &whole, owners, units, meet).await?;
        }
        Ok(stock)
    }

    /// What follows for all codes of a registered batch from what was said of it as a whole and of what it was made of, and
    /// its importer.
    pub(super) async fn whole_status(&self, id: BatchId) -> store::Result<Option<(OrganizationId, WholeStatus)>> {
        let Some(statement) = self.statement(Kind::Batch, id.0).await? else { return Ok(None) };
        let Content::Batch(batch) = &statement.content else { return Ok(None) };
        let lots = super::scan::lots_of(&statement.parents);
        let owners = Owners::one(batch.organization);
        let told = self.whole_told(id, &lots, owners, &mut Basis::default()).await?;
        Ok(Some((batch.organization, told.status)))
    }
}

/// Whether goods in this state are on hand, or on the way from whoever has them.
fn is_stock(state: State) -> bool {
    match state {
        State::Active | State::InTransit | State::Stored | State::OnSale | State::Returned | State::Opened => true,
        State::Reserved | State::Sold | State::Destroyed | State::Void => false,
    }
}

impl BatchStock {
    fn add(&mut self, held: Held) {
        *self.codes.entry(held.state.word()).or_default() += u64::from(held.span.codes());
        if self.lines_further == 0 && held.joins(&mut self.lines) {
            return;
        }
        if self.lines.len() < STOCK_LINES_MAX {
            self.lines.push(held);
        } else {
            self.lines_further += 1;
        }
    }
}
