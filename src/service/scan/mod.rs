//! Scans: what a code's link says, from memory where nothing changed since it was last asked.

mod block;
mod count;
mod day;
mod facts;
mod kept;
mod make;
mod origins;
mod others;
mod own_entries;
mod text;
mod view;
mod weight;
mod whole;

use std::{sync::Arc, time::Duration};

use jiff::civil::Date;
use tokio::time::timeout;

pub(super) use self::facts::{Said, lots_of};
pub(super) use self::origins::made_by;
use self::own_entries::OwnEntries;
pub use self::{
    block::BlockView,
    count::{BlockScans, ScanCounts},
    day::Day,
    facts::{BatchFacts, KnownOrganization, RunFacts},
    kept::{FirstTexts, KeptRun, KeptView, RenderedAs},
    origins::{CameFrom, MadeOf},
    own_entries::SharedLedgers,
    view::{Line, LinePlace, View},
    whole::{Whole, WholeLot},
};
use super::{Service, alert::Raised};
use crate::{
    code::{Code, Serial, Verification},
    limits::SCAN_STORE_MS,
    store::{self, ScanSum},
    trace::{Block, Notice, Region, Verdict},
};

/// What is known of a scanned code.
#[derive(Debug)]
pub enum Scanned {
    /// No more than this verdict: forged, not issued, or not verifiable.
    Nothing(Verdict),
    /// Its tag is ours, and the store did not say more in time.
    Unanswered,
    /// It was issued.
    Issued {
        /// What it shares with all of its run.
        run: Arc<KeptRun>,
        /// What it shares with those that have the same history.
        kept: Arc<KeptView>,
        /// Their view, where it had to be made; otherwise [`Service::view_of`] makes it.
        view: Option<Box<View>>,
        /// How often the public has scanned it, this scan with it where it counts.
        sum: ScanSum,
        /// What is noticed about these scans.
        notice: Option<Notice>,
        /// The master key is retired.
        retired: bool,
        /// Of when it is, milliseconds since 1970-01-01 UTC, where nothing was heard since of what others write for so
        /// long that safety is not confirmed.
        as_of_ms: Option<i64>,
    },
}

/// A block, what is kept of a code's view, and the view where it had to be made.
type Found = (Arc<BlockView>, Arc<KeptView>, Option<Box<View>>);

/// Who scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanBy {
    /// The public, in a region where that is known: it is counted.
    Public(Option<Region>),
    /// Anybody else.
    Other,
}

impl Service {
    /// Answers the scan of a code, from memory where it is there. While nothing is heard of what others write, nothing else
    /// is asked for.
    pub async fn scan(&self, code: &Code, by: ScanBy) -> Scanned {
        let now_ms = self.now_ms();
        let at = Block::of(code.run, code.serial);
        let touches = self.watch.touches();
        let cached = self.blocks.get(&at).filter(|block| block.is_current(now_ms, touches));
        // A cached run's key saves its derivation; both ways compare in constant time.
        let verification = match &cached {
            Some(block) => block.run.key.verify(code),
            None => self.keys.verify(code),
        };
        let retired = match verification {
            Verification::Forged => return Scanned::Nothing(Verdict::Forged),
            Verification::UnknownKey => return Scanned::Nothing(Verdict::Unverifiable),
            Verification::Valid => false,
            Verification::Retired => true,
        };
        let (offset, as_of_ms) = (Block::offset(code.serial), self.unconfirmed_since(now_ms));
        let in_memory = cached.as_ref().and_then(|block| Some((Arc::clone(block), block.known(offset, touches).ok()?)));
        let (block, kept, view) = match (in_memory, as_of_ms) {
            (Some((block, kept)), _) => (block, kept, None),
            (None, Some(_)) => return Scanned::Unanswered,
            // Boxed, so that the scans that ask no store carry no room for it along.
            (None, None) => match Box::pin(self.with_view_in_time(cached, code, now_ms, touches)).await {
                Ok(Some(found)) => found,
                Ok(None) => return Scanned::Nothing(Verdict::NotIssued),
                Err(error) => {
                    tracing::error!(%error, run = %code.run, "a scan could not be answered from the store");
                    return Scanned::Unanswered;
                }
            },
        };
        let sum = match by {
            ScanBy::Public(region) => self.scans.count(&block.scans, offset, region, now_ms),
            ScanBy::Other => ScanCounts::sum(&block.scans, offset),
        };
        self.weigh_block(at, &block);
        let run = Arc::clone(&block.run);
        let notice = self.settings.misuse.notice(run.level, &sum, kept.sold_ms);
        if let (Some(notice), ScanBy::Public(_)) = (notice, by) {
            self.alerts.raise(Raised::new(code, &run, &sum, notice, now_ms));
        }
        Scanned::Issued { run, kept, view, sum, notice, retired, as_of_ms }
    }

