//! The keeper of feeds: says that this server lives, and closes the feeds of those that do not.

use std::{
    collections::HashMap,
    sync::{Arc, Weak, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{CqlStore, lease::Lease};
use crate::{
    limits::{CQL_LEASE_MS, CQL_LEASE_RENEWED_MS},
    store::{Intake, RETIRED_CLAIM, Result, Writer},
};

/// What the claims of others' feeds said, and since when, by this server's clock.
type Seen = HashMap<Writer, (Option<Lease>, Instant)>;

/// Keeps a store's feed until the store is closed or dropped.
pub fn keep(store: &Arc<CqlStore>) {
    tokio::spawn(kept(Arc::downgrade(store)));
}

async fn kept(store: Weak<CqlStore>) {
    let mut seen = Seen::new();
    loop {
        sleep(Duration::from_millis(CQL_LEASE_RENEWED_MS)).await;
        let Some(store) = store.upgrade().filter(|store| !store.is_closed.load(Ordering::Acquire)) else { return };
        // Each is tried again the next time; a feed that is not kept is found out before a commit is answered.
        if let Err(error) = store.feed.renew(&store.cluster).await {
            tracing::warn!(%error, "the lease of this server's feed could not be renewed");
        }
        if let Err(error) = store.hear_of_retirement().await {
            tracing::warn!(%error, "it is not known whether the store was retired");
        }
        if let Err(error) = store.close_dead_feeds(&mut seen).await {
            tracing::warn!(%error, "it is not known which other servers live");
        }
    }
}

impl CqlStore {
    /// Another server may have retired the store just before this one opened its feed.
    async fn hear_of_retirement(&self) -> Result<()> {
        if self.cluster.glance(RETIRED_CLAIM).await?.is_some() {
            *self.door.write().await = Intake::Retired;
        }
        Ok(())
    }

    /// Looks at the other feeds, and closes those whose claims have stood still for the time of a lease.
    async fn close_dead_feeds(&self, seen: &mut Seen) -> Result<()> {
        for writer in self.feeds_of_others().await? {
            let lease = self.cluster.glance_at_lease(writer).await?;
            if let Some(Lease::Closed(rows)) = lease {
                self.cluster.note_closed(writer, rows).await?;
                seen.remove(&writer);
                continue;
            }
            let now = Instant::now();
            let (before, since) = seen.entry(writer).or_insert((lease, now));
            if *before != lease {
                (*before, *since) = (lease, now);
            } else if since.elapsed() >= Duration::from_millis(CQL_LEASE_MS)
                && let Some(rows) = self.cluster.close_feed(writer, lease).await?
            {
                tracing::info!(feed = writer.0, rows, "the feed of a server that is not heard of any more was closed");
                seen.remove(&writer);
            }
        }
        Ok(())
    }
}
