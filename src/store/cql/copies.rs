//! Everything out of this store, and into it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use tokio::{sync::mpsc, time::sleep};

use super::{
    Cluster, CqlStore,
    lease::Lease,
    snapshot::{Moment, Reading},
};
use crate::{
    limits::{
        CQL_ALONE_WAIT_MS, CQL_CLAIMS_NOTED_MAX, CQL_LEASE_RENEWED_MS, CQL_LOAD_PAUSE_MS, CQL_LOAD_TRIES_MAX,
        CQL_ROWS_AT_ONCE, SNAPSHOT_BATCHES_WAITING,
    },
    store::{Capture, Chunk, Copies, Error, Intake, Kept, RETIRED_CLAIM, Result, Snapshot, Writes},
};

/// What claims were before they were swapped behind the moment of a snapshot, by name.
#[derive(Default)]
pub struct Before(Mutex<HashMap<String, Option<Vec<u8>>>>);

impl Before {
    fn claims(&self) -> MutexGuard<'_, HashMap<String, Option<Vec<u8>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the claim was at the moment, where it was swapped since.
    ///
    /// # Errors
    /// Where more claims were swapped than are noted.
    pub fn of(&self, name: &str) -> Result<Option<Option<Vec<u8>>>> {
        let claims = self.claims();
        if claims.len() > CQL_CLAIMS_NOTED_MAX {
            let said = "too many claims were moved while a copy was taken: take it when there is less to do";
            return Err(Error::Unavailable(said.to_owned()));
        }
        Ok(claims.get(name).cloned())
    }
}

/// Snapshots under way.
#[derive(Default)]
pub struct Copyings(Mutex<Vec<Arc<Before>>>);

impl Copyings {
    fn all(&self) -> MutexGuard<'_, Vec<Arc<Before>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn any(&self) -> bool {
        !self.all().is_empty()
    }

    /// Notes what a claim was before it was swapped.
    pub fn note(&self, name: &str, old: Option<&[u8]>) {
        for before in self.all().iter() {
            let mut claims = before.claims();
            if claims.len() <= CQL_CLAIMS_NOTED_MAX && !claims.contains_key(name) {
                claims.insert(name.to_owned(), old.map(<[u8]>::to_vec));
            }
        }
    }
}

/// A snapshot under way, until it is dropped.
pub struct Copying {
    all: Arc<Copyings>,
    before: Arc<Before>,
}

impl Copying {
    fn begin(all: &Arc<Copyings>) -> Self {
        let before = Arc::new(Before::default());
        all.all().push(Arc::clone(&before));
        Self { all: Arc::clone(all), before }
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.all.all().retain(|before| !Arc::ptr_eq(before, &self.before));
    }
}

#[async_trait]
impl Copies for CqlStore {
    async fn snapshot(&self) -> Result<Snapshot> {
        self.require_alone().await?;
        let copying = Copying::begin(&self.copies);
        // What a stop, or a failed request, left behind a row of a feed is part of it.
        self.follow(Duration::ZERO).await?;
        let cluster = Arc::clone(&self.cluster);
        let mut heads = Vec::new();
        let moment = {
            // Waits for every write that was let in, and keeps others out for as long as it takes to note the moment.
            let _alone = self.door.write().await;
            for writer in cluster.writers().await? {
                heads.push(cluster.feed_head(writer).await?);
            }
            // What was noted until now belongs to it.
            copying.before.claims().clear();
            Moment::new(cluster.stamps.stays())
        };
        let (records, entries) = cluster.count(moment).await?;
        let (to, mut from) = mpsc::channel(SNAPSHOT_BATCHES_WAITING);
        let (ends, locks, before) = (heads.clone(), Arc::clone(&self.locks), Arc::clone(&copying.before));
        tokio::spawn(async move {
            let _copying = copying;
            Reading::new(cluster, moment, locks, before, to).run(&ends).await;
        });
        let things: BoxStream<'static, _> = stream::poll_fn(move |context| from.poll_recv(context)).boxed();
        Ok(Snapshot { heads, records, entries, things })
    }

    async fn load(&self, things: Vec<Kept>) -> Result<()> {
        let _inside = self.enter().await?;
        let mut tries = 1;
        // A scan gives up early because somebody waits; whoever moves a house would rather wait.
        loop {
            match self.load_once(things.clone()).await {
                Err(Error::Unavailable(error)) if tries < CQL_LOAD_TRIES_MAX => {
                    tracing::warn!(error, tries, "a load is tried again");
                }
                done => return done,
            }
            sleep(Duration::from_millis(CQL_LOAD_PAUSE_MS)).await;
            tries += 1;
        }
    }

