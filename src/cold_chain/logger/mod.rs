//! Files of temperature loggers: CSV as they really write it.
//!
//! Lines about the logger may stand before the header; the header is found by its words, in Chinese and English. Whatever
//! cannot be told from the file (the time zone, the order of day and month, the unit) is asked for by the name of a
//! parameter, never guessed.

mod cell;
mod clock;
mod header;
mod order;
mod text;

use super::{Reading, Temperature, Unit};
use crate::limits::{LOGGER_COLUMNS_MAX, LOGGER_LINES_MAX, LOGGER_PREAMBLE_LINES_MAX, READINGS_EARLIEST_S};

use cell::Cell;
pub use clock::{DateOrder, parse_zone};
use clock::{Day, Stamp};
use header::Header;

/// What the sender says of a file, and until when its times may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told<'a> {
    /// Offset of its times from UTC, in minutes.
    pub zone_minutes: Option<i16>,
    /// Order of day, month and year.
    pub date_order: Option<DateOrder>,
    /// Unit of its temperatures.
    pub unit: Option<Unit>,
    /// Name or number (from 1) of the column with the temperatures.
    pub column: Option<&'a str>,
    /// No reading is later, milliseconds since 1970-01-01 UTC.
    pub latest_ms: i64,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggerFile {
    /// In ascending order of time, no two in one second, at least one.
    pub readings: Vec<Reading>,
    /// Offset of its times from UTC, in minutes.
    pub offset_minutes: i16,
    /// The logger's serial number, where the file tells it.
    pub device: Option<String>,
    /// Rows without a reading: the sensor failed, or the row is a remark.
    pub skipped: u64,
    /// Readings whose second another reading has; of two that differ the warmer stands.
    pub duplicates: u64,
    /// Readings that stood behind a later one.
    pub out_of_order: u64,
}

/// Why a file is refused: where, what was found, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoggerError {
    /// No text.
    #[error("found bytes that are no text, expected CSV in UTF-8, UTF-16 or GB 18030")]
    Encoding,
    /// Nothing like a header.
    #[error(
        "found no header in the first {LOGGER_PREAMBLE_LINES_MAX} lines, expected one that names a time (or a date and a \
         time) and a temperature, in columns separated by comma, semicolon, tab or |"
    )]
    NoHeader,
    /// A header alone, or rows without a single reading.
    #[error("found a header in line {line} and no reading below it, expected at least one")]
    NoReadings {
        /// Line of the header, from 1.
        line: u64,
    },
    /// Too long.
    #[error("line {line}: found more lines, expected at most {LOGGER_LINES_MAX}")]
    TooManyLines {
        /// The first line that is too many.
        line: u64,
    },
    /// A row with other cells than the header has.
    #[error(
        "line {line}: found {found} cells, expected {expected} as in the header; a decimal comma needs another separator or \
         quotes"
    )]
    Cells {
        /// From 1.
        line: u64,
        /// Cells in it.
        found: usize,
        /// Cells in the header.
        expected: usize,
    },
    /// A cell that cannot be read.
    #[error("line {line}, column {column} ({name}): found {found:?}, expected {expected}")]
    Cell {
        /// From 1.
        line: u64,
        /// From 1.
        column: usize,
        /// The column's name.
        name: String,
        /// The cell, cut short.
        found: String,
        /// What can stand there.
        expected: &'static str,
    },
    /// The file does not tell something that is needed.
    #[error("{what}; tell it with the parameter {parameter}={example}")]
    Ask {
        /// The parameter.
        parameter: &'static str,
        /// What cannot be told, and from what.
        what: String,
        /// An example of a value.
        example: &'static str,
    },
    /// The file says something else than the sender.
    #[error("the file says {found} and the parameter {parameter} says {told}")]
    Contradiction {
        /// The parameter.
        parameter: &'static str,
        /// What the file says.
        found: String,
        /// What the parameter says.
        told: String,
    },
}

