//! The curve of a record: few points, and no spike lost.

use super::{Temperature, side::Range};
use crate::limits::CURVE_COLUMNS;

/// A record as it is drawn: columns of time, each with the lowest and the highest temperature in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Curve {
    /// Begin of the first column, milliseconds since 1970-01-01 UTC.
    pub from_ms: i64,
    /// End of the last.
    pub to_ms: i64,
    /// Without a gap inside one; about `CURVE_COLUMNS` columns in all, one more for each gap.
    pub stretches: Vec<Vec<Column>>,
}

/// What all sensors read during one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its first reading, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// The lowest.
    pub low: Temperature,
    /// The highest.
    pub high: Temperature,
}

/// Draws a curve reading by reading, in ascending order of time.
#[derive(Debug)]
pub(super) struct Pen {
    curve: Curve,
    /// Where the pen is, while it is down.
    column: Option<i64>,
}

impl Pen {
    pub(super) fn new(from_ms: i64, to_ms: i64) -> Self {
        Self { curve: Curve { from_ms, to_ms, stretches: Vec::new() }, column: None }
    }

    /// The index of the column that a time lies in.
    fn column_of(&self, at_ms: i64) -> i64 {
        let (at, whole) =
            (at_ms.saturating_sub(self.curve.from_ms), self.curve.to_ms.saturating_sub(self.curve.from_ms));
        let column = i128::from(at) * i128::from(CURVE_COLUMNS) / i128::from(whole.max(1));
        i64::try_from(column).unwrap_or_default()
    }

    pub(super) fn draw(&mut self, at_ms: i64, range: Range) {
        let index = self.column_of(at_ms);
        let column = Column { at_ms, low: range.low, high: range.high };
        match (self.column.replace(index), self.curve.stretches.last_mut()) {
            (Some(before), Some(stretch)) => match stretch.last_mut().filter(|_| before == index) {
                Some(last) => (last.low, last.high) = (last.low.min(range.low), last.high.max(range.high)),
                None => stretch.push(column),
            },
            _ => self.curve.stretches.push(vec![column]),
        }
    }

    /// Nothing is known from here on.
    pub(super) fn lift(&mut self) {
        self.column = None;
    }

    pub(super) fn finish(self) -> Curve {
        self.curve
    }
}
