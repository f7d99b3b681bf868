//! One moment of all servers, at which a copy shows everything.
//!
//! A claim says how far the copy is. Whoever takes it announces it; every server that holds a feed looks at the claim more often
//! from then on, and says so. Then it asks: each keeps writes out, waits for those that it has let in, and says so, with a
//! timestamp that lies behind all that it gave. When all have, the moment is noted in the claim, by a timestamp of first
//! writes, and writes go on, with later ones. From there until the end whoever swaps a claim notes first what it was.
//!
//! Nobody waits for long: who is asked and hears nothing ends the copy himself. That and the noting of the moment are swaps of
//! the same claim, so that one of them takes effect.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use moka::sync::Cache;
use scylla::value::MaybeUnset;
use tokio::{
    sync::RwLockWriteGuard,
    time::{sleep, timeout},
};

use super::{
    Cluster, CqlStore,
    copy_claim::{CLAIM, CopyId, Stage},
    lease::Lease,
    snapshot::Moment,
    stamps::now_us,
};
use crate::{
    limits::{
        CQL_ALONE_WAIT_MS, CQL_CLAIMS_NOTED_KNOWN_MAX, CQL_CLOCKS_APART_US, CQL_COPY_LOOK_MS, CQL_COPY_PAUSE_MS,
        CQL_LEASE_RENEWED_MS, CQL_ROWS_AT_ONCE,
    },
    store::{Error, FeedHead, Intake, Result, Writer},
};

/// What this server knows of copies.
pub struct Moments {
    known: Mutex<Known>,
    /// Claims of which it is known that what they were is noted.
    noted: Cache<(i64, String), ()>,
}

#[derive(Clone, Copy, Default)]
struct Known {
    /// The copy that this server takes.
    own: Option<CopyId>,
    /// The one that it has said it looks at, and by which feed.
    announced: Option<(CopyId, Writer)>,
    /// The copy whose moment has passed and that is not over.
    noting: Option<CopyId>,
    /// The feed that it held when it looked last.
    looked: Option<Writer>,
}

impl Default for Moments {
    fn default() -> Self {
        Self { known: Mutex::default(), noted: Cache::new(CQL_CLAIMS_NOTED_KNOWN_MAX) }
    }
}

impl Moments {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a copy is under way, or will be, that may have to read what is of no other use.
    pub fn any(&self) -> bool {
        let known = self.known();
        known.own.is_some() || known.announced.is_some() || known.noting.is_some()
    }
}

/// The copy that this server takes, until it is dropped.
pub struct Taking {
    cluster: Arc<Cluster>,
    copies: Arc<Moments>,
    copy: CopyId,
    /// What the claim says, as far as it is known.
    stage: Stage,
}

impl Taking {
    /// What a claim was at the moment, of which `value` was read since.
    pub async fn claim_before(&self, name: &str, value: Option<Vec<u8>>) -> Result<Option<Vec<u8>>> {
        Ok(self.cluster.noted(self.copy, name).await?.unwrap_or(value))
    }

    /// # Errors
    /// Where another server has ended the copy, because it took this one for dead: what claims were may not have been noted.
    pub async fn goes_on(&self) -> Result<()> {
        let found = self.cluster.claim(CLAIM).await?;
        if Stage::parse(found.as_deref())? == self.stage { Ok(()) } else { Err(broken_off()) }
    }

    async fn pass_to(&mut self, next: Stage) -> Result<()> {
        if !self.cluster.pass(Some(&self.stage.encode()), next).await? {
            return Err(broken_off());
        }
        self.stage = next;
        Ok(())
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        {
            let mut known = self.copies.known();
            known.own = None;
            known.noting = known.noting.filter(|noting| *noting != self.copy);
        }
        let (cluster, stage) = (Arc::clone(&self.cluster), self.stage);
        // Where it stays, its server ends it when it looks, or another one when that is dead.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = cluster.pass(Some(&stage.encode()), Stage::Over).await {
                    tracing::warn!(%error, "that a copy is over was not said");
                }
            });
        }
    }
}

