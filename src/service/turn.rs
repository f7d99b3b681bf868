//! Turns: of all who would work on one thing, on any server, one does at a time.
//!
//! Within a server a lock does it. Between servers a claim does: it holds whose turn it is, and nothing once that is over.
//! A server that dies leaves its turn behind; whoever has seen it stand still for `TURN_MS` takes it over. So a turn that
//! took long proves behind its writes that it was not taken over, before anything is answered.

use std::{
    collections::BTreeSet,
    fmt::Display,
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use moka::sync::Cache;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::sleep,
};

use super::Service;
use crate::{
    limits::{TURN_MS, TURN_PAUSE_MS, TURN_WAIT_MS, TURNS_SEEN_MAX},
    store,
};

/// What the names of all their claims begin with.
const CLAIMS: &str = "turn/";

/// Turns at one kind of work, by what is worked on.
pub(super) struct Turns {
    /// What the work is: part of the claims' names.
    work: &'static str,
    /// In this server: two things seldom share one.
    stripes: [Mutex<()>; 32],
    /// Other servers' turns that were found, by claim, and since when each stands.
    seen: Cache<String, (Vec<u8>, Instant)>,
    taken: AtomicU64,
}

/// A turn at some things. It has to be ended: what is only dropped keeps other servers waiting for `TURN_MS`.
#[must_use]
pub(super) struct Turn<'s> {
    service: &'s Service,
    /// Claims and what they hold.
    claims: Vec<(String, Vec<u8>)>,
    begun: Instant,
    _here: Vec<MutexGuard<'s, ()>>,
}

impl Turns {
    pub(super) fn new(work: &'static str) -> Self {
        let stripes = std::array::from_fn(|_| Mutex::default());
        Self { work, stripes, seen: Cache::new(TURNS_SEEN_MAX), taken: AtomicU64::new(0) }
    }

    /// A turn within this server alone.
    pub(super) async fn here(&self, of: impl Display) -> Vec<MutexGuard<'_, ()>> {
        self.all_here(&BTreeSet::from([self.claim(of)])).await
    }

    fn claim(&self, of: impl Display) -> String {
        format!("{CLAIMS}{}/{of}", self.work)
    }

    /// Locks all of them, in an order in which nobody waits for somebody who waits for him.
    async fn all_here(&self, claims: &BTreeSet<String>) -> Vec<MutexGuard<'_, ()>> {
        let stripe = |claim: &String| {
            let mut hash = DefaultHasher::new();
            claim.hash(&mut hash);
            usize::try_from(hash.finish() % 32).unwrap_or_default()
        };
        let stripes: BTreeSet<_> = claims.iter().map(stripe).collect();
        let mut guards = Vec::with_capacity(stripes.len());
        for stripe in stripes.into_iter().filter_map(|stripe| self.stripes.get(stripe)) {
            guards.push(stripe.lock().await);
        }
        guards
    }

    /// Whether another server's turn has stood there for so long that the server must be dead.
    fn is_left_behind(&self, claim: &str, held: &[u8]) -> bool {
        match self.seen.get(claim) {
            Some((seen, since)) if seen == held => since.elapsed() >= Duration::from_millis(TURN_MS),
            _ => {
                self.seen.insert(claim.to_owned(), (held.to_vec(), Instant::now()));
                false
            }
        }
    }
}

impl Turn<'_> {
    /// Ends the turn with what came of the work.
    ///
    /// # Errors
    /// Where it took so long that another server may have begun the same work: what was written is there, and must not be
    /// answered as if nobody else had been at it.
    pub(super) async fn end<T, E: From<store::Error>>(self, done: Result<T, E>) -> Result<T, E> {
        let is_sure = self.begun.elapsed() < Duration::from_millis(TURN_MS / 2);
        let mut lost = None;
        for (claim, held) in &self.claims {
            match self.service.store.swap(claim, Some(held), &[]).await {
                Ok(true) => {}
                // Others wait until they take it over.
                _ if is_sure => {}
                Ok(false) => lost = Some(taken_over(claim)),
                Err(error) => lost = Some(error),
            }
        }
        match (done, lost) {
            (Ok(_), Some(error)) => Err(error.into()),
            (done, _) => done,
        }
    }
}

impl Service {
    /// Does some work when nobody else, on any server, is at the same work on any of these things.
    ///
    /// # Errors
    /// The work's own; where another server is at it for longer than `TURN_WAIT_MS`; and see [`Turn::end`].
    pub(super) async fn in_turn<T, E: From<store::Error>>(
        &self,
        turns: &Turns,
        of: impl IntoIterator<Item: Display>,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let turn = self.turn(turns, of).await?;
        let done = work.await;
        turn.end(done).await
    }

    /// Waits for the turn at all of these things.
    ///
    /// # Errors
    /// As [`Service::in_turn`].
    pub(super) async fn turn<'s>(
        &'s self,
        turns: &'s Turns,
        of: impl IntoIterator<Item: Display>,
    ) -> store::Result<Turn<'s>> {
        let names: BTreeSet<_> = of.into_iter().map(|of| turns.claim(of)).collect();
        let here = turns.all_here(&names).await;
        let mut turn = Turn { service: self, claims: Vec::new(), begun: Instant::now(), _here: here };
        if !self.store.is_shared() {
            return Ok(turn);
        }
        for claim in names {
            match self.take_turn(turns, &claim).await {
                Ok(held) => turn.claims.push((claim, held)),
                Err(error) => return turn.end(Err(error)).await,
            }
        }
        Ok(turn)
    }

    async fn take_turn(&self, turns: &Turns, claim: &str) -> store::Result<Vec<u8>> {
        // No two turns are called the same: no two servers are, and each counts its own.
        let number = turns.taken.fetch_add(1, Ordering::Relaxed);
        let mine = format!("{} {number}", self.writer.0).into_bytes();
        let begun = Instant::now();
        loop {
            let held = self.store.claim(claim).await?;
            let is_free = held.as_ref().is_none_or(|held| held.is_empty() || turns.is_left_behind(claim, held));
            if is_free && self.store.swap(claim, held.as_deref(), &mine).await? {
                return Ok(mine);
            }
            if begun.elapsed() >= Duration::from_millis(TURN_WAIT_MS) {
                let said = format!("another server is at {claim}; try again in some seconds");
                return Err(store::Error::Unavailable(said));
            }
            sleep(Duration::from_millis(TURN_PAUSE_MS)).await;
        }
    }
}

fn taken_over(claim: &str) -> store::Error {
    store::Error::Ambiguous(claim.to_owned())
}
