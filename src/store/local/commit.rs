//! The committer: one thread that puts all that waits into one group, makes it durable, and then
//! answers. Nobody is answered before; a single writer waits for nobody.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use fjall::PersistMode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{
    draft::{Added, Draft, Group, Op},
    head::Head,
    key::{self, Table},
    marker::Marker,
    tables::Tables,
    value::{self, Digest32},
};
use crate::{
    limits,
    store::{Error, FeedRow, Result, Writer},
};

/// The embedded store is the only writer of its only feed.
pub const WRITER: Writer = Writer(0);

/// Parts in memory that may wait to be flushed before the committer waits: the engine itself would wait at four.
const SEALED_PARTS_MAX: usize = 2;
/// Flushed tables that may wait to be compacted before the committer waits: the engine itself would wait at twenty.
const YOUNG_TABLES_MAX: usize = 18;

/// Why a group was not committed.
enum Failure {
    /// Nothing of it was written.
    Before(Error),
    /// It may have been written.
    Writing(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Before(error)
    }
}

/// Says how a call ended: with what it decided, or with what stopped the group.
type Answer = Box<dyn FnOnce(Option<&Failure>) + Send>;
/// Decides, and says what to add to the group.
type Decide = Box<dyn FnOnce(&Group<'_>) -> (Option<Added>, Answer) + Send>;

/// A call that waits for the committer.
struct Job {
    bytes: usize,
    decide: Decide,
    /// Held until the answer: what waits is bounded in bytes.
    permit: OwnedSemaphorePermit,
}

/// Where calls are handed to the committer.
pub struct Queue {
    jobs: mpsc::Sender<Job>,
    waiting: Arc<Semaphore>,
    stopped: Arc<AtomicBool>,
}

impl Queue {
    /// Whether the committer runs and no write has failed.
    pub fn is_open(&self) -> bool {
        !self.jobs.is_closed() && !self.stopped.load(Ordering::Acquire)
    }

    /// Hands over a decision; returns what it decided once that is durable.
    ///
    /// `ambiguous` is the error where the write failed half-way and the caller must be told that it may have taken effect.
    pub async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        ambiguous: Option<Error>,
        decide: impl FnOnce(&mut Draft<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if bytes > limits::WRITE_BYTES_MAX {
            return Err(Error::TooLarge { what: "a write", found: bytes, max: limits::WRITE_BYTES_MAX });
        }
        let closed = || Error::Unavailable("the store is closed".to_owned());
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).min(limits::WRITES_WAITING_KIB_MAX);
        let permit = Arc::clone(&self.waiting).acquire_many_owned(kib).await.map_err(|_| closed())?;
        let (answer, outcome) = oneshot::channel();
        let decide: Decide = Box::new(move |group| {
            let mut draft = Draft::new(group);
            let decided = decide(&mut draft);
            let added = decided.is_ok().then(|| draft.added());
            let send: Answer = Box::new(move |failure| {
                let outcome = match failure {
                    None => decided,
                    Some(Failure::Before(error)) => Err(error.clone()),
                    Some(Failure::Writing(error)) => Err(ambiguous.unwrap_or_else(|| error.clone())),
                };
                // A caller that has gone away needs no answer.
                let _ = answer.send(outcome);
            });
            (added, send)
        });
        self.jobs.send(Job { bytes, decide, permit }).await.map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }
}

/// The committer's own state.
pub struct Committer {
    tables: Tables,
    head: Head,
    /// The newest marker and its digest.
    newest: (Marker, [u8; 32]),
    /// Position of the next row of the feed, and the digest of the row before.
    feed: (u64, [u8; 32]),
    /// Groups after which a flush was asked for, ascending; the engine flushes in this order.
    rotations: VecDeque<u64>,
    stopped: Option<Error>,
}

