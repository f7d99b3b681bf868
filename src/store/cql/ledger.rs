//! Ledgers over buckets that grow in number with what is in them.
//!
//! A ledger begins as one partition. Where that gets full its subject opens a next level of buckets, over which entries
//! are spread by their record ids. Levels only ever open. An entry that is put again after that lies twice: of two with
//! one place the one of the lower level came first, and holds.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use moka::sync::Cache;
use scylla::value::CqlTimestamp;

use super::{
    Cluster,
    entry::{EntryRow, NewEntry, TABLE, cluster},
    record::limit_of,
    words,
};
use crate::{
    limits::{
        CQL_LEDGER_BUCKET_ROWS, CQL_LEDGER_FAN_OUT, CQL_LEDGER_LEVEL_MAX, CQL_LEDGER_RECOUNT_ROWS,
        CQL_LEDGER_UNCOUNTED_ROWS, CQL_LEDGERS_KNOWN_MAX, CQL_ROWS_AT_ONCE,
    },
    store::{Result, Slice},
    trace::{Entry, Place, RecordId, Scope, Subject},
};

/// What this server knows of a ledger.
#[derive(Default)]
pub struct Growth {
    /// The highest level that is open.
    level: AtomicU32,
    /// Entries that it wrote since it began to count.
    written: AtomicU32,
}

/// The ledgers to which this server has written.
pub struct Growths(Cache<String, Arc<Growth>>);

impl Growths {
    pub fn new() -> Self {
        Self(Cache::new(CQL_LEDGERS_KNOWN_MAX))
    }
}

/// How many buckets stand before a level's first.
fn buckets_before(level: u32) -> u32 {
    (0..level).map(|below| CQL_LEDGER_FAN_OUT.pow(below)).sum()
}

/// The bucket of a record's entries on a level.
fn bucket_of(level: u32, record: RecordId) -> i32 {
    let spread = record.0.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    (buckets_before(level) + spread % CQL_LEDGER_FAN_OUT.pow(level)).cast_signed()
}

/// What is asked of a ledger.
struct Question<'q> {
    subject: &'q str,
    /// `None` for a block's all.
    cluster: Option<i32>,
    after: Option<Place>,
}

