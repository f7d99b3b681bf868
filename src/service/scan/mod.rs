//! Scans: what a code's link says, from memory where nothing changed since it was last asked.

mod block;
mod count;
mod day;
mod facts;
mod make;
mod view;
mod weight;
mod whole;

use std::sync::Arc;

use jiff::civil::Date;

pub use self::{
    block::BlockView,
    count::{BlockScans, ScanCounts},
    day::Day,
    facts::{BatchFacts, RunFacts},
    view::{Line, LinePlace, Piece, Rendered, View},
    whole::{Whole, WholeLot},
};
use super::Service;
use crate::{
    code::{Code, Verification},
    store::{self, ScanSum},
    trace::{Block, Verdict},
};

/// What is known of a scanned code.
#[derive(Clone, Debug)]
pub enum Scanned {
    /// No more than this verdict: forged, not issued, or not verifiable.
    Nothing(Verdict),
    /// It was issued.
    Issued {
        /// What it shares with others.
        view: Arc<View>,
        /// How often the public has scanned it, this scan with it where it counts.
        sum: ScanSum,
        /// The master key is retired.
        retired: bool,
    },
}

impl Service {
    /// Answers the scan of a code. `counts` tells whether it is one by the public. A store that is silent gives
    /// `unverifiable`, never an error.
    pub async fn scan(&self, code: &Code, counts: bool) -> Scanned {
        let now_ms = self.now_ms();
        let at = Block::of(code.run, code.serial);
        let cached = self.blocks.get(&at).filter(|block| block.is_current(now_ms, self.watch.touches()));
        // A cached run's key saves its derivation; both ways compare in constant time.
        let verification = match &cached {
            Some(block) => block.facts.key.verify(code),
            None => self.keys.verify(code),
        };
        let retired = match verification {
            Verification::Forged => return Scanned::Nothing(Verdict::Forged),
            Verification::UnknownKey => return Scanned::Nothing(Verdict::Unverifiable),
            Verification::Valid => false,
            Verification::Retired => true,
        };
        let block = match cached {
            Some(block) => Ok(Some(block)),
            None => self.block(at, now_ms).await,
        };
        let view = match block {
            Ok(Some(block)) if code.serial.get() < block.facts.run.count => {
                self.view(&block, at, code.serial).await.map(|view| (view, block))
            }
            Ok(_) => return Scanned::Nothing(Verdict::NotIssued),
            Err(error) => Err(error),
        };
        match view {
            Ok((view, block)) => {
                let offset = Block::offset(code.serial);
                let sum = if counts {
                    self.scans.count(&block.scans, offset, now_ms)
                } else {
                    ScanCounts::sum(&block.scans, offset)
                };
                self.weigh_block(at, &block, offset);
                Scanned::Issued { view, sum, retired }
            }
            Err(error) => {
                tracing::error!(%error, run = %code.run, "a scan could not be answered from the store");
                Scanned::Nothing(Verdict::Unverifiable)
            }
        }
    }

    /// The verdict of a code alone, for `/v1/verify`: nothing is counted.
    pub async fn verify(&self, code: &Code) -> Verdict {
        match self.scan(code, false).await {
            Scanned::Nothing(verdict) => verdict,
            Scanned::Issued { view, .. } => view.verdict(),
        }
    }

    /// Lets the cache know what a code's view takes: to be called once something was rendered of it.
    pub fn weigh(&self, code: &Code) {
        let at = Block::of(code.run, code.serial);
        if let Some(block) = self.blocks.get(&at) {
            self.weigh_block(at, &block, Block::offset(code.serial));
        }
    }

    fn weigh_block(&self, at: Block, block: &Arc<BlockView>, offset: u16) {
        if block.has_grown(offset) {
            // What is put in again is weighed again.
            self.blocks.insert(at, Arc::clone(block));
        }
    }

    async fn block(&self, at: Block, now_ms: i64) -> store::Result<Option<Arc<BlockView>>> {
        let Some(facts) = self.facts_of(at.run).await? else { return Ok(None) };
        let today = Day::of(now_ms, &self.settings.zone);
        let block = Arc::new(self.read_block(facts, at, today).await?);
        self.blocks.insert(at, Arc::clone(&block));
        Ok(Some(block))
    }

    /// The day that an instant belongs to, in the configured zone.
    pub fn date(&self, ms: i64) -> Date {
        Day::of(ms, &self.settings.zone).date
    }
}