impl Committer {
    /// Takes over where the checked chain ends.
    pub fn new(tables: Tables, mut head: Head, mut newest: (Marker, [u8; 32])) -> Result<Self> {
        let row = tables.view().range(&[Table::Feed as u8], None, false).next_back().transpose()?;
        let feed = match row.as_ref().map(feed_row).transpose()? {
            None => (0, [0; 32]),
            Some(row) => (row.position + 1, row.digest(WRITER)),
        };
        if newest.0.counts.get(Table::Feed.index()) != Some(&feed.0) {
            let found = format!("the newest row is not the one of group {}", newest.0.number);
            return Err(Error::Corrupt { table: Table::Feed.name(), key: feed.0.to_string(), found });
        }
        if head.mark().clean {
            newest.0.flushed = newest.0.number;
        }
        // From here on the store is open, and stays marked so if it is killed.
        let stopped = head.write(newest.0.number, newest.1, false).err();
        Ok(Self { tables, head, newest, feed, rotations: VecDeque::new(), stopped })
    }

    /// Starts the thread; it ends when the queue is dropped, and gives itself back.
    pub fn start(mut self) -> Result<(Queue, JoinHandle<Self>)> {
        let (jobs, inbox) = mpsc::channel(limits::WRITES_WAITING_MAX);
        let waiting = Arc::new(Semaphore::new(limits::WRITES_WAITING_KIB_MAX as usize));
        let stopped = Arc::new(AtomicBool::new(self.stopped.is_some()));
        let stops = Arc::clone(&stopped);
        let thread = std::thread::Builder::new().name("store-commit".to_owned());
        let thread = thread.spawn(move || {
            self.run(inbox, &stops);
            self
        });
        let thread = thread.map_err(|error| Error::Unavailable(format!("the committer's thread: {error}")))?;
        Ok((Queue { jobs, waiting, stopped }, thread))
    }

    fn run(&mut self, mut inbox: mpsc::Receiver<Job>, stopped: &AtomicBool) {
        while let Some(first) = inbox.blocking_recv() {
            let tables = self.tables.clone();
            let mut group = Group::new(&tables);
            let (mut bytes, mut answers, mut permits) = (0, Vec::new(), Vec::new());
            let mut next = Some(first);
            while let Some(job) = next.take() {
                bytes += job.bytes;
                let (added, answer) = (job.decide)(&group);
                if let Some(added) = added {
                    group.add(added);
                }
                answers.push(answer);
                permits.push(job.permit);
                if !group.is_full(bytes) {
                    next = inbox.try_recv().ok();
                }
            }
            let outcome = self.stopped.clone().map_or_else(|| self.commit(group), |stopped| Err(stopped.into()));
            if let Err(Failure::Writing(error) | Failure::Before(error)) = &outcome {
                self.stopped.get_or_insert_with(|| error.clone());
                stopped.store(true, Ordering::Release);
            }
            answers.into_iter().for_each(|answer| answer(outcome.as_ref().err()));
        }
    }

    /// Makes a group durable as one batch, then says so in the head.
    fn commit(&mut self, mut group: Group<'_>) -> std::result::Result<(), Failure> {
        if group.ops.is_empty() {
            return Ok(());
        }
        let sealed = self.wait_for_engine()?;
        if let Some(row) = group.loaded.take() {
            self.feed = (row.position + 1, row.digest(WRITER));
        }
        let row = (!group.captures.is_empty()).then(|| FeedRow {
            position: self.feed.0,
            previous: self.feed.1,
            captures: std::mem::take(&mut group.captures),
        });
        if let Some(row) = &row {
            let key = key::feed_row(WRITER, row.position);
            let sealed = value::encode(&key, &(Digest32(row.previous), &row.captures))?;
            group.ops.insert(key, Op { sealed: Some(sealed), existed: false });
        }
        let mut ops: Vec<_> = group.ops.into_iter().collect();
        ops.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let marker = self.newest.0.next(self.newest.1, &ops, self.flushed(sealed));
        let digest = self.write(ops, &marker).map_err(Failure::Writing)?;
        self.newest = (marker, digest);
        if let Some(row) = row {
            self.feed = (row.position + 1, row.digest(WRITER));
        }
        self.rotate().map_err(Failure::Writing)
    }

