//! What other servers commit: read from their feeds, so that nothing in this one's memory stays behind them.
//!
//! A capture that another server commits is touched here once it is known to be applied, as if this server had applied
//! it. Its writes were durable before its mark was, so that whatever is read behind the touch finds them; and whatever
//! was read before it, in the middle of them too, is stale. A row of a feed alone says that something will come: what it
//! names is looked at again until it is applied. So no view outlives a change by more than a poll, however its reading
//! and another's writing fell together.
//!
//! This server's own feed is followed too: a commit that failed here may have landed, and is finished by whoever comes
//! first. What it has applied and touched itself is passed over.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicI64, Ordering},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use moka::sync::Cache;

use super::{Service, Watched, make_stale, measure::measure_turn};
use crate::{
    limits::{
        APPLIED_HERE_KNOWN_MAX, FOLLOWED_AT_ONCE, FOLLOWED_CAPTURES_MAX, FOLLOWED_LOOKS_AT_ROW, FOLLOWED_LOOKS_BETWEEN,
        FOLLOWED_LOOKS_OFTEN, FOLLOWED_ROWS_AT_ONCE,
    },
    registration::{Content, Kind, Statement},
    store::{self, Chunk, Writer, Writes},
    trace::{CaptureId, MeasureId, Record, RecordId},
};

/// How far this server has followed the others.
#[derive(Debug, Default)]
pub struct Follower {
    /// The next row of each feed.
    next: HashMap<Writer, u64>,
    /// Captures that rows named and that are not touched to their end; at most `FOLLOWED_CAPTURES_MAX`.
    pending: BTreeMap<CaptureId, Pending>,
}

/// What is left to be touched of a capture.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// The row that names it.
    writer: Writer,
    position: u64,
    /// How often it was looked at.
    looks: u32,
    /// Whether the statements that came with it are touched.
    statements: bool,
    /// The first chunk that is not.
    chunk: u32,
}

/// Captures that this server has applied, and touched what they changed.
#[derive(Debug)]
pub(super) struct AppliedHere(Cache<CaptureId, ()>);

impl AppliedHere {
    pub(super) fn add(&self, id: CaptureId) {
        self.0.insert(id, ());
    }
}

impl Default for AppliedHere {
    fn default() -> Self {
        Self(Cache::new(APPLIED_HERE_KNOWN_MAX))
    }
}

/// When this server last knew all that others had committed.
#[derive(Debug)]
pub struct Heard(AtomicI64);

impl Heard {
    /// What stands where nobody else writes, or nobody is followed yet.
    const ALWAYS: i64 = i64::MAX;

    fn at(&self, ms: i64) {
        self.0.store(ms, Ordering::Release);
    }

    /// For how long it has heard nothing, in milliseconds; `None` where there is nobody to hear of.
    pub fn silent_ms(&self, now_ms: i64) -> Option<i64> {
        match self.0.load(Ordering::Acquire) {
            Self::ALWAYS => None,
            heard_ms => Some(now_ms.saturating_sub(heard_ms)),
        }
    }
}

impl Default for Heard {
    fn default() -> Self {
        Self(AtomicI64::new(Self::ALWAYS))
    }
}

impl Service {
    /// Begins to follow the other servers; `None` where there can be none. What is read from the store into memory behind
    /// this, and not before, is kept up to date by [`Service::follow`].
    ///
    /// # Errors
    /// Where the store does not say where its feeds stand.
    pub async fn begin_following(&self) -> store::Result<Option<Follower>> {
        if !self.store.is_shared() {
            return Ok(None);
        }
        let began_ms = self.now_ms();
        let writers = stream::iter(self.store.writers().await?);
        let next = writers.map(|writer| async move { store::Result::Ok((writer, self.store.applied(writer).await?)) });
        let next = next.buffer_unordered(FOLLOWED_AT_ONCE).try_collect().await?;
        self.heard.at(began_ms);
        Ok(Some(Follower { next, pending: BTreeMap::new() }))
    }

    /// Reads on what the other servers have committed, and makes stale what was made from it. Returns whether that was
    /// all: where very many captures wait to be applied, the next call reads further.
    ///
    /// # Errors
    /// Where the store does not answer. What was not touched then is by a later call.
    pub async fn follow(&self, follower: &mut Follower) -> store::Result<bool> {
        let began_ms = self.now_ms();
        let mut is_all = true;
        for writer in self.store.writers().await? {
            is_all &= self.read_on(follower, writer).await?;
        }
        let pending: Vec<_> = follower.pending.iter().map(|(id, pending)| (*id, *pending)).collect();
        let mut touched = stream::iter(pending)
            .map(|(id, pending)| async move { (id, self.touch_capture(id, pending).await) })
            .buffer_unordered(FOLLOWED_AT_ONCE);
        let mut outcome = Ok(is_all);
        while let Some((id, touched)) = touched.next().await {
            match touched {
                Ok(Some(pending)) => drop(follower.pending.insert(id, pending)),
                Ok(None) => drop(follower.pending.remove(&id)),
                Err(error @ store::Error::Corrupt { .. }) => {
                    // What it changed cannot be told, so that everything may have. An audit names the row.
                    tracing::error!(%error, capture = %id, "another server's capture could not be read");
                    self.watch.touch_all();
                    self.blocks.invalidate_all();
                    follower.pending.remove(&id);
                }
                Err(error) => outcome = Err(error),
            }
        }
        if outcome? && is_all {
            self.heard.at(began_ms);
        }
        Ok(is_all)
    }

