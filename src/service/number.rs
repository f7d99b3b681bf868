//! Numbers of new things, from counters in the store.
//!
//! A server takes a lease of several numbers at once and hands them out from memory; what is left of a lease when it
//! stops is never given to anyone. So numbers are unique on any number of servers, ascending on one, and have gaps.

use std::{collections::HashMap, ops::Range};

use tokio::sync::Mutex;

use super::Service;
use crate::{
    code::{Gs1Prefix, KeySlot},
    limits::NUMBER_LEASE,
    store,
};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Organizations, from 1.
    Organizations,
    /// API keys, from 1.
    Keys,
    /// Products, from 1.
    Products,
    /// Consignments, from 1.
    Consignments,
    /// Batches, from 1.
    Batches,
    /// Documents, from 1.
    Documents,
    /// Measures, from 1.
    Measures,
    /// Alerts, from 1.
    Alerts,
    /// Looks, from 1.
    Looks,
    /// Runs under one master key, from 0. The caller refuses numbers of 2^25 and above.
    Runs(KeySlot),
}

impl Counter {
    /// What the names of all their claims begin with.
    pub(super) const CLAIMS: &str = "counter/";
    /// What the names of counters of runs go on with.
    pub(super) const RUNS: &str = "runs/";
    /// What the names of counters of units go on with; a GS1 Company Prefix follows.
    pub(super) const UNITS: &str = "units/";
    /// All but those of runs.
    pub(super) const NUMBERED: [Self; 9] = [
        Self::Organizations,
        Self::Keys,
        Self::Products,
        Self::Consignments,
        Self::Batches,
        Self::Documents,
        Self::Measures,
        Self::Alerts,
        Self::Looks,
    ];

    /// The name of its claim, whose value is the first number of no lease as eight bytes, big end first.
    pub(super) fn claim(self) -> String {
        match self {
            Self::Organizations => "counter/organizations".to_owned(),
            Self::Keys => "counter/keys".to_owned(),
            Self::Products => "counter/products".to_owned(),
            Self::Consignments => "counter/consignments".to_owned(),
            Self::Batches => "counter/batches".to_owned(),
            Self::Documents => "counter/documents".to_owned(),
            Self::Measures => "counter/measures".to_owned(),
            Self::Alerts => "counter/alerts".to_owned(),
            Self::Looks => "counter/looks".to_owned(),
            Self::Runs(slot) => format!("counter/runs/{}", slot.get()),
        }
    }

    /// What its claim says: the first number of no lease.
    fn value(self, claim: Option<&[u8]>) -> store::Result<u64> {
        let Some(bytes) = claim else { return Ok(u64::from(!matches!(self, Self::Runs(_)))) };
        Self::parse(&self.claim(), bytes)
    }

    /// What the claim of this name says.
    pub(super) fn parse(name: &str, bytes: &[u8]) -> store::Result<u64> {
        Ok(u64::from_be_bytes(bytes.try_into().map_err(|_| store::Error::Corrupt {
            table: "claims",
            key: name.to_owned(),
            found: format!("{} bytes where a counter has 8", bytes.len()),
        })?))
    }
}

/// The leases of this server.
#[derive(Debug, Default)]
pub struct Numbers(Mutex<HashMap<Counter, Range<u64>>>);

impl Service {
    /// A number that was never given before.
    ///
    /// # Errors
    /// Where the store takes no claim. After an ambiguous swap the lease is lost, not given twice.
    pub async fn next_number(&self, counter: Counter) -> store::Result<u64> {
        let mut leases = self.numbers.0.lock().await;
        let lease = leases.entry(counter).or_default();
        if lease.is_empty() {
            *lease = self.lease(counter).await?;
        }
        lease.next().ok_or_else(|| store::Error::Unavailable("a lease of no numbers".to_owned()))
    }

    /// The first number that no server has leased.
    pub(super) async fn first_free_number(&self, counter: Counter) -> store::Result<u64> {
        counter.value(self.store.claim(&counter.claim()).await?.as_deref())
    }

    /// Moves a counter so that it gives out no number below `first` any more; never back.
    pub(super) async fn raise(&self, counter: Counter, first: u64) -> store::Result<()> {
        let name = counter.claim();
        // A lease that this server holds may lie below.
        let mut leases = self.numbers.0.lock().await;
        leases.remove(&counter);
        loop {
            let before = self.store.claim(&name).await?;
            if before.is_some() && counter.value(before.as_deref())? >= first {
                return Ok(());
            }
            if self.store.swap(&name, before.as_deref(), &first.to_be_bytes()).await? {
                return Ok(());
            }
        }
    }

    /// Numbers of so many units under a company prefix, from 0, that were never given before.
    ///
    /// # Errors
    /// How many are left, where they are fewer; and where the store takes no claim.
    pub(super) async fn lease_units(&self, prefix: Gs1Prefix, count: u64) -> store::Result<Result<Range<u64>, u64>> {
        let name = format!("{}{}{prefix}", Counter::CLAIMS, Counter::UNITS);
        loop {
            let before = self.store.claim(&name).await?;
            let first = before.as_deref().map(|bytes| Counter::parse(&name, bytes)).transpose()?.unwrap_or(0);
            let left = prefix.units().saturating_sub(first);
            if left < count {
                return Ok(Err(left));
            }
            let lease = first..first + count;
            if self.store.swap(&name, before.as_deref(), &lease.end.to_be_bytes()).await? {
                return Ok(Ok(lease));
            }
        }
    }

    async fn lease(&self, counter: Counter) -> store::Result<Range<u64>> {
        let name = counter.claim();
        loop {
            let before = self.store.claim(&name).await?;
            let first = counter.value(before.as_deref())?;
            let lease = first..first + NUMBER_LEASE;
            if self.store.swap(&name, before.as_deref(), &lease.end.to_be_bytes()).await? {
                return Ok(lease);
            }
        }
    }
}
