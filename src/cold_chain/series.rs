//! A series of readings in compact form.
//!
//! ```text
//! series = version (1 byte, 1) | count | start | step | first | grain | bytes of times | times | temperatures
//! ```
//! Numbers are LEB128 varints, signed ones zigzag. `start` is in seconds since 1970-01-01 UTC, `step` the seconds to the
//! second reading (0 where there is none), `first` the first temperature in hundredths of a degree Celsius, `grain` what
//! all differences between temperatures are multiples of. `times` are the changes of step from the third reading on,
//! `temperatures` the changes of temperature, in grains, from the second on; both as tokens: an even token 2k stands for
//! k + 1 zeros, an odd one 2z + 1 for the value whose zigzag form is z.

use super::{
    Temperature,
    tokens::{Tokens, put_tokens, put_varint, unzigzag, varint, zigzag},
};
use crate::limits::{READINGS_EARLIEST_S, READINGS_LATEST_S, READINGS_MAX};

const VERSION: u8 = 1;

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When, milliseconds since 1970-01-01 UTC; a series keeps whole seconds.
    pub time_ms: i64,
    /// What was read.
    pub temperature: Temperature,
}

/// Readings of one sensor in ascending order of time, no two in one second: 1 to `READINGS_MAX`. They are kept in
/// compact form, which was checked whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    bytes: Box<[u8]>,
    count: u32,
    first_s: i64,
    last_s: i64,
    min: Temperature,
    max: Temperature,
}

/// Why something is no series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// Another format.
    #[error("version {found:?}, expected {VERSION}")]
    Version {
        /// The first byte, where there is one.
        found: Option<u8>,
    },
    /// The bytes end too early, or a number in them is longer than 64 bits.
    #[error("a number that does not end at byte {at}, expected one of at most ten bytes")]
    CutShort {
        /// From 0.
        at: usize,
    },
    /// Bytes behind the last reading, or in a part that is longer than its readings.
    #[error("bytes behind the last reading")]
    TooLong,
    /// Too few or too many.
    #[error("{found} readings, expected 1 to {READINGS_MAX}")]
    Count {
        /// How many there are.
        found: u64,
    },
    /// Two readings in one second, or time running backward.
    #[error("a reading at or before the one before it, expected ascending times, one a second at most")]
    NotAscending,
    /// Outside the years in which loggers read.
    #[error("a time outside the years 2000 to 2199")]
    Time,
    /// Below absolute zero or above 200 °C.
    #[error("a temperature outside -273.15 to 200 °C")]
    Temperature,
    /// A grain of 0, or a run that passes the last reading.
    #[error("a token that no series has")]
    Token,
}

impl Series {
    /// Readings in ascending order of time. Times are cut down to whole seconds.
    ///
    /// # Errors
    /// Where there are none or more than `READINGS_MAX`, where two stand in one second or one before another, or outside
    /// the years 2000 to 2199.
    pub fn new(readings: &[Reading]) -> Result<Self, SeriesError> {
        let found = readings.len() as u64;
        let Some(first) = readings.first().filter(|_| readings.len() <= READINGS_MAX) else {
            return Err(SeriesError::Count { found });
        };
        let second = |reading: &Reading| reading.time_ms.div_euclid(1000);
        let steps: Vec<i64> = readings.windows(2).map(|pair| steps_between(pair, second)).collect();
        if steps.iter().any(|step| *step <= 0) {
            return Err(SeriesError::NotAscending);
        }
        let changes: Vec<i64> = readings
            .windows(2)
            .map(|pair| steps_between(pair, |reading| reading.temperature.hundredths().into()))
            .collect();
        let grain = changes.iter().fold(0, |grain, change| gcd(grain, change.unsigned_abs())).max(1);
        let mut times = Vec::new();
        put_tokens(&mut times, steps.windows(2).map(|pair| steps_between(pair, |step| *step)));
        let mut bytes = Vec::with_capacity(32 + times.len() + readings.len());
        bytes.push(VERSION);
        put_varint(&mut bytes, found);
        put_varint(&mut bytes, zigzag(second(first)));
        put_varint(&mut bytes, steps.first().copied().unwrap_or_default().unsigned_abs());
        put_varint(&mut bytes, zigzag(first.temperature.hundredths().into()));
        put_varint(&mut bytes, grain);
        put_varint(&mut bytes, times.len() as u64);
        bytes.extend_from_slice(&times);
        let grain = i64::try_from(grain).unwrap_or(i64::MAX);
        put_tokens(&mut bytes, changes.into_iter().map(|change| change / grain));
        Self::parse(&bytes)
    }

