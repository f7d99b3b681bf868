//! Temperatures: a logger's file or readings in, a record against the goods' limits out.

mod body;
pub mod post;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{answer::timestamp, error::Problem};
use crate::{
    cold_chain::{ColdChain, Excursion, Gap, Side, logger::LoggerError},
    service::temperature::{ColdRecord, TemperatureError},
};

/// A temperature record: degrees Celsius, whole minutes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColdChainJson {
    /// First reading.
    #[schema(value_type = String)]
    from: Timestamp,
    /// Last reading.
    #[schema(value_type = String)]
    to: Timestamp,
    /// How many readings there are.
    readings: u64,
    /// The lowest.
    min: f64,
    /// The highest.
    max: f64,
    /// The mean, weighted by time; a reading holds until the sensor's next one.
    mean: Option<f64>,
    /// For how long the temperature is known.
    minutes_covered: i64,
    /// For how long it was above the upper limit; null where there is none.
    minutes_above: Option<i64>,
    /// For how long it was below the lower limit; null where there is none.
    minutes_below: Option<i64>,
    /// Both together; null where the goods have no limit.
    minutes_outside: Option<i64>,
    /// Times outside a limit, at most 100.
    excursions: Vec<ExcursionJson>,
    /// How many more there are.
    excursions_further: u64,
    /// Pauses in the record, at most 100. They never break the chain.
    gaps: Vec<GapJson>,
    /// How many more there are.
    gaps_further: u64,
    /// What the goods were held against.
    limits: LimitsJson,
    /// Whether the cold chain is broken, by the published rule.
    broken: bool,
    /// Whether it is the word of somebody with a right to it; otherwise it gives no verdict. Absent for a unit: it depends
    /// on the goods inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<bool>,
}

/// A time outside a limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExcursionJson {
    /// `above` or `below`.
    side: &'static str,
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    /// The furthest from the limit.
    peak: f64,
    /// How long goods were surely outside.
    minutes: i64,
}

/// A pause in the record.
#[derive(Debug, Serialize, ToSchema)]
pub struct GapJson {
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    minutes: i64,
}

/// The limits of the goods.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsJson {
    min: Option<f64>,
    max: Option<f64>,
}

impl ColdChainJson {
    fn of(chain: &ColdChain, broken: bool, confirmed: Option<bool>) -> Self {
        let limits = chain.limits;
        let (above, below) = (limits.max.map(|_| minutes(chain.above_ms)), limits.min.map(|_| minutes(chain.below_ms)));
        Self {
            from: timestamp(chain.from_ms),
            to: timestamp(chain.to_ms),
            readings: chain.readings,
            min: chain.min.celsius(),
            max: chain.max.celsius(),
            mean: chain.mean.map(|mean| mean.celsius()),
            minutes_covered: minutes(chain.covered_ms),
            minutes_above: above,
            minutes_below: below,
            minutes_outside: above.or(below).map(|_| minutes(chain.above_ms + chain.below_ms)),
            excursions: chain.excursions.iter().map(ExcursionJson::of).collect(),
            excursions_further: chain.excursions_further,
            gaps: chain.gaps.iter().map(GapJson::of).collect(),
            gaps_further: chain.gaps_further,
            limits: LimitsJson { min: limits.min.map(|it| it.celsius()), max: limits.max.map(|it| it.celsius()) },
            broken,
            confirmed,
        }
    }
}

/// As a scan shows it.
impl From<&ColdRecord> for ColdChainJson {
    fn from(record: &ColdRecord) -> Self {
        Self::of(&record.chain, record.is_broken(), Some(record.confirmed))
    }
}

impl ExcursionJson {
    fn of(excursion: &Excursion) -> Self {
        Self {
            side: match excursion.side {
                Side::Above => "above",
                Side::Below => "below",
            },
            from: timestamp(excursion.from_ms),
            to: timestamp(excursion.to_ms),
            peak: excursion.peak.celsius(),
            minutes: minutes(excursion.outside_ms),
        }
    }
}

impl GapJson {
    fn of(gap: &Gap) -> Self {
        Self { from: timestamp(gap.from_ms), to: timestamp(gap.to_ms), minutes: minutes(gap.to_ms - gap.from_ms) }
    }
}

/// To the nearest minute.
fn minutes(ms: i64) -> i64 {
    (ms + 30_000) / 60_000
}

impl From<LoggerError> for Problem {
    fn from(error: LoggerError) -> Self {
        let (place, detail) = (error.place(), error.to_string());
        match error {
            LoggerError::TooManyLines { .. } => Self::too_large(detail).at(place),
            _ => Self::invalid(place, detail),
        }
    }
}

impl From<TemperatureError> for Problem {
    fn from(error: TemperatureError) -> Self {
        match error {
            TemperatureError::Series(error) => Self::invalid("body", error.to_string()),
            TemperatureError::Capture(error) => error.into(),
        }
    }
}
