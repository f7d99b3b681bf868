//! The published rule: when a cold chain is broken. `docs/spec/temperature.md` explains it.

use super::{Side, Temperature};

/// At or below this upper limit goods count as frozen, in hundredths of a degree Celsius.
const FROZEN_MAX_HUNDREDTHS: i32 = -500;

/// The temperatures between which goods must be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Not colder than this.
    pub min: Option<Temperature>,
    /// Not warmer than this.
    pub max: Option<Temperature>,
}

impl Limits {
    /// The limit on one side.
    pub fn on(self, side: Side) -> Option<Temperature> {
        match side {
            Side::Above => self.max,
            Side::Below => self.min,
        }
    }
}

/// The rule, with the thresholds of both kinds of goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A reading holds until the next, at most for so long; a longer pause is a gap. Milliseconds.
    pub gap_ms: i64,
    /// For goods to be kept at or below -5 °C.
    pub frozen: Thresholds,
    /// For all others.
    pub chilled: Thresholds,
}

/// How far and how long goods may be outside their limits. A duration equal to a threshold is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// By how much a limit may be passed for a moment, in hundredths of a degree.
    pub tolerance_hundredths: i32,
    /// Longest time beyond limit and tolerance at a stretch, in milliseconds.
    pub beyond_ms: i64,
    /// Longest time beyond limit and tolerance in all, in milliseconds.
    pub beyond_total_ms: i64,
    /// Longest time outside a limit at a stretch, by however little, in milliseconds.
    pub outside_ms: i64,
}

impl Rule {
    /// The thresholds for goods with these limits.
    pub fn thresholds(&self, limits: Limits) -> Thresholds {
        let frozen = limits.max.is_some_and(|max| max.hundredths() <= FROZEN_MAX_HUNDREDTHS);
        if frozen { self.frozen } else { self.chilled }
    }
}

/// What broke a cold chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which clause of the rule.
    pub clause: Clause,
    /// Too warm or too cold.
    pub side: Side,
    /// How long, in milliseconds.
    pub found_ms: i64,
    /// How long it might have been, in milliseconds.
    pub allowed_ms: i64,
    /// The tolerance that was passed, in hundredths of a degree; 0 for [`Clause::Outside`].
    pub tolerance_hundredths: i32,
}

/// A clause of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    /// Beyond limit and tolerance for too long at a stretch.
    Beyond,
    /// Beyond limit and tolerance for too long in all.
    BeyondTotal,
    /// Outside a limit for too long at a stretch.
    Outside,
}
