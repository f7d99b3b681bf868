//! One moment of the store, read table by table while writes go on.
//!
//! First writes carry timestamps that count down, so that what was written behind the moment is told by its own. Claims are
//! overwritten: what one was is noted before it is swapped. Scan sums are given as they are when they are read.

use std::{collections::HashSet, sync::Arc};

use futures_util::StreamExt;
use scylla::DeserializeRow;
use tokio::sync::mpsc;

use super::{
    Cluster,
    capture::CaptureRow,
    copy_claim,
    entry::{EntryRow, TABLE},
    feeds::capture_id,
    lease,
    moment::Taking,
    record::RecordRow,
    registered::StatementRow,
    restoring,
    scans::ScanRow,
    staged::{StagedChunk, applied_ids},
    words::corrupt,
};
use crate::{
    limits::{AUDIT_FEED_ROWS, CQL_ROWS_AT_ONCE, SNAPSHOT_BATCH_BYTES},
    store::{Chunk, FeedHead, Kept, Result, Stop},
    trace::CaptureId,
};

/// A moment by the timestamps of first writes: what came later has lower ones.
#[derive(Clone, Copy)]
pub struct Moment(i64);

impl Moment {
    pub fn new(stamp: i64) -> Self {
        Self(stamp)
    }
    fn includes(self, stamp: Option<i64>) -> bool {
        stamp.is_some_and(|stamp| stamp > self.0)
    }
}

/// An applied chunk of a pass over all of them.
#[derive(DeserializeRow)]
struct AppliedChunk {
    capture: Vec<u8>,
    chunk: i32,
    records: Vec<Vec<u8>>,
    stamp: Option<i64>,
}

/// Bytes that a row counts for beside its texts.
const ROW_BYTES: usize = 300;

type Read<T> = std::result::Result<T, Stop>;

impl Cluster {
    /// How many records and entries there were at a moment.
    pub async fn count(&self, moment: Moment) -> Result<(u64, u64)> {
        let mut counts = [0, 0];
        let passes = [(&self.statements.all_record_stamps, "records"), (&self.statements.all_entry_stamps, "ledgers")];
        for (count, (statement, table)) in counts.iter_mut().zip(passes) {
            let mut stamps = self.requests.pass::<(Option<i64>,)>(statement, table);
            while let Some(stamp) = stamps.next().await {
                *count += u64::from(moment.includes(stamp?.0));
            }
        }
        let [records, entries] = counts;
        Ok((records, entries))
    }
}

/// The reading of everything.
pub struct Reading {
    cluster: Arc<Cluster>,
    moment: Moment,
    taking: Arc<Taking>,
    to: mpsc::Sender<Result<Vec<Kept>>>,
    batch: Vec<Kept>,
    bytes: usize,
}

impl Reading {
    pub fn new(cluster: Arc<Cluster>, moment: Moment, taking: Taking, to: mpsc::Sender<Result<Vec<Kept>>>) -> Self {
        Self { cluster, moment, taking: Arc::new(taking), to, batch: Vec::new(), bytes: 0 }
    }

    /// Reads everything and gives it on; an error ends it.
    pub async fn run(mut self, heads: &[FeedHead]) {
        if let Err(Stop::Failed(error)) = self.everything(heads).await {
            let _ = self.to.send(Err(error)).await;
        }
    }

    async fn everything(&mut self, heads: &[FeedHead]) -> Read<()> {
        self.claims().await?;
        self.statements().await?;
        let unfinished = self.captures().await?;
        self.chunks(&unfinished).await?;
        for head in heads {
            self.rows(head).await?;
        }
        self.records().await?;
        self.entries().await?;
        self.scans().await?;
        self.taking.goes_on().await?;
        self.send().await
    }

    async fn give(&mut self, kept: Kept, bytes: usize) -> Read<()> {
        self.batch.push(kept);
        self.bytes += ROW_BYTES + bytes;
        if self.bytes < SNAPSHOT_BATCH_BYTES { Ok(()) } else { self.send().await }
    }

    async fn send(&mut self) -> Read<()> {
        self.bytes = 0;
        self.to.send(Ok(std::mem::take(&mut self.batch))).await.map_err(|_| Stop::Unheard)
    }

    async fn claims(&mut self) -> Read<()> {
        let (cluster, taking) = (Arc::clone(&self.cluster), Arc::clone(&self.taking));
        let rows = cluster.requests.pass::<(String, Option<Vec<u8>>)>(&cluster.statements.all_claims, "claims");
        // Of the feeds of servers of this keyspace, of copies, and of a restore that is not done.
        let is_kept = |name: &str| name != restoring::MARK && name != copy_claim::CLAIM && !lease::is_lease(name);
        let rows = rows.filter(|row| std::future::ready(!matches!(row, Ok((name, _)) if !is_kept(name))));
        let claims = rows.map(|row| async {
            let (name, value) = row?;
            let value = taking.claim_before(&name, value).await?;
            Result::Ok((name, value))
        });
        let mut claims = std::pin::pin!(claims.buffered(CQL_ROWS_AT_ONCE));
        while let Some(claim) = claims.next().await {
            let (name, Some(value)) = claim? else { continue };
            let bytes = value.len();
            self.give(Kept::Claim { name, value }, bytes).await?;
        }
        Ok(())
    }

