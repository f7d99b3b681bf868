//! The embedded store: one folder, one process, one committer, over the LSM engine fjall.

mod commit;
mod copies;
mod draft;
mod encode;
mod folder;
mod head;
mod journal;
mod key;
mod marker;
mod read;
mod restoring;
mod snapshot;
#[cfg(test)]
mod spec;
mod tables;
mod value;
mod verify;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use async_trait::async_trait;

pub use self::restoring::Restoring;
use self::{
    commit::{Committer, Queue},
    draft::{Draft, Encoded},
    folder::Folder,
    tables::{Tables, View},
};
use super::{
    Capture, Chunk, Claims, CodeSum, Error, Feed, FeedRow, Intake, Ledgers, RETIRED_CLAIM, Records, Report, Result,
    ScanSum, Scans, Slice, Verify, Writer, Writes,
};
use crate::{
    limits,
    registration::{Kind, Parent, Statement},
    trace::{Block, CaptureId, Entry, EventHash, OrganizationId, Place, Record, RecordId, Scope, Subject},
};

/// The store in a folder. Reads go straight to the engine; writes go through the committer.
pub struct LocalStore {
    tables: Tables,
    /// Held by each write until it is answered, so that whoever closes it has waited for all.
    door: tokio::sync::RwLock<Door>,
    committer: Mutex<Option<JoinHandle<Committer>>>,
    /// Held as long as the engine is open.
    _folder: Folder,
}

/// Where writes are let in.
struct Door {
    /// `None` once closed.
    queue: Option<Queue>,
    intake: Intake,
}

impl LocalStore {
    /// Opens the store in `dir`, or makes one there. Blocks while the engine recovers: some seconds at most.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where another process has it open, the folder cannot be used, or a restore into it was not
    /// finished; [`Error::Corrupt`] where something that was answered is not there any more.
    pub fn open(dir: &Path) -> Result<Arc<Self>> {
        let folder = Folder::lock(dir)?;
        restoring::refuse_unfinished(dir)?;
        Self::open_folder(folder)
    }

    fn open_folder(folder: Folder) -> Result<Arc<Self>> {
        let (tables, head, newest) = folder.open()?;
        let retired = read::claim(&tables.view(), RETIRED_CLAIM)?.is_some();
        let intake = if retired { Intake::Retired } else { Intake::Open };
        let (queue, thread) = Committer::new(tables.clone(), head, newest)?.start()?;
        Ok(Arc::new(Self {
            tables,
            door: tokio::sync::RwLock::new(Door { queue: Some(queue), intake }),
            committer: Mutex::new(Some(thread)),
            _folder: folder,
        }))
    }

    /// Finishes what was accepted, flushes it and marks the stop as clean; reads go on, writes are refused.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the disk failed, now or before.
    pub async fn close(&self) -> Result<()> {
        drop(self.door.write().await.queue.take());
        let Some(thread) = self.committer.lock().ok().and_then(|mut thread| thread.take()) else { return Ok(()) };
        let closed = tokio::task::spawn_blocking(move || thread.join().map(|mut committer| committer.close())).await;
        closed.ok().and_then(std::result::Result::ok).unwrap_or_else(|| Err(stopped("the committer failed")))
    }

    /// Reads the whole store as it is at this moment and checks it: every hash, every key by itself, the counts
    /// and the feed's chain. Writes go on meanwhile. Blocks for as long as the disk takes.
    pub fn verify(&self) -> Report {
        verify::verify(&self.tables.view())
    }

    async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        decide: impl FnOnce(&mut Draft<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_or(bytes, None, decide).await
    }

    async fn write_or<T: Send + 'static>(
        &self,
        bytes: usize,
        ambiguous: Option<Error>,
        decide: impl FnOnce(&mut Draft<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let door = self.door.read().await;
        match (&door.queue, door.intake) {
            (None, _) => Err(stopped("the store is closed")),
            (_, Intake::Paused) => Err(Error::Paused),
            (_, Intake::Retired) => Err(Error::Retired),
            (Some(queue), Intake::Open) => queue.write(bytes, ambiguous, decide).await,
        }
    }