    /// Since when nothing was heard of what others write, where that is longer than safety may be confirmed for.
    pub fn unconfirmed_since(&self, now_ms: i64) -> Option<i64> {
        let silent_ms = self.heard.silent_ms(now_ms)?;
        (silent_ms >= self.settings.unconfirmed_after_ms).then(|| now_ms.saturating_sub(silent_ms))
    }

    async fn with_view_in_time(
        &self,
        cached: Option<Arc<BlockView>>,
        code: &Code,
        now_ms: i64,
        touches: u64,
    ) -> store::Result<Option<Found>> {
        let found = timeout(Duration::from_millis(SCAN_STORE_MS), self.with_view(cached, code, now_ms, touches)).await;
        found.unwrap_or_else(|_| Err(store::Error::Unavailable(format!("nothing came for {SCAN_STORE_MS} ms"))))
    }

    /// A code's block, read where none is cached, with the code's view; `None` where the code was not issued.
    async fn with_view(
        &self,
        cached: Option<Arc<BlockView>>,
        code: &Code,
        now_ms: i64,
        touches: u64,
    ) -> store::Result<Option<Found>> {
        let at = Block::of(code.run, code.serial);
        let (block, own) = match cached {
            Some(block) => (block, None),
            None => match self.block(at, code.serial, now_ms).await? {
                Some((block, own)) => (block, Some(own)),
                None => return Ok(None),
            },
        };
        if code.serial.get() >= block.run.count {
            return Ok(None);
        }
        let found = self.kept_view(&block, at, code.serial, touches, own).await?;
        Ok(found.map(|(kept, view)| (block, kept, view)))
    }

    /// The verdict of a code alone, for `/v1/verify`: nothing is counted.
    pub async fn verify(&self, code: &Code) -> Verdict {
        match self.scan(code, ScanBy::Other).await {
            Scanned::Nothing(verdict) => verdict,
            Scanned::Unanswered => Verdict::Unverifiable,
            Scanned::Issued { kept, as_of_ms: Some(_), .. } => kept.verdict.min(Verdict::Unverifiable),
            Scanned::Issued { kept, .. } => kept.verdict,
        }
    }

    /// Lets the cache know what a code's view takes: to be called once something more is kept of it.
    pub fn weigh(&self, code: &Code) {
        let at = Block::of(code.run, code.serial);
        if let Some(block) = self.blocks.get(&at) {
            block.weigh(Block::offset(code.serial));
            self.weigh_block(at, &block);
        }
    }

    fn weigh_block(&self, at: Block, block: &Arc<BlockView>) {
        if block.has_grown() {
            // What is put in again is weighed again.
            self.blocks.insert(at, Arc::clone(block));
        }
    }

    /// A block, and what bears on one of its codes, all read together; `None` where the run was never issued.
    async fn block(
        &self,
        at: Block,
        serial: Serial,
        now_ms: i64,
    ) -> store::Result<Option<(Arc<BlockView>, OwnEntries)>> {
        let today = Day::of(now_ms, &self.settings.zone);
        let scans = self.scans.block(&*self.store, at);
        let (own, scans) = tokio::try_join!(self.own_entries(at, serial), scans)?;
        let Some(own) = own else { return Ok(None) };
        let block = Arc::new(BlockView::new(Arc::clone(&own.facts.kept), &own.shared, scans, today));
        self.blocks.insert(at, Arc::clone(&block));
        Ok(Some((block, own)))
    }

    /// The day that an instant belongs to, in the configured zone.
    pub fn date(&self, ms: i64) -> Date {
        Day::of(ms, &self.settings.zone).date
    }

    /// Writes the scan sums that changed ([`ScanCounts::flush`]).
    ///
    /// # Errors
    /// The first of the store's.
    pub async fn flush_scans(&self) -> store::Result<usize> {
        self.scans.flush(&*self.store, || self.now_ms()).await
    }
}
