//! `[dates]`.

use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;

/// When a calendar day begins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dates {
    /// Offset from UTC by which days are counted.
    pub utc_offset: UtcOffset,
}

/// An offset from UTC in whole minutes, -14:00 to +14:00, written `+08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UtcOffset(Offset);

impl UtcOffset {
    /// As a time zone without changes of clock.
    pub fn time_zone(self) -> TimeZone {
        self.0.to_time_zone()
    }
}

impl TryFrom<String> for UtcOffset {
    type Error = String;

    fn try_from(text: String) -> Result<UtcOffset, String> {
        let minutes = || {
            let sign = match text.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            let (hours, minutes) = text.get(1..)?.split_once(':')?;
            let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            if !two_digits(hours) || !two_digits(minutes) {
                return None;
            }
            let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
            let total = hours * 60 + minutes;
            (minutes < 60 && total <= 14 * 60).then_some(sign * total)
        };
        minutes()
            .and_then(|minutes| Offset::from_seconds(minutes * 60).ok())
            .map(UtcOffset)
            .ok_or_else(|| format!("{text:?} is not an offset from UTC: expected -14:00 to +14:00, e.g. \"+08:00\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_and_refused() {
        for (text, seconds) in [("+08:00", 28_800), ("-03:30", -12_600), ("+14:00", 50_400), ("+00:00", 0)] {
            assert_eq!(UtcOffset::try_from(text.to_owned()).unwrap().0.seconds(), seconds);
        }
        for text in ["", "8", "08:00", "+8:00", "+08:60", "+14:01", "+-8:00", "Z", "食"] {
            assert!(UtcOffset::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
