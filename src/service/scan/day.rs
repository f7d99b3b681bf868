//! Days: when a date is over, so that no scan asks a time zone for today's.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// A day in a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its date.
    pub date: Date,
    /// From when to when it is, milliseconds since 1970-01-01 UTC; the end is not part of it.
    from_ms: i64,
    until_ms: i64,
}

impl Day {
    /// The day that an instant belongs to.
    pub fn of(ms: i64, zone: &TimeZone) -> Self {
        let now = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
        let next = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
        // At the ends of the calendar there is no day before or after: it is asked for at each instant there.
        let from_ms = now.start_of_day().map_or(ms, |start| start.timestamp().as_millisecond());
        let until_ms = next.map_or(ms + 1, |next| next.timestamp().as_millisecond());
        Self { date: now.date(), from_ms, until_ms }
    }

    /// Whether an instant, milliseconds since 1970-01-01 UTC, belongs to it.
    pub fn contains(&self, ms: i64) -> bool {
        (self.from_ms..self.until_ms).contains(&ms)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{civil::date, tz};

    use super::*;

    #[test]
    fn a_day_is_from_midnight_to_midnight_of_its_zone() {
        let zone = TimeZone::fixed(tz::offset(8));
        let ms = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let day = Day::of(ms("2026-05-01T12:00:00+08:00"), &zone);
        assert_eq!(day.date, date(2026, 5, 1));
        for (text, within) in [
            ("2026-04-30T23:59:59.999+08:00", false),
            ("2026-05-01T00:00:00+08:00", true),
            ("2026-05-01T23:59:59.999+08:00", true),
            ("2026-05-02T00:00:00+08:00", false),
        ] {
            assert_eq!(day.contains(ms(text)), within, "{text}");
            assert_eq!(Day::of(ms(text), &zone) == day, within, "{text}");
        }
    }
}
