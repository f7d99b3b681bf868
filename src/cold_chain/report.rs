//! What one sensor said of one span of time.

use super::{Series, Temperature};

/// What one sensor said of one span of time: its readings, or no more than their extremes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemperatureReport {
    /// Begin of the span, milliseconds since 1970-01-01 UTC.
    pub from_ms: i64,
    /// Its end; the begin where a single reading is reported.
    pub to_ms: i64,
    /// The lowest temperature in it.
    pub min: Temperature,
    /// The highest.
    pub max: Temperature,
    /// The mean, where it was told.
    pub mean: Option<Temperature>,
    /// The sensor, as a URI.
    pub device: Option<String>,
    /// The readings, where they were told.
    pub series: Option<Series>,
}

impl TemperatureReport {
    /// A series of readings.
    pub fn of(series: Series, device: Option<String>) -> Self {
        let (from_ms, to_ms, min, max) = (series.first_ms(), series.last_ms(), series.min(), series.max());
        Self { from_ms, to_ms, min, max, mean: None, device, series: Some(series) }
    }

    /// How many readings it holds; one where no more than extremes were told.
    pub fn readings(&self) -> u64 {
        self.series.as_ref().map_or(1, |series| series.count().into())
    }
}

/// The part of a report that bears on the goods: they were in a container only from loading to unloading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// From when on, milliseconds since 1970-01-01 UTC; named itself.
    pub from_ms: i64,
    /// Until when; named itself.
    pub to_ms: i64,
}

impl Interval {
    /// All of a report.
    pub const ALWAYS: Self = Self { from_ms: i64::MIN, to_ms: i64::MAX };
}
