//! Readings as JSON.

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    cold_chain::{
        Reading, Temperature,
        logger::{LoggerFile, in_order, parse_zone},
    },
    http::{
        error::{FieldError, Problem},
        extract::from_json,
    },
    limits::{LOGGER_LINES_MAX, READINGS_EARLIEST_S},
};

/// Faults that one answer lists.
const ERRORS_MAX: usize = 20;

/// Readings of one sensor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingsBody {
    /// The sensor: a URI, or its serial number.
    pub device: Option<String>,
    /// The local offset from UTC, for the event; UTC where it is left out.
    #[schema(example = "+08:00")]
    pub zone: Option<String>,
    /// 1 to 200,000, in any order.
    pub readings: Vec<ReadingBody>,
}

/// One reading.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingBody {
    /// RFC 3339, with its zone.
    #[schema(example = "2026-05-31T10:00:00+08:00")]
    pub time: String,
    /// Degrees Celsius, -273.15 to 200; `null` where the sensor failed.
    #[schema(example = -18.5)]
    pub celsius: Option<f64>,
}

/// Reads readings, of which none may be later than `latest_ms`.
pub(super) fn read(body: &[u8], latest_ms: i64) -> Result<LoggerFile, Problem> {
    let body: ReadingsBody = from_json(body)?;
    if !(1..=LOGGER_LINES_MAX).contains(&body.readings.len()) {
        let found = body.readings.len();
        let problem = if found == 0 { Problem::invalid("", String::new()) } else { Problem::too_large("") };
        let detail = format!("found {found} readings, expected 1 to {LOGGER_LINES_MAX}");
        return Err(Problem { detail, ..problem }.at("/readings"));
    }
    let offset_minutes = match &body.zone {
        Some(zone) => parse_zone(zone)
            .ok_or_else(|| Problem::invalid("/zone", format!("found {zone:?}, expected an offset such as +08:00")))?,
        None => 0,
    };
    let (mut readings, mut errors, mut skipped) = (Vec::with_capacity(body.readings.len()), Vec::new(), 0);
    for (at, ReadingBody { time, celsius }) in body.readings.iter().enumerate() {
        let mut refuse = |field: &str, detail: String| {
            if errors.len() < ERRORS_MAX {
                errors.push(FieldError { field: format!("/readings/{at}/{field}"), detail });
            }
        };
        let Ok(moment) = time.parse::<Timestamp>() else {
            refuse(
                "time",
                format!("found {time:?}, expected RFC 3339 with its zone, such as 2026-05-31T10:00:00+08:00"),
            );
            continue;
        };
        let time_ms = moment.as_millisecond();
        if !(READINGS_EARLIEST_S * 1000..=latest_ms).contains(&time_ms) {
            refuse("time", format!("found {time}, expected a time from the year 2000 to one day after now"));
            continue;
        }
        match celsius.map(Temperature::from_celsius) {
            None => skipped += 1,
            Some(Some(temperature)) => readings.push(Reading { time_ms, temperature }),
            Some(None) => {
                let found = celsius.unwrap_or_default();
                refuse(
                    "celsius",
                    format!("found {found}, expected -273.15 to 200 degrees Celsius; is the unit right?"),
                );
            }
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid_fields(errors));
    }
    if readings.is_empty() {
        return Err(Problem::invalid("/readings", "found no temperature, expected at least one"));
    }
    let file = in_order(readings);
    Ok(LoggerFile { offset_minutes, device: body.device, skipped, ..file })
}
