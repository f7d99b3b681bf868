//! `[cold_chain]`.

use serde::Deserialize;

use super::{Error, Result};
use crate::cold_chain::{Rule, Thresholds};

/// A year: no threshold is longer.
const MINUTES_MAX: u32 = 366 * 24 * 60;
/// The widest tolerance, in degrees: more would be another storage class.
const TOLERANCE_MAX: f64 = 20.0;

/// When a cold chain is broken; `docs/spec/temperature.md` is the rule.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColdChain {
    /// The longest pause between two readings of a sensor that is not a gap, in minutes.
    pub gap_minutes: u32,
    /// Frozen goods: how far the limit may be passed for a moment, in degrees.
    pub frozen_tolerance_celsius: f64,
    /// Frozen goods: longest time beyond limit and tolerance at a stretch, in minutes.
    pub frozen_beyond_minutes: u32,
    /// Frozen goods: longest time beyond limit and tolerance in all, in minutes.
    pub frozen_beyond_total_minutes: u32,
    /// Frozen goods: longest time outside the limit at a stretch, in minutes.
    pub frozen_outside_minutes: u32,
    /// Other goods: how far a limit may be passed for a moment, in degrees.
    pub chilled_tolerance_celsius: f64,
    /// Other goods: longest time beyond limit and tolerance at a stretch, in minutes.
    pub chilled_beyond_minutes: u32,
    /// Other goods: longest time beyond limit and tolerance in all, in minutes.
    pub chilled_beyond_total_minutes: u32,
    /// Other goods: longest time outside a limit at a stretch, in minutes.
    pub chilled_outside_minutes: u32,
}

impl ColdChain {
    pub(super) fn check(&self) -> Result<()> {
        for (key, minutes) in [
            ("cold_chain.gap_minutes", self.gap_minutes),
            ("cold_chain.frozen_beyond_minutes", self.frozen_beyond_minutes),
            ("cold_chain.frozen_beyond_total_minutes", self.frozen_beyond_total_minutes),
            ("cold_chain.frozen_outside_minutes", self.frozen_outside_minutes),
            ("cold_chain.chilled_beyond_minutes", self.chilled_beyond_minutes),
            ("cold_chain.chilled_beyond_total_minutes", self.chilled_beyond_total_minutes),
            ("cold_chain.chilled_outside_minutes", self.chilled_outside_minutes),
        ] {
            if !(1..=MINUTES_MAX).contains(&minutes) {
                return Err(Error::range(key, minutes, format!("expected 1 to {MINUTES_MAX}")));
            }
        }
        for (key, degrees) in [
            ("cold_chain.frozen_tolerance_celsius", self.frozen_tolerance_celsius),
            ("cold_chain.chilled_tolerance_celsius", self.chilled_tolerance_celsius),
        ] {
            if !(0.0..=TOLERANCE_MAX).contains(&degrees) {
                return Err(Error::range(key, degrees, format!("expected 0 to {TOLERANCE_MAX}")));
            }
        }
        Ok(())
    }

    /// The rule that these values make.
    pub fn rule(&self) -> Rule {
        let ms = |minutes: u32| i64::from(minutes) * 60_000;
        let thresholds = |degrees: f64, beyond, beyond_total, outside| Thresholds {
            // Checked to be small.
            tolerance_hundredths: (degrees * 100.0).round() as i32,
            beyond_ms: ms(beyond),
            beyond_total_ms: ms(beyond_total),
            outside_ms: ms(outside),
        };
        Rule {
            gap_ms: ms(self.gap_minutes),
            frozen: thresholds(
                self.frozen_tolerance_celsius,
                self.frozen_beyond_minutes,
                self.frozen_beyond_total_minutes,
                self.frozen_outside_minutes,
            ),
            chilled: thresholds(
                self.chilled_tolerance_celsius,
                self.chilled_beyond_minutes,
                self.chilled_beyond_total_minutes,
                self.chilled_outside_minutes,
            ),
        }
    }
}
