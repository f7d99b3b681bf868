//! Which captures were committed and are not applied: found in the feeds, from where everything before is applied, so
//! that no queue has to be deleted from.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use super::CqlStore;
use crate::{
    limits::{AUDIT_FEED_ROWS, CQL_ROWS_AT_ONCE},
    store::{Error, Result, Writer},
    trace::CaptureId,
};

/// How far this server has read the feeds.
#[derive(Default)]
pub struct Followed {
    cursors: HashMap<Writer, Cursor>,
    /// Captures that were named and not known to be applied.
    pending: BTreeMap<CaptureId, Named>,
    /// Whether it has read them once.
    has_begun: bool,
}

/// Where a capture was named, and when that was first read.
#[derive(Clone, Copy)]
struct Named {
    writer: Writer,
    position: u64,
    since: Instant,
    /// Whether it was there when this server began: its own may be gone.
    at_start: bool,
}

struct Cursor {
    next: u64,
    /// Up to where the table says that everything is applied.
    saved: u64,
}

/// What is to be done for a capture that a feed names.
enum Pending {
    /// Nothing any more.
    Done,
    /// Its chunks are to be applied.
    Chunks,
    /// Nobody can tell, or somebody is at it.
    Later,
}

impl CqlStore {
    /// Reads the feeds on, finishes what was committed together with its writes where its server has not for `patience`,
    /// and says which captures remain, in the order of their ids. Those that their server may still be at are not among
    /// them: it looks for them itself.
    pub(super) async fn follow(&self, patience: Duration) -> Result<Vec<CaptureId>> {
        let mut followed = self.followed.lock().await;
        for writer in self.cluster.writers().await? {
            self.read_on(&mut followed, writer).await?;
        }
        followed.has_begun = true;
        let all: Vec<_> = followed.pending.iter().map(|(id, named)| (*id, *named)).collect();
        let states = stream::iter(all).map(|(id, named)| async move { (id, self.pending(id, named, patience).await) });
        let states: Vec<_> = states.buffered(CQL_ROWS_AT_ONCE).collect().await;
        let mut unfinished = Vec::new();
        for (id, state) in states {
            match state {
                Ok(Pending::Done) => drop(followed.pending.remove(&id)),
                Ok(Pending::Chunks) => unfinished.push(id),
                Ok(Pending::Later) => {}
                // One that cannot be read or finished hides no other.
                Err(error) => tracing::error!(capture = %id, %error, "a committed capture could not be finished"),
            }
        }
        self.save_cursors(&mut followed).await?;
        Ok(unfinished)
    }

    /// Finishes what was committed together with its writes, all of it: for nobody who is at it.
    ///
    /// # Errors
    /// Where something that a feed names could not be.
    pub(super) async fn settle_all(&self) -> Result<()> {
        self.follow(Duration::ZERO).await?;
        let left: Vec<_> = self.followed.lock().await.pending.keys().copied().collect();
        for id in left {
            if !self.cluster.capture_row(id).await?.is_some_and(|row| row.is_committed()) {
                return Err(Error::Unavailable(format!("capture {id} is committed and could not be finished")));
            }
        }
        Ok(())
    }

    async fn read_on(&self, followed: &mut Followed, writer: Writer) -> Result<()> {
        let cluster = &self.cluster;
        let cursor = match followed.cursors.entry(writer) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let saved = cluster.cursor(writer).await?;
                unknown.insert(Cursor { next: saved, saved })
            }
        };
        loop {
            let rows = cluster.rows(writer, cursor.next, AUDIT_FEED_ROWS).await?;
            for row in &rows {
                cursor.next = row.position + 1;
                let unknown = row.captures.iter().filter(|(id, _)| !cluster.finished.contains_key(id));
                let (position, since, at_start) = (row.position, Instant::now(), !followed.has_begun);
                followed.pending.extend(unknown.map(|(id, _)| (*id, Named { writer, position, since, at_start })));
            }
            if rows.len() < AUDIT_FEED_ROWS {
                return Ok(());
            }
        }
    }

    async fn pending(&self, id: CaptureId, named: Named, patience: Duration) -> Result<Pending> {
        let Some(row) = self.cluster.capture_row(id).await? else {
            let found = "a feed names it, but it is not there";
            return Err(super::words::corrupt("captures", id, found));
        };
        if row.is_finished() {
            return Ok(Pending::Done);
        }
        if row.is_committed() {
            return Ok(self.chunks_of(named));
        }
        // Somebody is at it, or its server stopped in between.
        if named.since.elapsed() < patience {
            return Ok(Pending::Later);
        }
        let Some(_lock) = self.locks.try_take(id) else { return Ok(Pending::Later) };
        // Behind the reading of the row.
        if !self.cluster.counts(named.writer, named.position).await? {
            return Ok(Pending::Done);
        }
        self.cluster.settle_again(&row).await?;
        let row = self.cluster.capture_row(id).await?;
        Ok(if row.is_some_and(|row| row.is_finished()) { Pending::Done } else { self.chunks_of(named) })
    }

    fn chunks_of(&self, named: Named) -> Pending {
        let is_closed = self.cluster.feeds.rows_of_closed(named.writer).is_some();
        let is_left = named.at_start || is_closed || self.feed.is_own(named.writer);
        if is_left { Pending::Chunks } else { Pending::Later }
    }

    /// Says up to where everything is applied, so that the next start begins there.
    async fn save_cursors(&self, followed: &mut Followed) -> Result<()> {
        let mut first: HashMap<Writer, u64> = HashMap::new();
        for Named { writer, position, .. } in followed.pending.values() {
            first.entry(*writer).and_modify(|first| *first = (*position).min(*first)).or_insert(*position);
        }
        for (writer, cursor) in &mut followed.cursors {
            let applied = first.get(writer).copied().unwrap_or(cursor.next);
            if applied > cursor.saved {
                let values = (writer.0.cast_signed(), applied.cast_signed());
                let put = &self.cluster.statements.put_cursor;
                self.cluster.requests.write(put, self.cluster.stamps.replaces(), values).await?;
                cursor.saved = applied;
            }
        }
        Ok(())
    }
}
