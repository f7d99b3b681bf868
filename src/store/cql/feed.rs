//! This server's feed: one row in flight, so that it is dense, and what waits meanwhile shares the next one.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use scylla::{DeserializeRow, value::CqlTimestamp};
use tokio::sync::oneshot;

use super::{
    Cluster,
    record::limit_of,
    requests::SwapError,
    stamps::now_us,
    words::{corrupt, digest, hex},
};
use crate::{
    limits::{CQL_FEED_PARTITION_ROWS, FEED_ROW_CAPTURES_MAX},
    store::{Error, FeedHead, FeedRow, Result, Writer},
    trace::CaptureId,
};

const TABLE: &str = "feed_rows";

/// A capture that is to be committed.
struct Waiting {
    capture: CaptureId,
    records: u32,
    answer: oneshot::Sender<Result<()>>,
}

/// The feed that this server writes.
pub struct FeedWriter {
    pub writer: Writer,
    queue: Mutex<VecDeque<Waiting>>,
    end: tokio::sync::Mutex<End>,
}

/// Where the feed ends.
#[derive(Default)]
struct End {
    /// Position of the next row, and the digest of the row before.
    next: u64,
    previous: [u8; 32],
    /// A row of which it is not known whether it is there. Nothing follows it before it is.
    unsure: Option<FeedRow>,
}

impl End {
    fn pass(&mut self, row: &FeedRow, writer: Writer) {
        (self.next, self.previous) = (row.position + 1, row.digest(writer));
    }
}

impl FeedWriter {
    pub fn new(writer: Writer) -> Self {
        Self { writer, queue: Mutex::default(), end: tokio::sync::Mutex::default() }
    }

    /// Commits a capture: a row that names it is durable on return. Whoever comes first writes for all who wait.
    ///
    /// # Errors
    /// Where the cluster did not take the row; it may have landed, and is written again before any other.
    pub async fn commit(&self, cluster: &Cluster, capture: CaptureId, records: u32) -> Result<()> {
        let (answer, mut outcome) = oneshot::channel();
        self.queue().push_back(Waiting { capture, records, answer });
        let mut end = self.end.lock().await;
        loop {
            match outcome.try_recv() {
                Ok(outcome) => return outcome,
                Err(oneshot::error::TryRecvError::Closed) => {
                    return Err(Error::Unavailable("the commit was broken off".to_owned()));
                }
                Err(oneshot::error::TryRecvError::Empty) => self.write(cluster, &mut end).await,
            }
        }
    }

    /// Whether a row that may have landed names the capture.
    pub async fn may_name(&self, capture: CaptureId) -> bool {
        self.end.lock().await.unsure.as_ref().is_some_and(|row| names(row).any(|id| id == capture))
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the next row and answers those who waited for it.
    async fn write(&self, cluster: &Cluster, end: &mut End) {
        let settled = self.settle(cluster, end).await;
        let waiting: Vec<_> = {
            let mut queue = self.queue();
            let many = queue.len().min(FEED_ROW_CAPTURES_MAX);
            queue.drain(..many).collect()
        };
        let named = match settled {
            Ok(named) => named,
            Err(error) => return answer(waiting, &Err(error)),
        };
        let (there, new): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|one| named.contains(&one.capture));
        answer(there, &Ok(()));
        if new.is_empty() {
            return;
        }
        let captures = new.iter().map(|one| (one.capture, one.records)).collect();
        let row = FeedRow { position: end.next, previous: end.previous, captures };
        // Before it is sent: this future may be dropped while it is on its way.
        end.unsure = Some(row.clone());
        let written = cluster.put_row(self.writer, &row).await;
        if written.is_ok() {
            end.unsure = None;
            end.pass(&row, self.writer);
        }
        answer(new, &written);
    }

    /// Writes the row again of which it is not known whether it is there; what it names.
    async fn settle(&self, cluster: &Cluster, end: &mut End) -> Result<HashSet<CaptureId>> {
        let Some(row) = end.unsure.clone() else { return Ok(HashSet::new()) };
        cluster.put_row(self.writer, &row).await?;
        end.unsure = None;
        end.pass(&row, self.writer);
        Ok(names(&row).collect())
    }

    /// Puts a row of another store where it follows the rows that are there.
    pub async fn load(&self, cluster: &Cluster, writer: Writer, row: &FeedRow) -> Result<()> {
        let odd =
            || corrupt(TABLE, format!("{}/{}", writer.0, row.position), "it does not follow the rows that are there");
        if writer == self.writer {
            let mut end = self.end.lock().await;
            self.settle(cluster, &mut end).await?;
            if (row.position, row.previous) != (end.next, end.previous) {
                return Err(odd());
            }
            cluster.put_row(writer, row).await?;
            end.pass(row, writer);
            return Ok(());
        }
        let before = row.position.saturating_sub(1);
        let there = cluster.rows(writer, before, 2).await?;
        let follows = match there.last() {
            None => row.position == 0,
            Some(last) => last.position + 1 == row.position && last.digest(writer) == row.previous,
        };
        if !follows {
            return Err(odd());
        }
        if row.position == 0 {
            cluster.add_feed(writer).await?;
        }
        cluster.put_row(writer, row).await
    }
}

