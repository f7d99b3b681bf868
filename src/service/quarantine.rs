//! Quarantine: a restored store issues no codes until it is certain that none of them was issued before.
//!
//! What the lost server did after its backup is not in the restored store, so its counters of runs may not be believed. The
//! release closes every slot of the key ring but one: a fresh one, whose key the lost server never had, or the one in which it
//! issued last, from behind that run on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Counter, Service, backup::payload::HeadRow};
use crate::{
    code::{KeyRing, KeySlot, RunId},
    limits::{KEY_RUNS_MAX, KEY_SLOTS, NUMBER_LEASE},
    registration::Kind,
    store,
};

/// The claim of a restored store; it stays for ever.
pub(super) const RESTORED_CLAIM: &str = "restored";

/// What a restored store knows of where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was begun, milliseconds since 1970-01-01 UTC.
    pub backup_ms: i64,
    /// When it was restored.
    pub restored_ms: i64,
    /// Where the feeds ended in the backup.
    pub heads: Vec<HeadRow>,
    /// Counters of runs as they were in the backup, by slot.
    pub runs: Vec<(u8, u64)>,
    /// A bit for each slot that the key ring had when the store was restored, or else when it was first opened: the lost
    /// server may have issued with these keys.
    pub ring: Option<u32>,
    /// What ended the quarantine.
    pub released: Option<Released>,
}

/// What ended a quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The one slot that may issue of those that there were.
    pub slot: u8,
    /// Its first run since.
    pub first: u64,
    /// When, milliseconds since 1970-01-01 UTC.
    pub released_ms: i64,
}

/// How it is made certain that no code is issued twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The key ring has a new key, made after the restore.
    FreshKey,
    /// This was the last run that the lost server issued.
    PastRun(RunId),
}

/// The store was restored and not released yet.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "this store was restored from a backup of {}: codes may have been issued after it, so that none are issued before \
     `coldproof restore --release --store STORE` with --fresh-key or --past-run RUN; its --help says which",
    jiff::Timestamp::from_millisecond(*backup_ms).unwrap_or_default()
)]
pub struct Quarantined {
    /// When the backup was begun, milliseconds since 1970-01-01 UTC.
    pub backup_ms: i64,
}

