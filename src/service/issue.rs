//! Issuing: an order becomes runs, one row each, in one capture with the events that say so.

use std::sync::Arc;

use super::{
    Basis, Caller, Counter, Service,
    capture::{CaptureError, Captured},
    quarantine::Quarantined,
};
use crate::{
    code::{Code, Encoder, Form, Gtin, KeySlot, LinkPrefix, RunId, RunKey, Serial},
    epcis::{
        DocumentError,
        shapes::{self, BatchSpan, CodeStep, Occasion},
    },
    limits::{KEY_RUNS_MAX, ORDER_CODES_MAX, PAGE_ITEMS_MAX, RUN_CODES_MAX, RUNS_OF_BATCH_MAX},
    registration::{
        Activation, Batch, Content, IssueError, Kind, Level, Live, Missing, Parent, Quantity, Run, Statement,
        content_of_level, may_issue,
    },
    service::scan::BatchFacts,
    store::{self, Slice},
    trace::{BatchId, ConsignmentId, Role, Subject},
};

/// An order of codes.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// How many, 1 to `ORDER_CODES_MAX`.
    pub count: u32,
    /// What each is put on.
    pub level: Level,
    /// What is in one of them; the product's packaging says otherwise.
    pub content: Option<Quantity>,
    /// When the codes become active.
    pub activate: Activation,
}

/// A run with its ends, as an order is answered.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The run.
    pub run: Run,
    /// What makes its codes.
    pub key: RunKey,
}

