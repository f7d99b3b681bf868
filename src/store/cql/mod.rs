//! The store on a cluster: Apache Cassandra or ScyllaDB, over the `scylla` driver. `docs/spec/cql-schema.md` says how it
//! keeps what the contract asks for.
//!
//! Nothing is written by a lightweight transaction but claims and the names of feeds. Everything else may be written again,
//! by anyone, at any time: first writes stay by their timestamps, and those that replace come in the order of theirs.

mod capture;
mod claims;
mod copies;
mod copy_claim;
mod entry;
mod feed;
mod feeds;
mod follow;
mod keeper;
mod lease;
mod ledger;
mod migrate;
mod moment;
mod open;
mod record;
mod registered;
mod requests;
mod restoring;
mod scans;
mod silence;
mod snapshot;
mod staged;
mod stamps;
mod statements;
mod told_scans;
mod verify;
mod words;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use moka::sync::Cache;
use tokio::{
    sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard},
    time::timeout,
};

use self::{
    feed::FeedWriter, feeds::Feeds, follow::Followed, ledger::Growths, moment::Moments, registered::Listed,
    requests::Requests, stamps::Stamps, statements::Statements,
};
pub use self::{
    migrate::{SCHEMA_VERSION, migrate},
    open::Access,
    restoring::Restoring,
};
use super::{
    Capture, Chunk, Claims, CodeSum, Error, Feed, FeedRow, Intake, Ledgers, Records, Report, Result, ScanSum, Scans,
    Slice, Verify, Writer, Writes,
};
use crate::{
    limits::{CQL_ATOMIC_BYTES_MAX, CQL_COPY_PAUSE_MS, CQL_SETTLED_AFTER_MS},
    registration::{Kind, Parent, Statement},
    trace::{Block, CaptureId, Entry, EventHash, OrganizationId, Place, Record, RecordId, Scope, Subject},
};

/// Locks for captures and claims by what they are for: of two calls on one thing in this process one waits.
struct Locks(Vec<Mutex<()>>);

impl Locks {
    /// Two things seldom share one.
    const COUNT: usize = 1_024;

    fn new() -> Self {
        Self((0..Self::COUNT).map(|_| Mutex::new(())).collect())
    }

    fn of(&self, what: impl Hash) -> Option<&Mutex<()>> {
        let mut hash = DefaultHasher::new();
        what.hash(&mut hash);
        self.0.get(usize::try_from(hash.finish() % Self::COUNT as u64).unwrap_or_default())
    }

    async fn take(&self, what: impl Hash) -> Option<MutexGuard<'_, ()>> {
        Some(self.of(what)?.lock().await)
    }

    /// The lock, if nobody has it.
    fn try_take(&self, what: impl Hash) -> Option<MutexGuard<'_, ()>> {
        self.of(what)?.try_lock().ok()
    }
}

/// The store in a keyspace.
pub struct CqlStore {
    cluster: Arc<Cluster>,
    /// Held by each write until it is answered, so that whoever closes it has waited for all.
    door: RwLock<Intake>,
    feed: FeedWriter,
    followed: Mutex<Followed>,
    /// Captures whose commit was begun here and did not end well: a row may name them.
    begun: Cache<CaptureId, ()>,
    locks: Arc<Locks>,
    /// Copies under way, of any server.
    copies: Arc<Moments>,
    /// Whether nobody keeps its feed any more.
    is_closed: AtomicBool,
}

/// The cluster, and what this server knows of what is there.
struct Cluster {
    requests: Requests,
    statements: Statements,
    stamps: Stamps,
    feeds: Feeds,
    growths: Growths,
    listed: Listed,
    /// Captures that are known to be finished.
    finished: Cache<CaptureId, ()>,
}

impl CqlStore {
    /// The name of this server: the first feed that it writes.
    pub fn writer(&self) -> Writer {
        self.feed.writer
    }

    /// Waits for every write that was let in, and closes this server's feed; writes are refused from then on, reads go on.
    pub async fn close(&self) {
        {
            let mut door = self.door.write().await;
            if *door == Intake::Open {
                *door = Intake::Paused;
            }
        }
        if !self.is_closed.swap(true, Ordering::AcqRel)
            && let Err(error) = self.feed.close(&self.cluster).await
        {
            tracing::warn!(%error, "this server's feed was not closed; another one does it, or the next start");
        }
    }

    /// The feeds that there are now, and that other servers may write.
    async fn feeds_of_others(&self) -> Result<Vec<Writer>> {
        self.cluster.writers().await?;
        Ok(self.cluster.feeds.open().into_iter().filter(|writer| !self.feed.is_own(*writer)).collect())
    }

    /// Lets a write in, until what is returned is dropped.
    async fn enter(&self) -> Result<RwLockReadGuard<'_, Intake>> {
        // Of a closed one the door says so.
        if !self.is_closed.load(Ordering::Acquire) {
            self.be_heard().await?;
        }
        // Twice as long as a copy may keep writes out: behind that the cluster does not say how far the copy is.
        let waited = timeout(Duration::from_millis(CQL_COPY_PAUSE_MS * 2), self.door.read()).await;
        let door = waited.map_err(|_| Error::Unavailable("writes wait for the moment of a copy".to_owned()))?;
        match *door {
            Intake::Open => Ok(door),
            Intake::Paused => Err(Error::Paused),
            Intake::Retired => Err(Error::Retired),
        }
    }
}

