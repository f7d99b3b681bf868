//! Scan sums: how often each code was scanned by the public, and since when.
//!
//! Counting takes one short lock on the code's block and asks no store. A flusher writes what changed as absolute sums, so that a
//! flush may be repeated; a crash loses at most one flush interval.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{StreamExt, stream};

use crate::{
    limits::{SCAN_BLOCKS_FLUSHED_AT_ONCE, SCAN_BLOCKS_UNFLUSHED_MAX},
    store::{self, ScanSum, Store, Writer},
    trace::Block,
};

/// The sums of one block's codes, shared by every view of it.
#[derive(Debug)]
pub struct BlockScans {
    block: Block,
    sums: Mutex<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    /// What this server counted.
    own: HashMap<u16, ScanSum>,
    /// What the others had counted when the block was read.
    others: HashMap<u16, ScanSum>,
    /// Offsets in `own` that changed since the last flush; while there are any, the block stands in the queue.
    changed: Vec<u16>,
}

/// The blocks whose sums are in memory.
#[derive(Debug)]
pub struct ScanCounts {
    writer: Writer,
    blocks: Mutex<HashMap<Block, Weak<BlockScans>>>,
    /// Blocks with changes; they are kept alive until they are flushed.
    queue: Mutex<Vec<Arc<BlockScans>>>,
    /// How many flushes there were: a block that was read before one and registered after it would be stale.
    flushes: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(sum: Option<&ScanSum>, other: Option<&ScanSum>) -> ScanSum {
    match (sum, other) {
        (Some(a), Some(b)) => ScanSum {
            count: a.count.saturating_add(b.count),
            first_ms: a.first_ms.min(b.first_ms),
            last_ms: a.last_ms.max(b.last_ms),
        },
        (Some(one), None) | (None, Some(one)) => *one,
        (None, None) => ScanSum::default(),
    }
}

impl ScanCounts {
    /// No block is in memory yet.
    pub fn new(writer: Writer) -> Self {
        Self { writer, blocks: Mutex::default(), queue: Mutex::default(), flushes: AtomicU64::new(0) }
    }

    /// The block's sums, read from the store where they are not in memory.
    pub async fn block(&self, store: &dyn Store, block: Block) -> store::Result<Arc<BlockScans>> {
        loop {
            if let Some(scans) = lock(&self.blocks).get(&block).and_then(Weak::upgrade) {
                return Ok(scans);
            }
            let flushes = self.flushes.load(Ordering::Acquire);
            let mut sums = Sums::default();
            for (writer, codes) in store.scans(block).await? {
                let side = if writer == self.writer { &mut sums.own } else { &mut sums.others };
                for (offset, sum) in codes {
                    let total = add(side.get(&offset), Some(&sum));
                    side.insert(offset, total);
                }
            }
            let mut blocks = lock(&self.blocks);
            if blocks.get(&block).is_some_and(|scans| scans.strong_count() > 0)
                || self.flushes.load(Ordering::Acquire) != flushes
            {
                continue;
            }
            if blocks.len() == blocks.capacity() {
                blocks.retain(|_, scans| scans.strong_count() > 0);
            }
            let scans = Arc::new(BlockScans { block, sums: Mutex::new(sums) });
            blocks.insert(block, Arc::downgrade(&scans));
            return Ok(scans);
        }
    }

    /// Counts one scan and returns the code's sum with it.
    pub fn count(&self, scans: &Arc<BlockScans>, offset: u16, now_ms: i64) -> ScanSum {
        let (sum, first_change) = {
            let mut sums = lock(&scans.sums);
            let own = sums.own.entry(offset).or_insert(ScanSum { count: 0, first_ms: now_ms, last_ms: now_ms });
            own.count = own.count.saturating_add(1);
            own.last_ms = own.last_ms.max(now_ms);
            let own = *own;
            let first_change = sums.changed.is_empty();
            if !sums.changed.contains(&offset) {
                sums.changed.push(offset);
            }
            (add(Some(&own), sums.others.get(&offset)), first_change)
        };
        if first_change {
            let mut queue = lock(&self.queue);
            if queue.len() < SCAN_BLOCKS_UNFLUSHED_MAX {
                queue.push(Arc::clone(scans));
            } else {
                // The store has taken nothing for long: this block's changes may be lost, memory stays bounded.
                lock(&scans.sums).changed.clear();
            }
        }
        sum
    }

    /// The code's sum, without counting.
    pub fn sum(scans: &BlockScans, offset: u16) -> ScanSum {
        let sums = lock(&scans.sums);
        add(sums.own.get(&offset), sums.others.get(&offset))
    }

    /// Writes what changed, many blocks at a time, so that they share what it costs to make them durable. What the store
    /// does not take stays queued. Returns how many codes' sums were written.
    ///
    /// # Errors
    /// The first of the store's.
    pub async fn flush(&self, store: &dyn Store) -> store::Result<usize> {
        let queue = std::mem::take(&mut *lock(&self.queue));
        let written = stream::iter(queue).map(|scans| self.flush_block(store, scans));
        let written: Vec<_> = written.buffer_unordered(SCAN_BLOCKS_FLUSHED_AT_ONCE).collect().await;
        written.into_iter().sum()
    }

    async fn flush_block(&self, store: &dyn Store, scans: Arc<BlockScans>) -> store::Result<usize> {
        let changed = {
            let mut sums = lock(&scans.sums);
            let changed = std::mem::take(&mut sums.changed);
            changed.into_iter().filter_map(|at| Some((at, *sums.own.get(&at)?))).collect::<Vec<_>>()
        };
        let written = store.put_scans(scans.block, self.writer, &changed).await;
        match &written {
            Ok(()) => drop(self.flushes.fetch_add(1, Ordering::Release)),
            Err(_) => self.put_back(scans, &changed),
        }
        written.map(|()| changed.len())
    }

    fn put_back(&self, scans: Arc<BlockScans>, unwritten: &[(u16, ScanSum)]) {
        let queued_again = {
            let mut sums = lock(&scans.sums);
            let queued_again = !sums.changed.is_empty();
            for (offset, _) in unwritten {
                if !sums.changed.contains(offset) {
                    sums.changed.push(*offset);
                }
            }
            queued_again
        };
        if !queued_again {
            lock(&self.queue).push(scans);
        }
    }
}