fn broken_off() -> Error {
    Error::Unavailable("another server ended the copy, because it heard nothing of this one: take it again".to_owned())
}

/// Has a store take part in other servers' copies until it is closed or dropped.
pub fn take_part(store: &Arc<CqlStore>) {
    tokio::spawn(taking_part(Arc::downgrade(store)));
}

async fn taking_part(store: Weak<CqlStore>) {
    // It has looked when it was opened, and may have answered.
    let mut pause_ms = CQL_COPY_LOOK_MS;
    loop {
        sleep(Duration::from_millis(pause_ms)).await;
        let Some(store) = store.upgrade().filter(|store| !store.is_closed.load(Ordering::Acquire)) else { return };
        pause_ms = match store.look_at_copies().await {
            Ok(true) => CQL_COPY_LOOK_MS,
            Ok(false) => CQL_LEASE_RENEWED_MS,
            Err(error) => {
                tracing::warn!(%error, "it is not known whether another server takes a copy");
                CQL_LEASE_RENEWED_MS
            }
        };
    }
}

impl CqlStore {
    /// One moment of everything that is kept, and where the feeds ended then.
    ///
    /// # Errors
    /// Where a server does not take part, a copy is under way already, or the cluster does not answer.
    pub(super) async fn take_moment(&self) -> Result<(Taking, Moment, Vec<FeedHead>)> {
        let mut taking = self.announce().await?;
        let copy = taking.copy;
        self.answered(copy, false, CQL_ALONE_WAIT_MS).await?;
        // Most of what is left to be done, while writes go on.
        self.follow(Duration::ZERO).await?;
        // Keeps writes out for as long as it takes to note the moment.
        let _alone = self.alone().await?;
        taking.pass_to(Stage::Asked(copy)).await?;
        let lowest = self.answered(copy, true, CQL_COPY_PAUSE_MS).await?;
        let heads = self.settled_heads().await?;
        // Behind what a server gave that has just stopped, and whose clock was ahead.
        let moment = lowest.min(self.cluster.stamps.stays()) - CQL_CLOCKS_APART_US;
        taking.pass_to(Stage::Taken(copy, moment)).await?;
        self.pass_moment(copy, moment);
        Ok((taking, Moment::new(moment), heads))
    }

