//! Write timestamps. In a cluster the cell with the highest one holds, whatever came last.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// The moment from which the timestamps of first writes count down: 2065-01-24. They lie in the past until 2017 + 48
/// years, because a server may refuse writes from the future.
const COUNTDOWN_US: i64 = 3_000_000_000_000_000;

/// Gives each write its timestamp, in microseconds; no two of this server are the same.
pub struct Stamps {
    /// The latest that was given to a write that replaces.
    replacing: AtomicI64,
    /// The latest that was given to a write that only fills what is absent.
    filling: AtomicI64,
}

impl Stamps {
    pub fn new() -> Self {
        Self { replacing: AtomicI64::new(i64::MIN + 1), filling: AtomicI64::new(i64::MAX) }
    }

    /// For a cell that later writes replace.
    pub fn replaces(&self) -> i64 {
        let now = now_us();
        let next = |last: i64| Some(now.max(last.saturating_add(1)));
        // The closure always gives a value.
        self.replacing.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).map_or(now, |last| now.max(last + 1))
    }

    /// For a cell of which the first write stays: the earlier a write, the higher its timestamp. So of two writes under one
    /// key the first holds, in whatever order they arrive and however often, without a lightweight transaction.
    pub fn stays(&self) -> i64 {
        let now = COUNTDOWN_US.saturating_sub(now_us());
        let next = |last: i64| Some(now.min(last.saturating_sub(1)));
        self.filling.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).map_or(now, |last| now.min(last - 1))
    }

    /// Has all that is given from now on by [`Self::stays`] be later than this one, which another server gave.
    pub fn stay_below(&self, stamp: i64) {
        self.filling.fetch_min(stamp, Ordering::AcqRel);
    }
}

/// Microseconds since 1970-01-01 UTC.
pub fn now_us() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_writes_win_where_they_replace_and_lose_where_the_first_stays() {
        let stamps = Stamps::new();
        let replacing: Vec<_> = (0..1_000).map(|_| stamps.replaces()).collect();
        assert!(replacing.is_sorted_by(|a, b| a < b));
        let filling: Vec<_> = (0..1_000).map(|_| stamps.stays()).collect();
        assert!(filling.is_sorted_by(|a, b| a > b));
        let ahead = filling[999] - 60_000_000;
        stamps.stay_below(ahead);
        assert!(stamps.stays() < ahead, "another server's clock is ahead");
        stamps.stay_below(ahead);
        assert!(stamps.stays() < ahead - 1);
        assert!(filling[0] < replacing[0], "it lies in the past: servers refuse the future");
    }
}
