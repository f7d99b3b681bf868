//! Scan sums: how often each code was scanned by the public, and since when.
//!
//! Counting takes one short lock on the code's block and asks no store. A flusher writes what changed as absolute sums, so that a
//! flush may be repeated; a crash loses at most one flush interval.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use futures_util::{StreamExt, stream};
use tokio::sync::{Notify, OnceCell};

use super::others::{NEVER_HEARD, Others};
use crate::{
    limits::{BLOCK_CODES, SCAN_BLOCKS_FLUSHED_AT_ONCE, SCAN_BLOCKS_UNFLUSHED_MAX},
    store::{self, CodeSum, ScanSum, Store, Writer},
    trace::{Block, Region},
};

/// The sums of one block's codes, shared by every view of it.
#[derive(Debug)]
pub struct BlockScans {
    pub(super) block: Block,
    /// Set once what is stored has been added to `sums`.
    read: OnceCell<()>,
    pub(super) sums: Mutex<Sums>,
    /// What they take in memory, in bytes.
    bytes: AtomicU32,
}

impl BlockScans {
    /// Roughly how much memory the sums take, in bytes: it grows with the codes that were ever scanned.
    pub fn bytes(&self) -> u32 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many of the block's codes were scanned.
    pub fn codes_scanned(&self) -> u64 {
        let sums = lock(&self.sums);
        let others = sums.others.offsets().filter(|offset| !sums.own.contains_key(offset));
        (sums.own.len() + others.count()) as u64
    }

