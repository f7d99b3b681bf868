//! The temperatures of goods: series of readings in compact form, logger files, the fold of reports into one record
//! against the product's limits, and the published rule that says when a cold chain is broken. PURE.
//!
//! The format and the rule are `docs/spec/temperature.md`.

mod curve;
mod fold;
pub mod logger;
mod pieces;
mod report;
mod rule;
mod series;
mod side;
mod temperature;
mod tokens;

pub use curve::{Column, Curve};
pub use fold::{ColdChain, Gap, fold};
pub use report::{Interval, TemperatureReport};
pub use rule::{Breach, Clause, Limits, Rule, Thresholds};
pub use series::{Reading, Readings, Series, SeriesError};
pub use side::{Excursion, Side};
pub use temperature::{Temperature, Unit, millionths};