    /// Waits for every write that was let in, and keeps others out.
    async fn alone(&self) -> Result<RwLockWriteGuard<'_, Intake>> {
        let alone = timeout(Duration::from_millis(CQL_COPY_PAUSE_MS), self.door.write()).await;
        alone.map_err(|_| Error::Unavailable("a copy was not taken: writes under way took too long".to_owned()))
    }

    /// Where the feeds end, all that they name being settled: what a stop, or a failed request, left behind a row is part of
    /// the moment. Such a row may land now, with the renewal of its server's lease.
    async fn settled_heads(&self) -> Result<Vec<FeedHead>> {
        let mut heads = self.heads().await?;
        loop {
            self.settle_all().await?;
            let now = self.heads().await?;
            if now == heads {
                return Ok(heads);
            }
            heads = now;
        }
    }

    /// All at the same time: every start of a server has left a feed.
    async fn heads(&self) -> Result<Vec<FeedHead>> {
        let writers = stream::iter(self.cluster.writers().await?);
        writers.map(|writer| self.cluster.feed_head(writer)).buffered(CQL_ROWS_AT_ONCE).try_collect().await
    }

    async fn announce(&self) -> Result<Taking> {
        let copy = CopyId { number: now_us(), taker: self.feed.current() };
        let found = self.cluster.claim(CLAIM).await?;
        {
            let before = Stage::parse(found.as_deref())?.copy();
            let mut known = self.copies.known();
            if known.own.is_some() || before.is_some_and(|before| !self.is_left_behind(before)) {
                let said = "a copy is being taken: one at a time";
                return Err(Error::Unavailable(said.to_owned()));
            }
            known.own = Some(copy);
        }
        let stage = Stage::Announced(copy);
        // From here on it is over when this is dropped.
        let taking = Taking { cluster: Arc::clone(&self.cluster), copies: Arc::clone(&self.copies), copy, stage };
        if self.cluster.pass(found.as_deref(), stage).await? { Ok(taking) } else { Err(broken_off()) }
    }

    /// Whether nobody is at a copy any more.
    fn is_left_behind(&self, copy: CopyId) -> bool {
        self.feed.is_own(copy.taker) || self.cluster.feeds.rows_of_closed(copy.taker).is_some()
    }

    /// Waits until all other servers that hold feeds have said that they look, or that they pause; the lowest of the timestamps
    /// that they named.
    async fn answered(&self, copy: CopyId, pauses: bool, wait_ms: u64) -> Result<i64> {
        let begun = Instant::now();
        loop {
            // Behind the stage that is answered: a server that opens its feed later reads it there before it writes.
            let others = self.feeds_of_others().await?;
            let answers = self.cluster.answers(copy, pauses).await?;
            let said = |writer: &Writer| answers.iter().any(|(by, _)| by == writer);
            let silent: Vec<_> = others.into_iter().filter(|writer| !said(writer)).map(|writer| writer.0).collect();
            if silent.is_empty() {
                return Ok(answers.iter().map(|(_, stamp)| *stamp).min().unwrap_or(i64::MAX));
            }
            if begun.elapsed() >= Duration::from_millis(wait_ms) {
                return Err(Error::Unavailable(format!(
                    "the servers of feeds {silent:?} take no part in the copy: stop those of an older version, or take it when \
                     there is less to do"
                )));
            }
            sleep(Duration::from_millis(CQL_COPY_LOOK_MS)).await;
        }
    }

    /// Has this server know of every copy before it writes, where it was not heard of for a while: others may not have waited for
    /// it, because they took it for dead.
    pub(super) async fn be_heard(&self) -> Result<()> {
        if !self.feed.is_sure()
            && !matches!(self.cluster.glance_at_lease(self.feed.current()).await?, Some(Lease::Held(_)))
        {
            self.feed.renew(&self.cluster).await?;
        }
        if self.copies.known().looked != Some(self.feed.current()) {
            self.look_at_copies().await?;
        }
        Ok(())
    }

    /// Looks whether another server takes a copy, and takes part; whether to look again soon.
    pub(super) async fn look_at_copies(&self) -> Result<bool> {
        let writer = self.feed.current();
        let found = self.cluster.glance(CLAIM).await?;
        let soon = self.take_part_in(found).await?;
        self.copies.known().looked = Some(writer);
        Ok(soon)
    }

    async fn take_part_in(&self, found: Option<Vec<u8>>) -> Result<bool> {
        let stage = Stage::parse(found.as_deref())?;
        let own = self.copies.known().own;
        match stage {
            // This one knows by itself.
            stage if own.is_some() && stage.copy() == own => Ok(false),
            Stage::Over => {
                let mut known = self.copies.known();
                (known.announced, known.noting) = (None, None);
                Ok(false)
            }
            stage if stage.copy().is_some_and(|copy| self.is_left_behind(copy)) => {
                self.cluster.pass(found.as_deref(), Stage::Over).await?;
                Ok(true)
            }
            Stage::Announced(copy) => {
                let by = self.feed.current();
                if self.copies.known().announced != Some((copy, by)) {
                    self.cluster.answer(copy, by, false, 0).await?;
                    self.copies.known().announced = Some((copy, by));
                }
                Ok(true)
            }
            Stage::Asked(copy) => {
                self.keep_writes_out(copy).await?;
                Ok(true)
            }
            Stage::Taken(copy, moment) => {
                self.pass_moment(copy, moment);
                Ok(false)
            }
        }
    }

    /// Keeps writes out until the moment is noted or the copy is over.
    async fn keep_writes_out(&self, copy: CopyId) -> Result<()> {
        // Who waits for the answer in vain ends the copy.
        let _alone = self.alone().await?;
        let begun = Instant::now();
        let answer = self.cluster.answer(copy, self.feed.current(), true, self.cluster.stamps.stays()).await;
        if let Err(error) = answer {
            // It may have landed all the same, and be believed.
            tracing::warn!(%error, "it is not known whether a copy has this server's answer");
        }
        loop {
            let mut pause_ms = CQL_COPY_LOOK_MS;
            match self.cluster.glance(CLAIM).await.and_then(|found| Stage::parse(found.as_deref())) {
                Ok(Stage::Asked(asked)) if asked == copy => {}
                Ok(Stage::Taken(taken, moment)) if taken == copy => {
                    self.pass_moment(copy, moment);
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, "it is not known whether a copy has its moment: writes wait");
                    pause_ms = CQL_LEASE_RENEWED_MS;
                }
            }
            // Behind this swap, or the other one, it is known.
            if begun.elapsed() >= Duration::from_millis(CQL_COPY_PAUSE_MS)
                && let Err(error) = self.cluster.pass(Some(&Stage::Asked(copy).encode()), Stage::Over).await
            {
                tracing::warn!(%error, "a copy that took too long could not be ended");
            }
            sleep(Duration::from_millis(pause_ms)).await;
        }
    }

    /// What is written from here on comes later, and what claims were is noted.
    fn pass_moment(&self, copy: CopyId, moment: i64) {
        self.cluster.stamps.stay_below(moment);
        self.copies.known().noting = Some(copy);
    }

    /// Notes what a claim was at the moment of a copy that is under way, before it is swapped.
    ///
    /// Every server does so before it swaps: where nothing is noted behind the reading of a claim, nobody had swapped it.
    pub(super) async fn note_before(&self, name: &str) -> Result<()> {
        let noting = self.copies.known().noting;
        let Some(copy) = noting else { return Ok(()) };
        let known = (copy.number, name.to_owned());
        if self.copies.noted.contains_key(&known) {
            return Ok(());
        }
        let value = self.cluster.claim(name).await?;
        if self.cluster.noted(copy, name).await?.is_none() {
            self.cluster.note(copy, name, value.as_deref()).await?;
        }
        self.copies.noted.insert(known, ());
        Ok(())
    }
}