    /// A short read runs where it is called, a long one where it may block.
    async fn read<T: Send + 'static>(
        &self,
        items: usize,
        read: impl FnOnce(&View) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let view = self.tables.view();
        if items <= limits::READ_INLINE_ITEMS_MAX {
            return read(&view);
        }
        let read = tokio::task::spawn_blocking(move || read(&view));
        read.await.unwrap_or_else(|error| Err(stopped(&format!("a read: {error}"))))
    }
}

impl Drop for LocalStore {
    /// Lets the committer finish before the folder is unlocked.
    fn drop(&mut self) {
        self.door.get_mut().queue.take();
        if let Some(thread) = self.committer.get_mut().ok().and_then(Option::take) {
            let _ = thread.join();
        }
    }
}

fn stopped(why: &str) -> Error {
    Error::Unavailable(why.to_owned())
}

#[async_trait]
impl Records for LocalStore {
    async fn record(&self, id: RecordId) -> Result<Option<Record>> {
        read::record(&self.tables.view(), id)
    }
    async fn records_of_event(&self, event: EventHash, limit: usize) -> Result<Vec<RecordId>> {
        self.read(limit, move |view| read::records_of_event(view, event, limit)).await
    }
    async fn records_of_given_id(
        &self,
        organization: OrganizationId,
        given: &str,
        limit: usize,
    ) -> Result<Vec<RecordId>> {
        let given = given.to_owned();
        self.read(limit, move |view| read::records_of_given_id(view, organization, &given, limit)).await
    }
    async fn statement(&self, kind: Kind, id: u64) -> Result<Option<Statement>> {
        read::statement(&self.tables.view(), kind, id)
    }
    async fn versions(&self, kind: Kind, id: u64, from: u32, limit: usize) -> Result<Vec<Statement>> {
        self.read(limit, move |view| read::versions(view, kind, id, from, limit)).await
    }
    async fn children(&self, parent: &Parent, kind: Kind, after: Option<u64>, limit: usize) -> Result<Vec<u64>> {
        let parent = parent.clone();
        self.read(limit, move |view| read::children(view, &parent, kind, after, limit)).await
    }
}

#[async_trait]
impl Ledgers for LocalStore {
    async fn entries(&self, subject: &Subject, slice: Slice, after: Option<Place>, limit: usize) -> Result<Vec<Entry>> {
        let subject = subject.clone();
        // A whole block is read through however few entries are asked for.
        let items = if slice == Slice::Whole { usize::MAX } else { limit };
        self.read(items, move |view| read::entries(view, &subject, slice, after, limit)).await
    }
    async fn entry(&self, subject: &Subject, scope: &Scope, place: Place) -> Result<Option<Entry>> {
        read::entry(&self.tables.view(), subject, scope, place)
    }
}