    /// As many series as it takes. Each begins with the last reading of the one before, so that no time is lost between.
    ///
    /// # Errors
    /// As [`Series::new`], but for the number of readings.
    pub fn split(readings: &[Reading]) -> Result<Vec<Self>, SeriesError> {
        let mut series = Vec::new();
        let mut rest = readings;
        loop {
            series.push(Self::new(rest.get(..READINGS_MAX).unwrap_or(rest))?);
            match rest.get(READINGS_MAX - 1..) {
                Some(further) if further.len() > 1 => rest = further,
                _ => return Ok(series),
            }
        }
    }

    /// From its compact form. What it costs depends on the bytes, not on how many readings they stand for.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, SeriesError> {
        let parts = Parts::of(bytes)?;
        let last_s = parts.last_second()?;
        let (min, max) = parts.range()?;
        let (count, first_s) = (parts.count, parts.start);
        Ok(Self { bytes: bytes.into(), count, first_s, last_s, min, max })
    }

    /// Its compact form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many readings it has, from 1.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Time of the first reading, milliseconds since 1970-01-01 UTC.
    pub fn first_ms(&self) -> i64 {
        self.first_s * 1000
    }

    /// Time of the last reading, milliseconds since 1970-01-01 UTC.
    pub fn last_ms(&self) -> i64 {
        self.last_s * 1000
    }

    /// The lowest reading.
    pub fn min(&self) -> Temperature {
        self.min
    }

    /// The highest reading.
    pub fn max(&self) -> Temperature {
        self.max
    }

    /// The readings, one by one.
    pub fn readings(&self) -> Readings<'_> {
        Readings { state: Parts::of(&self.bytes).ok().map(State::new) }
    }
}

/// The readings of a series in ascending order of time.
#[derive(Clone, Debug)]
pub struct Readings<'a> {
    state: Option<State<'a>>,
}

#[derive(Clone, Debug)]
struct State<'a> {
    times: Tokens<'a>,
    temperatures: Tokens<'a>,
    left: u32,
    second: i64,
    step: i64,
    hundredths: i64,
    grain: i64,
    /// Whether the first step was taken.
    stepped: bool,
}

impl<'a> State<'a> {
    fn new(parts: Parts<'a>) -> Self {
        Self {
            times: Tokens::new(parts.times),
            temperatures: Tokens::new(parts.temperatures),
            left: parts.count,
            second: parts.start,
            step: parts.step,
            hundredths: parts.first.hundredths().into(),
            grain: parts.grain,
            stepped: false,
        }
    }

    /// Moves to the next reading; `None` where the bytes are at fault, which was ruled out when they were parsed.
    fn advance(&mut self) -> Option<()> {
        if self.stepped {
            self.step = self.step.checked_add(self.times.value()?)?;
        }
        self.stepped = true;
        self.second = self.second.checked_add(self.step)?;
        self.hundredths = self.hundredths.checked_add(self.temperatures.value()?.checked_mul(self.grain)?)?;
        Some(())
    }
}

impl Iterator for Readings<'_> {
    type Item = Reading;

    fn next(&mut self) -> Option<Reading> {
        let state = self.state.as_mut()?;
        state.left = state.left.checked_sub(1)?;
        let reading =
            Reading { time_ms: state.second * 1000, temperature: Temperature::from_hundredths(state.hundredths)? };
        if state.left > 0 {
            state.advance()?;
        }
        Some(reading)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.state.as_ref().map_or(0, |state| state.left as usize)))
    }
}