impl LoggerError {
    /// Where the fault is: a line and column of the file, or the parameter that is asked for.
    pub fn place(&self) -> String {
        match self {
            Self::Encoding | Self::NoHeader => "body".to_owned(),
            Self::NoReadings { line } | Self::TooManyLines { line } | Self::Cells { line, .. } => {
                format!("line {line}")
            }
            Self::Cell { line, column, name, .. } => format!("line {line}, column {column} ({name})"),
            Self::Ask { parameter, .. } | Self::Contradiction { parameter, .. } => (*parameter).to_owned(),
        }
    }
}

/// A row with a reading, its date perhaps still in one of two orders.
#[derive(Clone, Copy, Debug)]
struct Row {
    line: u64,
    day: Day,
    second_of_day: u32,
    offset_minutes: Option<i16>,
    temperature: Temperature,
}

/// Reads a file.
///
/// # Errors
/// What is wrong with it and where, or what has to be told beside it.
pub fn read(file: &[u8], told: &Told<'_>) -> Result<LoggerFile, LoggerError> {
    let text = text::decode(file).ok_or(LoggerError::Encoding)?;
    let header = Header::find(&text, told)?;
    let (rows, skipped) = read_rows(&text, &header, told)?;
    if rows.is_empty() {
        return Err(LoggerError::NoReadings { line: header.line });
    }
    let offset_minutes = zone(&rows, &header, told)?;
    let times = order::times_of(&rows, &header, offset_minutes, told)?;
    let mut readings = Vec::with_capacity(rows.len());
    for (row, time_ms) in rows.iter().zip(times) {
        check_time(row, time_ms, &header, told)?;
        readings.push(Reading { time_ms, temperature: row.temperature });
    }
    Ok(LoggerFile { offset_minutes, device: header.device, skipped, ..in_order(readings) })
}

/// Readings in any order, brought into ascending order of time with one a second.
pub fn in_order(mut readings: Vec<Reading>) -> LoggerFile {
    let back = |pair: &&[Reading]| matches!(pair, [one, other] if other.time_ms < one.time_ms);
    let out_of_order = readings.windows(2).filter(back).count() as u64;
    // Of readings in one second the warmest stands first, and stays.
    readings.sort_by_key(|reading| (reading.time_ms.div_euclid(1000), std::cmp::Reverse(reading.temperature)));
    let before = readings.len();
    readings.dedup_by_key(|reading| reading.time_ms.div_euclid(1000));
    LoggerFile { duplicates: (before - readings.len()) as u64, readings, out_of_order, ..LoggerFile::default() }
}

/// The rows with a reading, and how many have none.
fn read_rows(text: &str, header: &Header, told: &Told<'_>) -> Result<(Vec<Row>, u64), LoggerError> {
    let (mut rows, mut skipped) = (Vec::new(), 0);
    let mut unit = told.unit.or(header.unit);
    let mut file = header::Rows::new(text, header.delimiter);
    while let Some((line, record)) = file.next() {
        if line <= header.line || record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if line > LOGGER_LINES_MAX as u64 {
            return Err(LoggerError::TooManyLines { line });
        }
        // A decimal comma makes two cells of one. Behind another separator it is a remark.
        let further = header.delimiter == b',' && record.iter().skip(header.cells).any(|cell| !cell.trim().is_empty());
        if further || record.len() > LOGGER_COLUMNS_MAX {
            return Err(LoggerError::Cells { line, found: record.len(), expected: header.cells });
        }
        let at = |column: usize| record.get(column).unwrap_or_default().trim();
        let (date, cell) = (at(header.date), at(header.temperature));
        if !date.contains(|c: char| c.is_ascii_digit()) {
            skipped += 1;
            continue;
        }
        let bad = |column: usize, expected| header.bad_cell(line, column, at(column), expected);
        let Some((temperature, found)) = read_cell(cell, unit).map_err(|expected| bad(header.temperature, expected))?
        else {
            skipped += 1;
            continue;
        };
        if let (Some(told), Some(found)) = (told.unit, found.filter(|found| Some(*found) != told.unit)) {
            let (found, told) = (format!("{found:?} in line {line}"), format!("{told:?}"));
            return Err(LoggerError::Contradiction { parameter: "unit", found, told });
        }
        unit = unit.or(found);
        let Stamp { day, second_of_day, offset_minutes } = read_stamp(date, header.time.map(at)).map_err(|part| {
            let column = if part == Part::Time { header.time.unwrap_or(header.date) } else { header.date };
            bad(column, part.expected(header.time.is_some()))
        })?;
        rows.push(Row { line, day, second_of_day, offset_minutes, temperature });
    }
    Ok((rows, skipped))
}

