//! This server's feed: one row in flight, so that it is dense, and what waits meanwhile shares the next one.
//!
//! A server that was not heard of for the time of its lease finds its feed closed by another. What it had written counts up
//! to where it was closed; with the rest it goes on in a new feed.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::{Cluster, feeds::odd, lease::Holding};
use crate::{
    limits::FEED_ROW_CAPTURES_MAX,
    store::{Error, FeedRow, Result, Writer},
    trace::CaptureId,
};

/// A capture that is to be committed.
struct Waiting {
    capture: CaptureId,
    records: u32,
    answer: oneshot::Sender<Result<()>>,
}

/// The feed that this server writes.
pub struct FeedWriter {
    /// Its first one: the name of this server.
    pub writer: Writer,
    queue: Mutex<VecDeque<Waiting>>,
    end: tokio::sync::Mutex<End>,
    /// Changed by whoever renews it, and with the feed.
    holding: Mutex<Holding>,
    /// Two at once would take each other's renewal for somebody else's.
    renewing: tokio::sync::Mutex<()>,
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
        self.unsure = None;
    }
}

impl FeedWriter {
    pub fn new(holding: Holding) -> Self {
        let (queue, end, renewing) = Default::default();
        Self { writer: holding.writer, queue, end, holding: Mutex::new(holding), renewing }
    }

    /// Commits a capture: a row that names it is durable on return, and counts. Whoever comes first writes for all who wait.
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

    /// Says that this server lives; where another one took it for dead, it goes on in a new feed. A row of which it is not
    /// known whether it landed is written again.
    pub async fn renew(&self, cluster: &Cluster) -> Result<()> {
        let _one = self.renewing.lock().await;
        let held = self.held();
        let renewed = held.renew(cluster).await?;
        {
            let mut holding = self.holding();
            match renewed {
                Some(renewed) if holding.writer == renewed.writer => *holding = renewed,
                _ => {}
            }
        }
        let mut end = self.end.lock().await;
        if renewed.is_none() && self.held().writer == held.writer {
            self.reopen(cluster, &mut end).await?;
        }
        self.settle(cluster, &mut end).await.map(drop)
    }

    /// Gives the feed back: nothing is written to it any more.
    pub async fn close(&self, cluster: &Cluster) -> Result<()> {
        let mut end = self.end.lock().await;
        self.settle(cluster, &mut end).await?;
        self.held().give_back(cluster, end.next).await
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holding(&self) -> MutexGuard<'_, Holding> {
        self.holding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this server writes the feed now.
    pub fn is_own(&self, writer: Writer) -> bool {
        self.held().writer == writer
    }

    /// The feed that it writes now.
    pub fn current(&self) -> Writer {
        self.held().writer
    }

    /// Whether nobody can have taken this server for dead.
    pub fn is_sure(&self) -> bool {
        self.held().is_sure()
    }

    /// The lease as it stands now.
    fn held(&self) -> Holding {
        *self.holding()
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
        // Before it is sent: this future may be dropped while it is on its way.
        end.unsure = Some(FeedRow { position: end.next, previous: end.previous, captures });
        match self.settle(cluster, end).await {
            Ok(named) if named.is_empty() => {
                // The feed was closed before it; the next round writes it to the new one.
                let mut queue = self.queue();
                new.into_iter().rev().for_each(|one| queue.push_front(one));
            }
            outcome => answer(new, &outcome.map(drop)),
        }
    }

    /// Writes the row of which it is not known whether it is there; what it names. Nothing where there is none, or where the
    /// feed was closed before it: then there is a new feed.
    async fn settle(&self, cluster: &Cluster, end: &mut End) -> Result<HashSet<CaptureId>> {
        let Some(row) = end.unsure.clone() else { return Ok(HashSet::new()) };
        let held = self.held();
        cluster.put_row(held.writer, &row).await?;
        // Asked behind the write and before any answer. The lease was renewed since, or can be no other's yet.
        if self.held().is_sure() || cluster.counts(held.writer, row.position).await? {
            end.pass(&row, held.writer);
            return Ok(names(&row).collect());
        }
        self.reopen(cluster, end).await?;
        Ok(HashSet::new())
    }

    /// Goes on in a new feed.
    async fn reopen(&self, cluster: &Cluster, end: &mut End) -> Result<()> {
        let (closed, holding) = (self.held().writer, cluster.open_feed().await?);
        tracing::warn!(
            closed = closed.0,
            feed = holding.writer.0,
            "another server heard nothing of this one for so long that it closed its feed; it goes on in a new one"
        );
        *end = End::default();
        *self.holding() = holding;
        Ok(())
    }

    /// Puts a row of another store where it follows the rows that are there.
    pub async fn load(&self, cluster: &Cluster, writer: Writer, row: &FeedRow) -> Result<()> {
        let mut end = self.end.lock().await;
        if writer == self.held().writer {
            self.settle(cluster, &mut end).await?;
            if (row.position, row.previous) != (end.next, end.previous) {
                return Err(odd(writer, row));
            }
            cluster.put_row(writer, row).await?;
            end.pass(row, writer);
            return Ok(());
        }
        drop(end);
        let before = row.position.saturating_sub(1);
        let there = cluster.rows(writer, before, 2).await?;
        let follows = match there.last() {
            None => row.position == 0,
            Some(last) => last.position + 1 == row.position && last.digest(writer) == row.previous,
        };
        if !follows {
            return Err(odd(writer, row));
        }
        if row.position == 0 {
            cluster.add_feed(writer).await?;
            cluster.feeds.load(writer);
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
