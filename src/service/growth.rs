//! How fast one organization may make the ledgers of others' goods grow: a rate for each organization and subject, never a
//! total, so that no report is refused for ever.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use moka::sync::Cache;

use crate::{
    limits::{GROWTH_BURST_ENTRIES, GROWTH_ENTRY_MS, GROWTH_SUBJECTS_MAX},
    trace::{OrganizationId, Subject},
};

/// Until when each organization has used up its entries in a subject, milliseconds since 1970-01-01 UTC.
#[derive(Debug)]
pub struct Growth(Cache<(OrganizationId, Subject), Arc<AtomicI64>>);

impl Default for Growth {
    fn default() -> Self {
        Self(Cache::new(GROWTH_SUBJECTS_MAX))
    }
}

impl Growth {
    /// Takes one entry.
    ///
    /// # Errors
    /// The seconds until there is room for it.
    pub fn admit(&self, organization: OrganizationId, subject: &Subject, now_ms: i64) -> Result<(), u32> {
        let spent = self.0.get_with((organization, subject.clone()), Arc::default);
        let latest_ms = now_ms + GROWTH_BURST_ENTRIES * GROWTH_ENTRY_MS;
        let take = |until_ms: i64| {
            let until_ms = until_ms.max(now_ms) + GROWTH_ENTRY_MS;
            (until_ms <= latest_ms).then_some(until_ms)
        };
        let taken = spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.map(drop).map_err(|_| u32::try_from(GROWTH_ENTRY_MS / 1_000 + 1).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::BatchId;

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let (growth, organization) = (Growth::default(), OrganizationId(1));
        let taken = |subject: u64, now_ms: i64| {
            let subject = Subject::Batch(BatchId(subject));
            (0..10_000).take_while(|_| growth.admit(organization, &subject, now_ms).is_ok()).count()
        };
        assert_eq!(taken(1, 0) as i64, GROWTH_BURST_ENTRIES);
        assert_eq!(taken(1, 10 * GROWTH_ENTRY_MS), 10);
        assert_eq!(taken(2, 0) as i64, GROWTH_BURST_ENTRIES);
    }

    #[test]
    fn what_one_organization_says_keeps_no_other_from_saying_it() {
        let (growth, subject) = (Growth::default(), Subject::Batch(BatchId(1)));
        let says = |organization| growth.admit(OrganizationId(organization), &subject, 0);
        while says(1).is_ok() {}
        assert_eq!(says(2), Ok(()));
    }
}
