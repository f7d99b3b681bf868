//! Views: what a scan says of all codes with the same history, and the blocks that lead to them.

use std::{
    collections::{HashMap, hash_map},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use jiff::civil::Date;

use super::{
    count::BlockScans,
    day::Day,
    facts::RunFacts,
    weight::{entries_bytes, entry_bytes, text_bytes},
};
use crate::{
    code::{RunId, Serial},
    limits::{BLOCK_CODES, PUBLIC_TIMELINE_LINES_MAX},
    pages::Spliced,
    registration::{Organization, Run},
    service::{Basis, Service, scan::facts::BatchFacts},
    store::{self, Slice},
    trace::{
        Bearing, Block, Entry, Group, Ledger, OrganizationId, Place, Role, Scope, Status, Subject, Told, Verdict, fold,
        in_order,
    },
};

/// What a view takes at least, in bytes: itself, its verdicts, and its place among its run's views.
const VIEW_BYTES: usize = size_of::<View>() + 256;
/// What a block takes at least, in bytes: itself, its scan sums' frame, and its place in the cache.
const BLOCK_BYTES: usize = size_of::<BlockView>() + size_of::<BlockScans>() + 512;

/// A number of touches that there will not be.
const NEVER: u64 = u64::MAX;

/// What a scan says of every code with the same history, on one day.
#[derive(Debug)]
pub struct View {
    /// The run, batch and product.
    pub facts: Arc<RunFacts>,
    /// What follows from the history.
    pub status: Status,
    /// The day that the verdicts are of.
    today: Date,
    /// Gravest first; never empty.
    pub verdicts: Vec<Verdict>,
    /// What the public sees of the history, latest first, at most `PUBLIC_TIMELINE_LINES_MAX`.
    pub lines: Vec<Line>,
    /// How many lines more there are.
    pub lines_further: usize,
    /// What is rendered of it, kept as long as it is.
    pub rendered: Rendered,
    /// What it takes in memory without what is rendered, in bytes.
    own_bytes: usize,
}

/// A view in each form in which it was asked for.
#[derive(Debug, Default)]
pub struct Rendered {
    /// For programs.
    pub json: OnceLock<Piece>,
    /// The page in Chinese.
    pub page_zh: OnceLock<Piece>,
    /// The page in English.
    pub page_en: OnceLock<Piece>,
}

/// A view in one form, without what differs between codes.
#[derive(Debug)]
pub enum Piece {
    /// JSON between the code and its scans.
    Json(Box<[u8]>),
    /// A page with gaps.
    Page(Spliced),
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

    /// Roughly how much memory it takes by now, in bytes.
    fn bytes(&self) -> u32 {
        let Rendered { json, page_zh, page_en } = &self.rendered;
        let pieces = [json, page_zh, page_en].into_iter().filter_map(OnceLock::get);
        let pieces = pieces.map(|piece| match piece {
            Piece::Json(json) => json.len(),
            Piece::Page(page) => page.size_bytes(),
        });
        u32::try_from(self.own_bytes + pieces.sum::<usize>()).unwrap_or(u32::MAX)
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
    today: Day,
    /// How many touches there had been when it was last found to be current.
    current_at: AtomicU64,
    group: Ledger,
    block: Ledger,
    names: Names,
    basis: Basis,
    /// Ascending; the first begins with the block.
    segments: Vec<Segment>,
    /// What it takes in memory without its views and scan sums, in bytes.
    own_bytes: usize,
    /// What the scan sums took when it was last weighed, in bytes.
    scans_weighed: AtomicU32,
}

/// Serials with one history.
#[derive(Debug)]
struct Segment {
    /// The first of them.
    start: u32,
    /// What the view took when the block was last weighed, in bytes.
    weighed: AtomicU32,
    /// Made when first asked for.
    view: OnceLock<Arc<View>>,
}

impl BlockView {
    /// Whether nothing that it was made from has changed. `touches` is how many there have been of anything: while
    /// there is none, one comparison tells.
    pub fn is_current(&self, now_ms: i64, touches: u64) -> bool {
        if !self.today.contains(now_ms) {
            return false;
        }
        if self.current_at.load(Ordering::Relaxed) == touches {
            return true;
        }
        let current = self.basis.is_current() && self.facts.basis.is_current();
        if current {
            self.current_at.store(touches, Ordering::Relaxed);
        }
        current
    }

    /// The view of one of its codes.
    pub fn view(&self, serial: Serial) -> Option<Arc<View>> {
        Some(Arc::clone(self.segment(serial)?.view.get_or_init(|| self.make(serial))))
    }

    fn segment(&self, serial: Serial) -> Option<&Segment> {
        let at = self.segments.partition_point(|segment| segment.start <= serial.get()).checked_sub(1)?;
        self.segments.get(at)
    }

    /// Whether there is more of the view of one of its codes, or of its scan sums, than when this was last asked: views
    /// are made when a code is first scanned and rendered when a form is first wanted.
    pub fn has_grown(&self, serial: Serial) -> bool {
        let grown = |weighed: &AtomicU32, bytes: u32| {
            let grown = weighed.load(Ordering::Relaxed) != bytes;
            if grown {
                weighed.store(bytes, Ordering::Relaxed);
            }
            grown
        };
        let scans = grown(&self.scans_weighed, self.scans.bytes());
        let segment = self.segment(serial);
        let view = segment.and_then(|segment| Some((segment, segment.view.get()?)));
        view.is_some_and(|(segment, view)| grown(&segment.weighed, view.bytes())) || scans
    }

    /// Roughly how much memory it takes, in bytes, as far as [`BlockView::has_grown`] has seen. What is shared with other
    /// blocks counts in each, so that the cache holds too few of them rather than too many.
    pub fn bytes(&self) -> u32 {
        let weighed = |weighed: &AtomicU32| weighed.load(Ordering::Relaxed) as usize;
        let views = self.segments.iter().map(|segment| weighed(&segment.weighed)).sum::<usize>();
        let bytes = self.own_bytes + self.facts.bytes() + views + weighed(&self.scans_weighed);
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    fn make(&self, serial: Serial) -> Arc<View> {
        let mut own = Vec::new();
        self.facts.groups.find(serial, &mut own);
        self.group.find(serial, &mut own);
        self.block.find(serial, &mut own);
        own.sort_unstable_by_key(|entry| entry.place);
        let places = own.iter().map(|entry| entry.place).collect();
        let is_current = |view: &View| {
            view.today == self.today.date && view.lines.iter().all(|line| line.party == self.names.of(&line.entry))
        };
        self.facts.view(places, is_current, || self.view_of(own))
    }

    fn view_of(&self, own: Vec<&Entry>) -> View {
        let places_bytes = own.len() * size_of::<Place>();
        let mut told: Vec<_> = own.into_iter().map(|entry| Told { entry, of: None }).collect();
        in_order(&mut told);
        let status = fold(&told, &self.facts.whole_status, self.facts.owners());
        let own = told.iter().zip(&status.bearings).filter_map(|(told, bearing)| Some((told.entry, (*bearing)?)));
        let whole = self.facts.whole.iter().zip(self.facts.whole_bearings.iter().copied());
        let (lines, lines_further) = public_lines(own.chain(whole), &self.names);
        let own_bytes = VIEW_BYTES + lines.iter().map(line_bytes).sum::<usize>() + places_bytes;
        View {
            rendered: Rendered::default(),
            own_bytes,
            lines,
            lines_further,
            facts: Arc::clone(&self.facts),
            today: self.today.date,
            verdicts: status.verdicts(self.facts.batch.is_expired(self.today.date), false),
            status,
        }
    }
}

/// The organizations whose entries may be shown.
#[derive(Debug)]
pub(super) struct Names {
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

fn line_bytes(line: &Line) -> usize {
    size_of::<Line>() - size_of::<Entry>() + entry_bytes(&line.entry) + line.party.as_ref().map_or(0, String::len)
}

/// What the public sees of entries: latest first, and how many more there are.
pub(super) fn public_lines<'e>(
    entries: impl Iterator<Item = (&'e Entry, Bearing)>,
    names: &Names,
) -> (Vec<Line>, usize) {
    let shown = |(entry, bearing): &(&Entry, Bearing)| {
        entry.scope != Scope::Some && matches!(bearing, Bearing::Effective | Bearing::Report)
    };
    let mut lines: Vec<_> = entries.filter(shown).collect();
    lines.sort_unstable_by_key(|(entry, _)| std::cmp::Reverse(entry.place));
    let further = lines.len().saturating_sub(PUBLIC_TIMELINE_LINES_MAX);
    let lines = lines.into_iter().take(PUBLIC_TIMELINE_LINES_MAX).map(|(entry, bearing)| Line {
        entry: entry.clone(),
        bearing,
        party: names.of(entry),
    });
    (lines.collect(), further)
}

impl Service {
    /// Reads everything that scans of a block rest on: the run's ledgers beside, its group's and the block's own.
    pub(super) async fn read_block(&self, facts: Arc<RunFacts>, block: Block, today: Day) -> store::Result<BlockView> {
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
        let own_bytes = BLOCK_BYTES
            + segments.len() * size_of::<Segment>()
            + entries_bytes(group.entries())
            + entries_bytes(entries.entries())
            + names.organizations.values().map(|named| size_of_val(named) + text_bytes(named)).sum::<usize>()
            + basis.bytes();
        let current_at = AtomicU64::new(NEVER);
        let scans_weighed = AtomicU32::new(scans.bytes());
        Ok(BlockView {
            facts,
            scans,
            today,
            current_at,
            group,
            block: entries,
            names,
            basis,
            segments,
            own_bytes,
            scans_weighed,
        })
    }

    /// The names that the public may see of everybody whose entries may be shown.
    pub(super) async fn names<const N: usize>(
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
fn segments(first: Serial, ledgers: [&Ledger; 3]) -> Vec<Segment> {
    let end = first.get() + BLOCK_CODES;
    let mut borders = vec![first.get()];
    ledgers.into_iter().for_each(|ledger| ledger.borders(&mut borders));
    borders.retain(|border| (first.get()..end).contains(border));
    borders.sort_unstable();
    borders.dedup();
    let segment = |start| Segment { start, weighed: AtomicU32::new(0), view: OnceLock::new() };
    borders.into_iter().map(segment).collect()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::{
        body::Body,
        extract::ConnectInfo,
        http::{Request, StatusCode},
    };
    use tower::ServiceExt;

    use super::*;
    use crate::{
        code::Code,
        http::router::router,
        limits::BLOCK_CACHE_BYTES_MAX,
        registration::samples,
        service::{scan::Scanned, world::World},
        store::ScanSum,
    };

    struct Shop {
        world: World,
        codes: Vec<Code>,
    }

    impl Shop {
        /// Batches of 833 codes each; the first code of each.
        async fn new(batches: usize) -> Self {
            let world = World::new().await;
            let mut codes = Vec::new();
            for batch in world.batches(vec![samples::batch(); batches]).await {
                codes.push(world.issue(batch.id, 833).await.remove(0).key.code(Serial::FIRST));
            }
            Self { world, codes }
        }

        async fn scan(&self, code: &Code) -> Arc<View> {
            match self.world.service.scan(code, true).await {
                Scanned::Issued { view, .. } => view,
                other => panic!("{other:?}"),
            }
        }

        async fn ask(&self, code: &Code, accept: &str) -> usize {
            // Each batch has a customer of its own, so that nobody has asked too much.
            let [.., high, low] = code.run.bits().to_be_bytes();
            let customer = SocketAddr::from(([203, 0, high, low], 1));
            let request = Request::get(format!("/{code}")).header("accept", accept).extension(ConnectInfo(customer));
            let request = request.body(Body::empty()).unwrap();
            let answer = router(self.world.app.clone()).oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap().len()
        }

        fn block(&self, code: &Code) -> Arc<BlockView> {
            self.world.service.blocks.get(&Block::of(code.run, code.serial)).unwrap()
        }

        /// What the cache thinks that it holds.
        fn weighed(&self) -> usize {
            self.world.service.blocks.run_pending_tasks();
            self.world.service.blocks.weighted_size() as usize
        }
    }

    #[tokio::test]
    async fn twenty_thousand_ordinary_blocks_are_kept_with_their_json() {
        let shop = Shop::new(1).await;
        let code = &shop.codes[0];
        shop.ask(code, "application/json").await;
        let bytes = u64::from(shop.block(code).bytes());
        assert!(bytes * 20_000 <= BLOCK_CACHE_BYTES_MAX, "{bytes}");
    }

    #[tokio::test]
    async fn the_cache_weighs_what_a_block_comes_to_hold() {
        let shop = Shop::new(1).await;
        let code = &shop.codes[0];
        let read =
            shop.world.service.block(Block::of(code.run, code.serial), 0).await.unwrap().unwrap().bytes() as usize;
        shop.scan(code).await;
        let mut before = shop.weighed();
        assert!(before > read + size_of::<View>(), "{before} {read}");
        for accept in ["application/json", "text/html"] {
            let answer = shop.ask(code, accept).await;
            let weighed = shop.weighed();
            assert!(weighed + 200 > before + answer && weighed < before + answer + 200, "{weighed} {before} {answer}");
            before = weighed;
        }
        for offset in 0..833 {
            shop.world.service.scans.count(&shop.block(code).scans, offset, 1);
        }
        shop.scan(code).await;
        assert!(shop.weighed() >= before + 833 * size_of::<ScanSum>());
        assert_eq!(shop.weighed(), shop.block(code).bytes() as usize);
    }
}
