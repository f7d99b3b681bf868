//! Leases of feeds: a claim that its server moves on, and that whoever finds it standing still takes away.
//!
//! A feed is closed in two swaps. Behind the first no row counts that is not there; then its rows are counted, and the
//! second says how many there are, for ever. A quorum that shows a row once shows it to every later reader, so that whoever
//! read a row, and then found the feed not closed, has read one that counts.

use std::time::{Duration, Instant, SystemTime};

use super::{Cluster, words::corrupt};
use crate::{
    limits::CQL_LEASE_MS,
    store::{Error, Result, Writer},
};

/// What the claim of a feed says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Its server writes it, and has said so for the so many-th time.
    Held(u64),
    /// Its server is thought dead: a row that is not there yet will not count.
    Closing,
    /// It has so many rows for ever.
    Closed(u64),
}

impl Lease {
    fn encode(self) -> Vec<u8> {
        match self {
            Self::Held(beat) => format!("held {beat}"),
            Self::Closing => "closing".to_owned(),
            Self::Closed(rows) => format!("closed {rows}"),
        }
        .into_bytes()
    }

    pub fn parse(writer: Writer, claim: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(claim).unwrap_or_default();
        let lease = match text.split_once(' ') {
            Some(("held", beat)) => beat.parse().ok().map(Self::Held),
            Some(("closed", rows)) => rows.parse().ok().map(Self::Closed),
            _ => (text == "closing").then_some(Self::Closing),
        };
        lease.ok_or_else(|| corrupt("claims", claim_name(writer), format!("{text:?} is no lease")))
    }
}

/// What the names of all these claims begin with.
const CLAIMS: &str = "feed/";

/// The claim of a feed.
pub fn claim_name(writer: Writer) -> String {
    format!("{CLAIMS}{}", writer.0)
}

/// Whether a claim is that of a feed.
pub fn is_lease(claim: &str) -> bool {
    claim.starts_with(CLAIMS)
}

/// The lease that this server holds.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    pub writer: Writer,
    beat: u64,
    /// When the swap was begun that moved the claim on last, by two clocks: one stands still while a machine sleeps, the
    /// other is set.
    begun: (Instant, SystemTime),
}

impl Holding {
    /// A feed that this server has just named.
    pub async fn take(cluster: &Cluster, writer: Writer) -> Result<Option<Self>> {
        let holding = Self { writer, beat: 0, begun: (Instant::now(), SystemTime::now()) };
        let taken = cluster.swap(&claim_name(writer), None, &Lease::Held(0).encode()).await?;
        Ok(taken.then_some(holding))
    }

    /// Moves the claim on; `None` where somebody has taken it away.
    pub async fn renew(self, cluster: &Cluster) -> Result<Option<Self>> {
        let begun = (Instant::now(), SystemTime::now());
        let (name, next) = (claim_name(self.writer), self.beat + 1);
        let (old, new) = (Lease::Held(self.beat).encode(), Lease::Held(next).encode());
        match cluster.swap(&name, Some(&old), &new).await {
            Ok(true) => Ok(Some(Self { beat: next, begun, ..self })),
            // Perhaps an attempt of which nothing was heard landed, or may still do so.
            Ok(false) | Err(Error::Ambiguous(_)) => match cluster.lease(self.writer).await? {
                Some(Lease::Held(beat)) if beat == next => Ok(Some(Self { beat: next, begun, ..self })),
                Some(Lease::Held(beat)) if beat == self.beat => Err(Error::Ambiguous(name)),
                _ => Ok(None),
            },
            Err(error) => Err(error),
        }
    }

    /// Whether nobody can have taken it away: whoever does has seen it stand still for the whole time.
    pub fn is_sure(&self) -> bool {
        let (instant, time) = self.begun;
        let passed = time.elapsed().unwrap_or(Duration::MAX).max(instant.elapsed());
        passed < Duration::from_millis(CQL_LEASE_MS / 2)
    }