#[async_trait]
impl Feed for LocalStore {
    fn atomic_bytes_max(&self) -> usize {
        limits::ATOMIC_BYTES_MAX
    }
    async fn stage(&self, capture: CaptureId, chunk: u32, records: &[Record]) -> Result<()> {
        let pairs = encode::staged(capture, chunk, records)?;
        let bytes = pairs.iter().map(|(key, sealed)| key.len() + sealed.len()).sum();
        self.write(bytes, move |draft| draft.stage(capture, pairs)).await
    }
    async fn append(&self, capture: Capture, writes: Writes) -> Result<Capture> {
        let (writes, bytes) = Encoded::new(&writes)?;
        self.write(bytes, move |draft| draft.append(&capture, writes)).await
    }
    async fn apply(&self, capture: CaptureId, chunk: u32, writes: Writes) -> Result<()> {
        let (writes, bytes) = Encoded::new(&writes)?;
        self.write(bytes, move |draft| draft.apply(capture, chunk, writes)).await
    }
    async fn finish(&self, capture: CaptureId, finished_ms: i64) -> Result<()> {
        self.write(0, move |draft| draft.finish(capture, finished_ms)).await
    }
    async fn capture(&self, id: CaptureId) -> Result<Option<Capture>> {
        read::capture(&self.tables.view(), id)
    }
    async fn chunk(&self, capture: CaptureId, chunk: u32) -> Result<Option<Chunk>> {
        read::chunk(&self.tables.view(), capture, chunk)
    }
    async fn unfinished(&self, limit: usize) -> Result<Vec<CaptureId>> {
        self.read(limit, move |view| read::unfinished(view, limit)).await
    }
    async fn sweep(&self, before_ms: i64) -> Result<u64> {
        let mut removed = 0;
        loop {
            let step = self.write(0, move |draft| draft.sweep(before_ms)).await?;
            removed += step as u64;
            if step < limits::SWEEP_CHUNKS_MAX {
                return Ok(removed);
            }
        }
    }
    fn is_shared(&self) -> bool {
        false
    }
    async fn writers(&self) -> Result<Vec<Writer>> {
        read::writers(&self.tables.view())
    }
    async fn applied(&self, writer: Writer) -> Result<u64> {
        self.read(1, move |view| read::applied(view, writer)).await
    }
    async fn rows(&self, writer: Writer, position: u64, limit: usize) -> Result<Vec<FeedRow>> {
        self.read(limit, move |view| read::rows(view, writer, position, limit)).await
    }
}

#[async_trait]
impl Verify for LocalStore {
    async fn verify(&self) -> Result<Report> {
        self.read(usize::MAX, |view| Ok(verify::verify(view))).await
    }
    fn writable(&self) -> bool {
        // It is locked against reading only while the store is being closed, paused or retired.
        let is_open = |door: &Door| door.intake == Intake::Open && door.queue.as_ref().is_some_and(Queue::is_open);
        self.door.try_read().is_ok_and(|door| is_open(&door))
    }
}

#[async_trait]
impl Claims for LocalStore {
    async fn claim(&self, name: &str) -> Result<Option<Vec<u8>>> {
        read::claim(&self.tables.view(), name)
    }
    async fn swap(&self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool> {
        if new.len() > limits::CLAIM_BYTES_MAX {
            return Err(Error::TooLarge { what: "a claim", found: new.len(), max: limits::CLAIM_BYTES_MAX });
        }
        let (name, expected, new) = (name.to_owned(), expected.map(<[u8]>::to_vec), new.to_vec());
        let ambiguous = Some(Error::Ambiguous(name.clone()));
        self.write_or(new.len(), ambiguous, move |draft| draft.swap(&name, expected.as_deref(), &new)).await
    }
}

/// What one code's scan sum takes in the store at most, key and value, in bytes.
const SCAN_BYTES: usize = 64 + (limits::SCAN_REGIONS_MAX + 1) * 20;

#[async_trait]
impl Scans for LocalStore {
    async fn put_scans(&self, block: Block, writer: Writer, sums: &[(u16, ScanSum)]) -> Result<()> {
        let sums = sums.to_vec();
        self.write(sums.len() * SCAN_BYTES, move |draft| {
            for (serial, sum) in sums {
                draft.put(key::scan(block, writer, serial), &sum)?;
            }
            Ok(())
        })
        .await
    }
    async fn scans(&self, block: Block) -> Result<Vec<(Writer, Vec<(u16, ScanSum)>)>> {
        self.read(usize::MAX, move |view| read::scans(view, block)).await
    }
    async fn tell_scans(&self, _: Writer, _: i64, _: &[CodeSum]) -> Result<()> {
        Ok(())
    }
    async fn told_scans(&self, _: i64, _: i64) -> Result<Vec<(Writer, Vec<CodeSum>)>> {
        Ok(Vec::new())
    }
}
