//! A report cut into pieces of time during which one temperature, or one range, holds.

use std::{collections::BTreeMap, iter::Peekable};

use super::{Interval, Readings, Temperature, TemperatureReport, side::Range};

/// A time during which a sensor's temperature lies in one range; its end is not part of it, unless it is its begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    low: Temperature,
    high: Temperature,
    mean: Option<Temperature>,
}

impl Piece {
    pub(super) fn is_moment(&self) -> bool {
        self.from_ms == self.to_ms
    }

    /// The part of it inside an interval. A reading that is carried into the interval counts as long as it holds there.
    fn within(self, interval: Interval) -> Option<Self> {
        let cut = Self { from_ms: self.from_ms.max(interval.from_ms), to_ms: self.to_ms.min(interval.to_ms), ..self };
        let begins_inside = cut.from_ms == self.from_ms && cut.from_ms <= interval.to_ms;
        (cut.from_ms < cut.to_ms || (cut.is_moment() && begins_inside)).then_some(cut)
    }
}

/// The pieces of a report in ascending order, each beginning after the one before has begun.
pub(super) struct Pieces<'a> {
    source: Source<'a>,
    interval: Interval,
    gap_ms: i64,
}

enum Source<'a> {
    Readings(Peekable<Readings<'a>>),
    Whole(Option<Piece>),
}

impl<'a> Pieces<'a> {
    pub(super) fn new(report: &'a TemperatureReport, interval: Interval, gap_ms: i64) -> Self {
        let source = match &report.series {
            Some(series) => Source::Readings(series.readings().peekable()),
            None => {
                let TemperatureReport { from_ms, to_ms, min, max, mean, .. } = *report;
                Source::Whole(Some(Piece { from_ms, to_ms: to_ms.max(from_ms), low: min, high: max, mean }))
            }
        };
        Self { source, interval, gap_ms }
    }

    fn uncut(&mut self) -> Option<Piece> {
        match &mut self.source {
            Source::Whole(piece) => piece.take(),
            Source::Readings(readings) => {
                let reading = readings.next()?;
                let (from_ms, value) = (reading.time_ms, reading.temperature);
                let next = readings.peek().map(|next| next.time_ms).filter(|next| next - from_ms <= self.gap_ms);
                Some(Piece { from_ms, to_ms: next.unwrap_or(from_ms), low: value, high: value, mean: Some(value) })
            }
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        loop {
            let piece = self.uncut()?;
            if piece.from_ms > self.interval.to_ms {
                return None;
            }
            if let Some(cut) = piece.within(self.interval) {
                return Some(cut);
            }
        }
    }
}

/// The pieces that hold at one time, of all sensors.
#[derive(Debug, Default)]
pub(super) struct Active {
    lows: BTreeMap<Temperature, u32>,
    highs: BTreeMap<Temperature, u32>,
    mean_sum: i64,
    means: u32,
}

impl Active {
    pub(super) fn insert(&mut self, piece: &Piece) {
        *self.lows.entry(piece.low).or_default() += 1;
        *self.highs.entry(piece.high).or_default() += 1;
        if let Some(mean) = piece.mean {
            self.mean_sum += i64::from(mean.hundredths());
            self.means += 1;
        }
    }

    pub(super) fn remove(&mut self, piece: &Piece) {
        take(&mut self.lows, piece.low);
        take(&mut self.highs, piece.high);
        if let Some(mean) = piece.mean {
            self.mean_sum -= i64::from(mean.hundredths());
            self.means -= 1;
        }
    }

    /// What holds now; `None` where no sensor says anything.
    pub(super) fn state(&self) -> Option<Now> {
        let ((low, _), (surely_above, _)) = (self.lows.first_key_value()?, self.lows.last_key_value()?);
        let ((surely_below, _), (high, _)) = (self.highs.first_key_value()?, self.highs.last_key_value()?);
        let range = Range { surely_above: *surely_above, surely_below: *surely_below, low: *low, high: *high };
        let mean = (self.means > 0).then(|| self.mean_sum as f64 / f64::from(self.means));
        Some(Now { range, mean })
    }
}

/// What all sensors together say at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Now {
    pub(super) range: Range,
    /// The mean of those that tell one, in hundredths of a degree.
    pub(super) mean: Option<f64>,
}

fn take(counts: &mut BTreeMap<Temperature, u32>, value: Temperature) {
    if let Some(count) = counts.get_mut(&value) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&value);
        }
    }
}
