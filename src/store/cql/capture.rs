//! Captures: stage, commit, apply. A capture is none before its row in the feed, and whoever comes next does what a stop
//! behind it left undone.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use scylla::{
    DeserializeRow,
    value::{CqlTimestamp, MaybeUnset},
};

use super::{
    Cluster, CqlStore,
    feeds::capture_id,
    staged::{StagedChunk, WRITES, latest_ms},
    words::{self, corrupt},
};
use crate::{
    limits::CQL_ROWS_AT_ONCE,
    store::{Capture, Chunk, Error, Result, Writes},
    trace::{CaptureId, OrganizationId},
};

const TABLE: &str = "captures";

/// A row of the table of captures.
#[derive(Clone, DeserializeRow)]
pub struct CaptureRow {
    capture: Vec<u8>,
    organization: i64,
    role: String,
    created: CqlTimestamp,
    records: i32,
    chunks: i32,
    statements: Vec<(String, i64, i32)>,
    staged_writes: Option<bool>,
    finishes: Option<CqlTimestamp>,
    committed: Option<bool>,
    finished: Option<CqlTimestamp>,
    /// When it was marked as committed, and as finished, by the timestamps of first writes.
    pub stamp: Option<i64>,
    pub finished_stamp: Option<i64>,
}

impl CaptureRow {
    /// Whether a feed names it, and what came with its commit is applied.
    pub fn is_committed(&self) -> bool {
        self.committed == Some(true)
    }

    pub fn is_finished(&self) -> bool {
        self.finished.is_some()
    }

    pub fn id(&self) -> Result<CaptureId> {
        capture_id(TABLE, &self.capture)
    }

    /// The capture as the contract has it.
    pub fn capture(self) -> Result<Capture> {
        let id = self.id()?;
        let statement = |(kind, number, version): &(String, i64, i32)| {
            let found = words::parse_kind(kind).ok_or_else(|| corrupt(TABLE, id, format!("{kind:?} is no kind")))?;
            Ok((found, number.cast_unsigned(), version.cast_unsigned()))
        };
        Ok(Capture {
            id,
            organization: OrganizationId(self.organization.cast_unsigned()),
            role: words::parse_role(&self.role)
                .ok_or_else(|| corrupt(TABLE, id, format!("{:?} is no role", self.role)))?,
            created_ms: self.created.0,
            records: self.records.cast_unsigned(),
            chunks: self.chunks.cast_unsigned(),
            statements: self.statements.iter().map(statement).collect::<Result<_>>()?,
            finished_ms: self.finished.map(|finished| finished.0),
        })
    }
}

/// Writes that are ready to be sent: bodies and statements first, then what leads to them.
pub struct Puts<'s> {
    first: Vec<BoxFuture<'s, Result<()>>>,
    then: Vec<BoxFuture<'s, Result<()>>>,
}

impl Puts<'_> {
    pub async fn send(self) -> Result<()> {
        for round in [self.first, self.then] {
            stream::iter(round).buffer_unordered(CQL_ROWS_AT_ONCE).try_collect::<()>().await?;
        }
        Ok(())
    }
}

impl Cluster {
    /// Prepares writes. Timestamps are given here, so that of two in one call the first holds.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where a text is too long for a key; nothing has been sent.
    pub fn puts<'s>(&'s self, writes: &'s Writes) -> Result<Puts<'s>> {
        let mut puts = Puts { first: Vec::new(), then: Vec::new() };
        for record in &writes.records {
            puts.first.push(self.put_record(record));
            puts.then.push(self.put_record_keys(record));
        }
        for statement in &writes.statements {
            puts.first.push(self.put_statement(statement)?);
            puts.then.extend(self.put_children(statement)?);
        }
        for (subject, entry) in &writes.entries {
            puts.then.push(self.put_entry(subject, entry)?);
        }
        Ok(puts)
    }

    pub async fn capture_row(&self, id: CaptureId) -> Result<Option<CaptureRow>> {
        self.requests.one::<CaptureRow>(&self.statements.capture, (id.0.as_slice(),), (TABLE, id)).await
    }

