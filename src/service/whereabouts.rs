//! Where a batch is: who holds which codes, and what became of them. Made from the ledgers each time, so that there
//! is nothing that could drift from them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    Basis, Service,
    gather::{Gathered, TimelineLine, Units},
};
use crate::{
    code::{RunId, Serial},
    limits::{BALANCE_RECORDS_MAX, LEDGERS_READ_AT_ONCE, WHEREABOUTS_LINES_MAX},
    registration::{Level, Quantity, Run, content_of_level},
    store::{self, Slice},
    trace::{
        BatchId, Bearing, Block, Entry, Group, Instance, Ledger, OrganizationId, Owners, Part, RecordId, Scope, Span,
        State, Status, Subject, WholeStatus, authority,
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
    /// The codes by what bears them and what one holds.
    pub levels: Vec<LevelCodes>,
    /// Records by which goods of it went into others, and whether that took effect.
    pub consumed: BTreeMap<RecordId, bool>,
    /// Records by which goods of it came out of others, in effect; splits of its own packages apart.
    pub made: BTreeSet<RecordId>,
    /// Records by which portions were split off its packages, in effect.
    pub splits: BTreeSet<RecordId>,
    /// Reports on some of the batch that stand, newest first, at most `BALANCE_RECORDS_MAX`.
    pub reports: Vec<Entry>,
    /// How many reports more there are.
    pub reports_further: usize,
}

/// Codes of one level and content, and what became of them.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelCodes {
    /// What bears them.
    pub level: Level,
    /// What one holds; `None` where nothing says, and for portions, whose splits say.
    pub content: Option<Quantity>,
    /// Whether they are portions, of shops' split runs.
    pub portions: bool,
    /// How many were issued, or taken from split runs.
    pub issued: u64,
    /// How many were put on goods.
    pub applied: u64,
    /// How many were declared void.
    pub void: u64,
    /// How many are on goods that were sold.
    pub sold: u64,
    /// How many are on goods that were destroyed.
    pub destroyed: u64,
    /// How many are on packages that were opened.
    pub opened: u64,
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
        let Some((facts, said)) = self.batch_and_said(id, None, &mut basis).await? else { return Ok(None) };
        let importer = facts.batch.organization;
        let told = self.told_of(id, said.entries, Owners::one(importer), &mut basis).await?;
        let whole = told.status;
        let found = Whereabouts {
            batch: id,
            lines: Vec::new(),
            lines_further: 0,
            holdings: BTreeMap::new(),
            codes: 0,
            levels: Vec::new(),
            consumed: BTreeMap::new(),
            made: whole.made.iter().copied().collect(),
            splits: BTreeSet::new(),
            reports: Vec::new(),
            reports_further: 0,
        };
        let mut going = Going { whole, importer, units: Units::default(), found };
        going.found.note_consumed(&told.entries, &told.bearings, importer);
        going.found.note_reports(&told.entries, &told.bearings);
        for mut run in self.all_runs_of(id).await? {
            if !run.split && run.content.is_none() {
                run.content = content_of_level(&facts.effective(), run.level).cloned();
            }
            self.go_through(&run, &mut going).await?;
        }
        Ok(Some(going.found))
    }

    /// How many codes of a batch the public has scanned.
    pub async fn scanned_of(&self, batch: BatchId) -> store::Result<u64> {
        let mut scanned = 0;
        for run in self.all_runs_of(batch).await? {
            scanned += self.scanned_codes(&run).await?;
        }
        Ok(scanned)
    }

    /// The runs of a batch that have codes: ordered ones, then shops' split runs.
    async fn all_runs_of(&self, batch: BatchId) -> store::Result<Vec<Run>> {
        let mut runs = self.runs_of(batch).await?;
        runs.extend(self.split_runs_of(batch).await?);
        runs.retain(|run| run.count > 0);
        Ok(runs)
    }

    async fn go_through(&self, run: &Run, going: &mut Going) -> store::Result<()> {
        let Some(all) = span_of_run(run) else { return Ok(()) };
        let ledger = Ledger::new(self.run_entries(run).await?);
        let owners = Owners { issuer: run.organization, importer: going.importer };
        let Going { whole, units, found, .. } = going;
        let meet = |span, Gathered { status, lines }: &Gathered| {
            found.count(run, &span, status);
            found.note_lines(run, lines);
            found.add(held(span, status));
        };
        self.fold_spans(&[all], &ledger, whole, owners, units, meet).await
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
        mut meet: impl FnMut(Span, &Gathered),
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
                meet(part, &gathered);
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
    /// Goods of the whole batch, or some of it somewhere, that went into others: its importer's word counts.
    fn note_consumed(&mut self, entries: &[Entry], bearings: &[Bearing], importer: OrganizationId) {
        for (entry, bearing) in entries.iter().zip(bearings).filter(|(entry, _)| entry.part == Part::Input) {
            let by_right = *bearing == Bearing::Effective || authority::is_by_right(entry, importer);
            if matches!(bearing, Bearing::Effective | Bearing::Report) {
                *self.consumed.entry(entry.place.record).or_default() |= by_right;
            }
        }
    }

    /// Reports on some of it, of which the mass balance is made; `entries` are in order of place.
    fn note_reports(&mut self, entries: &[Entry], bearings: &[Bearing]) {
        let stands = |bearing: Bearing| matches!(bearing, Bearing::Effective | Bearing::Report);
        let said = entries.iter().zip(bearings).rev();
        let mut some = said.filter(|(entry, bearing)| entry.scope == Scope::Some && stands(**bearing));
        self.reports = some.by_ref().take(BALANCE_RECORDS_MAX).map(|(entry, _)| entry.clone()).collect();
        self.reports_further = some.count();
    }

    /// Single codes that went into other goods, or came out of them.
    fn note_lines(&mut self, run: &Run, lines: &[TimelineLine]) {
        for line in lines.iter().filter(|line| line.of.is_none()) {
            let (record, effective) = (line.entry.place.record, line.bearing == Bearing::Effective);
            match line.entry.part {
                Part::Input if matches!(line.bearing, Bearing::Effective | Bearing::Report) => {
                    *self.consumed.entry(record).or_default() |= effective;
                }
                Part::Output if effective && run.split => drop(self.splits.insert(record)),
                Part::Output if effective => drop(self.made.insert(record)),
                _ => {}
            }
        }
    }

    /// Counts codes under their level and content.
    fn count(&mut self, run: &Run, span: &Span, status: &Status) {
        let same =
            |codes: &LevelCodes| (codes.level, codes.portions, &codes.content) == (run.level, run.split, &run.content);
        let at = self.levels.iter().position(same).unwrap_or_else(|| {
            self.levels.push(LevelCodes {
                level: run.level,
                content: run.content.clone(),
                portions: run.split,
                issued: 0,
                applied: 0,
                void: 0,
                sold: 0,
                destroyed: 0,
                opened: 0,
            });
            self.levels.len() - 1
        });
        let (codes, opened) = (u64::from(span.codes()), status.is_opened);
        let Some(level) = self.levels.get_mut(at) else { return };
        level.issued += codes;
        for (holds, count) in [
            (status.activated && !status.voided, &mut level.applied),
            (status.voided, &mut level.void),
            (status.state == State::Sold, &mut level.sold),
            (status.destroyed, &mut level.destroyed),
            (opened, &mut level.opened),
        ] {
            *count += if holds { codes } else { 0 };
        }
    }

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
        Scope::Span(span) => Some(span),
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
    let groups = groups.map(move |index| Subject::Group(Group { run, index }));
    std::iter::once(Subject::Run(run)).chain(groups).chain(Block::of_span(span).map(Subject::Block))
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