/// A temperature and the unit that stands behind it; `None` where the sensor said nothing.
fn read_cell(cell: &str, unit: Option<Unit>) -> Result<Option<(Temperature, Option<Unit>)>, &'static str> {
    match Cell::parse(cell) {
        Cell::Missing => Ok(None),
        Cell::Bad => Err("a number with point or comma, perhaps with °C, °F or K behind it, or none at all"),
        Cell::Number { millionths, unit: own } => {
            let unit =
                own.or(unit).ok_or("a unit in the header or behind the number, or the parameter unit=C, F or K")?;
            let temperature = unit.read(millionths).ok_or(match unit {
                Unit::Celsius => "a temperature of -273.15 to 200 °C; is the unit right?",
                Unit::Fahrenheit => "a temperature of -459.67 to 392 °F; is the unit right?",
                Unit::Kelvin => "a temperature of 0 to 473.15 K; is the unit right?",
            })?;
            Ok(Some((temperature, own)))
        }
    }
}

/// Which part of a time cannot be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Date,
    Time,
}

impl Part {
    fn expected(self, two_columns: bool) -> &'static str {
        match (self, two_columns) {
            (Self::Date, true) => "a date such as 2026-05-31, 2026/5/31, 31.05.2026, 31/05/2026 or 31-May-2026",
            (Self::Time, _) => "a time of day such as 14:05, 14:05:30 or 2:05:30 PM",
            (Self::Date, false) => "a date and time such as 2026-05-31 14:05, 31.05.2026 14:05:30 or 5/31/2026 2:05 PM",
        }
    }
}

fn read_stamp(date: &str, time: Option<&str>) -> Result<Stamp, Part> {
    let (day, rest) = clock::day(date).ok_or(Part::Date)?;
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == 'T' || c == ',');
    let (clock, part) = match time {
        // A cell that has both needs no second one.
        Some(time) if rest.is_empty() => (time, Part::Time),
        _ => (rest, Part::Date),
    };
    let (second_of_day, offset_minutes) = clock::time(clock).ok_or(part)?;
    Ok(Stamp { day, second_of_day, offset_minutes })
}

/// The offset of all rows that do not tell their own.
fn zone(rows: &[Row], header: &Header, told: &Told<'_>) -> Result<i16, LoggerError> {
    let own = rows.iter().find_map(|row| row.offset_minutes);
    let all_own = rows.iter().all(|row| row.offset_minutes.is_some());
    let in_file = header.zone_minutes.or(own.filter(|_| all_own));
    match (in_file, told.zone_minutes) {
        (Some(found), Some(told)) if found != told => Err(LoggerError::Contradiction {
            parameter: "zone",
            found: clock::zone_text(found),
            told: clock::zone_text(told),
        }),
        (Some(minutes), _) | (None, Some(minutes)) => Ok(minutes),
        (None, None) => Err(LoggerError::Ask {
            parameter: "zone",
            what: "the file does not tell the time zone of its times".to_owned(),
            example: "%2B08:00",
        }),
    }
}

fn check_time(row: &Row, time_ms: i64, header: &Header, told: &Told<'_>) -> Result<(), LoggerError> {
    let expected = if time_ms > told.latest_ms {
        "a time that is not to come: at most one day after now"
    } else if time_ms < READINGS_EARLIEST_S * 1000 {
        "a time from the year 2000 on"
    } else {
        return Ok(());
    };
    let found = jiff::Timestamp::from_millisecond(time_ms).map(|time| time.to_string()).unwrap_or_default();
    Err(header.bad_cell(row.line, header.date, &found, expected))
}

#[cfg(test)]
mod tests;