/// The parts of a compact form.
struct Parts<'a> {
    count: u32,
    start: i64,
    step: i64,
    first: Temperature,
    grain: i64,
    times: &'a [u8],
    temperatures: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, SeriesError> {
        let Some((&VERSION, rest)) = bytes.split_first() else {
            return Err(SeriesError::Version { found: bytes.first().copied() });
        };
        let mut rest = rest;
        let mut next = || {
            let (value, behind) = varint(rest).ok_or(SeriesError::CutShort { at: bytes.len() - rest.len() })?;
            rest = behind;
            Ok(value)
        };
        let found = next()?;
        let count = u32::try_from(found).ok().filter(|count| (1..=READINGS_MAX as u64).contains(&u64::from(*count)));
        let count = count.ok_or(SeriesError::Count { found })?;
        let start = unzigzag(next()?);
        let step = i64::try_from(next()?).map_err(|_| SeriesError::Time)?;
        let first = Temperature::from_hundredths(unzigzag(next()?)).ok_or(SeriesError::Temperature)?;
        let grain = i64::try_from(next()?).ok().filter(|grain| *grain >= 1).ok_or(SeriesError::Token)?;
        let length = usize::try_from(next()?).map_err(|_| SeriesError::CutShort { at: bytes.len() })?;
        let (times, temperatures) = rest.split_at_checked(length).ok_or(SeriesError::CutShort { at: bytes.len() })?;
        Ok(Self { count, start, step, first, grain, times, temperatures })
    }

    /// Walks the times, a run of equal steps at once.
    fn last_second(&self) -> Result<i64, SeriesError> {
        let known = |second: i64| {
            (READINGS_EARLIEST_S..=READINGS_LATEST_S).contains(&second).then_some(second).ok_or(SeriesError::Time)
        };
        let (mut second, mut step) = (known(self.start)?, self.step);
        let mut left = self.count - 1;
        let mut tokens = Tokens::new(self.times);
        if left > 0 {
            second = known(second.saturating_add(ascending(step)?))?;
            left -= 1;
        }
        while left > 0 {
            let (value, times) = tokens.token()?;
            left = left.checked_sub(times).ok_or(SeriesError::Token)?;
            step = ascending(step.checked_add(value).ok_or(SeriesError::Time)?)?;
            second = known(second.saturating_add(step.saturating_mul(times.into())))?;
        }
        tokens.end()?;
        Ok(second)
    }

    /// Walks the temperatures, a run of equal ones at once.
    fn range(&self) -> Result<(Temperature, Temperature), SeriesError> {
        let (mut low, mut high, mut now) = (self.first, self.first, i64::from(self.first.hundredths()));
        let mut left = self.count - 1;
        let mut tokens = Tokens::new(self.temperatures);
        while left > 0 {
            let (value, times) = tokens.token()?;
            left = left.checked_sub(times).ok_or(SeriesError::Token)?;
            let change = value.checked_mul(self.grain).ok_or(SeriesError::Temperature)?;
            now = now.checked_add(change).ok_or(SeriesError::Temperature)?;
            let temperature = Temperature::from_hundredths(now).ok_or(SeriesError::Temperature)?;
            (low, high) = (low.min(temperature), high.max(temperature));
        }
        tokens.end()?;
        Ok((low, high))
    }
}

