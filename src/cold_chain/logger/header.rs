//! The header of a logger's file, and what stands before it.

use super::{LoggerError, Told, cell::unit_of, clock::parse_zone};
use crate::{
    cold_chain::Unit,
    limits::{LOGGER_COLUMNS_MAX, LOGGER_PREAMBLE_LINES_MAX},
};

/// Separators, in the order in which they are tried: a comma may be a decimal one.
const DELIMITERS: [u8; 4] = [b'\t', b';', b'|', b','];
/// Longest piece of a file that an error quotes, and longest serial number, in characters.
const TEXT_CHARS_MAX: usize = 64;

const DATE_WORDS: [&str; 4] = ["date", "日期", "datum", "fecha"];
const TIME_WORDS: [&str; 7] = ["time", "时间", "时刻", "uhrzeit", "zeit", "hora", "heure"];
const NO_TIME_WORDS: [&str; 7] = ["elapsed", "duration", "interval", "zone", "时区", "间隔", "经过"];
const TEMPERATURE_WORDS: [&str; 9] = ["temp", "温度", "℃", "℉", "°c", "°f", "celsius", "fahrenheit", "kelvin"];
const VALUE_WORDS: [&str; 11] =
    ["value", "数值", "读数", "测量值", "reading", "channel", "通道", "probe", "探头", "sensor", "ch1"];
/// Columns and lines about temperatures that are no readings.
const NO_READING_WORDS: [&str; 23] = [
    "humid",
    "湿度",
    "%",
    "dew",
    "露点",
    "mkt",
    "kinetic",
    "alarm",
    "报警",
    "limit",
    "上限",
    "下限",
    "max",
    "min",
    "最高",
    "最低",
    "average",
    "平均",
    "mean",
    "high",
    "low",
    "range",
    "threshold",
];
const SERIAL_WORDS: [&str; 9] =
    ["serial", "s/n", "device id", "logger id", "seriennummer", "序列号", "设备编号", "设备号", "编号"];
const ZONE_WORDS: [&str; 5] = ["time zone", "timezone", "时区", "utc", "gmt"];
const UNIT_WORDS: [&str; 3] = ["temperature unit", "温度单位", "unit"];

/// Where in a file its readings are.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) delimiter: u8,
    /// From 1.
    pub(super) line: u64,
    /// How many cells it has.
    pub(super) cells: usize,
    /// The column with the date, or with date and time.
    pub(super) date: usize,
    /// The column with the time of day, where it is another.
    pub(super) time: Option<usize>,
    pub(super) temperature: usize,
    pub(super) unit: Option<Unit>,
    pub(super) zone_minutes: Option<i16>,
    pub(super) device: Option<String>,
    names: Vec<String>,
}

/// What the lines before the header say.
#[derive(Default)]
struct Preamble {
    unit: Option<Unit>,
    zone_minutes: Option<i16>,
    device: Option<String>,
}

/// The rows of a file, each with the line that it begins in. Rows may have any length.
pub(super) struct Rows<'t> {
    text: &'t str,
    reader: csv::Reader<&'t [u8]>,
    record: csv::StringRecord,
    /// How far lines were counted, and the line there, from 1.
    counted: usize,
    line: u64,
}

impl<'t> Rows<'t> {
    pub(super) fn new(text: &'t str, delimiter: u8) -> Self {
        let mut builder = csv::ReaderBuilder::new();
        let reader = builder.delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
        Self { text, reader, record: csv::StringRecord::new(), counted: 0, line: 1 }
    }

    /// The next row that is not blank. The text is UTF-8 already and rows may have any length: nothing can go wrong.
    pub(super) fn next(&mut self) -> Option<(u64, &csv::StringRecord)> {
        if !self.reader.read_record(&mut self.record).unwrap_or(false) {
            return None;
        }
        // The reader's own count lags behind where lines end in CR LF, or are blank.
        let start = usize::try_from(self.record.position()?.byte()).ok()?;
        let bytes = self.text.as_bytes();
        let blank = bytes.get(start..)?.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = bytes.get(self.counted..start + blank)?;
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted = start + blank;
        Some((self.line, &self.record))
    }
}