    /// Keeps a capture that is to be committed, over an attempt before that was not.
    pub async fn put_capture(&self, capture: &Capture, staged_writes: bool) -> Result<()> {
        let statements: Vec<_> = capture
            .statements
            .iter()
            .map(|(kind, number, version)| (words::kind(*kind), number.cast_signed(), version.cast_signed()))
            .collect();
        let values = (
            capture.id.0.as_slice(),
            capture.organization.0.cast_signed(),
            words::role(capture.role),
            CqlTimestamp(capture.created_ms),
            capture.records.cast_signed(),
            capture.chunks.cast_signed(),
            statements,
            staged_writes,
            MaybeUnset::from_option(capture.finished_ms.map(CqlTimestamp)),
        );
        self.requests.write(&self.statements.put_capture, self.stamps.replaces(), values).await
    }

    pub async fn mark_committed(&self, id: CaptureId) -> Result<()> {
        self.requests.write(&self.statements.commit_capture, self.stamps.stays(), (id.0.as_slice(),)).await
    }

    /// The first end stays.
    pub async fn mark_finished(&self, id: CaptureId, finished_ms: i64) -> Result<()> {
        let values = (CqlTimestamp(finished_ms), id.0.as_slice());
        self.requests.write(&self.statements.finish_capture, self.stamps.stays(), values).await?;
        self.finished.insert(id, ());
        Ok(())
    }

    /// Applies what came with a commit, behind its row in the feed, and says so.
    async fn settle(&self, id: CaptureId, finishes_ms: Option<i64>, puts: Puts<'_>, writes: &Writes) -> Result<()> {
        let Some(finishes_ms) = finishes_ms else {
            puts.send().await?;
            return self.mark_committed(id).await;
        };
        let ids: Vec<_> = writes.records.iter().map(|record| record.id).collect();
        let applied = async {
            // Beside what it says: nobody is shown the capture before its mark.
            if ids.is_empty() { Ok(()) } else { self.put_applied(id, 0, &ids).await }
        };
        tokio::try_join!(puts.send(), applied)?;
        self.mark_finished(id, finishes_ms).await
    }

    /// Does the same for a capture whose server stopped in between.
    pub async fn settle_again(&self, row: &CaptureRow) -> Result<()> {
        let id = row.id()?;
        let writes = match row.staged_writes {
            Some(true) => {
                let missing = || corrupt(TABLE, id, "a feed names it, but the writes that came with it are not staged");
                self.staged_writes(id).await?.ok_or_else(missing)?
            }
            _ => Writes::default(),
        };
        self.settle(id, row.finishes.map(|finishes| finishes.0), self.puts(&writes)?, &writes).await
    }

    pub async fn chunk(&self, capture: CaptureId, chunk: u32) -> Result<Option<Chunk>> {
        if let Some(ids) = self.applied(capture, chunk).await? {
            return Ok(Some(Chunk::Applied(ids)));
        }
        Ok(self.staged_records(capture, chunk).await?.map(Chunk::Staged))
    }
}

impl CqlStore {
    pub(super) async fn stage_chunk(
        &self,
        capture: CaptureId,
        chunk: u32,
        records: &[crate::trace::Record],
    ) -> Result<()> {
        let _lock = self.locks.take(capture).await;
        if self.cluster.capture_row(capture).await?.is_some_and(|row| row.is_committed()) {
            return Ok(());
        }
        self.cluster.stage_records(capture, chunk, records).await
    }