fn names(row: &FeedRow) -> impl Iterator<Item = CaptureId> {
    row.captures.iter().map(|(id, _)| *id)
}

fn answer(waiting: Vec<Waiting>, outcome: &Result<()>) {
    for one in waiting {
        // A caller that has gone away needs no answer.
        let _ = one.answer.send(outcome.clone());
    }
}

#[derive(DeserializeRow)]
struct Row {
    position: i64,
    previous: Vec<u8>,
    captures: Vec<(Vec<u8>, i32)>,
}

impl Cluster {
    async fn put_row(&self, writer: Writer, row: &FeedRow) -> Result<()> {
        let captures: Vec<_> =
            row.captures.iter().map(|(id, records)| (id.0.as_slice(), records.cast_signed())).collect();
        let bucket = row.position / CQL_FEED_PARTITION_ROWS;
        let values = (
            writer.0.cast_signed(),
            bucket.cast_signed(),
            row.position.cast_signed(),
            row.previous.as_slice(),
            captures,
        );
        self.requests.write(&self.statements.put_row, self.stamps.stays(), values).await
    }

    /// Rows of a feed from a position on, without a gap.
    pub async fn rows(&self, writer: Writer, position: u64, limit: usize) -> Result<Vec<FeedRow>> {
        let mut rows: Vec<FeedRow> = Vec::new();
        let mut next = position;
        while rows.len() < limit {
            let bucket = next / CQL_FEED_PARTITION_ROWS;
            let at = (TABLE, format!("{}/{bucket}", writer.0));
            let left = limit_of(limit - rows.len());
            let values = (writer.0.cast_signed(), bucket.cast_signed(), next.cast_signed(), left);
            let page = self.requests.list::<Row>(&self.statements.rows, values, at).await?;
            let before = rows.len();
            for row in page {
                let row = feed_row(writer, row)?;
                if row.position != next {
                    return Ok(rows);
                }
                next += 1;
                rows.push(row);
            }
            if rows.len() == before || next / CQL_FEED_PARTITION_ROWS == bucket {
                break;
            }
        }
        Ok(rows)
    }

    /// Where a feed ends.
    pub async fn feed_head(&self, writer: Writer) -> Result<FeedHead> {
        let applied = self.cursor(writer).await?;
        let mut bucket = applied.saturating_sub(1) / CQL_FEED_PARTITION_ROWS;
        let mut head = FeedHead { writer, rows: 0, digest: [0; 32] };
        loop {
            let at = (TABLE, format!("{}/{bucket}", writer.0));
            let values = (writer.0.cast_signed(), bucket.cast_signed());
            let Some(row) = self.requests.one::<Row>(&self.statements.last_row, values, at).await? else {
                return Ok(head);
            };
            let row = feed_row(writer, row)?;
            head = FeedHead { writer, rows: row.position + 1, digest: row.digest(writer) };
            bucket += 1;
        }
    }

    /// Up to which position everything of a feed is applied.
    pub async fn cursor(&self, writer: Writer) -> Result<u64> {
        let (at, values) = (("feed_cursors", writer.0), (writer.0.cast_signed(),));
        let row = self.requests.one::<(i64,)>(&self.statements.cursor, values, at).await?;
        Ok(row.map_or(0, |(position,)| position.cast_unsigned()))
    }

    /// The feeds there are, in the order in which they were opened.
    pub async fn writers(&self) -> Result<Vec<Writer>> {
        let rows = self.requests.list::<(i64,)>(&self.statements.feeds, (), ("feeds", 0)).await?;
        Ok(rows.into_iter().map(|(writer,)| Writer(writer.cast_unsigned())).collect())
    }

    /// Opens a feed that nobody has opened before.
    pub async fn open_feed(&self) -> Result<Writer> {
        let mut next = self.writers().await?.last().map_or(0, |last| last.0 + 1);
        loop {
            match self.add_feed(Writer(next)).await? {
                Some(true) => return Ok(Writer(next)),
                // Somebody else's, or of nobody: an empty feed harms nobody.
                Some(false) | None => next += 1,
            }
        }
    }

    /// Names a feed; whether it was this call that did, `None` where that is not known.
    async fn add_feed(&self, writer: Writer) -> Result<Option<bool>> {
        let values = (writer.0.cast_signed(), CqlTimestamp(now_us() / 1_000));
        match self.requests.swap(&self.statements.add_feed, values).await {
            Ok(added) => Ok(Some(added)),
            Err(SwapError::Unknown(_)) => Ok(None),
            Err(SwapError::Failed(error)) => Err(error),
        }
    }
}

fn feed_row(writer: Writer, row: Row) -> Result<FeedRow> {
    let key = format!("{}/{}", writer.0, row.position);
    let id = |(id, records): &(Vec<u8>, i32)| {
        Ok((CaptureId(digest(TABLE, &key, "a capture", id)?), records.cast_unsigned()))
    };
    Ok(FeedRow {
        position: row.position.cast_unsigned(),
        previous: digest(TABLE, &key, "previous", &row.previous)?,
        captures: row.captures.iter().map(id).collect::<Result<_>>()?,
    })
}

/// A capture's id from its column.
pub fn capture_id(table: &'static str, bytes: &[u8]) -> Result<CaptureId> {
    Ok(CaptureId(digest(table, hex(bytes), "capture", bytes)?))
}