    pub(super) fn weigh(&self, sums: &Sums) {
        // A table has an eighth more places than it is filled, and a byte of its own for each.
        let places = sums.own.capacity() * 8 / 7;
        let bytes = places * (size_of::<(u16, ScanSum)>() + 1) + sums.regions_bytes + sums.others.bytes();
        self.bytes.store(u32::try_from(bytes).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
pub(super) struct Sums {
    /// What this server counted.
    own: HashMap<u16, ScanSum>,
    /// What the others have counted, as far as it is known.
    pub(super) others: Others,
    /// Codes in `own` that changed since the last flush; while there are any, the block stands in the queue.
    changed: Option<Box<Offsets>>,
    /// What the regions of own codes with more than one take beside, in bytes.
    regions_bytes: usize,
}

/// A set of codes of a block, by their offsets: a bit for each.
#[derive(Debug)]
struct Offsets([u64; Offsets::WORDS]);

impl Offsets {
    const WORDS: usize = BLOCK_CODES as usize / 64;

    fn none() -> Box<Self> {
        Box::new(Self([0; Self::WORDS]))
    }

    fn insert(&mut self, offset: u16) {
        if let Some(word) = self.0.get_mut(usize::from(offset / 64)) {
            *word |= 1 << (offset % 64);
        }
    }

    /// In ascending order.
    fn list(&self) -> Vec<u16> {
        let mut offsets = Vec::new();
        for (first, mut word) in (0..).step_by(64).zip(self.0) {
            while word != 0 {
                offsets.push(first + word.trailing_zeros() as u16);
                // Clears the lowest bit that is set.
                word &= word - 1;
            }
        }
        offsets
    }
}

/// The blocks whose sums are in memory.
#[derive(Debug)]
pub struct ScanCounts {
    pub(super) writer: Writer,
    pub(super) blocks: Mutex<HashMap<Block, Weak<BlockScans>>>,
    /// Blocks with changes; they are kept alive until they are flushed.
    queue: Mutex<Vec<Arc<BlockScans>>>,
    /// Told where the queue is half full.
    crowded: Notify,
    /// Up to when it was heard what the others count.
    pub(super) heard_ms: AtomicI64,
}

/// A block and which of its codes' sums were written.
type Written = (Arc<BlockScans>, Vec<(u16, ScanSum)>);

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(sum: Option<&ScanSum>, other: Option<&ScanSum>) -> ScanSum {
    match (sum, other) {
        (Some(a), Some(b)) => {
            let mut all = a.clone();
            all.add(b);
            all
        }
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => ScanSum::NONE,
    }
}

impl ScanCounts {
    /// No block is in memory yet.
    pub fn new(writer: Writer) -> Self {
        let heard_ms = AtomicI64::new(NEVER_HEARD);
        Self { writer, blocks: Mutex::default(), queue: Mutex::default(), crowded: Notify::new(), heard_ms }
    }

    /// The block's sums, read from the store where they are not in memory.
    ///
    /// They are registered before they are read: whoever asks for the block in the meantime gets the same ones, so that
    /// nothing is counted and flushed beside them that the reading may have missed.
    pub async fn block(&self, store: &dyn Store, block: Block) -> store::Result<Arc<BlockScans>> {
        let scans = self.registered(block);
        scans.read.get_or_try_init(|| self.read(store, &scans)).await?;
        Ok(scans)
    }

    fn registered(&self, block: Block) -> Arc<BlockScans> {
        let mut blocks = lock(&self.blocks);
        if let Some(scans) = blocks.get(&block).and_then(Weak::upgrade) {
            return scans;
        }
        if blocks.len() == blocks.capacity() {
            blocks.retain(|_, scans| scans.strong_count() > 0);
        }
        let scans =
            Arc::new(BlockScans { block, read: OnceCell::new(), sums: Mutex::default(), bytes: AtomicU32::new(0) });
        blocks.insert(block, Arc::downgrade(&scans));
        scans
    }

    async fn read(&self, store: &dyn Store, scans: &BlockScans) -> store::Result<()> {
        let stored = store.scans(scans.block).await?;
        let sums = &mut *lock(&scans.sums);
        let mut grown = 0;
        for (writer, codes) in stored {
            for (offset, sum) in codes {
                if writer != self.writer {
                    sums.others.set(offset, writer, sum);
                    continue;
                }
                let total = sums.own.entry(offset).or_default();
                let before = total.places.bytes();
                total.add(&sum);
                grown += total.places.bytes() - before;
            }
        }
        sums.regions_bytes += grown;
        scans.weigh(sums);
        Ok(())
    }

    /// Counts one scan, in a region where that is known, and returns the code's sum with it.
    pub fn count(&self, scans: &Arc<BlockScans>, offset: u16, region: Option<Region>, now_ms: i64) -> ScanSum {
        let (sum, first_change) = {
            let sums = &mut *lock(&scans.sums);
            let own = sums.own.entry(offset).or_default();
            let before = own.places.bytes();
            own.scan(region, now_ms);
            sums.regions_bytes += own.places.bytes() - before;
            let sum = add(Some(own), sums.others.sum(offset).as_ref());
            let first_change = sums.changed.is_none();
            sums.changed.get_or_insert_with(Offsets::none).insert(offset);
            scans.weigh(sums);
            (sum, first_change)
        };
        if first_change {
            let mut queue = lock(&self.queue);
            if queue.len() < SCAN_BLOCKS_UNFLUSHED_MAX {
                queue.push(Arc::clone(scans));
                if queue.len() == SCAN_BLOCKS_UNFLUSHED_MAX / 2 {
                    self.crowded.notify_one();
                }
            } else {
                // The store has taken nothing for long: this block's changes may be lost, memory stays bounded.
                lock(&scans.sums).changed = None;
            }
        }
        sum
    }

    /// The code's sum, without counting.
    pub fn sum(scans: &BlockScans, offset: u16) -> ScanSum {
        let sums = lock(&scans.sums);
        add(sums.own.get(&offset), sums.others.sum(offset).as_ref())
    }

    /// Waits until so many blocks have changed that they are to be written before the interval ends.
    pub async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// Writes what changed, many blocks at a time, so that they share what it costs to make them durable, and tells the other
    /// servers. What the store does not take stays queued. Returns how many codes' sums were written.
    ///
    /// The time at which others find it is taken when all is written, however long that was: they look back by little.
    ///
    /// # Errors
    /// The first of the store's.
    pub async fn flush(&self, store: &dyn Store, now_ms: impl Fn() -> i64) -> store::Result<usize> {
        let queue = std::mem::take(&mut *lock(&self.queue));
        let written = stream::iter(queue).map(|scans| self.flush_block(store, scans));
        let outcomes: Vec<_> = written.buffer_unordered(SCAN_BLOCKS_FLUSHED_AT_ONCE).collect().await;
        let (mut written, mut first_error) = (Vec::new(), Ok(()));
        for outcome in outcomes {
            match outcome {
                Ok(block) => written.push(block),
                Err(error) => first_error = first_error.and(Err(error)),
            }
        }
        let codes = written.iter().map(|(_, changed)| changed.len()).sum();
        if let Err(error) = self.tell(store, &written, now_ms()).await {
            written.into_iter().for_each(|(scans, changed)| self.put_back(scans, &changed));
            return Err(error);
        }
        first_error.map(|()| codes)
    }

    async fn tell(&self, store: &dyn Store, written: &[Written], now_ms: i64) -> store::Result<()> {
        if !store.is_shared() || written.is_empty() {
            return Ok(());
        }
        let of_block = |(scans, changed): &Written| {
            let block = scans.block;
            changed.iter().map(move |(offset, sum)| (block, *offset, sum.clone())).collect::<Vec<CodeSum>>()
        };
        let sums: Vec<_> = written.iter().flat_map(of_block).collect();
        store.tell_scans(self.writer, now_ms, &sums).await
    }

    async fn flush_block(&self, store: &dyn Store, scans: Arc<BlockScans>) -> store::Result<Written> {
        let changed = {
            let mut sums = lock(&scans.sums);
            let changed = sums.changed.take().map(|changed| changed.list()).unwrap_or_default();
            changed.into_iter().filter_map(|at| Some((at, sums.own.get(&at)?.clone()))).collect::<Vec<_>>()
        };
        match store.put_scans(scans.block, self.writer, &changed).await {
            Ok(()) => Ok((scans, changed)),
            Err(error) => {
                self.put_back(scans, &changed);
                Err(error)
            }
        }
    }

    fn put_back(&self, scans: Arc<BlockScans>, unwritten: &[(u16, ScanSum)]) {
        let queued_again = {
            let mut sums = lock(&scans.sums);
            let queued_again = sums.changed.is_some();
            let changed = sums.changed.get_or_insert_with(Offsets::none);
            unwritten.iter().for_each(|(offset, _)| changed.insert(*offset));
            queued_again
        };
        if !queued_again {
            lock(&self.queue).push(scans);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::{
        code::{KeySlot, RunId},
        service::world::World,
        store::Scans,
    };

    fn block(index: u16) -> Block {
        Block { run: RunId::new(KeySlot::new(0).unwrap(), 7).unwrap(), index }
    }

    fn stored(count: u64) -> ScanSum {
        ScanSum { count, first_ms: 5, last_ms: 6, ..ScanSum::NONE }
    }

    #[test]
    fn a_set_of_offsets_lists_each_once_in_order() {
        let mut offsets = Offsets::none();
        for offset in [4_095, 0, 63, 64, 0, 4_095, 127] {
            offsets.insert(offset);
        }
        assert_eq!(offsets.list(), [0, 63, 64, 127, 4_095]);
    }

    #[tokio::test]
    async fn a_flush_writes_each_code_that_changed_since_the_last_one_once() {
        let world = World::new().await;
        let counts = ScanCounts::new(Writer(1));
        let scans = counts.block(&*world.store, block(0)).await.unwrap();
        for round in 0..3 {
            for offset in 0..4_096 {
                assert_eq!(counts.count(&scans, offset, None, 100 + round).count, round as u64 + 1);
            }
        }
        assert_eq!(counts.flush(&*world.store, || 0).await.unwrap(), 4_096);
        assert_eq!(counts.flush(&*world.store, || 0).await.unwrap(), 0);
        counts.count(&scans, 17, None, 200);
        assert_eq!(counts.flush(&*world.store, || 0).await.unwrap(), 1);
        let rows = world.store.scans(block(0)).await.unwrap();
        assert_eq!(rows[0].1.len(), 4_096);
        assert!(rows[0].1.contains(&(17, ScanSum { count: 4, first_ms: 100, last_ms: 200, ..ScanSum::NONE })));
    }

    #[tokio::test]
    async fn sums_go_on_where_they_were_written_and_others_are_added() {
        let world = World::new().await;
        for (writer, count) in [(1, 10), (2, 100), (3, 1_000)] {
            world.store.put_scans(block(0), Writer(writer), &[(3, stored(count))]).await.unwrap();
        }
        let counts = ScanCounts::new(Writer(1));
        let scans = counts.block(&*world.store, block(0)).await.unwrap();
        let sum = counts.count(&scans, 3, None, 50);
        assert_eq!((sum.count, sum.first_ms, sum.last_ms), (1_111, 5, 50));
        assert_eq!(ScanCounts::sum(&scans, 3), sum);
        counts.flush(&*world.store, || 0).await.unwrap();
        let rows = world.store.scans(block(0)).await.unwrap();
        let own = rows.iter().find(|(writer, _)| *writer == Writer(1)).unwrap();
        assert_eq!(own.1, [(3, ScanSum { count: 11, first_ms: 5, last_ms: 50, ..ScanSum::NONE })]);
    }

    #[tokio::test]
    async fn regions_are_counted_written_added_and_weighed() {
        let world = World::new().await;
        let [hunan, beijing] = ["CN-HN", "CN-BJ"].map(|text| Region::parse(text).unwrap());
        let mut elsewhere = ScanSum::NONE;
        elsewhere.scan(Some(beijing), 7_000);
        world.store.put_scans(block(0), Writer(2), &[(3, elsewhere)]).await.unwrap();
        let counts = ScanCounts::new(Writer(1));
        let scans = counts.block(&*world.store, block(0)).await.unwrap();
        let sum = counts.count(&scans, 3, Some(hunan), 50_000);
        assert_eq!((sum.count, sum.first_ms, sum.places.regions()), (2, 7_000, 2));
        let bytes = scans.bytes();
        counts.count(&scans, 3, Some(beijing), 60_000);
        assert!(scans.bytes() > bytes, "a second region takes memory");
        counts.flush(&*world.store, || 0).await.unwrap();
        let again = ScanCounts::new(Writer(1));
        let scans = again.block(&*world.store, block(0)).await.unwrap();
        let sum = ScanCounts::sum(&scans, 3);
        let beijing = *sum.places.iter().find(|place| place.region == beijing).unwrap();
        assert_eq!((sum.count, beijing.count, beijing.first_s, beijing.last_s), (3, 2, 7, 60));
    }

    #[tokio::test]
    async fn everybody_who_asks_for_a_block_while_it_is_in_use_gets_the_same_sums() {
        let world = World::new().await;
        let counts = ScanCounts::new(Writer(1));
        let (one, other) = tokio::join!(counts.block(&*world.store, block(0)), counts.block(&*world.store, block(0)));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert!(Arc::ptr_eq(&one, &other));
        counts.count(&one, 3, None, 50);
        drop((one, other));
        // It waits to be written, and is read again from memory until then, from the store afterwards.
        for _ in 0..2 {
            let scans = counts.block(&*world.store, block(0)).await.unwrap();
            assert_eq!(ScanCounts::sum(&scans, 3).count, 1);
            drop(scans);
            counts.flush(&*world.store, || 0).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_the_store_does_not_take_is_written_by_a_later_flush() {
        let (world, other) = (World::new().await, World::new().await);
        let counts = ScanCounts::new(Writer(1));
        let scans = counts.block(&*world.store, block(0)).await.unwrap();
        counts.count(&scans, 3, None, 50);
        counts.count(&scans, 4, None, 50);
        world.store.close().await.unwrap();
        counts.flush(&*world.store, || 0).await.unwrap_err();
        counts.count(&scans, 5, None, 60);
        assert_eq!(counts.flush(&*other.store, || 0).await.unwrap(), 3);
        assert_eq!(counts.flush(&*other.store, || 0).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn many_changed_blocks_are_written_before_the_interval_ends() {
        let world = World::new().await;
        let counts = ScanCounts::new(Writer(1));
        *lock(&counts.queue) =
            vec![counts.block(&*world.store, block(1)).await.unwrap(); SCAN_BLOCKS_UNFLUSHED_MAX / 2 - 2];
        for index in [2, 3] {
            assert!(counts.crowded().now_or_never().is_none());
            counts.count(&counts.block(&*world.store, block(index)).await.unwrap(), 3, None, 50);
        }
        counts.crowded().now_or_never().unwrap();
        assert!(counts.crowded().now_or_never().is_none(), "once is enough");
    }

    #[tokio::test]
    async fn a_block_that_found_no_room_in_the_queue_is_written_once_there_is() {
        let world = World::new().await;
        let counts = ScanCounts::new(Writer(1));
        let scans = counts.block(&*world.store, block(0)).await.unwrap();
        *lock(&counts.queue) = vec![counts.block(&*world.store, block(1)).await.unwrap(); SCAN_BLOCKS_UNFLUSHED_MAX];
        counts.count(&scans, 3, None, 50);
        assert_eq!(lock(&counts.queue).len(), SCAN_BLOCKS_UNFLUSHED_MAX);
        lock(&counts.queue).clear();
        counts.count(&scans, 3, None, 60);
        assert_eq!(counts.flush(&*world.store, || 0).await.unwrap(), 1);
        assert_eq!(ScanCounts::sum(&scans, 3).count, 2);
    }
}
