//! Which captures were committed and are not applied: found in the feeds, from where everything before is applied, so
//! that no queue has to be deleted from.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use futures_util::{StreamExt, stream};

use super::CqlStore;
use crate::{
    limits::{AUDIT_FEED_ROWS, CQL_ROWS_AT_ONCE},
    store::{Result, Writer},
    trace::CaptureId,
};

/// How far this server has read the feeds.
#[derive(Default)]
pub struct Followed {
    cursors: HashMap<Writer, Cursor>,
    /// Captures that were named and not known to be applied, with where.
    pending: BTreeMap<CaptureId, (Writer, u64)>,
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
    /// Reads the feeds on, finishes what was committed together with its writes, and says which captures remain, in the
    /// order of their ids.
    pub(super) async fn follow(&self) -> Result<Vec<CaptureId>> {
        let mut followed = self.followed.lock().await;
        for writer in self.cluster.writers().await? {
            self.read_on(&mut followed, writer).await?;
        }
        let ids: Vec<_> = followed.pending.keys().copied().collect();
        let states = stream::iter(ids).map(|id| async move { (id, self.pending(id).await) });
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
                followed.pending.extend(unknown.map(|(id, _)| (*id, (writer, row.position))));
            }
            if rows.len() < AUDIT_FEED_ROWS {
                return Ok(());
            }
        }
    }

    async fn pending(&self, id: CaptureId) -> Result<Pending> {
        let Some(row) = self.cluster.capture_row(id).await? else {
            let found = "a feed names it, but it is not there";
            return Err(super::words::corrupt("captures", id, found));
        };
        if row.is_finished() {
            return Ok(Pending::Done);
        }
        if row.is_committed() {
            return Ok(Pending::Chunks);
        }
        // Somebody here is at it, or its server stopped in between.
        let Some(_turn) = self.turns.try_take(id) else { return Ok(Pending::Later) };
        self.cluster.settle_again(&row).await?;
        let row = self.cluster.capture_row(id).await?;
        Ok(if row.is_some_and(|row| row.is_finished()) { Pending::Done } else { Pending::Chunks })
    }

    /// Says up to where everything is applied, so that the next start begins there.
    async fn save_cursors(&self, followed: &mut Followed) -> Result<()> {
        let mut first: HashMap<Writer, u64> = HashMap::new();
        for (writer, position) in followed.pending.values() {
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