    pub(super) async fn append_capture(&self, capture: Capture, writes: Writes) -> Result<Capture> {
        let (cluster, id) = (&self.cluster, capture.id);
        if self.begun.contains_key(&id) {
            // An attempt before may have failed behind its row: that is finished, and not named by a second row.
            self.follow(Duration::ZERO).await?;
        }
        // One attempt at a time: the next one finds what this one committed.
        let _lock = self.locks.take(id).await;
        if let Some(row) = cluster.capture_row(id).await?.filter(CaptureRow::is_committed) {
            return row.capture();
        }
        if capture.finished_ms.is_none() {
            self.require_staged(&capture).await?;
        }
        let puts = cluster.puts(&writes)?;
        let has_writes = !(writes.records.is_empty() && writes.entries.is_empty() && writes.statements.is_empty());
        let latest_ms = latest_ms(&writes.records).max(capture.created_ms);
        let stage = async { if has_writes { cluster.stage_writes(id, latest_ms, &writes).await } else { Ok(()) } };
        tokio::try_join!(stage, cluster.put_capture(&capture, has_writes))?;
        self.begun.insert(id, ());
        self.feed.commit(cluster, id, capture.records).await?;
        cluster.settle(id, capture.finished_ms, puts, &writes).await?;
        self.begun.invalidate(&id);
        if has_writes {
            // Of no use any more; where this is cut off a sweep finds it.
            let cluster = std::sync::Arc::clone(cluster);
            tokio::spawn(async move { cluster.unstage(id, WRITES).await });
        }
        Ok(capture)
    }

    async fn require_staged(&self, capture: &Capture) -> Result<()> {
        let id = capture.id;
        let staged = stream::iter(0..capture.chunks).map(|chunk| async move {
            match self.cluster.is_staged(id, chunk).await? {
                true => Ok(()),
                false => Err(Error::NotStaged { capture: id, chunk }),
            }
        });
        staged.buffered(CQL_ROWS_AT_ONCE).try_collect().await
    }

    async fn committed(&self, id: CaptureId) -> Result<CaptureRow> {
        let row = self.cluster.capture_row(id).await?;
        row.filter(CaptureRow::is_committed).ok_or(Error::NotCommitted(id))
    }

    pub(super) async fn apply_chunk(&self, id: CaptureId, chunk: u32, writes: Writes) -> Result<()> {
        let _lock = self.locks.take(id).await;
        self.committed(id).await?;
        self.cluster.puts(&writes)?.send().await?;
        let ids: Vec<_> = writes.records.iter().map(|record| record.id).collect();
        // Behind what it says. What was staged stays for a snapshot under way; a sweep takes it.
        self.cluster.put_applied(id, chunk, &ids).await
    }

    pub(super) async fn finish_applied(&self, id: CaptureId, finished_ms: i64) -> Result<()> {
        let _lock = self.locks.take(id).await;
        if self.committed(id).await?.is_finished() {
            return Ok(());
        }
        self.cluster.mark_finished(id, finished_ms).await
    }

    /// Removes what was staged and is of no use: for no commit, and before the time; or applied.
    /// Says how many chunks of the first kind there were.
    pub(super) async fn sweep_staged(&self, before_ms: i64) -> Result<u64> {
        // What a stop left between a row of a feed and its mark must have its mark.
        self.follow(Duration::ZERO).await?;
        let mut removed = 0;
        let all = &self.cluster.statements.all_staged;
        let mut chunks = self.cluster.requests.pass::<StagedChunk>(all, "staged");
        while let Some(chunk) = chunks.next().await {
            let Ok(chunk) = chunk else { continue };
            if self.copies.any() {
                // A copy may still have to give what is staged.
                return Ok(removed);
            }
            removed += u64::from(self.sweep_chunk(&chunk, before_ms).await?);
        }
        Ok(removed)
    }

    async fn sweep_chunk(&self, staged: &StagedChunk, before_ms: i64) -> Result<bool> {
        let id = capture_id("staged", &staged.capture)?;
        let _lock = self.locks.take(id).await;
        let (of_no_use, counts) = match self.cluster.capture_row(id).await? {
            Some(row) if row.is_committed() => {
                let applied = match u32::try_from(staged.chunk) {
                    Ok(chunk) => self.cluster.applied(id, chunk).await?.is_some(),
                    Err(_) => staged.chunk == WRITES,
                };
                (applied, false)
            }
            _ => {
                let old = staged.latest.is_some_and(|latest| latest.0 < before_ms);
                (old && !self.feed.may_name(id).await, staged.chunk != WRITES && staged.pieces.is_some())
            }
        };
        if of_no_use {
            self.cluster.unstage(id, staged.chunk).await?;
        }
        Ok(of_no_use && counts)
    }
}
