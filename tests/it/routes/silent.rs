//! A store that falls silent when it is told to, or takes its time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use coldproof::{
    registration::{Kind, Parent, Statement},
    store::{
        Capture, Chunk, Claims, CodeSum, Copies, Error, Feed, FeedRow, Intake, Kept, Ledgers, Records, Report, Result,
        ScanSum, Scans, Slice, Snapshot, Store, Verify, Writer, Writes,
    },
    trace::{Block, CaptureId, Entry, EventHash, OrganizationId, Place, Record, RecordId, Scope, Subject},
};

/// What fails, shared with whoever holds a clone.
#[derive(Clone, Default)]
pub struct Silent {
    reads: Arc<AtomicBool>,
    writes: Arc<AtomicBool>,
    applying: Arc<AtomicBool>,
    shared: Arc<AtomicBool>,
    /// How long a round of reading takes, in milliseconds.
    round_ms: Arc<AtomicU64>,
}

impl Silent {
    pub fn over(self, inner: Arc<dyn Store>) -> SilentStore {
        SilentStore { inner, fails: self }
    }

    pub fn fail_reads(&self, fail: bool) {
        self.reads.store(fail, Ordering::Relaxed);
    }

    pub fn fail_writes(&self, fail: bool) {
        self.writes.store(fail, Ordering::Relaxed);
    }

    /// Lets each read take so long for every round of requests that a cluster needs for it.
    pub fn pace(&self, round_ms: u64) {
        self.round_ms.store(round_ms, Ordering::Relaxed);
    }

    async fn read(&self, rounds: u64) -> Result<()> {
        unless(&self.reads)?;
        let ms = rounds * self.round_ms.load(Ordering::Relaxed);
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        Ok(())
    }

    /// As if other servers wrote to it too.
    pub fn share(&self) {
        self.shared.store(true, Ordering::Relaxed);
    }

    /// As if the machine stopped behind the commit of a staged capture.
    pub fn fail_applying(&self, fail: bool) {
        self.applying.store(fail, Ordering::Relaxed);
    }
}

pub struct SilentStore {
    inner: Arc<dyn Store>,
    fails: Silent,
}

fn unless(fails: &AtomicBool) -> Result<()> {
    match fails.load(Ordering::Relaxed) {
        true => Err(Error::Unavailable("told to be silent".to_owned())),
        false => Ok(()),
    }
}

#[async_trait]
impl Records for SilentStore {
    async fn record(&self, id: RecordId) -> Result<Option<Record>> {
        self.fails.read(1).await?;
        self.inner.record(id).await
    }
    async fn records_of_event(&self, event: EventHash, limit: usize) -> Result<Vec<RecordId>> {
        unless(&self.fails.reads)?;
        self.inner.records_of_event(event, limit).await
    }
    async fn records_of_given_id(&self, of: OrganizationId, given: &str, limit: usize) -> Result<Vec<RecordId>> {
        unless(&self.fails.reads)?;
        self.inner.records_of_given_id(of, given, limit).await
    }
    async fn statement(&self, kind: Kind, id: u64) -> Result<Option<Statement>> {
        self.fails.read(1).await?;
        self.inner.statement(kind, id).await
    }
    async fn versions(&self, kind: Kind, id: u64, from: u32, limit: usize) -> Result<Vec<Statement>> {
        unless(&self.fails.reads)?;
        self.inner.versions(kind, id, from, limit).await
    }
    async fn children(&self, parent: &Parent, kind: Kind, after: Option<u64>, limit: usize) -> Result<Vec<u64>> {
        self.fails.read(1).await?;
        self.inner.children(parent, kind, after, limit).await
    }
}

#[async_trait]
impl Ledgers for SilentStore {
    async fn entries(&self, subject: &Subject, slice: Slice, after: Option<Place>, limit: usize) -> Result<Vec<Entry>> {
        self.fails.read(1).await?;
        self.inner.entries(subject, slice, after, limit).await
    }
    async fn entry(&self, subject: &Subject, scope: &Scope, place: Place) -> Result<Option<Entry>> {
        unless(&self.fails.reads)?;
        self.inner.entry(subject, scope, place).await
    }
}