impl Header {
    /// Looks for the header with each separator.
    pub(super) fn find(text: &str, told: &Told<'_>) -> Result<Self, LoggerError> {
        for delimiter in DELIMITERS {
            let mut preamble = Preamble::default();
            let mut rows = Rows::new(text, delimiter);
            while let Some((line, record)) = rows.next() {
                if line > LOGGER_PREAMBLE_LINES_MAX as u64 {
                    break;
                }
                let cells: Vec<&str> = record.iter().take(LOGGER_COLUMNS_MAX).map(str::trim).collect();
                if let Some(times) = time_columns(&cells).filter(|times| is_header(&cells, *times, told)) {
                    return Self::new(delimiter, line, &cells, times, preamble, told);
                }
                preamble.read(&cells);
            }
        }
        Err(LoggerError::NoHeader)
    }

    fn new(
        delimiter: u8,
        line: u64,
        cells: &[&str],
        (date, time): Times,
        preamble: Preamble,
        told: &Told<'_>,
    ) -> Result<Self, LoggerError> {
        let temperature = temperature_column(cells, (date, time), told.column)?;
        let name_of = |column: usize| cells.get(column).copied().unwrap_or_default();
        let unit = unit_of(name_of(temperature)).or(preamble.unit);
        if let (Some(found), Some(told)) = (unit, told.unit.filter(|told| unit.is_some_and(|unit| unit != *told))) {
            let (found, told) = (format!("{found:?}"), format!("{told:?}"));
            return Err(LoggerError::Contradiction { parameter: "unit", found, told });
        }
        let in_name = [Some(date), time].into_iter().flatten().find_map(|column| zone_in(name_of(column)));
        Ok(Self {
            delimiter,
            line,
            cells: cells.len(),
            date,
            time,
            temperature,
            unit,
            zone_minutes: in_name.or(preamble.zone_minutes),
            device: preamble.device,
            names: cells.iter().map(|cell| short(cell)).collect(),
        })
    }

    /// The error for a cell.
    pub(super) fn bad_cell(&self, line: u64, column: usize, found: &str, expected: &'static str) -> LoggerError {
        let name = self.names.get(column).cloned().unwrap_or_default();
        LoggerError::Cell { line, column: column + 1, name, found: short(found), expected }
    }
}

impl Preamble {
    fn read(&mut self, cells: &[&str]) {
        for (at, cell) in cells.iter().enumerate() {
            let lower = cell.to_lowercase();
            let next = || cells.get(at + 1..).and_then(|rest| rest.iter().find(|cell| !cell.is_empty())).copied();
            let value = || match cell.split_once([':', '：']) {
                Some((_, value)) if !value.trim().is_empty() => Some(value.trim()),
                _ => next(),
            };
            if self.device.is_none() && says(&lower, &SERIAL_WORDS) {
                self.device = value().map(short);
            }
            if self.zone_minutes.is_none() && says(&lower, &ZONE_WORDS) {
                self.zone_minutes = zone_in(cell).or_else(|| value().and_then(zone_in_value));
            }
            if self.unit.is_none() && says(&lower, &UNIT_WORDS) {
                self.unit = value().and_then(unit_of);
            }
        }
    }
}

/// The columns of date and time; `None` for the latter where one column has both.
type Times = (usize, Option<usize>);