fn ascending(step: i64) -> Result<i64, SeriesError> {
    if step > 0 { Ok(step) } else { Err(SeriesError::NotAscending) }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn steps_between<T>(pair: &[T], value: impl Fn(&T) -> i64) -> i64 {
    match pair {
        [one, other] => value(other).saturating_sub(value(one)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading(second: i64, hundredths: i64) -> Reading {
        Reading { time_ms: second * 1000, temperature: Temperature::from_hundredths(hundredths).unwrap() }
    }

    /// 40 days at five minutes, as a freezer with a compressor and a sensor of 0.1 °C makes them.
    fn record(jitter: i64) -> Vec<Reading> {
        let mut state = 7u64;
        let mut noise = move |width: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 % (2 * width + 1) - width
        };
        let wave = |at: i64| ((at % 24) - 12).abs();
        (0..11_520)
            .map(|at| reading(1_780_000_000 + at * 300 + noise(jitter), -1900 + 10 * (wave(at) + noise(2))))
            .collect()
    }

    #[test]
    fn forty_days_at_five_minutes_cost_under_one_and_a_half_bytes_a_reading() {
        for (jitter, most) in [(0, 1.1), (1, 2.1)] {
            let readings = record(jitter);
            let series = Series::new(&readings).unwrap();
            let cost = series.bytes().len() as f64 / readings.len() as f64;
            println!("jitter of {jitter} s: {cost:.3} bytes a reading, {:.3} in base64", cost * 4.0 / 3.0);
            assert!(cost < most, "{cost}");
            assert!(series.readings().eq(readings));
        }
        // A sensor of 0.01 °C: the noise is what it costs.
        let fine: Vec<_> = record(0)
            .into_iter()
            .zip([-3, 4, 1, -7].into_iter().cycle())
            .map(|(of, more)| reading(of.time_ms / 1000, i64::from(of.temperature.hundredths()) + more))
            .collect();
        let cost = Series::new(&fine).unwrap().bytes().len() as f64 / fine.len() as f64;
        println!("at 0.01 degrees: {cost:.3} bytes a reading");
        assert!(cost < 2.0, "{cost}");
    }

    #[test]
    fn a_long_record_is_split_without_a_hole() {
        let readings: Vec<_> = (0..250_000).map(|at| reading(1_780_000_000 + at, -1800)).collect();
        let series = Series::split(&readings).unwrap();
        assert_eq!(series.iter().map(Series::count).collect::<Vec<_>>(), [100_000, 100_000, 50_002]);
        for pair in series.windows(2) {
            assert_eq!(pair[0].last_ms(), pair[1].first_ms());
        }
        assert_eq!(series[2].last_ms(), readings.last().unwrap().time_ms);
        assert_eq!(Series::split(&readings[..100_000]).unwrap().len(), 1);
        assert_eq!(Series::split(&[]), Err(SeriesError::Count { found: 0 }));
    }

    #[test]
    fn readings_that_are_no_series_are_refused() {
        let at = 1_780_000_000;
        assert_eq!(Series::new(&[reading(at, 0), reading(at, 1)]), Err(SeriesError::NotAscending));
        assert_eq!(Series::new(&[reading(at, 0), reading(at - 1, 1)]), Err(SeriesError::NotAscending));
        assert_eq!(Series::new(&[reading(0, 0)]), Err(SeriesError::Time));
        assert_eq!(Series::new(&[reading(at, 0), reading(9_999_999_999, 0)]), Err(SeriesError::Time));
    }

    #[test]
    fn a_few_bytes_for_many_readings_are_parsed_in_one_step_a_token() {
        let readings: Vec<_> = (0..READINGS_MAX as i64).map(|at| reading(1_780_000_000 + at * 60, -1800)).collect();
        let series = Series::new(&readings).unwrap();
        assert!(series.bytes().len() < 24, "{}", series.bytes().len());
        // One reading more than may be.
        let mut bytes = series.bytes().to_vec();
        bytes[1] += 1;
        assert!(Series::parse(&bytes).is_err());
    }

    fn readings() -> impl Strategy<Value = Vec<Reading>> {
        let step = prop_oneof![5 => Just(300_i64), 2 => 1..10_000_i64, 1 => 1..10_000_000_i64];
        let change = prop_oneof![4 => Just(0_i64), 4 => -40..40_i64, 1 => -3_000..3_000_i64];
        (1_000_000_000..1_900_000_000_i64, prop::collection::vec((step, change), 1..200)).prop_map(|(start, steps)| {
            let (mut second, mut hundredths) = (start, -1800);
            let next = |(step, change): (i64, i64)| {
                second += step;
                hundredths = (hundredths + change).clamp(-27_315, 20_000);
                reading(second, hundredths)
            };
            steps.into_iter().map(next).collect()
        })
    }

    proptest! {
        #[test]
        fn a_series_gives_back_its_readings(readings in readings()) {
            let series = Series::new(&readings).unwrap();
            prop_assert!(series.readings().eq(readings.iter().copied()));
            let temperatures = || readings.iter().map(|reading| reading.temperature);
            prop_assert_eq!((Some(series.min()), Some(series.max())), (temperatures().min(), temperatures().max()));
            prop_assert_eq!((series.first_ms(), series.last_ms()), (readings[0].time_ms, readings[readings.len() - 1].time_ms));
            prop_assert_eq!(Series::parse(series.bytes()), Ok(series));
        }

        #[test]
        fn bytes_that_parse_hold_just_as_many_ascending_readings_as_they_say(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let bytes = [&[1, 4, 0x80, 0x9a, 0xc3, 0xa0, 0x0d], &bytes[..]].concat();
            if let Ok(series) = Series::parse(&bytes) {
                let readings: Vec<_> = series.readings().collect();
                prop_assert_eq!(readings.len(), series.count() as usize);
                prop_assert!(readings.is_sorted_by(|one, other| one.time_ms < other.time_ms));
                prop_assert_eq!(readings.last().map(|last| last.time_ms), Some(series.last_ms()));
            }
        }

        #[test]
        fn a_flipped_byte_never_panics(readings in readings(), at in any::<prop::sample::Index>(), bits in 1..=255_u8) {
            let mut bytes = Series::new(&readings).unwrap().bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
            if let Ok(series) = Series::parse(&bytes) {
                prop_assert_eq!(series.readings().count(), series.count() as usize);
            }
            let _ = Series::parse(&bytes[..at]);
        }
    }
}
