//! The committer: one thread that puts all that waits into one group, makes it durable, and then
//! answers. Nobody is answered before; a single writer waits for nobody.

use std::sync::Arc;

use fjall::PersistMode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{
    draft::{Draft, Group, Op},
    key,
    tables::Tables,
    value::{self, Digest32},
};
use crate::{
    limits,
    store::{Error, FeedRow, Result, Writer},
};

/// The embedded store is the only writer of its only feed.
pub const WRITER: Writer = Writer(0);

/// Says how a call ended: with what it decided, or with the error that stopped the group.
type Answer = Box<dyn FnOnce(Option<Error>) + Send>;
/// Decides, and says what to add to the group.
type Decide = Box<dyn FnOnce(&Group<'_>) -> (super::draft::Added, Answer) + Send>;

/// A call that waits for the committer.
struct Job {
    bytes: usize,
    decide: Decide,
    /// Held until the answer: what waits is bounded in bytes.
    _permit: OwnedSemaphorePermit,
}

/// Where calls are handed to the committer.
pub struct Queue {
    jobs: mpsc::Sender<Job>,
    waiting: Arc<Semaphore>,
}

impl Queue {
    /// Hands over a decision; returns what it decided once that is durable.
    pub async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
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
            let added = if decided.is_ok() { draft.added() } else { Default::default() };
            let send: Answer = Box::new(move |stopped| {
                let _ = answer.send(stopped.map_or(decided, Err));
            });
            (added, send)
        });
        self.jobs.send(Job { bytes, decide, _permit: permit }).await.map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }
}

/// The committer's own state.
pub struct Committer {
    tables: Tables,
    /// Position of the next row of the feed, and the digest of the row before.
    feed: (u64, [u8; 32]),
    stopped: Option<Error>,
}

impl Committer {
    /// Reads where the feed stands.
    pub fn new(tables: Tables) -> Result<Self> {
        let newest = tables.view().range(&[key::Table::Feed as u8], None, false).next_back().transpose()?;
        let feed = match newest {
            None => (0, [0; 32]),
            Some(item) => {
                let row = feed_row(&item)?;
                (row.position + 1, row.digest(WRITER))
            }
        };
        Ok(Self { tables, feed, stopped: None })
    }

    /// Starts the thread; it ends when the queue is dropped.
    pub fn start(mut self) -> Result<(Queue, std::thread::JoinHandle<()>)> {
        let (jobs, inbox) = mpsc::channel(limits::WRITES_WAITING_MAX);
        let waiting = Arc::new(Semaphore::new(limits::WRITES_WAITING_KIB_MAX as usize));
        let thread = std::thread::Builder::new()
            .name("store-commit".to_owned())
            .spawn(move || self.run(inbox))
            .map_err(|error| Error::Unavailable(format!("the committer's thread: {error}")))?;
        Ok((Queue { jobs, waiting }, thread))
    }

    fn run(&mut self, mut inbox: mpsc::Receiver<Job>) {
        while let Some(first) = inbox.blocking_recv() {
            let tables = self.tables.clone();
            let mut group = Group::new(&tables);
            let mut bytes = 0;
            let mut answers = Vec::new();
            let mut permits = Vec::new();
            let mut next = Some(first);
            while let Some(job) = next.take() {
                bytes += job.bytes;
                let ((ops, captures), answer) = (job.decide)(&group);
                group.ops.extend(ops);
                group.captures.extend(captures);
                answers.push(answer);
                permits.push(job._permit);
                if !group.is_full(bytes) {
                    next = inbox.try_recv().ok();
                }
            }
            let outcome = match &self.stopped {
                Some(stopped) => Err(stopped.clone()),
                None => self.commit(group),
            };
            if let Err(error) = &outcome {
                self.stopped.get_or_insert_with(|| error.clone());
            }
            answers.into_iter().for_each(|answer| answer(outcome.as_ref().err().cloned()));
        }
    }

    /// Makes a group durable as one batch.
    fn commit(&mut self, mut group: Group<'_>) -> Result<()> {
        if group.ops.is_empty() {
            return Ok(());
        }
        if !group.captures.is_empty() {
            let captures = std::mem::take(&mut group.captures);
            let row = FeedRow { position: self.feed.0, previous: self.feed.1, captures };
            let key = key::feed(row.position);
            let sealed = value::encode(&key, &(Digest32(row.previous), &row.captures))?;
            group.ops.insert(key, Op { sealed: Some(sealed), existed: false });
            self.feed = (row.position + 1, row.digest(WRITER));
        }
        let mut batch = self.tables.database.batch().durability(Some(PersistMode::SyncData));
        for (key, op) in group.ops {
            match op.sealed {
                Some(sealed) => batch.insert(&self.tables.keyspace, key, sealed),
                None => batch.remove(&self.tables.keyspace, key),
            }
        }
        batch.commit().map_err(|error| Error::Unavailable(format!("writing: {error}")))
    }
}

/// A row of the feed from its key and value.
pub fn feed_row(item: &super::tables::Item) -> Result<FeedRow> {
    let position = u64::from_be_bytes(item.tail()?);
    let (previous, captures): value::FeedRowValue = item.value()?;
    Ok(FeedRow { position, previous: previous.0, captures })
}
