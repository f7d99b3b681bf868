//! Where a batch is: who holds which codes, and what became of them. Made from the ledgers each time, so that there
//! is nothing that could drift from them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Basis, Service, gather::Units};
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
        let entries = self.whole_entries(id, &facts.lots, &mut basis).await?;
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
        let Some(all) = span_of_run(run) else { return Ok(()) };
        let ledger = Ledger::new(self.run_entries(run).await?);
        let owners = Owners { issuer: run.organization, importer: going.importer };
        let Going { whole, units, found, .. } = going;
        self.fold_spans(&[all], &ledger, whole, owners, units, |span, status| found.add(held(span, status))).await
    }

    /// Folds the codes of spans of one run, in order; `ledger` has what was said of them. `meet` is told what follows for
    /// each part of a span whose codes share everything.
    pub(super) async fn fold_spans(
        &self,
        spans: &[Span],
        ledger: &Ledger,
        whole: &WholeStatus,
        owners: Owners,
        units: &mut Units,
        mut meet: impl FnMut(Span, &Status),
    ) -> store::Result<()> {
        let mut borders = Vec::new();
        ledger.borders(&mut borders);
        borders.sort_unstable();
        borders.dedup();
        for span in spans {
            let (mut first, end) = (span.first().get(), span.last().get() + 1);
            let inner = borders.partition_point(|border| *border <= first)..borders.partition_point(|it| *it < end);
            let inner = borders.get(inner).unwrap_or_default().iter().copied();
            for end in inner.chain([end]) {
                let (from, to) = (Serial::new(first), Serial::new(end - 1));
                first = end;
                let (Some(from), Some(to)) = (from, to) else { continue };
                let Some(part) = Span::new(span.run(), from, to) else { continue };
                let mut own = Vec::new();
                ledger.find(from, &mut own);
                let gathered = self.gather(&own, whole, owners, units, &mut Basis::default()).await?;
                meet(part, &gathered.status);
            }
        }
        Ok(())
    }

    /// Everything that was said of a run's codes by number, in order of place.
    pub(super) async fn run_entries(&self, run: &Run) -> store::Result<Vec<Entry>> {
        self.span_entries(span_of_run(run).as_slice()).await
    }

    /// What was said of the codes of spans of one run, and of some of their neighbours, in order of place.
    pub(super) async fn span_entries(&self, spans: &[Span]) -> store::Result<Vec<Entry>> {
        let subjects: BTreeSet<Subject> = spans.iter().flat_map(subjects_of).collect();
        let read = |subject: Subject| async move { self.ledger_after(&subject, Slice::Whole, None).await };
        let reading = stream::iter(subjects.into_iter().map(read)).buffer_unordered(LEDGERS_READ_AT_ONCE);
        let mut entries: Vec<Entry> = reading.try_concat().await?;
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
        if self.lines_further == 0 && held.joins(&mut self.lines) {
            return;
        }
        if self.lines.len() < WHEREABOUTS_LINES_MAX {
            self.lines.push(held);
        } else {
            self.lines_further += 1;
        }
    }
}

impl Held {
    /// Makes the last of `lines` longer by these codes, where they follow it and share everything with it.
    pub(super) fn joins(&self, lines: &mut [Self]) -> bool {
        let Some(last) = lines.last_mut() else { return false };
        let Some(span) = last.span.joined(&self.span) else { return false };
        let same = *last == (Self { span: last.span, ..self.clone() });
        if same {
            last.span = span;
        }
        same
    }
}

pub(super) fn held(span: Span, status: &Status) -> Held {
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

/// All codes of a run.
pub(super) fn span_of_run(run: &Run) -> Option<Span> {
    Span::new(run.id, Serial::FIRST, last_serial(run))
}

fn last_serial(run: &Run) -> Serial {
    Serial::new(run.count.saturating_sub(1)).unwrap_or(Serial::FIRST)
}

/// The ledgers by number that a span's codes are told of in.
fn subjects_of(span: &Span) -> impl Iterator<Item = Subject> + use<> {
    let (run, first, last) = (span.run(), span.first(), span.last());
    let groups = Group::of(run, first).index..=Group::of(run, last).index;
    let blocks = Block::of(run, first).index..=Block::of(run, last).index;
    let groups = groups.map(move |index| Subject::Group(Group { run, index }));
    std::iter::once(Subject::Run(run))
        .chain(groups)
        .chain(blocks.map(move |index| Subject::Block(Block { run, index })))
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