    /// Notes what further rows of a feed name; whether that was all of them.
    async fn read_on(&self, follower: &mut Follower, writer: Writer) -> store::Result<bool> {
        let next = follower.next.entry(writer).or_default();
        while follower.pending.len() < FOLLOWED_CAPTURES_MAX {
            let rows = self.store.rows(writer, *next, FOLLOWED_ROWS_AT_ONCE).await?;
            for row in &rows {
                *next = row.position + 1;
                let pending = Pending { writer, position: row.position, looks: 0, statements: false, chunk: 0 };
                follower.pending.extend(row.captures.iter().map(|(id, _)| (*id, pending)));
            }
            if rows.len() < FOLLOWED_ROWS_AT_ONCE {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Touches what is applied of a capture and was not touched; what remains, if anything does.
    async fn touch_capture(&self, id: CaptureId, mut pending: Pending) -> store::Result<Option<Pending>> {
        // Its writes are touched here as they are made; where it fails, a later look finds what it left.
        let is_here = self.applying.is_at(id);
        if self.applied_here.0.contains_key(&id) {
            return Ok(None);
        }
        pending.looks = pending.looks.saturating_add(1);
        if is_here && pending.looks == 1 {
            return Ok(Some(pending));
        }
        if pending.looks > FOLLOWED_LOOKS_OFTEN && !pending.looks.is_multiple_of(FOLLOWED_LOOKS_BETWEEN) {
            return Ok(Some(pending));
        }
        let Some(capture) = self.store.capture(id).await? else {
            // Of a feed that was closed before it the row is none any more.
            let is_due = pending.looks.is_multiple_of(FOLLOWED_LOOKS_AT_ROW);
            let is_gone = is_due && self.store.rows(pending.writer, pending.position, 1).await?.is_empty();
            return Ok((!is_gone).then_some(pending));
        };
        // Unless another server is at it too, and was faster.
        if is_here && (capture.finished_ms.is_none() || self.applied_here.0.contains_key(&id)) {
            return Ok(Some(pending));
        }
        if !pending.statements {
            self.touch_statements(&capture.statements).await?;
            pending.statements = true;
        }
        // One that is not applied comes with all its records: of a capture under way it is asked for now and then.
        let is_due = capture.finished_ms.is_some() || pending.looks.is_multiple_of(FOLLOWED_LOOKS_BETWEEN);
        while is_due && pending.chunk < capture.chunks {
            match self.store.chunk(id, pending.chunk).await? {
                Some(Chunk::Applied(ids)) => self.touch_records(&ids).await?,
                Some(Chunk::Staged(_)) | None => return Ok(Some(pending)),
            }
            pending.chunk += 1;
        }
        Ok(capture.finished_ms.is_none().then_some(pending))
    }

    async fn touch_statements(&self, named: &[(Kind, u64, u32)]) -> store::Result<()> {
        let statements = stream::iter(named.to_vec()).map(|(kind, id, version)| async move {
            self.store.versions(kind, id, version, 1).await.map(|versions| versions.into_iter().next())
        });
        let statements: Vec<Option<Statement>> = statements.buffered(FOLLOWED_AT_ONCE).try_collect().await?;
        let writes = Writes { statements: statements.into_iter().flatten().collect(), ..Writes::default() };
        self.parties.change(&writes);
        for statement in &writes.statements {
            if let Content::Measure(measure) = &statement.content {
                self.refresh_measure(measure.id).await?;
            }
        }
        make_stale(&self.watch, &self.blocks, &Watched::by(&writes));
        Ok(())
    }

    async fn touch_records(&self, ids: &[RecordId]) -> store::Result<()> {
        let records = stream::iter(ids.to_vec()).map(|id| async move {
            let found = "it is named as applied, but not there".to_owned();
            let absent = || store::Error::Corrupt { table: "records", key: id.to_string(), found };
            self.store.record(id).await?.ok_or_else(absent)
        });
        let records: Vec<Record> = records.buffered(FOLLOWED_AT_ONCE).try_collect().await?;
        let writes = self.writes_of(records)?;
        make_stale(&self.watch, &self.blocks, &Watched::by(&writes));
        Ok(())
    }

    /// Reads again what a measure says.
    async fn refresh_measure(&self, id: MeasureId) -> store::Result<()> {
        // A lift here must not be taken back by what was read before it.
        let _changing = self.changing.here(measure_turn(id)).await;
        self.load_measure(id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        service::{statements_capture_id, watch::Basis, world::World},
        store::{Feed, Records},
    };

    #[tokio::test]
    async fn what_another_server_finishes_is_touched_although_this_one_is_at_it() {
        let world = World::new().await;
        let (service, mut follower) = (&world.service, Follower::default());
        service.follow(&mut follower).await.unwrap();
        let before = world.store.statement(Kind::Product, 1).await.unwrap().unwrap();
        let statements = vec![Statement { version: before.version + 1, ..before }];
        let id = statements_capture_id(world.importer.organization, &statements);
        let _turn = service.applying.begin(id).unwrap();
        let capture = world.importer.capture(id, 0, &statements, 1);
        let mut basis = Basis::default();
        service.watch.add(&mut basis, Watched::Statement(Kind::Product, 1));

        let unfinished = store::Capture { finished_ms: None, ..capture };
        world.store.append(unfinished, Writes { statements, ..Writes::default() }).await.unwrap();
        for _ in 0..4 {
            service.follow(&mut follower).await.unwrap();
            assert!(basis.is_current(), "while it is under way it is this server's own");
        }
        world.store.finish(id, 2).await.unwrap();
        service.follow(&mut follower).await.unwrap();
        assert!(!basis.is_current() && follower.pending.is_empty());
    }
}
