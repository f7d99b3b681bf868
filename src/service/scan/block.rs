//! Blocks: what is in memory of 4,096 neighbouring codes, so that their scans ask no store.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use super::{
    count::BlockScans,
    day::Day,
    kept::{KeptRun, KeptView, NEVER, was_current},
    own_entries::SharedLedgers,
};
use crate::service::Basis;

/// What a block takes at least, in bytes: itself, its scan sums' frame, and its place in the cache.
const BLOCK_BYTES: usize = size_of::<BlockView>() + size_of::<BlockScans>() + 512;
/// What it takes that a code's view is remembered, in bytes.
const KNOWN_BYTES: usize = 32;
/// What it takes that a view is weighed, in bytes.
const WEIGHED_BYTES: usize = 32;

/// One block of a run, ready to answer scans of its codes.
#[derive(Debug)]
pub struct BlockView {
    /// The run.
    pub run: Arc<KeptRun>,
    /// How often its codes were scanned.
    pub scans: Arc<BlockScans>,
    /// The day, in the configured zone, on which its views were made.
    pub(super) today: Day,
    /// How many touches there had been when it was last found to be current.
    current_at: AtomicU64,
    /// What its ledgers were read from.
    basis: Basis,
    /// Views of the codes that were scanned.
    known: Mutex<Known>,
    /// What they take in memory, in bytes.
    known_bytes: AtomicUsize,
    /// What it took in memory when it was last weighed, in bytes.
    weighed: AtomicUsize,
}

/// The views of a block's codes, as far as they were asked for.
#[derive(Debug, Default)]
struct Known {
    by_offset: HashMap<u16, Arc<KeptView>>,
    /// What each of these views took when it was last looked at, by its address.
    bytes: HashMap<usize, usize>,
    bytes_sum: usize,
    /// How often a code was forgotten: a view that was begun before is not remembered.
    forgotten: u64,
}

impl Known {
    fn weigh(&mut self, view: &Arc<KeptView>) {
        let (bytes, weighed) = (view.bytes(), self.bytes.entry(address(view)).or_default());
        self.bytes_sum = self.bytes_sum + bytes - *weighed;
        *weighed = bytes;
    }

    fn remove(&mut self, offset: u16) {
        if let Some(view) = self.by_offset.remove(&offset)
            && !self.by_offset.values().any(|other| Arc::ptr_eq(other, &view))
        {
            self.bytes_sum -= self.bytes.remove(&address(&view)).unwrap_or_default();
        }
    }

    fn bytes(&self) -> usize {
        self.bytes_sum + self.by_offset.capacity() * KNOWN_BYTES + self.bytes.capacity() * WEIGHED_BYTES
    }
}

fn address(view: &Arc<KeptView>) -> usize {
    Arc::as_ptr(view).addr()
}

impl BlockView {
    /// Whether nothing that all its codes rest on has changed. `touches` is how many there have been of anything.
    pub fn is_current(&self, now_ms: i64, touches: u64) -> bool {
        let is_current = || self.basis.is_current() && self.run.is_current();
        self.today.contains(now_ms) && was_current(&self.current_at, touches, is_current)
    }

    /// The view of a code, where it is known and current; otherwise what [`BlockView::remember`] wants to be told.
    pub(super) fn known(&self, offset: u16, touches: u64) -> Result<Arc<KeptView>, u64> {
        let known = self.lock();
        match known.by_offset.get(&offset) {
            Some(view) if view.is_current(self.today.date, touches) => Ok(Arc::clone(view)),
            _ => Err(known.forgotten),
        }
    }

    /// Keeps the view of a code, if none was forgotten since [`BlockView::known`] was asked.
    pub(super) fn remember(&self, offset: u16, view: &Arc<KeptView>, forgotten: u64) {
        let mut known = self.lock();
        if known.forgotten == forgotten {
            known.remove(offset);
            known.by_offset.insert(offset, Arc::clone(view));
            known.weigh(view);
            self.known_bytes.store(known.bytes(), Ordering::Relaxed);
        }
    }

