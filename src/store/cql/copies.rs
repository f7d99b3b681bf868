//! Everything out of this store, and into it.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use tokio::{sync::mpsc, time::sleep};

use super::{Cluster, CqlStore, lease::Lease, snapshot::Reading};
use crate::{
    limits::{
        CQL_ALONE_WAIT_MS, CQL_LEASE_RENEWED_MS, CQL_LOAD_PAUSE_MS, CQL_LOAD_TRIES_MAX, CQL_ROWS_AT_ONCE,
        SNAPSHOT_BATCHES_WAITING,
    },
    store::{Capture, Chunk, Copies, Error, Intake, Kept, RETIRED_CLAIM, Result, Snapshot, Writes},
};

#[async_trait]
impl Copies for CqlStore {
    async fn snapshot(&self) -> Result<Snapshot> {
        let (taking, moment, heads) = self.take_moment().await?;
        let cluster = Arc::clone(&self.cluster);
        let (records, entries) = cluster.count(moment).await?;
        let (to, mut from) = mpsc::channel(SNAPSHOT_BATCHES_WAITING);
        let ends = heads.clone();
        tokio::spawn(async move { Reading::new(cluster, moment, taking, to).run(&ends).await });
        let things: BoxStream<'static, _> = stream::poll_fn(move |context| from.poll_recv(context)).boxed();
        Ok(Snapshot { heads, records, entries, things })
    }

    async fn load(&self, things: Vec<Kept>) -> Result<()> {
        let _inside = self.enter().await?;
        let mut tries = 1;
        // A scan gives up early because somebody waits; whoever moves a house would rather wait.
        loop {
            match self.load_once(things.clone()).await {
                Err(Error::Unavailable(error)) if tries < CQL_LOAD_TRIES_MAX => {
                    tracing::warn!(error, tries, "a load is tried again");
                }
                done => return done,
            }
            sleep(Duration::from_millis(CQL_LOAD_PAUSE_MS)).await;
            tries += 1;
        }
    }

    async fn set_intake(&self, intake: Intake) -> Result<()> {
        if intake != Intake::Open {
            self.require_alone().await?;
        }
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

impl CqlStore {
    /// Puts things; what is there already stays, so that it may be done again.
    async fn load_once(&self, things: Vec<Kept>) -> Result<()> {
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
            // A restore that goes on where it was stopped.
            if self.cluster.rows(writer, row.position, 1).await?.contains(&row) {
                continue;
            }
            self.feed.load(&self.cluster, writer, &row).await?;
        }
        Ok(())
    }

    /// Others do not know that this server is paused or retired. One that died is waited for until its feed is closed.
    async fn require_alone(&self) -> Result<()> {
        let (begun, mut seen) = (Instant::now(), HashMap::new());
        loop {
            let others = self.feeds_of_others().await?;
            if others.is_empty() {
                return Ok(());
            }
            let mut lives = begun.elapsed() >= Duration::from_millis(CQL_ALONE_WAIT_MS);
            for writer in &others {
                let lease = self.cluster.glance_at_lease(*writer).await?;
                let before = seen.insert(*writer, lease);
                lives |= matches!(lease, Some(Lease::Held(_))) && before.is_some_and(|before| before != lease);
            }
            if lives {
                let said = "other servers write to this keyspace: stop them first";
                return Err(Error::Unavailable(format!("{} {said}", others.len())));
            }
            sleep(Duration::from_millis(CQL_LEASE_RENEWED_MS)).await;
        }
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
