//! Times: RFC 3339 date-times with a time zone, and EPCIS time zone offsets.

use jiff::{Timestamp, civil::DateTime, tz::Offset};

/// The milliseconds since 1970-01-01 UTC of an RFC 3339 date-time (years 1 to 9999, no leap second).
/// The zone is required. Finer fractions are rounded at microseconds, half to even, as the CBV event
/// hash does, so that event time and event id agree. `None` for anything else.
pub(super) fn parse_date_time(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| digits(bytes.get(from..to)?);
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    if !(is(4, b'-') && is(7, b'-') && is(10, b'T') && is(13, b':') && is(16, b':')) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let mut rest = bytes.get(19..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        let kept = length.min(6);
        micros = digits(fraction.get(..kept)?)? * 10_i32.pow(6 - u32::try_from(kept).ok()?);
        rest = fraction.get(length..)?;
    }
    let offset_minutes = if rest == b"Z" { 0 } else { zone_minutes(rest, 23)? };
    if year == 0 {
        return None;
    }
    let narrow = |value: i32| i8::try_from(value).ok();
    let civil = DateTime::new(
        i16::try_from(year).ok()?,
        narrow(month)?,
        narrow(day)?,
        narrow(hour)?,
        narrow(minute)?,
        narrow(second)?,
        0,
    )
    .ok()?;
    let second_utc = Offset::UTC.to_timestamp(civil).ok()?.as_second() - i64::from(offset_minutes) * 60;
    Some(second_utc * 1000 + i64::from(round_half_to_even(micros)))
}

/// The minutes of an `eventTimeZoneOffset`, `-14:00` to `+14:00` (EPCIS 2.0, clause 7.4.1).
pub(super) fn parse_offset(text: &str) -> Option<i16> {
    let minutes = zone_minutes(text.as_bytes(), 14)?;
    (minutes.abs() <= 14 * 60).then_some(minutes)
}

/// As the CBV event hash writes a time: UTC, with milliseconds.
pub(super) fn hash_form(time_ms: i64) -> Option<String> {
    let civil = Offset::UTC.to_datetime(Timestamp::from_millisecond(time_ms).ok()?);
    let (date, time) = (civil.date(), civil.time());
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    ))
}

/// `+hh:mm` or `-hh:mm`.
fn zone_minutes(zone: &[u8], hours_max: i32) -> Option<i16> {
    let &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = zone else { return None };
    let (hours, minutes) = (digits(&[h1, h2])?, digits(&[m1, m2])?);
    if hours > hours_max || minutes > 59 {
        return None;
    }
    let minutes = i16::try_from(hours * 60 + minutes).ok()?;
    Some(if sign == b'-' { -minutes } else { minutes })
}

fn digits(bytes: &[u8]) -> Option<i32> {
    bytes.iter().try_fold(0, |value: i32, byte| byte.is_ascii_digit().then(|| value * 10 + i32::from(byte - b'0')))
}

fn round_half_to_even(micros: i32) -> i32 {
    let (millis, rest) = (micros / 1000, micros % 1000);
    if rest > 500 || rest == 500 && millis % 2 == 1 { millis + 1 } else { millis }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_millisecond_half_to_even() {
        let form = |text: &str| parse_date_time(text).and_then(hash_form);
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
            ("2026-05-04T09:30:00.1+08:00", "2026-05-04T01:30:00.100Z"),
            ("2026-05-04T01:30:00.0005Z", "2026-05-04T01:30:00.000Z"),
            ("2026-05-04T01:30:00.0015Z", "2026-05-04T01:30:00.002Z"),
            ("2026-12-31T23:59:59.9996-14:00", "2027-01-01T14:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(form(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_with_a_zone_is_refused() {
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-05-04T24:00:00Z",
            "2026-05-04T09:30:60Z",
            "2026-05-04T09:30:00",
            "2026-05-04T09:30:00.Z",
            "2026-05-04 09:30:00Z",
            "2026-05-04T09:30:00+8:00",
            "2026-05-04T09:30:00+24:00",
            "2026-5-4T09:30:00Z",
            "0000-01-01T00:00:00Z",
            "",
        ] {
            assert_eq!(parse_date_time(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_reach_fourteen_hours() {
        assert_eq!(parse_offset("+08:00"), Some(480));
        assert_eq!(parse_offset("-14:00"), Some(-840));
        for text in ["+14:01", "+15:00", "08:00", "+8:00", "Z", "+08:60"] {
            assert_eq!(parse_offset(text), None, "{text}");
        }
    }
}
