//! Views: what a scan says of all codes with the same history, and the blocks that lead to them.

use std::{
    collections::{HashMap, hash_map},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::civil::Date;

use super::{count::BlockScans, facts::RunFacts};
use crate::{
    code::{RunId, Serial},
    limits::{BLOCK_CODES, PUBLIC_TIMELINE_LINES_MAX},
    registration::{Organization, Run},
    service::{Basis, Service, scan::facts::BatchFacts, temperature::ColdRecord},
    store::{self, Slice},
    trace::{
        BatchId, Bearing, Block, Entry, Group, Ledger, OrganizationId, Role, Scope, Status, Subject, Verdict, fold,
    },
};

/// Numbers views, so that what is rendered from them can be kept beside them.
static NEXT_VIEW: AtomicU64 = AtomicU64::new(0);

/// What a scan says of every code with the same history, on one day.
#[derive(Debug)]
pub struct View {
    /// No other view has had it since the start.
    pub number: u64,
    /// The run, batch and product.
    pub facts: Arc<RunFacts>,
    /// What follows from the history.
    pub status: Status,
    /// The day that the verdicts are of.
    today: Date,
    /// Gravest first; never empty.
    pub verdicts: Vec<Verdict>,
    /// The temperatures that the goods went through, where anybody reported one.
    pub cold_record: Option<Arc<ColdRecord>>,
    /// What the public sees of the history, latest first, at most `PUBLIC_TIMELINE_LINES_MAX`.
    pub lines: Vec<Line>,
    /// How many lines more there are.
    pub lines_further: usize,
}

/// A line of the public timeline.
#[derive(Clone, Debug)]
pub struct Line {
    /// What was said.
    pub entry: Entry,
    /// What it counts for.
    pub bearing: Bearing,
    /// Who said it, where that is public.
    pub party: Option<String>,
}

impl View {
    /// The run.
    pub fn run(&self) -> &Run {
        &self.facts.run
    }
    /// The batch with all that it refers to.
    pub fn batch(&self) -> &BatchFacts {
        &self.facts.batch
    }
    /// The gravest verdict.
    pub fn verdict(&self) -> Verdict {
        self.verdicts.first().copied().unwrap_or(Verdict::Unverifiable)
    }
}

/// One block of a run, ready to answer scans of its codes.
#[derive(Debug)]
pub struct BlockView {
    /// The run.
    pub facts: Arc<RunFacts>,
    /// How often its codes were scanned.
    pub scans: Arc<BlockScans>,
    /// The day, in the configured zone, on which its views were made.
    today: Date,
    group: Ledger,
    block: Ledger,
    names: Names,
    basis: Basis,
    /// Serials from which on the history is another, ascending; the first is the block's first. Each with its view,
    /// made when first asked for.
    segments: Vec<(u32, OnceLock<Arc<View>>)>,
}

impl BlockView {
    /// Whether nothing that it was made from has changed.
    pub fn is_current(&self, today: Date) -> bool {
        self.today == today && self.basis.is_current() && self.facts.basis.is_current()
    }

    /// The view of one of its codes.
    pub fn view(&self, serial: Serial) -> Option<Arc<View>> {
        let at = self.segments.partition_point(|(start, _)| *start <= serial.get()).checked_sub(1)?;
        let (_, view) = self.segments.get(at)?;
        Some(Arc::clone(view.get_or_init(|| self.make(serial))))
    }

    /// Roughly how much memory it takes, in bytes.
    pub fn bytes(&self) -> u32 {
        let entries = self.group.entries().len() + self.block.entries().len() + self.facts.whole.len() + 8;
        u32::try_from(4_096 + entries * 600 + self.segments.len() * 1_024).unwrap_or(u32::MAX)
    }

    fn make(&self, serial: Serial) -> Arc<View> {
        let mut own = Vec::new();
        self.facts.groups.find(serial, &mut own);
        self.group.find(serial, &mut own);
        self.block.find(serial, &mut own);
        own.sort_unstable_by_key(|entry| entry.place);
        let places = own.iter().map(|entry| entry.place).collect();
        let is_current = |view: &View| {
            view.today == self.today && view.lines.iter().all(|line| line.party == self.names.of(&line.entry))
        };
        self.facts.view(places, is_current, || {
            let mut entries: Vec<&Entry> = self.facts.whole.iter().chain(own).collect();
            entries.sort_unstable_by_key(|entry| entry.place);
            self.view_of(&entries)
        })
    }

    fn view_of(&self, entries: &[&Entry]) -> View {
        let status = fold(entries, self.facts.run.organization);
        let (lines, lines_further) = public_lines(entries, &status.bearings, &self.names);
        let cold_record = self.facts.cold_record.clone();
        let mut verdicts = status.verdicts(self.facts.batch.is_expired(self.today));
        ColdRecord::add_verdict(cold_record.as_deref(), &mut verdicts);
        View {
            number: NEXT_VIEW.fetch_add(1, Ordering::Relaxed),
            lines,
            lines_further,
            facts: Arc::clone(&self.facts),
            today: self.today,
            verdicts,
            cold_record,
            status,
        }
    }
}

/// A whole batch, as its own link shows it.
#[derive(Debug)]
pub struct Whole {
    /// The batch with all that it refers to.
    pub facts: BatchFacts,
    /// What holds for all of it, gravest first; empty where nothing speaks against it.
    pub verdicts: Vec<Verdict>,
    /// The temperatures that it went through, where anybody reported one.
    pub cold_record: Option<ColdRecord>,
    /// What happened to all of it, latest first, at most `PUBLIC_TIMELINE_LINES_MAX`.
    pub lines: Vec<Line>,
    /// How many lines more there are.
    pub lines_further: usize,
}

/// The organizations whose entries may be shown.
#[derive(Debug)]
struct Names {
    importer: OrganizationId,
    organizations: HashMap<OrganizationId, Organization>,
}

impl Names {
    /// The name that the public may see of whoever made an entry: the importer of the goods, whoever made its name
    /// public, and an authority, which acts in public.
    fn of(&self, entry: &Entry) -> Option<String> {
        let organization = self.organizations.get(&entry.organization)?;
        let known = entry.organization == self.importer || entry.role == Role::Inspector;
        organization.public_name.clone().or_else(|| known.then(|| organization.legal_name.clone()))
    }
}

/// What the public sees of entries in ascending order: latest first, and how many more there are.
fn public_lines(entries: &[&Entry], bearings: &[Bearing], names: &Names) -> (Vec<Line>, usize) {
    let shown = |(entry, bearing): &(&&Entry, &Bearing)| {
        entry.scope != Scope::Some && matches!(bearing, Bearing::Effective | Bearing::Report)
    };
    let lines: Vec<_> = entries.iter().zip(bearings).rev().filter(shown).collect();
    let further = lines.len().saturating_sub(PUBLIC_TIMELINE_LINES_MAX);
    let lines = lines.into_iter().take(PUBLIC_TIMELINE_LINES_MAX).map(|(entry, bearing)| Line {
        entry: (*entry).clone(),
        bearing: *bearing,
        party: names.of(entry),
    });
    (lines.collect(), further)
}

impl Service {
    /// A whole batch; `None` where it is not registered. Its ledger alone is looked at, not its codes'.
    pub async fn whole_batch(&self, id: BatchId, today: Date) -> store::Result<Option<Whole>> {
        let mut basis = Basis::default();
        let Some(facts) = self.batch_facts(id, &mut basis).await? else { return Ok(None) };
        let entries = self.whole_entries(id, &facts, &mut basis).await?;
        let names = self.names(&facts, [&entries[..]], &mut basis).await?;
        let cold_record = self.cold_record(&entries, &facts).await?;
        let mut entries: Vec<_> = entries.iter().collect();
        entries.sort_unstable_by_key(|entry| entry.place);
        let status = fold(&entries, facts.batch.organization);
        let mut verdicts = status.verdicts(facts.is_expired(today));
        ColdRecord::add_verdict(cold_record.as_ref(), &mut verdicts);
        // Labels are applied code by code; of a batch as a whole neither is said.
        verdicts.retain(|verdict| !matches!(verdict, Verdict::NotActivated | Verdict::Genuine));
        let (lines, lines_further) = public_lines(&entries, &status.bearings, &names);
        Ok(Some(Whole { facts, verdicts, cold_record, lines, lines_further }))
    }

    /// Reads everything that scans of a block rest on: the run's ledgers beside, its group's and the block's own.
    pub(super) async fn read_block(&self, facts: Arc<RunFacts>, block: Block, today: Date) -> store::Result<BlockView> {
        let mut basis = Basis::default();
        let Some(first) = block.serial(0) else {
            return Err(store::Error::TooLarge { what: "block", found: block.index.into(), max: 1 << 10 });
        };
        let group = Subject::Group(Group::of(block.run, first));
        let group = Ledger::new(self.ledger(&group, Slice::Shared, &mut basis).await?);
        let mut entries = self.ledger(&Subject::Block(block), Slice::Whole, &mut basis).await?;
        entries.sort_unstable_by_key(|entry| entry.place);
        let entries = Ledger::new(entries);
        let shown = [&facts.whole[..], facts.groups.entries(), group.entries(), entries.entries()];
        let names = self.names(&facts.batch, shown, &mut basis).await?;
        let scans = self.scans.block(&*self.store, block).await?;
        let segments = segments(first, [&facts.groups, &group, &entries]);
        Ok(BlockView { facts, scans, today, group, block: entries, names, basis, segments })
    }

    /// The names that the public may see of everybody whose entries may be shown.
    async fn names<const N: usize>(
        &self,
        batch: &BatchFacts,
        entries: [&[Entry]; N],
        basis: &mut Basis,
    ) -> store::Result<Names> {
        let importer = batch.importer.clone();
        let mut names = Names { importer: importer.id, organizations: HashMap::from([(importer.id, importer)]) };
        for entry in entries.into_iter().flatten() {
            if let hash_map::Entry::Vacant(unknown) = names.organizations.entry(entry.organization) {
                unknown.insert(self.organization(entry.organization, basis).await?);
            }
        }
        Ok(names)
    }

    /// The run's facts: from memory where a block of it is there and still current.
    pub(super) async fn facts_of(&self, run: RunId) -> store::Result<Option<Arc<RunFacts>>> {
        if let Some(facts) = self.runs.get(&run).filter(|facts| facts.basis.is_current()) {
            return Ok(Some(facts));
        }
        let Some(key) = self.keys.run_key(run) else { return Ok(None) };
        let Some(facts) = self.run_facts(run, key).await? else { return Ok(None) };
        let facts = Arc::new(facts);
        self.runs.insert(run, Arc::clone(&facts));
        Ok(Some(facts))
    }
}

/// Where in the block that begins at `first` the set of entries changes.
fn segments(first: Serial, ledgers: [&Ledger; 3]) -> Vec<(u32, OnceLock<Arc<View>>)> {
    let end = first.get() + BLOCK_CODES;
    let mut borders = vec![first.get()];
    ledgers.into_iter().for_each(|ledger| ledger.borders(&mut borders));
    borders.retain(|border| (first.get()..end).contains(border));
    borders.sort_unstable();
    borders.dedup();
    borders.into_iter().map(|border| (border, OnceLock::new())).collect()
}