impl Cluster {
    /// Moves the claim on; whether it says so now.
    async fn pass(&self, from: Option<&[u8]>, to: Stage) -> Result<bool> {
        match self.swap(CLAIM, from, &to.encode()).await {
            Err(Error::Ambiguous(_)) => Ok(self.claim(CLAIM).await?.is_some_and(|found| found == to.encode())),
            swapped => swapped,
        }
    }

    async fn answer(&self, copy: CopyId, writer: Writer, pauses: bool, stamp: i64) -> Result<()> {
        let values = (copy.number, writer.0.cast_signed(), pauses, stamp);
        self.requests.write(&self.statements.answer_copy, self.stamps.replaces(), values).await
    }

    async fn answers(&self, copy: CopyId, pauses: bool) -> Result<Vec<(Writer, i64)>> {
        let at = ("copy_answers", copy.number);
        let rows = self.requests.list::<(i64, bool, i64)>(&self.statements.copy_answers, (copy.number,), at).await?;
        let rows = rows.into_iter().filter(|(_, paused, _)| !pauses || *paused);
        Ok(rows.map(|(writer, _, stamp)| (Writer(writer.cast_unsigned()), stamp)).collect())
    }

    /// What is noted of a claim: that it had a value, or that it had none.
    async fn noted(&self, copy: CopyId, name: &str) -> Result<Option<Option<Vec<u8>>>> {
        let (values, at) = ((copy.number, name), ("claims_before", name));
        let row = self.requests.one::<(Option<Vec<u8>>,)>(&self.statements.claim_before, values, at).await?;
        Ok(row.map(|(value,)| value))
    }

    async fn note(&self, copy: CopyId, name: &str, value: Option<&[u8]>) -> Result<()> {
        let values = (copy.number, name, MaybeUnset::from_option(value));
        self.requests.write(&self.statements.note_claim, self.stamps.replaces(), values).await
    }
}