    async fn statements(&mut self) -> Read<()> {
        let cluster = Arc::clone(&self.cluster);
        let all = &cluster.statements.all_statements;
        let mut rows = cluster.requests.pass::<StatementRow>(all, "statements");
        while let Some(row) = rows.next().await {
            let row = row?;
            if self.moment.includes(row.stamp) {
                let bytes = row.content_bytes();
                self.give(Kept::Statement(Box::new(row.statement()?)), bytes).await?;
            }
        }
        Ok(())
    }

    /// Gives the captures; says which of them were not finished.
    async fn captures(&mut self) -> Read<HashSet<CaptureId>> {
        let cluster = Arc::clone(&self.cluster);
        let all = &cluster.statements.all_captures;
        let mut unfinished = HashSet::new();
        let mut rows = cluster.requests.pass::<CaptureRow>(all, "captures");
        while let Some(row) = rows.next().await {
            let row = row?;
            if !self.moment.includes(row.stamp) {
                continue;
            }
            let finished = self.moment.includes(row.finished_stamp);
            let mut capture = row.capture()?;
            capture.finished_ms = capture.finished_ms.filter(|_| finished);
            if capture.finished_ms.is_none() {
                unfinished.insert(capture.id);
            }
            self.give(Kept::Capture(capture), 0).await?;
        }
        Ok(unfinished)
    }

    /// Gives the lists of applied chunks, and what was staged for captures that were not finished and not applied.
    async fn chunks(&mut self, unfinished: &HashSet<CaptureId>) -> Read<()> {
        let cluster = Arc::clone(&self.cluster);
        let (requests, statements) = (&cluster.requests, &cluster.statements);
        let mut applied = HashSet::new();
        let all = &statements.all_applied;
        let mut rows = requests.pass::<AppliedChunk>(all, "applied");
        while let Some(row) = rows.next().await {
            let row = row?;
            if !self.moment.includes(row.stamp) {
                continue;
            }
            let (capture, number) = (capture_id("applied", &row.capture)?, row.chunk.cast_unsigned());
            if unfinished.contains(&capture) {
                applied.insert((capture, number));
            }
            let ids = applied_ids(&format!("{capture}/{number}"), &row.records)?;
            let bytes = ids.len() * 32;
            self.give(Kept::Chunk { capture, number, chunk: Chunk::Applied(ids) }, bytes).await?;
        }
        let all = &statements.all_staged;
        let mut rows = requests.pass::<StagedChunk>(all, "staged");
        while let Some(row) = rows.next().await {
            let row = row?;
            let capture = capture_id("staged", &row.capture)?;
            let Ok(number) = u32::try_from(row.chunk) else { continue };
            if !unfinished.contains(&capture) || applied.contains(&(capture, number)) {
                continue;
            }
            let missing = || corrupt("staged", format!("{capture}/{number}"), "it is listed, but not there");
            let records = cluster.staged_records(capture, number).await?.ok_or_else(missing)?;
            let bytes = records.iter().map(|record| record.body.len() + ROW_BYTES).sum();
            self.give(Kept::Chunk { capture, number, chunk: Chunk::Staged(records) }, bytes).await?;
        }
        Ok(())
    }

    async fn rows(&mut self, head: &FeedHead) -> Read<()> {
        let mut next = 0;
        while next < head.rows {
            let mut rows = self.cluster.rows(head.writer, next, AUDIT_FEED_ROWS).await?;
            rows.retain(|row| row.position < head.rows);
            let Some(last) = rows.last() else {
                let key = format!("{}/{next}", head.writer.0);
                return Err(corrupt("feed_rows", key, format!("it is missing; the feed has {} rows", head.rows)).into());
            };
            next = last.position + 1;
            for row in rows {
                let bytes = row.captures.len() * 36;
                self.give(Kept::Row(head.writer, row), bytes).await?;
            }
        }
        Ok(())
    }

    async fn records(&mut self) -> Read<()> {
        let cluster = Arc::clone(&self.cluster);
        let all = &cluster.statements.all_records;
        let mut rows = cluster.requests.pass::<RecordRow>(all, "records");
        while let Some(row) = rows.next().await {
            let row = row?;
            if self.moment.includes(row.stamp) {
                let record = cluster.whole_record(row).await?;
                let bytes = record.body.len();
                self.give(Kept::Record(record), bytes).await?;
            }
        }
        Ok(())
    }

    async fn entries(&mut self) -> Read<()> {
        let cluster = Arc::clone(&self.cluster);
        let all = &cluster.statements.all_entries;
        let mut rows = cluster.requests.pass::<EntryRow>(all, TABLE);
        while let Some(row) = rows.next().await {
            let row = row?;
            if self.moment.includes(row.stamp) {
                let bytes = row.subject.len();
                let (subject, entry) = row.in_subject()?;
                self.give(Kept::Entry(subject, entry), bytes).await?;
            }
        }
        Ok(())
    }

    async fn scans(&mut self) -> Read<()> {
        let cluster = Arc::clone(&self.cluster);
        let all = &cluster.statements.all_scans;
        let mut rows = cluster.requests.pass::<ScanRow>(all, "scans");
        while let Some(row) = rows.next().await {
            let (block, writer, serial, sum) = row?.in_block()?;
            match self.batch.last_mut() {
                Some(Kept::Scans { block: of, writer: by, sums }) if (*of, *by) == (block, writer) => {
                    sums.push((serial, sum));
                }
                _ => self.give(Kept::Scans { block, writer, sums: vec![(serial, sum)] }, 0).await?,
            }
        }
        Ok(())
    }
}
