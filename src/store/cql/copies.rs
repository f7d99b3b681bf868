//! Everything out of this store, and into it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use tokio::sync::mpsc;

use super::{
    Cluster, CqlStore,
    snapshot::{Moment, Reading},
};
use crate::{
    limits::{CQL_ROWS_AT_ONCE, SNAPSHOT_BATCHES_WAITING},
    store::{Capture, Chunk, Copies, Error, Intake, Kept, RETIRED_CLAIM, Result, Snapshot, Writes},
};

/// A snapshot under way, until it is dropped.
pub struct Copying(Arc<AtomicUsize>);

impl Copying {
    fn begin(copies: &Arc<AtomicUsize>) -> Self {
        copies.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(copies))
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[async_trait]
impl Copies for CqlStore {
    async fn snapshot(&self) -> Result<Snapshot> {
        let copying = Copying::begin(&self.copies);
        let cluster = Arc::clone(&self.cluster);
        let mut heads = Vec::new();
        let moment = {
            // Waits for every write that was let in, and keeps others out for as long as it takes to note the moment.
            let _alone = self.door.write().await;
            for writer in cluster.writers().await? {
                heads.push(cluster.feed_head(writer).await?);
            }
            Moment::new(cluster.stamps.stays())
        };
        let (records, entries) = cluster.count(moment).await?;
        let (to, mut from) = mpsc::channel(SNAPSHOT_BATCHES_WAITING);
        let ends = heads.clone();
        tokio::spawn(async move {
            let _copying = copying;
            Reading::new(cluster, moment, to).run(&ends).await;
        });
        let things: BoxStream<'static, _> = stream::poll_fn(move |context| from.poll_recv(context)).boxed();
        Ok(Snapshot { heads, records, entries, things })
    }

    async fn load(&self, things: Vec<Kept>) -> Result<()> {
        let _inside = self.enter().await?;
        let (mut writes, mut rows, mut others) = (Writes::default(), Vec::new(), Vec::new());
        for thing in things {
            match thing {
                Kept::Record(record) => writes.records.push(record),
                Kept::Entry(subject, entry) => writes.entries.push((subject, entry)),
                Kept::Statement(statement) => writes.statements.push(*statement),
                Kept::Row(writer, row) => rows.push((writer, row)),
                other => others.push(other),
            }
        }
        self.cluster.puts(&writes)?.send().await?;
        let puts: Vec<_> = others.into_iter().map(|thing| self.cluster.load(thing)).collect();
        stream::iter(puts).buffer_unordered(CQL_ROWS_AT_ONCE).try_collect::<()>().await?;
        // Behind the captures that they name.
        for (writer, row) in rows {
            self.feed.load(&self.cluster, writer, &row).await?;
        }
        Ok(())
    }

    async fn set_intake(&self, intake: Intake) -> Result<()> {
        let mut door = self.door.write().await;
        match (*door, intake) {
            (Intake::Retired, Intake::Retired) => return Ok(()),
            (Intake::Retired, _) => return Err(Error::Retired),
            // Where it is there already, somebody else retired the store.
            (_, Intake::Retired) => self.cluster.load_claim(RETIRED_CLAIM, &[]).await?,
            _ => {}
        }
        *door = intake;
        Ok(())
    }
}

impl Cluster {
    /// The write that puts one thing of another store.
    fn load(&self, thing: Kept) -> BoxFuture<'_, Result<()>> {
        async move {
            match thing {
                Kept::Claim { name, value } => self.load_claim(&name, &value).await,
                Kept::Capture(capture) => self.load_capture(&capture).await,
                Kept::Chunk { capture, number, chunk: Chunk::Staged(records) } => {
                    self.stage_records(capture, number, &records).await
                }
                Kept::Chunk { capture, number, chunk: Chunk::Applied(ids) } => {
                    self.put_applied(capture, number, &ids).await
                }
                Kept::Scans { block, writer, sums } => self.put_scans(block, writer, &sums).await,
                // They are put together, or in their order.
                Kept::Record(_) | Kept::Entry(..) | Kept::Statement(_) | Kept::Row(..) => Ok(()),
            }
        }
        .boxed()
    }

    async fn load_capture(&self, capture: &Capture) -> Result<()> {
        self.put_capture(capture, false).await?;
        match capture.finished_ms {
            Some(finished_ms) => self.mark_finished(capture.id, finished_ms).await,
            None => self.mark_committed(capture.id).await,
        }
    }
}
