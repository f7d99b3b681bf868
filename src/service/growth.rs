//! How fast one organization may make the ledgers of others' goods grow: a rate for each organization and subject, never a
//! total, so that no report is refused for ever.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use moka::sync::Cache;

use crate::{
    limits::{GROWTH_BURST_ENTRIES, GROWTH_ENTRY_MS, GROWTH_SUBJECTS_MAX},
    trace::{OrganizationId, Subject},
};

/// Until when each organization has used up its entries in a subject, milliseconds since 1970-01-01 UTC. Both stand
/// hashed, with keys that nobody knows.
#[derive(Debug)]
pub struct Growth {
    until_ms: Cache<u64, i64>,
    keys: RandomState,
    /// Held while a document's entries are taken: all of them or none.
    spending: Mutex<()>,
}

/// The entries that one document would add. At most `GROWTH_SUBJECTS_MAX` subjects.
#[derive(Debug, Default)]
pub struct Tally(HashMap<u64, Counted>);

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    entries: i64,
    /// Which event added the last.
    event: usize,
}

impl Default for Growth {
    fn default() -> Self {
        Self { until_ms: Cache::new(GROWTH_SUBJECTS_MAX), keys: RandomState::new(), spending: Mutex::default() }
    }
}

impl Growth {
    /// Counts one entry more of a document, and takes nothing as yet. Whether there is room now is asked by
    /// [`Growth::spend`]: a document that was taken before must not be refused when it is repeated.
    ///
    /// # Errors
    /// Where there is never room for so many: the seconds until there is room for one.
    pub fn count(
        &self,
        tally: &mut Tally,
        organization: OrganizationId,
        subject: &Subject,
        event: usize,
    ) -> Result<(), u32> {
        let key = self.keys.hash_one((organization, subject));
        let known = tally.0.get(&key).copied();
        let counted = Counted { entries: known.unwrap_or_default().entries + 1, event };
        let is_full = known.is_none() && tally.0.len() as u64 >= GROWTH_SUBJECTS_MAX;
        if is_full || counted.entries > GROWTH_BURST_ENTRIES {
            return Err(RETRY_AFTER_S);
        }
        tally.0.insert(key, counted);
        Ok(())
    }

    /// Takes all that a document adds.
    ///
    /// # Errors
    /// Where there is no room for all of it any more, and then nothing is taken: which event, and the seconds until there is
    /// room for one.
    pub fn spend(&self, tally: &Tally, now_ms: i64) -> Result<(), (usize, u32)> {
        let _spending = self.spending.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, counted) in &tally.0 {
            if !self.has_room(*key, counted.entries, now_ms) {
                return Err((counted.event, RETRY_AFTER_S));
            }
        }
        for (key, counted) in &tally.0 {
            self.until_ms.insert(*key, self.until(*key, now_ms) + counted.entries * GROWTH_ENTRY_MS);
        }
        Ok(())
    }

    /// Gives back what a document took that is refused all the same.
    pub fn give_back(&self, tally: &Tally) {
        let _spending = self.spending.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, counted) in &tally.0 {
            if let Some(until_ms) = self.until_ms.get(key) {
                self.until_ms.insert(*key, until_ms - counted.entries * GROWTH_ENTRY_MS);
            }
        }
    }

    fn has_room(&self, key: u64, entries: i64, now_ms: i64) -> bool {
        self.until(key, now_ms) + entries * GROWTH_ENTRY_MS <= now_ms + GROWTH_BURST_ENTRIES * GROWTH_ENTRY_MS
    }

    fn until(&self, key: u64, now_ms: i64) -> i64 {
        self.until_ms.get(&key).unwrap_or(now_ms).max(now_ms)
    }
}

/// One entry's time, rounded up.
const RETRY_AFTER_S: u32 = (GROWTH_ENTRY_MS / 1_000 + 1) as u32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::BatchId;

    const ORGANIZATION: OrganizationId = OrganizationId(1);

    fn batch(id: u64) -> Subject {
        Subject::Batch(BatchId(id))
    }

    /// Documents of one entry each that are taken, one after the other.
    fn taken(growth: &Growth, subject: u64, now_ms: i64) -> usize {
        let take = |_: &usize| {
            let mut tally = Tally::default();
            growth.count(&mut tally, ORGANIZATION, &batch(subject), 0).unwrap();
            growth.spend(&tally, now_ms).is_ok()
        };
        (0..10_000).take_while(take).count()
    }

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let growth = Growth::default();
        assert_eq!(taken(&growth, 1, 0) as i64, GROWTH_BURST_ENTRIES);
        assert_eq!(taken(&growth, 1, 10 * GROWTH_ENTRY_MS), 10);
        assert_eq!(taken(&growth, 2, 0) as i64, GROWTH_BURST_ENTRIES);
    }

    #[test]
    fn a_document_that_is_counted_and_not_spent_takes_nothing() {
        let growth = Growth::default();
        let mut tally = Tally::default();
        let counted = (0..10_000).take_while(|event| growth.count(&mut tally, ORGANIZATION, &batch(1), *event).is_ok());
        assert_eq!(counted.count() as i64, GROWTH_BURST_ENTRIES, "within one document the limit is the same");
        assert_eq!(taken(&growth, 1, 0) as i64, GROWTH_BURST_ENTRIES);
    }

    #[test]
    fn a_document_is_taken_whole_or_not_at_all() {
        let growth = Growth::default();
        let mut tally = Tally::default();
        for (event, subject) in [1, 2, 2].into_iter().enumerate() {
            growth.count(&mut tally, ORGANIZATION, &batch(subject), event).unwrap();
        }
        assert_eq!(taken(&growth, 2, 0) as i64, GROWTH_BURST_ENTRIES);
        assert_eq!(growth.spend(&tally, 0), Err((2, RETRY_AFTER_S)));
        assert_eq!(taken(&growth, 1, 0) as i64, GROWTH_BURST_ENTRIES);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let growth = Growth::default();
        let mut tally = Tally::default();
        growth.count(&mut tally, ORGANIZATION, &batch(1), 0).unwrap();
        growth.spend(&tally, 0).unwrap();
        growth.give_back(&tally);
        assert_eq!(taken(&growth, 1, 0) as i64, GROWTH_BURST_ENTRIES);
    }

    #[test]
    fn what_one_organization_says_keeps_no_other_from_saying_it() {
        let (growth, subject) = (Growth::default(), Subject::Batch(BatchId(1)));
        let says = |organization| {
            let mut tally = Tally::default();
            growth.count(&mut tally, OrganizationId(organization), &subject, 0).unwrap();
            growth.spend(&tally, 0)
        };
        while says(1).is_ok() {}
        assert_eq!(says(2), Ok(()));
    }
}
