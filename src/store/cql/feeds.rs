//! The feeds that there are, and their rows.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use scylla::{DeserializeRow, value::CqlTimestamp};

use super::{
    Cluster,
    lease::Holding,
    record::limit_of,
    requests::SwapError,
    stamps::now_us,
    words::{corrupt, digest, hex},
};
use crate::{
    limits::CQL_FEED_PARTITION_ROWS,
    store::{Error, FeedHead, FeedRow, Result, Writer},
    trace::CaptureId,
};

pub const TABLE: &str = "feed_rows";

/// The feeds that this server knows of: of those that are closed, how many rows they have. That never changes.
#[derive(Default)]
pub struct Feeds(Mutex<BTreeMap<Writer, Known>>);

#[derive(Clone, Copy, Default)]
enum Known {
    #[default]
    Open,
    /// Of another store, from which this server is putting rows.
    Loading,
    Closed {
        rows: u64,
    },
}

impl Feeds {
    fn known(&self) -> MutexGuard<'_, BTreeMap<Writer, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, writer: Writer) {
        self.known().entry(writer).or_default();
    }

    /// Notes that a feed comes from another store: nobody writes it, and it is not closed before all of it is there.
    pub fn load(&self, writer: Writer) {
        self.known().insert(writer, Known::Loading);
    }

    /// Notes that a feed is closed, and has so many rows.
    pub fn close(&self, writer: Writer, rows: u64) {
        self.known().insert(writer, Known::Closed { rows });
    }

    /// How many rows a closed feed has; `None` for one that may be written still.
    pub fn rows_of_closed(&self, writer: Writer) -> Option<u64> {
        match self.known().get(&writer) {
            Some(Known::Closed { rows }) => Some(*rows),
            _ => None,
        }
    }

    /// The feeds that some server may write, as far as it is known.
    pub fn open(&self) -> Vec<Writer> {
        let is_open = |(writer, known): (&Writer, &Known)| matches!(known, Known::Open).then_some(*writer);
        self.known().iter().filter_map(is_open).collect()
    }
}

#[derive(DeserializeRow)]
struct Row {
    position: i64,
    previous: Vec<u8>,
    captures: Vec<(Vec<u8>, i32)>,
}

impl Cluster {
    pub async fn put_row(&self, writer: Writer, row: &FeedRow) -> Result<()> {
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

    /// Rows of a feed from a position on, without a gap; of one that is known to be closed those that count.
    pub async fn rows(&self, writer: Writer, position: u64, limit: usize) -> Result<Vec<FeedRow>> {
        let end = self.feeds.rows_of_closed(writer).unwrap_or(u64::MAX);
        let left = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
        let limit = limit.min(left);
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
        if let Some(rows) = self.feeds.rows_of_closed(writer) {
            let last = match rows.checked_sub(1) {
                Some(last) => self.rows(writer, last, 1).await?.pop(),
                None => None,
            };
            return Ok(FeedHead { writer, rows, digest: last.map_or([0; 32], |row| row.digest(writer)) });
        }
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

    /// The feeds there are, in the order in which they were opened. Numbers only ascend, so that those behind the last one
    /// are asked for alone.
    pub async fn writers(&self) -> Result<Vec<Writer>> {
        let last = self.feeds.known().last_key_value().map_or(-1, |(last, _)| last.0.cast_signed());
        let rows = self.requests.list::<(i64,)>(&self.statements.feeds, (last,), ("feeds", last)).await?;
        let mut known = self.feeds.known();
        for (writer,) in rows {
            known.entry(Writer(writer.cast_unsigned())).or_default();
        }
        Ok(known.keys().copied().collect())
    }

    /// Reads which feeds there are, and which of them are closed: once, when the store is opened.
    pub async fn load_feeds(&self) -> Result<()> {
        // All of them first: behind this only those behind the last one are asked for.
        self.writers().await?;
        for (writer, rows) in self.requests.list::<(i64, i64)>(&self.statements.closed, (), ("closed_feeds", 0)).await?
        {
            self.feeds.close(Writer(writer.cast_unsigned()), rows.cast_unsigned());
        }
        Ok(())
    }

    /// Notes beside its claim that a feed is closed, so that a start finds all of them in one place.
    pub async fn note_closed(&self, writer: Writer, rows: u64) -> Result<()> {
        self.feeds.close(writer, rows);
        let values = (writer.0.cast_signed(), rows.cast_signed());
        self.requests.write(&self.statements.put_closed, self.stamps.stays(), values).await
    }

    /// Opens a feed that nobody has opened before.
    pub async fn open_feed(&self) -> Result<Holding> {
        let mut next = self.writers().await?.last().map_or(0, |last| last.0 + 1);
        loop {
            // Where it is somebody else's, or of nobody: an empty feed harms nobody.
            if self.add_feed(Writer(next)).await? == Some(true)
                && let Some(holding) = Holding::take(self, Writer(next)).await?
            {
                return Ok(holding);
            }
            next += 1;
        }
    }

    /// Names a feed; whether it was this call that did, `None` where that is not known.
    pub async fn add_feed(&self, writer: Writer) -> Result<Option<bool>> {
        let values = (writer.0.cast_signed(), CqlTimestamp(now_us() / 1_000));
        match self.requests.swap(&self.statements.add_feed, values).await {
            Ok(added) => {
                self.feeds.add(writer);
                Ok(Some(added))
            }
            Err(SwapError::Unknown(_)) => {
                // It may be another's.
                self.feeds.add(writer);
                Ok(None)
            }
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

/// A row that does not follow those that are there.
pub fn odd(writer: Writer, row: &FeedRow) -> Error {
    corrupt(TABLE, format!("{}/{}", writer.0, row.position), "it does not follow the rows that are there")
}