    /// Forgets the view of a code of which something new was said.
    pub(in crate::service) fn forget(&self, offset: u16) {
        let mut known = self.lock();
        known.forgotten += 1;
        known.remove(offset);
        self.known_bytes.store(known.bytes(), Ordering::Relaxed);
    }

    /// Weighs the view of a code again: to be called once something more is kept of it.
    pub(super) fn weigh(&self, offset: u16) {
        let mut known = self.lock();
        if let Some(view) = known.by_offset.get(&offset).cloned() {
            known.weigh(&view);
            self.known_bytes.store(known.bytes(), Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it takes more than when this was last asked: views are made when a code is first scanned, rendered when a form
    /// is first wanted, and scan sums grow. Every scan asks, so that it takes no lock.
    pub fn has_grown(&self) -> bool {
        let bytes = self.known_bytes.load(Ordering::Relaxed) + self.own_bytes();
        self.weighed.load(Ordering::Relaxed) != bytes && self.weighed.swap(bytes, Ordering::Relaxed) != bytes
    }

    /// What it takes without its views, in bytes. What is shared with other blocks counts in each, so that the cache
    /// holds too few of them rather than too many.
    fn own_bytes(&self) -> usize {
        BLOCK_BYTES + self.basis.bytes() + self.run.bytes() + self.scans.bytes() as usize
    }

    /// Roughly how much memory it takes, in bytes, as far as [`BlockView::has_grown`] has seen.
    pub fn bytes(&self) -> u32 {
        u32::try_from(self.weighed.load(Ordering::Relaxed)).unwrap_or(u32::MAX)
    }
}

impl BlockView {
    /// A block of which no code's view is known.
    pub(super) fn new(run: Arc<KeptRun>, ledgers: &SharedLedgers, scans: Arc<BlockScans>, today: Day) -> Self {
        let (current_at, known) = (AtomicU64::new(NEVER), Mutex::default());
        let (known_bytes, weighed) = (AtomicUsize::default(), AtomicUsize::default());
        let basis = ledgers.basis().clone();
        let new = Self { run, scans, today, current_at, basis, known, known_bytes, weighed };
        new.weighed.store(new.own_bytes(), Ordering::Relaxed);
        new
    }
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
        code::{Code, Serial},
        http::router::router,
        limits::BLOCK_CACHE_BYTES_MAX,
        registration::samples,
        service::{
            scan::{ScanBy, Scanned},
            world::World,
        },
        store::ScanSum,
        trace::Block,
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

        async fn scan(&self, code: &Code) {
            let scanned = self.world.service.scan(code, ScanBy::Public(None)).await;
            assert!(matches!(scanned, Scanned::Issued { .. }), "{scanned:?}");
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
        let at = Block::of(code.run, code.serial);
        let (read, _) = shop.world.service.block(at, code.serial, 0).await.unwrap().unwrap();
        let read = read.bytes() as usize;
        shop.scan(code).await;
        let mut before = shop.weighed();
        assert!(before > read + size_of::<KeptView>(), "{before} {read}");
        for accept in ["application/json", "text/html"] {
            // The first text of a form is the first of all, from which it does not differ.
            let answer = shop.ask(code, accept).await;
            let weighed = shop.weighed();
            assert!(weighed > before && weighed < before + 400, "{weighed} {before} {answer}");
            before = weighed;
            // It is kept as it is as well where it is asked for often.
            for _ in 0..20 {
                shop.ask(code, accept).await;
            }
            let weighed = shop.weighed();
            assert!(weighed + 200 > before + answer && weighed < before + answer + 200, "{weighed} {before} {answer}");
            before = weighed;
        }
        for offset in 0..833 {
            shop.world.service.scans.count(&shop.block(code).scans, offset, None, 1);
        }
        shop.scan(code).await;
        assert!(shop.weighed() >= before + 833 * size_of::<ScanSum>());
        assert_eq!(shop.weighed(), shop.block(code).bytes() as usize);
    }
}
