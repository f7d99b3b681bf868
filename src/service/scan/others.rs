//! What the other servers count of codes that are in memory here: told by each of them whenever it writes, so that nobody asks
//! block by block, however many there are and however often they are scanned.

use std::{
    collections::HashMap,
    sync::{Weak, atomic::Ordering},
};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::count::{BlockScans, ScanCounts, lock};
use crate::{
    limits::{SCAN_BLOCKS_FLUSHED_AT_ONCE, SCANS_HEARD_EVERY_MS, SCANS_TOLD_KEPT_MS, SCANS_TOLD_LATE_MS},
    store::{self, ScanSum, Store, Writer},
};

/// What stands where nothing was heard yet.
pub(super) const NEVER_HEARD: i64 = i64::MIN;

/// What other servers have counted in a block: absolute sums by code and server.
#[derive(Debug, Default)]
pub(super) struct Others {
    by_offset: HashMap<u16, Vec<(Writer, ScanSum)>>,
    /// What they take in memory beside the table, in bytes.
    bytes: usize,
}

fn bytes_of(sums: &[(Writer, ScanSum)]) -> usize {
    size_of_val(sums) + sums.iter().map(|(_, sum)| sum.places.bytes()).sum::<usize>()
}

impl Others {
    /// Takes in what a server has counted of a code; what is older than what is known is passed over.
    pub(super) fn set(&mut self, offset: u16, writer: Writer, sum: ScanSum) {
        let sums = self.by_offset.entry(offset).or_default();
        let before = bytes_of(sums);
        match sums.iter_mut().find(|(by, _)| *by == writer) {
            Some((_, known)) if known.count > sum.count => {}
            Some((_, known)) => *known = sum,
            None => {
                sums.reserve_exact(1);
                sums.push((writer, sum));
            }
        }
        self.bytes = self.bytes + bytes_of(sums) - before;
    }

    /// What all of them have counted of a code.
    pub(super) fn sum(&self, offset: u16) -> Option<ScanSum> {
        let mut sums = self.by_offset.get(&offset)?.iter().map(|(_, sum)| sum);
        let first = sums.next()?.clone();
        Some(sums.fold(first, |mut all, sum| {
            all.add(sum);
            all
        }))
    }

    pub(super) fn offsets(&self) -> impl Iterator<Item = &u16> {
        self.by_offset.keys()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.by_offset.capacity() * 8 / 7 * (size_of::<(u16, Vec<(Writer, ScanSum)>)>() + 1)
    }
}

impl ScanCounts {
    /// Takes in what the other servers told since this was last done, where that is long enough ago: a few reads, whatever
    /// is in memory.
    ///
    /// # Errors
    /// The store's; what was not heard then is by a later call.
    pub async fn hear(&self, store: &dyn Store, now_ms: i64) -> store::Result<()> {
        let heard_ms = self.heard_ms.load(Ordering::Relaxed);
        let ago_ms = now_ms.saturating_sub(heard_ms);
        if !store.is_shared() || ago_ms < SCANS_HEARD_EVERY_MS {
            return Ok(());
        }
        if heard_ms != NEVER_HEARD && ago_ms > SCANS_TOLD_KEPT_MS / 2 {
            // What was told meanwhile may be gone.
            self.read_all_others(store).await?;
        }
        // What was told before the start is read with the blocks.
        let ago_ms = if heard_ms == NEVER_HEARD { 0 } else { ago_ms.min(SCANS_TOLD_KEPT_MS / 2) };
        let from_ms = now_ms - ago_ms - SCANS_TOLD_LATE_MS;
        let told = store.told_scans(from_ms, now_ms + SCANS_TOLD_LATE_MS).await?;
        for (writer, sums) in told.into_iter().filter(|(writer, _)| *writer != self.writer) {
            for (block, offset, sum) in sums {
                let scans = lock(&self.blocks).get(&block).and_then(Weak::upgrade);
                if let Some(scans) = scans {
                    let mut sums = lock(&scans.sums);
                    sums.others.set(offset, writer, sum);
                    scans.weigh(&sums);
                }
            }
        }
        self.heard_ms.store(now_ms, Ordering::Relaxed);
        Ok(())
    }

    async fn read_all_others(&self, store: &dyn Store) -> store::Result<()> {
        let blocks: Vec<_> = lock(&self.blocks).values().filter_map(Weak::upgrade).collect();
        let read = stream::iter(blocks).map(|scans| async move { self.read_others(store, &scans).await });
        read.buffer_unordered(SCAN_BLOCKS_FLUSHED_AT_ONCE).try_collect().await
    }

    async fn read_others(&self, store: &dyn Store, scans: &BlockScans) -> store::Result<()> {
        let stored = store.scans(scans.block).await?;
        let mut sums = lock(&scans.sums);
        for (writer, codes) in stored.into_iter().filter(|(writer, _)| *writer != self.writer) {
            codes.into_iter().for_each(|(offset, sum)| sums.others.set(offset, writer, sum));
        }
        scans.weigh(&sums);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(count: u64) -> ScanSum {
        ScanSum { count, first_ms: 5, last_ms: 6, ..ScanSum::NONE }
    }

    #[test]
    fn the_highest_sum_of_each_server_counts_in_whatever_order_they_come() {
        let mut others = Others::default();
        for (writer, count) in [(1, 10), (2, 100), (1, 12), (2, 90), (1, 12)] {
            others.set(3, Writer(writer), sum(count));
        }
        assert_eq!(others.sum(3), Some(sum(112)));
        assert_eq!(others.sum(4), None);
        let bytes = others.bytes();
        others.set(3, Writer(3), sum(1));
        assert!(others.bytes() > bytes, "one more server takes memory");
    }
}