    /// Gives the feed back, which has so many rows.
    pub async fn give_back(self, cluster: &Cluster, rows: u64) -> Result<()> {
        let (name, held) = (claim_name(self.writer), Lease::Held(self.beat).encode());
        if cluster.swap(&name, Some(&held), &Lease::Closed(rows).encode()).await? {
            cluster.note_closed(self.writer, rows).await?;
        }
        Ok(())
    }
}

impl Cluster {
    /// What the claim of a feed says, behind everything that was swapped; `None` where nobody ever held it.
    pub async fn lease(&self, writer: Writer) -> Result<Option<Lease>> {
        let claim = self.claim(&claim_name(writer)).await?;
        claim.map(|claim| Lease::parse(writer, &claim)).transpose()
    }

    /// The same, perhaps somewhat older, without a round of Paxos.
    pub async fn glance_at_lease(&self, writer: Writer) -> Result<Option<Lease>> {
        let claim = self.glance(&claim_name(writer)).await?;
        claim.map(|claim| Lease::parse(writer, &claim)).transpose()
    }

    /// Closes a feed whose claim stands still at `seen`; how many rows it has, `None` where its server has moved on.
    pub async fn close_feed(&self, writer: Writer, seen: Option<Lease>) -> Result<Option<u64>> {
        let (name, closing) = (claim_name(writer), Lease::Closing.encode());
        if matches!(seen, None | Some(Lease::Held(_)))
            && !self.swap(&name, seen.map(Lease::encode).as_deref(), &closing).await?
        {
            return Ok(None);
        }
        // Behind the swap: what is there now is all that counts.
        let rows = self.feed_head(writer).await?.rows;
        let swapped = self.swap(&name, Some(&closing), &Lease::Closed(rows).encode()).await;
        let rows = match swapped {
            Ok(true) => rows,
            Ok(false) | Err(Error::Ambiguous(_)) => match self.lease(writer).await? {
                Some(Lease::Closed(rows)) => rows,
                _ => return Ok(None),
            },
            Err(error) => return Err(error),
        };
        self.note_closed(writer, rows).await?;
        Ok(Some(rows))
    }

    /// Whether a row that was read, or written, counts: the feed is not closed before it.
    pub async fn counts(&self, writer: Writer, position: u64) -> Result<bool> {
        if let Some(rows) = self.feeds.rows_of_closed(writer) {
            return Ok(position < rows);
        }
        let rows = match self.lease(writer).await? {
            None | Some(Lease::Held(_)) => return Ok(true),
            Some(Lease::Closed(rows)) => {
                self.feeds.close(writer, rows);
                Some(rows)
            }
            closing @ Some(Lease::Closing) => self.close_feed(writer, closing).await?,
        };
        let unsure = || Error::Unavailable(format!("feed {} is being closed", writer.0));
        Ok(position < rows.ok_or_else(unsure)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_read_as_it_was_written_and_anything_else_is_named() {
        for lease in [Lease::Held(0), Lease::Held(u64::MAX), Lease::Closing, Lease::Closed(7)] {
            assert_eq!(Lease::parse(Writer(3), &lease.encode()).unwrap(), lease);
        }
        for odd in ["", "held", "held x", "closed", "closing 1"] {
            let error = Lease::parse(Writer(3), odd.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, format!("claims/feed/3: {odd:?} is no lease"));
        }
    }

    #[test]
    fn a_lease_is_sure_for_half_its_time_by_both_clocks() {
        let (now, time) = (Instant::now(), SystemTime::now());
        let half = Duration::from_millis(CQL_LEASE_MS / 2);
        let sure = |begun| Holding { writer: Writer(0), beat: 0, begun }.is_sure();
        assert!(sure((now, time)));
        assert!(!sure((now, time - half)), "the machine slept");
        assert!(!sure((now - half, time)), "the clock was set back");
        assert!(!sure((now, time + half)), "the clock was set back further");
    }
}