    /// The durable part of a commit.
    fn write(&mut self, ops: Vec<(Vec<u8>, Op)>, marker: &Marker) -> Result<[u8; 32]> {
        let (key, sealed, digest) = marker.sealed()?;
        let mut batch = self.tables.database.batch().durability(Some(PersistMode::SyncData));
        for (key, op) in ops {
            match op.sealed {
                Some(sealed) => batch.insert(&self.tables.keyspace, key, sealed),
                None => batch.remove(&self.tables.keyspace, key),
            }
        }
        batch.insert(&self.tables.keyspace, key, sealed);
        if let Some(old) = marker.number.checked_sub(limits::MARKERS_KEPT).filter(|old| *old > 0) {
            batch.remove(&self.tables.keyspace, key::marker(old));
        }
        batch.commit().map_err(|error| Error::Unavailable(format!("writing group {}: {error}", marker.number)))?;
        self.head.write(marker.number, digest, false)?;
        Ok(digest)
    }

    /// Waits while the engine flushes and compacts; says how many parts wait to be flushed.
    ///
    /// The engine itself would wait inside a commit, and for ever if its threads have failed (a full disk).
    fn wait_for_engine(&self) -> Result<u64> {
        loop {
            let failed = |error| Error::Unavailable(format!("the engine has failed: {error}"));
            self.tables.database.persist(PersistMode::Buffer).map_err(failed)?;
            let sealed = self.tables.keyspace.sealed_memtable_count();
            if sealed < SEALED_PARTS_MAX && self.tables.keyspace.l0_table_count() < YOUNG_TABLES_MAX {
                return Ok(sealed as u64);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The last group of which it is known that it has left the journal, with so many parts still to flush.
    fn flushed(&self, sealed: u64) -> u64 {
        let done = self.rotations.len().checked_sub(1 + usize::try_from(sealed).unwrap_or(usize::MAX));
        let flushed = done.and_then(|at| self.rotations.get(at)).copied().unwrap_or(0);
        flushed.max(self.newest.0.flushed)
    }

    /// Has the engine flush after so many groups: the unflushed ones must be among those whose markers are kept.
    fn rotate(&mut self) -> Result<()> {
        let number = self.newest.0.number;
        let last = self.rotations.back().copied().unwrap_or(0).max(self.newest.0.flushed);
        if number - last < limits::GROUPS_UNFLUSHED_MAX {
            return Ok(());
        }
        self.tables.keyspace.rotate_memtable().map_err(|error| Error::Unavailable(format!("flushing: {error}")))?;
        self.rotations.push_back(number);
        while self.rotations.len() > 2 + SEALED_PARTS_MAX {
            self.rotations.pop_front();
        }
        Ok(())
    }

    /// Flushes everything and marks the store as closed.
    pub fn close(&mut self) -> Result<()> {
        if let Some(stopped) = &self.stopped {
            return Err(stopped.clone());
        }
        self.tables.keyspace.rotate_memtable().map_err(|error| Error::Unavailable(format!("flushing: {error}")))?;
        while self.tables.keyspace.sealed_memtable_count() > 0 {
            let failed = |error| Error::Unavailable(format!("the engine has failed: {error}"));
            self.tables.database.persist(PersistMode::Buffer).map_err(failed)?;
            std::thread::sleep(Duration::from_millis(1));
        }
        self.head.write(self.newest.0.number, self.newest.1, true)
    }
}

/// A row of the feed from its key and value.
pub fn feed_row(item: &super::tables::Item) -> Result<FeedRow> {
    let position = u64::from_be_bytes(item.tail()?);
    let (previous, captures): value::FeedRowValue = item.value()?;
    Ok(FeedRow { position, previous: previous.0, captures })
}
