//! One side of the limits: too warm, or too cold. What lies outside is counted alike on both.

use super::{Breach, Clause, Limits, Temperature, Thresholds};
use crate::limits::EXCURSIONS_MAX;

/// Which limit is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Too warm.
    Above,
    /// Too cold.
    Below,
}

/// A time during which goods were outside a limit without interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excursion {
    /// Which limit.
    pub side: Side,
    /// Begin, milliseconds since 1970-01-01 UTC.
    pub from_ms: i64,
    /// End.
    pub to_ms: i64,
    /// The furthest from the limit.
    pub peak: Temperature,
    /// How long goods were surely outside, in milliseconds; 0 where a single reading was, or where no more than the
    /// extremes of a span are known.
    pub outside_ms: i64,
}

/// What was surely and what was possibly the temperature during a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// No warmer sensor read less than this.
    pub(super) surely_above: Temperature,
    /// No colder sensor read more than this.
    pub(super) surely_below: Temperature,
    pub(super) low: Temperature,
    pub(super) high: Temperature,
}

/// Counts what lies beyond one limit, time by time.
#[derive(Debug)]
pub(super) struct Outside {
    side: Side,
    /// Degrees beyond it are positive; `None` where the goods have no such limit.
    limit: Option<i32>,
    thresholds: Thresholds,
    pub(super) outside_ms: i64,
    pub(super) excursions: Vec<Excursion>,
    pub(super) further: u64,
    open: Option<Excursion>,
    outside: Run,
    beyond: Run,
}

/// How long something held: at this stretch, at the longest, and in all.
#[derive(Debug, Default)]
struct Run {
    now_ms: i64,
    longest_ms: i64,
    total_ms: i64,
}

impl Run {
    fn add(&mut self, holds: bool, ms: i64) {
        if holds {
            self.now_ms += ms;
            self.total_ms += ms;
            self.longest_ms = self.longest_ms.max(self.now_ms);
        } else {
            self.now_ms = 0;
        }
    }
}

impl Outside {
    pub(super) fn new(side: Side, limits: Limits, thresholds: Thresholds) -> Self {
        let limit = limits.on(side).map(|limit| side.degrees(limit));
        let (outside, beyond) = (Run::default(), Run::default());
        Self { side, limit, thresholds, outside_ms: 0, excursions: Vec::new(), further: 0, open: None, outside, beyond }
    }

    /// From `from_ms` to `to_ms` the temperature was in this range.
    pub(super) fn add(&mut self, from_ms: i64, to_ms: i64, range: Range) {
        let Some(limit) = self.limit else { return };
        let (sure, furthest) = match self.side {
            Side::Above => (range.surely_above, range.high),
            Side::Below => (range.surely_below, range.low),
        };
        let (sure, ms) = (self.side.degrees(sure), to_ms - from_ms);
        self.outside.add(sure > limit, ms);
        self.beyond.add(sure > limit.saturating_add(self.thresholds.tolerance_hundredths), ms);
        self.outside_ms = self.outside.total_ms;
        if self.side.degrees(furthest) <= limit {
            return self.close();
        }
        let side = self.side;
        let open = self.open.get_or_insert(Excursion { side, from_ms, to_ms, peak: furthest, outside_ms: 0 });
        open.to_ms = to_ms;
        open.outside_ms += if sure > limit { ms } else { 0 };
        if side.degrees(furthest) > side.degrees(open.peak) {
            open.peak = furthest;
        }
    }

    /// Nothing is known from here on.
    pub(super) fn pause(&mut self) {
        (self.outside.now_ms, self.beyond.now_ms) = (0, 0);
        self.close();
    }

    fn close(&mut self) {
        if let Some(excursion) = self.open.take() {
            if self.excursions.len() < EXCURSIONS_MAX {
                self.excursions.push(excursion);
            } else {
                self.further += 1;
            }
        }
    }

    /// The first clause of the rule that does not hold.
    pub(super) fn breach(&self) -> Option<Breach> {
        let Thresholds { tolerance_hundredths: tolerance, beyond_ms, beyond_total_ms, outside_ms } = self.thresholds;
        let clauses = [
            (Clause::Beyond, self.beyond.longest_ms, beyond_ms, tolerance),
            (Clause::BeyondTotal, self.beyond.total_ms, beyond_total_ms, tolerance),
            (Clause::Outside, self.outside.longest_ms, outside_ms, 0),
        ];
        let broken = clauses.into_iter().find(|(_, found, allowed, _)| found > allowed);
        broken.map(|(clause, found_ms, allowed_ms, tolerance_hundredths)| Breach {
            clause,
            side: self.side,
            found_ms,
            allowed_ms,
            tolerance_hundredths,
        })
    }
}

impl Side {
    /// Hundredths of a degree toward this side.
    fn degrees(self, temperature: Temperature) -> i32 {
        match self {
            Self::Above => temperature.hundredths(),
            Self::Below => -temperature.hundredths(),
        }
    }
}
