//! Sensor reports of temperatures: one unit, one form, whatever they came in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::error::{Checked, Fault, Under};
use crate::{
    cold_chain::{Reading, Series, Temperature, TemperatureReport, Unit, millionths},
    limits::CLOCK_SKEW_MS_MAX,
};

/// The extension of a sensor report that holds a series of readings, in compact form as base64url without padding.
pub(super) const READINGS: &str = "https://w3id.org/coldproof/1/readings";

/// Fields of one sensor report that make it one of temperatures.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) is_temperature: bool,
    pub(super) uom: Option<String>,
    pub(super) value: Option<f64>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) mean: Option<f64>,
    pub(super) time_ms: Option<i64>,
    pub(super) device: Option<String>,
    pub(super) readings: Option<String>,
}

/// What the metadata of a sensor element says of all its reports.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// Names that must not stand in the reports too.
    pub(super) names: Vec<String>,
    pub(super) device: Option<String>,
    pub(super) time_ms: Option<i64>,
    pub(super) start_ms: Option<i64>,
    pub(super) end_ms: Option<i64>,
}

/// A report of temperatures, its time perhaps the event's.
#[derive(Debug)]
pub(super) struct Found {
    span: Option<(i64, i64)>,
    min: Temperature,
    max: Temperature,
    mean: Option<Temperature>,
    device: Option<String>,
    series: Option<Series>,
}

impl Fields {
    /// The temperatures of the report; `None` where it tells none, or does not tell their unit.
    pub(super) fn found(self, metadata: &Metadata) -> Checked<Option<Found>> {
        if !self.is_temperature {
            return match self.readings {
                Some(_) => {
                    Err(Fault::unexpected("readings", "readings only in a report of type Temperature")).under(READINGS)
                }
                None => Ok(None),
            };
        }
        let unit = match &self.uom {
            Some(code) => {
                let unit =
                    Unit::of_code(code).ok_or_else(|| Fault::unexpected(code, "CEL, FAH or KEL for a temperature"));
                Some(unit.under("uom")?)
            }
            None => None,
        };
        let span = self.span(metadata)?;
        let (series, device) = (self.series(span)?, self.device.clone().or_else(|| metadata.device.clone()));
        let told = |name: &str, value: Option<f64>| temperature(value, unit).under(name);
        let value = told("value", self.value)?;
        let (min, max) = (told("minValue", self.min)?.or(value), told("maxValue", self.max)?.or(value));
        let mean = told("meanValue", self.mean)?.or(value);
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            let found = format!("a lowest temperature of {min} °C above the highest, {max} °C");
            return Err(Fault::unexpected(found, "minValue at or below maxValue")).under("minValue");
        }
        if let Some(series) = series {
            agrees("minValue", min.filter(|_| self.min.is_some()), series.min())?;
            agrees("maxValue", max.filter(|_| self.max.is_some()), series.max())?;
            let span = Some((series.first_ms(), series.last_ms()));
            return Ok(Some(Found { span, min: series.min(), max: series.max(), mean, device, series: Some(series) }));
        }
        // One of them alone is a bound, and is taken for what is known.
        let (Some(min), Some(max)) = (min.or(max).or(mean), max.or(min).or(mean)) else { return Ok(None) };
        Ok(Some(Found { span, min, max, mean, device, series: None }))
    }

    /// From when to when; `None` where only the event has a time.
    fn span(&self, metadata: &Metadata) -> Checked<Option<(i64, i64)>> {
        if let Some(time) = self.time_ms.or(metadata.time_ms) {
            return Ok(Some((time, time)));
        }
        let span = match (metadata.start_ms, metadata.end_ms) {
            (None, None) => return Ok(None),
            (Some(start), Some(end)) => (start, end),
            (Some(one), None) | (None, Some(one)) => (one, one),
        };
        if span.0 > span.1 {
            return Err(Fault::unexpected("a startTime after the endTime", "startTime at or before endTime"));
        }
        Ok(Some(span))
    }

    fn series(&self, span: Option<(i64, i64)>) -> Checked<Option<Series>> {
        const EXPECTED: &str =
            "a series of readings as docs/spec/temperature.md defines it, in base64url without padding";
        let Some(text) = &self.readings else { return Ok(None) };
        let refused = |found: String| Fault::unexpected(found, EXPECTED).under(READINGS);
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| refused(error.to_string()))?;
        let series = Series::parse(&bytes).map_err(|error| refused(error.to_string()))?;
        let inside = span.is_none_or(|(start, end)| start <= series.first_ms() && series.last_ms() <= end);
        if !inside {
            let fault =
                Fault::unexpected("readings outside startTime and endTime", "readings from startTime to endTime");
            return Err(fault.under(READINGS));
        }
        Ok(Some(series))
    }
}

fn temperature(value: Option<f64>, unit: Option<Unit>) -> Checked<Option<Temperature>> {
    let (Some(value), Some(unit)) = (value, unit) else { return Ok(None) };
    let read = millionths(value).and_then(|millionths| unit.read(millionths));
    let expected = "a temperature of -273.15 to 200 °C; does the unit fit?";
    read.map(Some).ok_or_else(|| Fault::unexpected(format!("{value} in the unit given"), expected))
}

fn agrees(name: &str, told: Option<Temperature>, read: Temperature) -> Checked<()> {
    match told {
        Some(told) if told != read => {
            let found = format!("{told} °C, where the readings say {read} °C");
            Err(Fault::unexpected(found, "what the readings say")).under(name)
        }
        _ => Ok(()),
    }
}

/// Reports of single readings of one device become a series; all others stay as they are.
pub(super) fn joined(found: Vec<Found>) -> Vec<Found> {
    let is_point = |found: &Found| {
        found.series.is_none() && found.span.is_some_and(|(from, to)| from == to) && found.min == found.max
    };
    let (mut points, mut joined): (Vec<_>, Vec<_>) = found.into_iter().partition(is_point);
    points.sort_by(|one, other| (&one.device, one.span).cmp(&(&other.device, other.span)));
    while let Some(last) = points.last() {
        let first = points.partition_point(|point| point.device < last.device);
        let of_device = points.split_off(first);
        let reading = |point: &Found| Some(Reading { time_ms: point.span?.0, temperature: point.min });
        let readings: Vec<_> = of_device.iter().filter_map(reading).collect();
        // What is no series (two in one second, a sub-second step) stays single.
        match Series::new(&readings) {
            Ok(series) if series.count() > 1 => joined.push(Found {
                span: Some((series.first_ms(), series.last_ms())),
                min: series.min(),
                max: series.max(),
                mean: None,
                device: of_device.into_iter().next().and_then(|point| point.device),
                series: Some(series),
            }),
            _ => joined.extend(of_device),
        }
    }
    joined
}

impl Found {
    /// As a report of an event at `event_time_ms`.
    ///
    /// # Errors
    /// Where it lies after the event by more than clocks differ.
    pub(super) fn in_event(self, event_time_ms: i64) -> Checked<TemperatureReport> {
        let Self { span, min, max, mean, device, series } = self;
        let (from_ms, to_ms) = span.unwrap_or((event_time_ms, event_time_ms));
        let latest_ms = event_time_ms.saturating_add(if series.is_some() { 0 } else { CLOCK_SKEW_MS_MAX });
        if to_ms > latest_ms {
            let fault = Fault::unexpected("temperatures later than the event", "temperatures up to the event time");
            return Err(fault.under("sensorElementList"));
        }
        Ok(TemperatureReport { from_ms, to_ms, min, max, mean, device, series })
    }
}