impl Cluster {
    /// The write that puts an entry.
    ///
    /// # Errors
    /// At once, where the subject's texts are too long for a key.
    pub fn put_entry<'s>(&'s self, subject: &'s Subject, entry: &'s Entry) -> Result<BoxFuture<'s, Result<()>>> {
        let (name, stamp) = (words::subject(subject)?, self.stamps.stays());
        Ok(Box::pin(async move {
            let bucket = self.bucket_for(&name, entry.place.record).await?;
            let row = NewEntry::new(&name, bucket, subject, entry);
            self.requests.write(&self.statements.put_entry, stamp, row).await
        }))
    }

    /// Where the next entry of a ledger goes; opens a level where its bucket is full.
    async fn bucket_for(&self, subject: &str, record: RecordId) -> Result<i32> {
        let growth = self.growths.0.get_with_by_ref(subject, Arc::default);
        let written = growth.written.fetch_add(1, Ordering::Relaxed) + 1;
        if written == CQL_LEDGER_UNCOUNTED_ROWS || written.is_multiple_of(CQL_LEDGER_RECOUNT_ROWS) {
            let mut level = self.levels(subject).await?.max(growth.level.load(Ordering::Relaxed));
            let bucket = bucket_of(level, record);
            let at = (TABLE, format!("{subject}/{bucket}"));
            let count = self.requests.one::<(i64,)>(&self.statements.count_entries, (subject, bucket), at).await?;
            let full = count.is_some_and(|(rows,)| rows >= CQL_LEDGER_BUCKET_ROWS);
            if full && level < CQL_LEDGER_LEVEL_MAX {
                level += 1;
                // Durable before anything is written there: readers go by it.
                let values = (subject, level.cast_signed());
                self.requests.write(&self.statements.put_level, self.stamps.stays(), values).await?;
            }
            growth.level.fetch_max(level, Ordering::Relaxed);
        }
        Ok(bucket_of(growth.level.load(Ordering::Relaxed), record))
    }

    /// The highest level that a ledger has opened.
    async fn levels(&self, subject: &str) -> Result<u32> {
        let at = ("ledger_levels", subject);
        let rows = self.requests.list::<(i32,)>(&self.statements.levels, (subject,), at).await?;
        let level = rows.into_iter().map(|(level,)| level).max().unwrap_or(0);
        u32::try_from(level)
            .ok()
            .filter(|level| *level <= CQL_LEDGER_LEVEL_MAX)
            .ok_or_else(|| words::corrupt("ledger_levels", subject, format!("{level} is no level")))
    }

    pub async fn entries(
        &self,
        subject: &Subject,
        slice: Slice,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let name = words::subject(subject)?;
        let cluster = match (subject, slice) {
            (Subject::Block(_), Slice::Whole) => None,
            (_, slice) => Some(cluster(slice)),
        };
        let question = Question { subject: &name, cluster, after };
        // The first bucket is asked beside the question for more: most ledgers have no other.
        let (level, first) = tokio::try_join!(self.levels(&name), self.bucket(&question, 0, limit))?;
        if level == 0 {
            return Ok(entries_of(first, limit));
        }
        let buckets = buckets_before(level + 1).cast_signed();
        // Entries are spread evenly; each bucket is asked for its share and somewhat more.
        let mut each = limit.div_ceil(usize::try_from(buckets).unwrap_or(1)).saturating_mul(2).saturating_add(64);
        loop {
            let each_now = each.min(limit);
            let found: Vec<_> = stream::iter(0..buckets)
                .map(|bucket| self.bucket(&question, bucket, each_now))
                .buffered(CQL_ROWS_AT_ONCE)
                .try_collect()
                .await?;
            // Behind the end of a bucket that has more, nothing is known.
            let ends = found.iter().filter(|rows| cluster.is_some() && rows.len() >= each_now);
            let known = ends.filter_map(|rows| rows.last().map(|last| last.0)).min();
            let rows: Vec<_> =
                found.into_iter().flatten().filter(|row| known.is_none_or(|known| row.0 <= known)).collect();
            let entries = entries_of(rows, limit);
            if entries.len() >= limit || known.is_none() || each_now == limit {
                return Ok(entries);
            }
            each = each.saturating_mul(4);
        }
    }

    /// The entry at a place. A record has one bucket on each level; of those that lie twice the one of the lower level holds.
    pub async fn entry(&self, subject: &Subject, scope: &Scope, place: Place) -> Result<Option<Entry>> {
        let (name, cluster) = (words::subject(subject)?, cluster(Slice::of(subject, scope)));
        // Most ledgers have no other level.
        if let Some(entry) = self.entry_on(0, &name, cluster, place).await? {
            return Ok(Some(entry));
        }
        for level in 1..=self.levels(&name).await? {
            if let Some(entry) = self.entry_on(level, &name, cluster, place).await? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    async fn entry_on(&self, level: u32, subject: &str, cluster: i32, place: Place) -> Result<Option<Entry>> {
        let bucket = bucket_of(level, place.record);
        let (time, record, ordinal) = (place.event_time_ms, place.record.0.as_slice(), place.ordinal.cast_signed());
        let (at, values) =
            ((TABLE, format!("{subject}/{bucket}")), (subject, bucket, cluster, CqlTimestamp(time), record, ordinal));
        let row = self.requests.one::<EntryRow>(&self.statements.entry, values, at).await?;
        row.map(|row| row.entry(subject, bucket)).transpose()
    }

    /// The first rows of one bucket behind a place, with what orders them.
    async fn bucket(&self, question: &Question<'_>, bucket: i32, limit: usize) -> Result<Vec<Ordered>> {
        let Question { subject, cluster, after } = *question;
        let (at, statements) = ((TABLE, format!("{subject}/{bucket}")), &self.statements);
        let rows: Vec<EntryRow> = match (cluster, after) {
            (None, _) => self.requests.list(&statements.whole_bucket, (subject, bucket), at).await?,
            (Some(cluster), None) => {
                let values = (subject, bucket, cluster, limit_of(limit));
                self.requests.list(&statements.entries, values, at).await?
            }
            (Some(cluster), Some(after)) => {
                let (time, record) = (CqlTimestamp(after.event_time_ms), after.record.0.as_slice());
                let ordinal = after.ordinal.cast_signed();
                let values = (subject, bucket, cluster, time, record, ordinal, cluster, limit_of(limit));
                self.requests.list(&statements.entries_after, values, at).await?
            }
        };
        let ordered = rows.into_iter().map(|row| {
            let cluster = row.cluster;
            let entry = row.entry(subject, bucket)?;
            Ok((entry.place, cluster, bucket, entry))
        });
        let mut rows = ordered.collect::<Result<Vec<Ordered>>>()?;
        rows.retain(|row| after.is_none_or(|after| row.0 > after));
        Ok(rows)
    }
}

/// An entry with its place, cluster and bucket.
type Ordered = (Place, i32, i32, Entry);

/// The first entries in the order of their places; of several with one place in one cluster that of the lowest bucket.
fn entries_of(mut rows: Vec<Ordered>, limit: usize) -> Vec<Entry> {
    rows.sort_by_key(|row| (row.0, row.1, row.2));
    rows.dedup_by_key(|row| (row.0, row.1));
    rows.into_iter().map(|row| row.3).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_one_another_without_gap_and_a_record_has_one_bucket_on_each() {
        assert_eq!((0..=4).map(buckets_before).collect::<Vec<_>>(), [0, 1, 17, 273, 4369]);
        for byte in 0..=255 {
            let record = RecordId([byte; 32]);
            assert_eq!(bucket_of(0, record), 0);
            for level in 1..=CQL_LEDGER_LEVEL_MAX {
                let range = buckets_before(level).cast_signed()..buckets_before(level + 1).cast_signed();
                assert!(range.contains(&bucket_of(level, record)));
            }
        }
    }
}