#[async_trait]
impl Records for CqlStore {
    async fn record(&self, id: RecordId) -> Result<Option<Record>> {
        self.cluster.record(id).await
    }
    async fn records_of_event(&self, event: EventHash, limit: usize) -> Result<Vec<RecordId>> {
        self.cluster.records_of_event(event, limit).await
    }
    async fn records_of_given_id(
        &self,
        organization: OrganizationId,
        given: &str,
        limit: usize,
    ) -> Result<Vec<RecordId>> {
        self.cluster.records_of_given_id(organization, given, limit).await
    }
    async fn statement(&self, kind: Kind, id: u64) -> Result<Option<Statement>> {
        self.cluster.statement(kind, id).await
    }
    async fn versions(&self, kind: Kind, id: u64, from: u32, limit: usize) -> Result<Vec<Statement>> {
        self.cluster.versions(kind, id, from, limit).await
    }
    async fn children(&self, parent: &Parent, kind: Kind, after: Option<u64>, limit: usize) -> Result<Vec<u64>> {
        self.cluster.children(parent, kind, after, limit).await
    }
}

#[async_trait]
impl Ledgers for CqlStore {
    async fn entries(&self, subject: &Subject, slice: Slice, after: Option<Place>, limit: usize) -> Result<Vec<Entry>> {
        self.cluster.entries(subject, slice, after, limit).await
    }
    async fn entry(&self, subject: &Subject, scope: &Scope, place: Place) -> Result<Option<Entry>> {
        self.cluster.entry(subject, scope, place).await
    }
}

#[async_trait]
impl Feed for CqlStore {
    fn atomic_bytes_max(&self) -> usize {
        CQL_ATOMIC_BYTES_MAX
    }
    async fn stage(&self, capture: CaptureId, chunk: u32, records: &[Record]) -> Result<()> {
        let _inside = self.enter().await?;
        self.stage_chunk(capture, chunk, records).await
    }
    async fn append(&self, capture: Capture, writes: Writes) -> Result<Capture> {
        let _inside = self.enter().await?;
        self.append_capture(capture, writes).await
    }
    async fn apply(&self, capture: CaptureId, chunk: u32, writes: Writes) -> Result<()> {
        let _inside = self.enter().await?;
        self.apply_chunk(capture, chunk, writes).await
    }
    async fn finish(&self, capture: CaptureId, finished_ms: i64) -> Result<()> {
        let _inside = self.enter().await?;
        self.finish_applied(capture, finished_ms).await
    }
    async fn capture(&self, id: CaptureId) -> Result<Option<Capture>> {
        let row = self.cluster.capture_row(id).await?.filter(capture::CaptureRow::is_committed);
        row.map(capture::CaptureRow::capture).transpose()
    }
    async fn chunk(&self, capture: CaptureId, chunk: u32) -> Result<Option<Chunk>> {
        self.cluster.chunk(capture, chunk).await
    }
    async fn unfinished(&self, limit: usize) -> Result<Vec<CaptureId>> {
        // What it finishes is written as any other thing.
        let _inside = self.door.read().await;
        let mut unfinished = self.follow(Duration::from_millis(CQL_SETTLED_AFTER_MS)).await?;
        unfinished.truncate(limit);
        Ok(unfinished)
    }
    async fn sweep(&self, before_ms: i64) -> Result<u64> {
        let _inside = self.enter().await?;
        self.sweep_staged(before_ms).await
    }
    fn is_shared(&self) -> bool {
        true
    }
    async fn writers(&self) -> Result<Vec<Writer>> {
        self.cluster.writers().await
    }
    async fn applied(&self, writer: Writer) -> Result<u64> {
        self.cluster.cursor(writer).await
    }
    async fn rows(&self, writer: Writer, position: u64, limit: usize) -> Result<Vec<FeedRow>> {
        self.cluster.rows(writer, position, limit).await
    }
}

#[async_trait]
impl Claims for CqlStore {
    async fn claim(&self, name: &str) -> Result<Option<Vec<u8>>> {
        // A read is a round of Paxos as a swap is: two from here would only make each other fail.
        let _lock = self.locks.take(name).await;
        self.cluster.claim(name).await
    }
    async fn swap(&self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool> {
        let _inside = self.enter().await?;
        let _lock = self.locks.take(name).await;
        self.note_before(name).await?;
        self.cluster.swap(name, expected, new).await
    }
}

#[async_trait]
impl Scans for CqlStore {
    async fn put_scans(&self, block: Block, writer: Writer, sums: &[(u16, ScanSum)]) -> Result<()> {
        let _inside = self.enter().await?;
        self.cluster.put_scans(block, writer, sums).await
    }
    async fn scans(&self, block: Block) -> Result<Vec<(Writer, Vec<(u16, ScanSum)>)>> {
        self.cluster.scans(block).await
    }
    async fn tell_scans(&self, writer: Writer, at_ms: i64, sums: &[CodeSum]) -> Result<()> {
        let _inside = self.enter().await?;
        self.cluster.tell_scans(writer, at_ms, sums).await
    }
    async fn told_scans(&self, from_ms: i64, until_ms: i64) -> Result<Vec<(Writer, Vec<CodeSum>)>> {
        self.cluster.told_scans(from_ms, until_ms).await
    }
}

#[async_trait]
impl Verify for CqlStore {
    async fn verify(&self) -> Result<Report> {
        self.cluster.verify().await
    }
    fn writable(&self) -> bool {
        // It is locked against reading only for a moment: of a copy, or while it is paused, retired or closed.
        self.door.try_read().map_or(true, |door| *door == Intake::Open)
    }
}