#[async_trait]
impl Feed for SilentStore {
    fn atomic_bytes_max(&self) -> usize {
        self.inner.atomic_bytes_max()
    }
    async fn stage(&self, capture: CaptureId, chunk: u32, records: &[Record]) -> Result<()> {
        unless(&self.fails.writes)?;
        self.inner.stage(capture, chunk, records).await
    }
    async fn append(&self, capture: Capture, writes: Writes) -> Result<Capture> {
        unless(&self.fails.writes)?;
        self.inner.append(capture, writes).await
    }
    async fn apply(&self, capture: CaptureId, chunk: u32, writes: Writes) -> Result<()> {
        // The first chunk goes through, so that the stop lies between two of them.
        if chunk > 0 {
            unless(&self.fails.applying)?;
        }
        self.inner.apply(capture, chunk, writes).await
    }
    async fn finish(&self, capture: CaptureId, finished_ms: i64) -> Result<()> {
        unless(&self.fails.applying)?;
        self.inner.finish(capture, finished_ms).await
    }
    async fn capture(&self, id: CaptureId) -> Result<Option<Capture>> {
        unless(&self.fails.reads)?;
        self.inner.capture(id).await
    }
    async fn chunk(&self, capture: CaptureId, chunk: u32) -> Result<Option<Chunk>> {
        self.inner.chunk(capture, chunk).await
    }
    async fn unfinished(&self, limit: usize) -> Result<Vec<CaptureId>> {
        self.inner.unfinished(limit).await
    }
    async fn sweep(&self, before_ms: i64) -> Result<u64> {
        self.inner.sweep(before_ms).await
    }
    fn is_shared(&self) -> bool {
        self.fails.shared.load(Ordering::Relaxed) || self.inner.is_shared()
    }
    async fn writers(&self) -> Result<Vec<Writer>> {
        unless(&self.fails.reads)?;
        self.inner.writers().await
    }
    async fn applied(&self, writer: Writer) -> Result<u64> {
        self.inner.applied(writer).await
    }
    async fn rows(&self, writer: Writer, position: u64, limit: usize) -> Result<Vec<FeedRow>> {
        self.inner.rows(writer, position, limit).await
    }
}

#[async_trait]
impl Claims for SilentStore {
    async fn claim(&self, name: &str) -> Result<Option<Vec<u8>>> {
        unless(&self.fails.reads)?;
        self.inner.claim(name).await
    }
    async fn swap(&self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool> {
        unless(&self.fails.writes)?;
        self.inner.swap(name, expected, new).await
    }
}

#[async_trait]
impl Scans for SilentStore {
    async fn put_scans(&self, block: Block, writer: Writer, sums: &[(u16, ScanSum)]) -> Result<()> {
        unless(&self.fails.writes)?;
        self.inner.put_scans(block, writer, sums).await
    }
    async fn scans(&self, block: Block) -> Result<Vec<(Writer, Vec<(u16, ScanSum)>)>> {
        // Who counted, then what.
        self.fails.read(2).await?;
        self.inner.scans(block).await
    }
    async fn tell_scans(&self, writer: Writer, at_ms: i64, sums: &[CodeSum]) -> Result<()> {
        self.inner.tell_scans(writer, at_ms, sums).await
    }
    async fn told_scans(&self, from_ms: i64, until_ms: i64) -> Result<Vec<(Writer, Vec<CodeSum>)>> {
        self.inner.told_scans(from_ms, until_ms).await
    }
}

#[async_trait]
impl Verify for SilentStore {
    async fn verify(&self) -> Result<Report> {
        self.inner.verify().await
    }
    fn writable(&self) -> bool {
        self.inner.writable()
    }
}

#[async_trait]
impl Copies for SilentStore {
    async fn snapshot(&self) -> Result<Snapshot> {
        unless(&self.fails.reads)?;
        self.inner.snapshot().await
    }
    async fn load(&self, things: Vec<Kept>) -> Result<()> {
        unless(&self.fails.writes)?;
        self.inner.load(things).await
    }
    async fn set_intake(&self, intake: Intake) -> Result<()> {
        self.inner.set_intake(intake).await
    }
}