    async fn set_intake(&self, intake: Intake) -> Result<()> {
        if intake != Intake::Open {
            self.require_alone().await?;
        }
        let mut door = self.door.write().await;
        match (*door, intake) {
            (Intake::Retired, Intake::Retired) => return Ok(()),
            (Intake::Retired, _) => return Err(Error::Retired),
            // Where it is there already, somebody else retired the store.
            (_, Intake::Retired) => self.cluster.load_claim(RETIRED_CLAIM, &[]).await?,
            _ => {}
        }
        *door = intake;
        Ok(())
    }
}

impl CqlStore {
    /// Puts things; what is there already stays, so that it may be done again.
    async fn load_once(&self, things: Vec<Kept>) -> Result<()> {
        let (mut writes, mut rows, mut others) = (Writes::default(), Vec::new(), Vec::new());
        for thing in things {
            match thing {
                Kept::Record(record) => writes.records.push(record),
                Kept::Entry(subject, entry) => writes.entries.push((subject, entry)),
                Kept::Statement(statement) => writes.statements.push(*statement),
                Kept::Row(writer, row) => rows.push((writer, row)),
                other => others.push(other),
            }
        }
        self.cluster.puts(&writes)?.send().await?;
        let puts: Vec<_> = others.into_iter().map(|thing| self.cluster.load(thing)).collect();
        stream::iter(puts).buffer_unordered(CQL_ROWS_AT_ONCE).try_collect::<()>().await?;
        // Behind the captures that they name.
        for (writer, row) in rows {
            // A restore that goes on where it was stopped.
            if self.cluster.rows(writer, row.position, 1).await?.contains(&row) {
                continue;
            }
            self.feed.load(&self.cluster, writer, &row).await?;
        }
        Ok(())
    }

    /// What other servers write has no one moment here: their writes are not waited for, their swaps not noted. One that died
    /// is waited for until its feed is closed.
    async fn require_alone(&self) -> Result<()> {
        let (begun, mut seen) = (Instant::now(), HashMap::new());
        loop {
            self.cluster.writers().await?;
            let others: Vec<_> = self.cluster.feeds.open().into_iter().filter(|it| !self.feed.is_own(*it)).collect();
            if others.is_empty() {
                return Ok(());
            }
            let mut lives = begun.elapsed() >= Duration::from_millis(CQL_ALONE_WAIT_MS);
            for writer in &others {
                let lease = self.cluster.glance_at_lease(*writer).await?;
                let before = seen.insert(*writer, lease);
                lives |= matches!(lease, Some(Lease::Held(_))) && before.is_some_and(|before| before != lease);
            }
            if lives {
                let said = "other servers write to this keyspace: a backup is taken while one server runs; stop the others first";
                return Err(Error::Unavailable(format!("{} {said}", others.len())));
            }
            sleep(Duration::from_millis(CQL_LEASE_RENEWED_MS)).await;
        }
    }
}

impl Cluster {
    /// The write that puts one thing of another store.
    fn load(&self, thing: Kept) -> BoxFuture<'_, Result<()>> {
        async move {
            match thing {
                Kept::Claim { name, value } => self.load_claim(&name, &value).await,
                Kept::Capture(capture) => self.load_capture(&capture).await,
                Kept::Chunk { capture, number, chunk: Chunk::Staged(records) } => {
                    self.stage_records(capture, number, &records).await
                }
                Kept::Chunk { capture, number, chunk: Chunk::Applied(ids) } => {
                    self.put_applied(capture, number, &ids).await
                }
                Kept::Scans { block, writer, sums } => self.put_scans(block, writer, &sums).await,
                // They are put together, or in their order.
                Kept::Record(_) | Kept::Entry(..) | Kept::Statement(_) | Kept::Row(..) => Ok(()),
            }
        }
        .boxed()
    }

    async fn load_capture(&self, capture: &Capture) -> Result<()> {
        self.put_capture(capture, false).await?;
        match capture.finished_ms {
            Some(finished_ms) => self.mark_finished(capture.id, finished_ms).await,
            None => self.mark_committed(capture.id).await,
        }
    }
}