/// Why codes were not issued. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// No such batch, or not the caller's.
    #[error("there is no batch {0}")]
    NotFound(BatchId),
    /// A count out of range.
    #[error("found a count of {found}, expected 1 to {ORDER_CODES_MAX}")]
    Count {
        /// What was ordered.
        found: u32,
    },
    /// The batch is a draft.
    #[error("batch {0} is a draft; register it first")]
    Draft(BatchId),
    /// The batch lacks papers or fields.
    #[error("the batch lacks what its kind of goods needs before codes are issued")]
    Incomplete(Vec<Missing>),
    /// The batch has as many runs as it may, or would have more.
    #[error(
        "batch {batch} has {runs} runs, and the order needs {more} more; expected at most {RUNS_OF_BATCH_MAX}: void \
         labels keep their run, so order more codes at a time"
    )]
    Full {
        /// The batch.
        batch: BatchId,
        /// How many it has.
        runs: usize,
        /// How many the order would add.
        more: usize,
    },
    /// The quantity of the batch does not allow it.
    #[error(transparent)]
    Quantity(#[from] IssueError),
    /// Every key of the ring is retired, or has no run number left.
    #[error("no key of the key ring can issue: every one is retired or used up; add one with `coldproof keygen`")]
    NoKey,
    /// The store was restored and not released yet.
    #[error(transparent)]
    Quarantine(#[from] Quarantined),
    /// The event could not be made.
    #[error(transparent)]
    Event(#[from] DocumentError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Service {
    /// Orders codes for a batch. One row a run, whatever the count.
    ///
    /// # Errors
    /// Why the order is refused; no code is issued then.
    pub async fn issue(
        self: &Arc<Self>,
        caller: &Caller,
        batch: BatchId,
        order: &Order,
    ) -> Result<Vec<Issued>, OrderError> {
        if !(1..=ORDER_CODES_MAX).contains(&order.count) {
            return Err(OrderError::Count { found: order.count });
        }
        let (service, caller, order) = (Arc::clone(self), *caller, order.clone());
        // On a task of its own: a client that hangs up must not free the lock before the runs are written.
        let task = tokio::spawn(async move {
            let issued = service.issue_in_turn(&caller, batch, order);
            service.in_turn(&service.issuing, [batch], issued).await
        });
        task.await.unwrap_or_else(|error| Err(store::Error::Unavailable(error.to_string()).into()))
    }

    async fn issue_in_turn(
        &self,
        caller: &Caller,
        batch: BatchId,
        mut order: Order,
    ) -> Result<Vec<Issued>, OrderError> {
        let facts = self.batch_facts(batch, &mut Basis::default()).await?.ok_or(OrderError::NotFound(batch))?;
        let issuer = facts.batch.organization;
        if caller.role != Role::Admin && caller.organization != issuer {
            return Err(OrderError::NotFound(batch));
        }
        // What one of them holds is fixed with the order: neither a later order nor a change of the product alters it.
        order.content = order.content.or_else(|| content_of_level(&facts.effective(), order.level).cloned());
        if facts.batch.draft {
            return Err(OrderError::Draft(batch));
        }
        let missing = self.settings.profiles.missing(&facts.effective(), &facts.documents);
        if !missing.is_empty() {
            return Err(OrderError::Incomplete(missing));
        }
        let slot = self.keys.issuing_slot().ok_or(OrderError::NoKey)?;
        if let Some(quarantined) = self.quarantined().await? {
            return Err(quarantined.into());
        }
        self.check_runs(batch, &order).await?;
        self.reserve(&facts, std::slice::from_ref(&order)).await?;
        let mut issued = Vec::new();
        let mut rest = order.count;
        while rest > 0 {
            let count = rest.min(RUN_CODES_MAX);
            let id = self.next_run(slot).await?.ok_or(OrderError::NoKey)?;
            let key = self.keys.run_key(id).ok_or(OrderError::NoKey)?;
            issued.push(Issued { run: self.new_run(id, &facts, &order, count), key });
            rest -= count;
        }
        self.write_runs(&facts.batch, &order, &issued).await?;
        Ok(issued)
    }

    /// Whether the batch may have as many runs more as the order becomes. It is this order's turn.
    async fn check_runs(&self, batch: BatchId, order: &Order) -> Result<(), OrderError> {
        let runs = self.store.children(&Parent::Batch(batch.0), Kind::Run, None, RUNS_OF_BATCH_MAX).await?.len();
        let more = order.count.div_ceil(RUN_CODES_MAX) as usize;
        if runs + more > RUNS_OF_BATCH_MAX {
            return Err(OrderError::Full { batch, runs, more });
        }
        Ok(())
    }

    /// The next run of a key; `None` where it has none left.
    pub(super) async fn next_run(&self, slot: KeySlot) -> store::Result<Option<RunId>> {
        let number = self.next_number(Counter::Runs(slot)).await?;
        let number = u32::try_from(number).ok().filter(|number| *number < KEY_RUNS_MAX);
        Ok(number.and_then(|number| RunId::new(slot, number)))
    }

    fn new_run(&self, id: RunId, facts: &BatchFacts, order: &Order, count: u32) -> Run {
        Run {
            id,
            organization: facts.batch.organization,
            batch: facts.batch.id,
            level: order.level,
            content: order.content.clone(),
            count,
            activate: order.activate,
            signed: false,
            created_ms: self.now_ms(),
            split: false,
        }
    }

    /// Runs and their events, in one capture.
    async fn write_runs(&self, batch: &Batch, order: &Order, issued: &[Issued]) -> Result<(), OrderError> {
        let now_ms = self.now_ms();
        let spans: Vec<_> = issued.iter().filter_map(Issued::span).collect();
        let occasion = self.occasion(now_ms);
        let mut events = vec![shapes::codes(&occasion, CodeStep::Issued, &spans, &self.hosts)?];
        if order.activate == Activation::OnIssue {
            events.push(shapes::codes(&occasion, CodeStep::Applied, &spans, &self.hosts)?);
        }
        let statements = issued.iter().map(|issued| statement(&issued.run, batch.consignment)).collect();
        let importer = Caller { key: None, organization: batch.organization, role: Role::Importer };
        self.commit_events(&importer, &events, statements, now_ms).await?;
        Ok(())
    }

    /// Reports spans of a run as applied or void. Codes are checked as those of any capture.
    ///
    /// # Errors
    /// As for a captured document.
    pub async fn report_codes(
        &self,
        caller: &Caller,
        run: &Run,
        spans: &[(Code, Code)],
        step: CodeStep,
    ) -> Result<Captured, CaptureError> {
        let spans: Vec<_> =
            spans.iter().map(|(first, last)| BatchSpan { batch: run.batch, first: *first, last: *last }).collect();
        let event = shapes::codes(&self.occasion(self.now_ms()), step, &spans, &self.hosts)?;
        self.capture_canonical(caller, &event.body).await
    }

    /// An event here and now, in the configured zone.
    pub fn occasion(&self, now_ms: i64) -> Occasion {
        let timestamp = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let offset = self.settings.zone.to_offset(timestamp);
        let minutes = i16::try_from(offset.seconds() / 60).unwrap_or_default();
        Occasion { event_time_ms: now_ms, offset_minutes: minutes, read_point: None }
    }

    /// Adds orders to the batch's issued totals, if its quantity allows all of them. The totals may count orders that failed
    /// afterwards, so that before a refusal they are counted anew from the runs that there are, without void labels.
    pub(super) async fn reserve(&self, facts: &BatchFacts, orders: &[Order]) -> Result<(), OrderError> {
        let batch = facts.batch.id;
        loop {
            let before = self.issued_totals(batch).await?;
            let live = before.as_deref().map(totals).transpose()?.unwrap_or_default();
            let live = match self.with_orders(live, facts, orders) {
                Ok(live) => live,
                Err(_) => self.with_orders(self.live_codes(batch).await?, facts, orders)?,
            };
            if self.swap_totals(batch, before, &live).await? {
                return Ok(());
            }
        }
    }

    /// Takes orders that were reserved out of the batch's issued totals. Since then no other order of it was reserved.
    pub(super) async fn give_back(&self, batch: BatchId, orders: &[Order]) -> store::Result<()> {
        loop {
            let before = self.issued_totals(batch).await?;
            let mut live = before.as_deref().map(totals).transpose()?.unwrap_or_default();
            for order in orders {
                if let Some(live) = live.iter_mut().find(|live| is_alike(live, order)) {
                    live.codes = live.codes.saturating_sub(order.count.into());
                }
            }
            if self.swap_totals(batch, before, &live).await? {
                return Ok(());
            }
        }
    }

    /// The live codes with those of the orders, if all of them are allowed.
    fn with_orders(&self, mut live: Vec<Live>, facts: &BatchFacts, orders: &[Order]) -> Result<Vec<Live>, IssueError> {
        let tolerance = self.settings.issuing_tolerance_permille;
        for order in orders {
            let content = order.content.as_ref();
            may_issue(&facts.effective(), order.level, content, &live, order.count.into(), tolerance)?;
            match live.iter_mut().find(|live| is_alike(live, order)) {
                Some(live) => live.codes = live.codes.saturating_add(order.count.into()),
                None => {
                    live.push(Live { level: order.level, content: order.content.clone(), codes: order.count.into() })
                }
            }
        }
        Ok(live)
    }

    async fn issued_totals(&self, batch: BatchId) -> store::Result<Option<Vec<u8>>> {
        self.store.claim(&format!("issued/{batch}")).await
    }

    async fn swap_totals(&self, batch: BatchId, before: Option<Vec<u8>>, live: &[Live]) -> store::Result<bool> {
        let name = format!("issued/{batch}");
        let after = rmp_serde::to_vec(live).map_err(|error| damaged(&name, &error))?;
        self.store.swap(&name, before.as_deref(), &after).await
    }

    /// The codes of a batch that are not void, by level and content, counted from its runs and their ledgers.
    pub(super) async fn live_codes(&self, batch: BatchId) -> store::Result<Vec<Live>> {
        let whole = self.ledger_after(&Subject::Batch(batch), Slice::Shared, None).await?;
        let mut live: Vec<Live> = Vec::new();
        for run in self.runs_of(batch).await? {
            let codes = u64::from(run.count).saturating_sub(self.void_codes(&run, &whole).await?);
            match live.iter_mut().find(|live| live.level == run.level && live.content == run.content) {
                Some(live) => live.codes += codes,
                None => live.push(Live { level: run.level, content: run.content, codes }),
            }
        }
        Ok(live)
    }

    /// The ordered runs of a batch, oldest first; shops' split runs are apart (`split_runs_of`).
    pub async fn runs_of(&self, batch: BatchId) -> store::Result<Vec<Run>> {
        self.runs_under(&Parent::Batch(batch.0)).await
    }

    /// The runs that are listed under a parent, oldest first.
    pub(super) async fn runs_under(&self, parent: &Parent) -> store::Result<Vec<Run>> {
        let mut runs = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.children(parent, Kind::Run, after, PAGE_ITEMS_MAX).await?;
            let Some(last) = page.last() else { return Ok(runs) };
            after = Some(*last);
            for id in page {
                if let Some(Content::Run(run)) = self.statement(Kind::Run, id).await?.map(|found| found.content) {
                    runs.push(run);
                }
            }
        }
    }

    /// What writes `codes` codes of a run from serial `from` on, in a form.
    pub fn encoder(&self, run: &Run, gtin: Option<Gtin>, form: Form, from: u32, codes: u32) -> Option<Encoder> {
        let key = self.keys.run_key(run.id)?;
        let prefix = LinkPrefix::new(self.settings.link_scheme, &self.settings.host, gtin, self.settings.link_case);
        let codes = codes.min(run.count.checked_sub(from)?);
        Some(Encoder::new(key, prefix, form, Serial::new(from)?, codes))
    }
}

impl Issued {
    /// All its codes.
    fn span(&self) -> Option<BatchSpan> {
        let last = Serial::new(self.run.count.checked_sub(1)?)?;
        Some(BatchSpan { batch: self.run.batch, first: self.key.code(Serial::FIRST), last: self.key.code(last) })
    }
}

/// The row of a run. Its batch's consignment is among what it is listed under, so that a scan that reads the run reads the
/// consignment beside the batch, and not behind it.
fn statement(run: &Run, consignment: ConsignmentId) -> Statement {
    let batch = Parent::Batch(run.batch.0);
    Statement {
        kind: Kind::Run,
        id: run.id.bits().into(),
        version: 1,
        parents: vec![batch, Parent::Organization(run.organization.0), Parent::Consignment(consignment.0)],
        author: run.organization,
        written_ms: run.created_ms,
        content: Content::Run(run.clone()),
    }
}

/// Whether an order's codes are counted with these.
fn is_alike(live: &Live, order: &Order) -> bool {
    live.level == order.level && live.content == order.content
}

pub(super) fn totals(bytes: &[u8]) -> store::Result<Vec<Live>> {
    rmp_serde::from_slice(bytes).map_err(|error| damaged("issued", &error))
}

fn damaged(name: &str, error: &dyn std::fmt::Display) -> store::Error {
    store::Error::Corrupt { table: "claims", key: name.to_owned(), found: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        registration::samples,
        service::{statements_capture_id, world::World},
        store::{Claims, Feed, Records, Writes},
    };

    /// Lists as many runs under the batch as there may be, but one.
    async fn fill_but_one(world: &World, batch: BatchId) {
        let issued = world.issue(batch, 1).await.remove(0);
        let slot = issued.run.id.key();
        let numbers: Vec<_> = (1..RUNS_OF_BATCH_MAX as u32 - 1).collect();
        for numbers in numbers.chunks(2_000) {
            let run = |number: &u32| Run { id: RunId::new(slot, 1_000 + number).unwrap(), ..issued.run.clone() };
            let statements: Vec<_> = numbers.iter().map(run).map(|run| statement(&run, ConsignmentId(1))).collect();
            let id = statements_capture_id(world.importer.organization, &statements);
            let capture = world.importer.capture(id, 0, &statements, 0);
            world.store.append(capture, Writes { statements, ..Writes::default() }).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_batch_has_no_more_runs_than_its_bound_and_a_refused_order_writes_nothing() {
        let world = World::new().await;
        let batch = world.batches(vec![samples::batch()]).await[0].id;
        fill_but_one(&world, batch).await;
        let order = |count| Order { count, level: Level::Item, content: None, activate: Activation::OnIssue };
        let issue = async |count| world.service.issue(&world.importer, batch, &order(count)).await;
        let state = async || {
            let runs = world.store.children(&Parent::Batch(batch.0), Kind::Run, None, usize::MAX).await.unwrap();
            (runs.len(), world.store.claim(&format!("issued/{batch}")).await.unwrap())
        };
        let before = state().await;
        assert_eq!(before.0, RUNS_OF_BATCH_MAX - 1);
        let refused = issue(RUN_CODES_MAX + 1).await.unwrap_err();
        assert!(matches!(refused, OrderError::Full { runs, more: 2, .. } if runs == before.0), "{refused}");
        assert_eq!(state().await, before);
        issue(1).await.unwrap();
        let full = state().await;
        assert_eq!(full.0, RUNS_OF_BATCH_MAX);
        let refused = issue(1).await.unwrap_err();
        assert!(matches!(refused, OrderError::Full { runs: RUNS_OF_BATCH_MAX, more: 1, .. }), "{refused}");
        assert_eq!(state().await, full);
    }
}
