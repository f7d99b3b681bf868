//! Where a batch is: who holds which codes, and what became of them. Made from the ledgers each time, so that there
//! is nothing that could drift from them.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    Basis, Service,
    gather::{Gathered, Units},
};
use crate::{
    code::{RunId, Serial},
    limits::{LEDGERS_READ_AT_ONCE, WHEREABOUTS_LINES_MAX},
    registration::Run,
    store::{self, Slice},
    trace::{
        BatchId, Block, Entry, Group, Instance, Ledger, OrganizationId, Owners, Span, State, Status, Subject,
        WholeStatus,
    },
};

/// Codes that share what became of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Which.
    pub span: Span,
    /// Who has them, as far as shippers and receivers agree.
    pub holder: OrganizationId,
    /// Where they are in their life.
    pub state: State,
    /// The outermost unit that they are inside of.
    pub unit: Option<Instance>,
    /// Whether a hold or recall stands on them.
    pub measured: bool,
    /// Whether reports speak of two things under one code.
    pub suspicious: bool,
}

/// How many codes one organization has in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// By state.
    pub codes: BTreeMap<&'static str, u64>,
}

/// A batch's codes, and where they are.
#[derive(Clone, Debug)]
pub struct Whereabouts {
    /// The batch.
    pub batch: BatchId,
    /// Its codes, run by run in ascending order of serial, at most `WHEREABOUTS_LINES_MAX` lines.
    pub lines: Vec<Held>,
    /// How many lines more there are.
    pub lines_further: usize,
    /// All of them by holder.
    pub holdings: BTreeMap<OrganizationId, Holding>,
    /// How many codes were issued.
    pub codes: u64,
    /// How many of them were scanned by the public.
    pub scanned: u64,
}

/// A batch's whereabouts while its runs are gone through.
struct Going {
    whole: WholeStatus,
    importer: OrganizationId,
    units: Units,
    found: Whereabouts,
}

impl Service {
    /// Where a batch is; `None` where it is not registered.
    pub async fn whereabouts(&self, id: BatchId) -> store::Result<Option<Whereabouts>> {
        let mut basis = Basis::default();
        let Some(facts) = self.batch_facts(id, &mut basis).await? else { return Ok(None) };
        let importer = facts.batch.organization;
        let entries = self.whole_entries(id, &facts, &mut basis).await?;
        let (whole, _) = WholeStatus::of(&entries, Owners::one(importer));
        let found = Whereabouts {
            batch: id,
            lines: Vec::new(),
            lines_further: 0,
            holdings: BTreeMap::new(),
            codes: 0,
            scanned: 0,
        };
        let mut going = Going { whole, importer, units: Units::default(), found };
        for run in self.runs_of(id).await? {
            self.go_through(&run, &mut going).await?;
            going.found.scanned += self.scanned_codes(&run).await?;
        }
        Ok(Some(going.found))
    }

    async fn go_through(&self, run: &Run, going: &mut Going) -> store::Result<()> {
        let ledger = Ledger::new(self.run_entries(run).await?);
        let owners = Owners { issuer: run.organization, importer: going.importer };
        let mut borders = vec![0, run.count];
        ledger.borders(&mut borders);
        borders.retain(|border| *border <= run.count);
        borders.sort_unstable();
        borders.dedup();
        for pair in borders.windows(2) {
            let &[first, end] = pair else { continue };
            let (Some(first), Some(last)) = (Serial::new(first), Serial::new(end - 1)) else { continue };
            let Some(span) = Span::new(run.id, first, last) else { continue };
            let mut own = Vec::new();
            ledger.find(first, &mut own);
            let mut basis = Basis::default();
            let gathered = self.gather(&own, &going.whole, owners, &mut going.units, &mut basis);
            let Gathered { status, .. } = gathered.await?;
            going.found.add(held(span, &status));
        }
        Ok(())
    }

    /// Everything that was said of a run's codes by number, in order of place.
    pub(super) async fn run_entries(&self, run: &Run) -> store::Result<Vec<Entry>> {
        let subjects = std::iter::once(Subject::Run(run.id)).chain(parts_of(run));
        let read = |subject: Subject| async move { self.ledger_after(&subject, Slice::Whole, None).await };
        let mut entries: Vec<Entry> =
            stream::iter(subjects.map(read)).buffer_unordered(LEDGERS_READ_AT_ONCE).try_concat().await?;
        entries.sort_unstable_by_key(|entry| (entry.place, span_start(entry)));
        Ok(entries)
    }

    /// How many codes of a run the public has scanned.
    async fn scanned_codes(&self, run: &Run) -> store::Result<u64> {
        let blocks = stream::iter(blocks_of(run.id, last_serial(run)));
        let counts = blocks.map(|block| async move {
            let scans = self.scans.block(&*self.store, block).await?;
            store::Result::Ok(scans.codes_scanned())
        });
        counts.buffer_unordered(LEDGERS_READ_AT_ONCE).try_fold(0, |sum, count| async move { Ok(sum + count) }).await
    }
}

impl Whereabouts {
    /// Adds codes that follow those before; such as share everything with their neighbours become one line.
    fn add(&mut self, held: Held) {
        let codes = u64::from(held.span.codes());
        self.codes += codes;
        *self.holdings.entry(held.holder).or_default().codes.entry(held.state.word()).or_default() += codes;
        if let Some(last) = self.lines.last_mut()
            && self.lines_further == 0
            && let Some(span) = last.span.joined(&held.span)
            && *last == (Held { span: last.span, ..held.clone() })
        {
            last.span = span;
        } else if self.lines.len() < WHEREABOUTS_LINES_MAX {
            self.lines.push(held);
        } else {
            self.lines_further += 1;
        }
    }
}

fn held(span: Span, status: &Status) -> Held {
    let mut inside = status.stays.iter().filter(|stay| stay.until_ms.is_none());
    Held {
        span,
        holder: status.holder,
        state: status.state,
        unit: inside.next_back().map(|stay| stay.unit.clone()),
        measured: !status.measures.is_empty(),
        suspicious: status.suspicious,
    }
}

fn span_start(entry: &Entry) -> Option<Span> {
    match entry.scope {
        crate::trace::Scope::Span(span) => Some(span),
        _ => None,
    }
}

fn last_serial(run: &Run) -> Serial {
    Serial::new(run.count.saturating_sub(1)).unwrap_or(Serial::FIRST)
}

/// The groups and blocks of a run, as far as it has codes.
pub(super) fn parts_of(run: &Run) -> impl Iterator<Item = Subject> {
    let (id, last) = (run.id, last_serial(run));
    let groups = (0..=Group::of(id, last).index).map(move |index| Subject::Group(Group { run: id, index }));
    groups.chain(blocks_of(id, last).map(Subject::Block))
}

fn blocks_of(run: RunId, last: Serial) -> impl Iterator<Item = Block> {
    (0..=Block::of(run, last).index).map(move |index| Block { run, index })
}