/// Whether a row names a temperature beside its time, and holds no number or date.
fn is_header(cells: &[&str], times: Times, told: &Told<'_>) -> bool {
    let data = |cell: &&str| {
        cell.contains(|c: char| c.is_ascii_digit()) && cell.chars().all(|c| c.is_ascii_digit() || " .,:/-+".contains(c))
    };
    let named = |column: &str| {
        let column = column.trim();
        cells.iter().any(|cell| cell.eq_ignore_ascii_case(column))
            || column.parse().is_ok_and(|n: usize| n <= cells.len())
    };
    let temperature = |words: &[&str]| !candidates(cells, times, words).is_empty();
    !cells.iter().any(data)
        && cells.len() > 1
        && (told.column.is_some_and(named) || temperature(&TEMPERATURE_WORDS) || temperature(&VALUE_WORDS))
}

/// The columns that these words make one of temperatures.
fn candidates(cells: &[&str], (date, time): Times, words: &[&str]) -> Vec<usize> {
    let columns = cells.iter().enumerate().filter(|(at, _)| *at != date && Some(*at) != time);
    columns.filter(|(_, cell)| is_temperature(cell, words)).map(|(at, _)| at).collect()
}

fn time_columns(cells: &[&str]) -> Option<Times> {
    let (mut date, mut time, mut both) = (None, None, None);
    for (at, cell) in cells.iter().enumerate() {
        let lower = cell.to_lowercase();
        if says(&lower, &NO_TIME_WORDS) && !lower.contains("utc") {
            continue;
        }
        let slot = match (says(&lower, &DATE_WORDS), says(&lower, &TIME_WORDS)) {
            (true, true) => &mut both,
            (true, false) => &mut date,
            (false, true) => &mut time,
            (false, false) => continue,
        };
        slot.get_or_insert(at);
    }
    match (both, date, time) {
        (Some(both), _, _) => Some((both, None)),
        (None, Some(date), time) => Some((date, time)),
        (None, None, Some(time)) => Some((time, None)),
        (None, None, None) => None,
    }
}

fn temperature_column(cells: &[&str], times: Times, told: Option<&str>) -> Result<usize, LoggerError> {
    let ask = |what: String| LoggerError::Ask { parameter: "column", what, example: "3" };
    if let Some(told) = told {
        let named = cells.iter().position(|cell| cell.eq_ignore_ascii_case(told.trim()));
        let numbered =
            || told.trim().parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|at| *at < cells.len());
        return named
            .or_else(numbered)
            .ok_or_else(|| ask(format!("the header has no column {:?}, only {}", short(told), cells.join(", "))));
    }
    let strong = candidates(cells, times, &TEMPERATURE_WORDS);
    let found = if strong.is_empty() { candidates(cells, times, &VALUE_WORDS) } else { strong };
    match found.as_slice() {
        [one] => Ok(*one),
        several => {
            let names: Vec<_> = several.iter().filter_map(|at| cells.get(*at)).map(|cell| short(cell)).collect();
            Err(ask(format!("the header has {} columns of temperatures: {}", several.len(), names.join(", "))))
        }
    }
}

fn is_temperature(cell: &str, words: &[&str]) -> bool {
    let lower = cell.to_lowercase();
    says(&lower, words) && !says(&lower, &NO_READING_WORDS)
}

fn says(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The zone behind `UTC` or `GMT` in a text, or in brackets.
fn zone_in(text: &str) -> Option<i16> {
    let lower = text.to_lowercase();
    let at = lower.find("utc").or_else(|| lower.find("gmt"))?;
    let named = lower.get(at..)?;
    let end = named.char_indices().skip(3).find(|(_, c)| !(c.is_ascii_digit() || " :+-−".contains(*c)));
    parse_zone(named.get(..end.map_or(named.len(), |(end, _)| end))?.trim())
}

/// The value of a line that speaks of the time zone.
fn zone_in_value(text: &str) -> Option<i16> {
    const CHINA: [&str; 4] = ["asia/shanghai", "beijing", "北京", "china standard time"];
    let lower = text.to_lowercase();
    zone_in(text).or_else(|| parse_zone(text)).or(says(&lower, &CHINA).then_some(8 * 60))
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}