/// Why a store stays in quarantine.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// It is not in quarantine.
    #[error("this store is not in quarantine")]
    NotQuarantined,
    /// The ring has no key that may issue.
    #[error("no key of the key ring can issue: every one is retired; add one with `coldproof keygen --rotate`")]
    NoKey,
    /// The newest key may be one of the lost server's.
    #[error(
        "the key in slot {slot} is not fresh: the lost server may have issued with it. Make one with \
         `coldproof keygen --rotate`, restart the server where one runs, and repeat this"
    )]
    NotFresh {
        /// Its slot.
        slot: KeySlot,
    },
    /// The run is of another key than the one that would issue.
    #[error("run {run} is of the key in slot {}, but new codes would be of slot {issuing}; use --fresh-key", run.key())]
    OtherSlot {
        /// The run that was given.
        run: RunId,
        /// The slot that issues.
        issuing: KeySlot,
    },
    /// The backup has a later run.
    #[error("run {run} was not the last: the backup itself has run {later}")]
    NotLast {
        /// The run that was given.
        run: RunId,
        /// A later one.
        later: RunId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Restored {
    /// What stands in the store of a fresh restore. `counters` are the source's, by the names of their claims.
    pub(super) fn new(
        backup_ms: i64,
        restored_ms: i64,
        heads: Vec<HeadRow>,
        counters: &BTreeMap<String, u64>,
        ring: Option<u32>,
    ) -> Self {
        let next = |slot: KeySlot| Some((slot.get(), *counters.get(&Counter::Runs(slot).claim())?));
        Self { backup_ms, restored_ms, heads, runs: slots().filter_map(next).collect(), ring, released: None }
    }

    /// As the claim's value.
    pub(super) fn encoded(&self) -> store::Result<Vec<u8>> {
        rmp_serde::to_vec(self).map_err(|error| damaged(&error))
    }

    /// Slots with which the lost server may have issued.
    pub(super) fn used(&self) -> impl Iterator<Item = KeySlot> {
        let counted = |slot: KeySlot| self.runs.iter().any(|(used, _)| *used == slot.get());
        slots().filter(move |slot| counted(*slot) || self.ring.unwrap_or_default() & bit(*slot) != 0)
    }
}

/// A bit for each slot of a ring.
pub fn slots_of(ring: &KeyRing) -> u32 {
    ring.slots().fold(0, |slots, (slot, _)| slots | bit(slot))
}

fn bit(slot: KeySlot) -> u32 {
    1 << slot.get()
}

fn slots() -> impl Iterator<Item = KeySlot> {
    (0..KEY_SLOTS).filter_map(KeySlot::new)
}

fn damaged(error: &dyn std::fmt::Display) -> store::Error {
    store::Error::Corrupt { table: "claims", key: RESTORED_CLAIM.to_owned(), found: error.to_string() }
}

impl Service {
    /// Where this store came from, if it was restored.
    ///
    /// # Errors
    /// Where the store fails, or what it says is damaged.
    pub async fn restored(&self) -> store::Result<Option<Restored>> {
        let claim = self.store.claim(RESTORED_CLAIM).await?;
        claim.map(|bytes| rmp_serde::from_slice(&bytes).map_err(|error| damaged(&error))).transpose()
    }

    /// Keeps which slots the key ring has, where a restored store does not know that yet: no key of these is fresh.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn note_ring(&self) -> store::Result<()> {
        let Some(before) = self.restored().await?.filter(|restored| restored.ring.is_none()) else { return Ok(()) };
        let noted = Restored { ring: Some(slots_of(&self.keys)), ..before.clone() };
        // Who comes second finds it noted.
        self.store.swap(RESTORED_CLAIM, Some(&before.encoded()?), &noted.encoded()?).await?;
        Ok(())
    }

    /// The quarantine that the store is in: it was restored, and not released yet.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn quarantined(&self) -> store::Result<Option<Quarantined>> {
        let restored = self.restored().await?.filter(|restored| restored.released.is_none());
        Ok(restored.map(|restored| Quarantined { backup_ms: restored.backup_ms }))
    }

    /// Ends the quarantine; the slot that issues from now on.
    ///
    /// # Errors
    /// Why it is not certain that no code would be issued twice; then it stays.
    pub async fn release(&self, how: Release) -> Result<Released, ReleaseError> {
        self.note_ring().await?;
        let restored = self.restored().await?.filter(|restored| restored.released.is_none());
        let restored = restored.ok_or(ReleaseError::NotQuarantined)?;
        let slot = self.keys.issuing_slot().ok_or(ReleaseError::NoKey)?;
        let first = match how {
            Release::FreshKey if restored.used().any(|used| used >= slot) => {
                return Err(ReleaseError::NotFresh { slot });
            }
            Release::FreshKey => 0,
            Release::PastRun(run) if run.key() != slot => {
                return Err(ReleaseError::OtherSlot { run, issuing: slot });
            }
            Release::PastRun(run) => self.behind(run).await?,
        };
        // The others first: a stop between the two leaves it in quarantine.
        for closed in restored.used().filter(|used| *used != slot) {
            self.raise(Counter::Runs(closed), KEY_RUNS_MAX.into()).await?;
        }
        self.raise(Counter::Runs(slot), first).await?;
        let released = Released { slot: slot.get(), first, released_ms: self.now_ms() };
        let after = Restored { released: Some(released), ..restored.clone() };
        if !self.store.swap(RESTORED_CLAIM, Some(&restored.encoded()?), &after.encoded()?).await? {
            return Err(ReleaseError::NotQuarantined);
        }
        Ok(released)
    }

    /// The first number behind a run that is said to be the last, and behind all that the backup knows to be given out.
    async fn behind(&self, run: RunId) -> Result<u64, ReleaseError> {
        let next = u64::from(run.number()) + 1;
        let free = self.first_free_number(Counter::Runs(run.key())).await?;
        // A few beyond it: whoever types an old run by mistake has mostly its neighbours in the store.
        for number in (next..free).take(usize::try_from(NUMBER_LEASE).unwrap_or(usize::MAX)) {
            let later = u32::try_from(number).ok().and_then(|number| RunId::new(run.key(), number));
            if let Some(later) = later
                && self.statement(Kind::Run, later.bits().into()).await?.is_some()
            {
                return Err(ReleaseError::NotLast { run, later });
            }
        }
        Ok(next.max(free))
    }
}
