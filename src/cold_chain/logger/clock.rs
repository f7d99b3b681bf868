//! Dates, times of day and zones as loggers write them.

use jiff::{civil::Date, tz::Offset};

/// The order of the numbers of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
    /// Year, month, day.
    Ymd,
}

impl DateOrder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dmy, Self::Mdy, Self::Ymd];

    /// Its word as a parameter.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dmy => "dmy",
            Self::Mdy => "mdy",
            Self::Ymd => "ymd",
        }
    }
}

/// A date and time of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) day: Day,
    pub(super) second_of_day: u32,
    pub(super) offset_minutes: Option<i16>,
}

/// A date, as far as its form tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    /// Year, month and day.
    Known(i16, i8, i8),
    /// Two numbers and the year behind them: day and month in either order.
    YearLast(i8, i8, i16),
    /// Three numbers of two digits.
    Short(i8, i8, i8),
}

impl Day {
    /// Whole days since 1970-01-01, read in an order; `None` where there is no such day, or its form rules the order out.
    pub(super) fn number(self, order: DateOrder) -> Option<i64> {
        let century = |year: i8| 2000 + i16::from(year);
        let (year, month, day) = match (self, order) {
            (Self::Known(year, month, day), _) => (year, month, day),
            (Self::YearLast(day, month, year), DateOrder::Dmy) => (year, month, day),
            (Self::YearLast(month, day, year), DateOrder::Mdy) => (year, month, day),
            (Self::YearLast(..), DateOrder::Ymd) => return None,
            (Self::Short(day, month, year), DateOrder::Dmy) => (century(year), month, day),
            (Self::Short(month, day, year), DateOrder::Mdy) => (century(year), month, day),
            (Self::Short(year, month, day), DateOrder::Ymd) => (century(year), month, day),
        };
        let midnight = Date::new(year, month, day).ok()?.at(0, 0, 0, 0);
        Some(Offset::UTC.to_timestamp(midnight).ok()?.as_second().div_euclid(86_400))
    }
}

/// The date that a text begins with, and what follows it.
pub(super) fn day(text: &str) -> Option<(Day, &str)> {
    if let Some(found) = named_month(text) {
        return Some(found);
    }
    let (first, first_digits, rest) = number(text)?;
    if first_digits == 8 {
        // 20260531
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
        let (month, day) = (i8::try_from(part(4, 6)?).ok()?, i8::try_from(part(6, 8)?).ok()?);
        return Some((Day::Known(part(0, 4)?, month, day), rest));
    }
    let (separator, rest) = separator(rest)?;
    let (second, _, rest) = number(rest)?;
    let (other, rest) = self::separator(rest)?;
    let (third, third_digits, rest) = number(rest)?;
    let rest = rest.strip_prefix(['日', '号']).unwrap_or(rest);
    let small = |value: i32| i8::try_from(value).ok();
    let day = if first_digits == 4 {
        Day::Known(i16::try_from(first).ok()?, small(second)?, small(third)?)
    } else if separator != other {
        return None;
    } else if third_digits == 4 {
        let year = i16::try_from(third).ok()?;
        match separator {
            // Nobody writes the month first with points.
            '.' => Day::Known(year, small(second)?, small(first)?),
            _ => Day::YearLast(small(first)?, small(second)?, year),
        }
    } else if third_digits == 2 {
        Day::Short(small(first)?, small(second)?, small(third)?)
    } else {
        return None;
    };
    Some((day, rest))
}

/// `31-May-2026`, `31 May 26`, `May 31, 2026`.
fn named_month(text: &str) -> Option<(Day, &str)> {
    let between =
        |text: &str| text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '/' | '.' | ',')).len();
    let skip = |text| -> &str { suffix(text, between(text)) };
    let (day, month, rest) = if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let (month, rest) = month(text)?;
        let (day, _, rest) = number(skip(rest))?;
        (day, month, rest)
    } else {
        let (day, digits, rest) = number(text)?;
        if digits > 2 {
            return None;
        }
        let (month, rest) = month(skip(rest))?;
        (day, month, rest)
    };
    let (year, digits, rest) = number(skip(rest))?;
    let year = i16::try_from(if digits == 2 { 2000 + year } else { year }).ok()?;
    Some((Day::Known(year, month, i8::try_from(day).ok()?), rest))
}

fn suffix(text: &str, length: usize) -> &str {
    text.get(text.len() - length..).unwrap_or_default()
}

fn month(text: &str) -> Option<(i8, &str)> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    let short = word.get(..3)?.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| *month == short)?;
    Some((i8::try_from(at + 1).ok()?, rest))
}

/// The number that a text begins with, how many digits it has, at most 8, and what follows it.
fn number(text: &str) -> Option<(i32, usize, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits).filter(|_| (1..=8).contains(&digits))?;
    Some((number.parse().ok()?, digits, rest))
}

/// Separators of a date; 年 and 月 count as one kind.
fn separator(text: &str) -> Option<(char, &str)> {
    let c = text.chars().next().filter(|c| matches!(c, '-' | '/' | '.' | '年' | '月'))?;
    Some((if c == '月' { '年' } else { c }, text.get(c.len_utf8()..)?))
}

/// The second of the day, and the offset in minutes where a zone stands behind it. All of the text must be a time.
pub(super) fn time(text: &str) -> Option<(u32, Option<i16>)> {
    let (before, text) = half_of_day(text.trim());
    let (hour, digits, rest) = number(text.trim_start())?;
    let (hour, minute, second, rest) = match digits {
        1 | 2 => {
            let (minute, _, rest) =
                number(rest.strip_prefix([':', '：', '时', '点'])?).filter(|(_, digits, _)| *digits == 2)?;
            let (second, rest) = second(rest)?;
            (hour, minute, second, rest)
        }
        // 140530
        6 => (hour / 10_000, hour / 100 % 100, hour % 100, rest),
        _ => return None,
    };
    let (behind, rest) = half_of_day(rest.trim_start());
    let hour = match before.or(behind) {
        None => hour,
        // A clock of 24 hours with a word that repeats what it says.
        Some(Half::After) if (13..24).contains(&hour) => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(Half::Before) => hour % 12,
        Some(Half::After) => hour % 12 + 12,
    };
    if !(0..24).contains(&hour) || minute > 59 || second > 59 {
        return None;
    }
    let rest = rest.trim();
    let offset_minutes = if rest.is_empty() { None } else { Some(parse_zone(rest)?) };
    Some((u32::try_from(hour * 3600 + minute * 60 + second).ok()?, offset_minutes))
}

/// Seconds where there are any, without their fraction.
fn second(text: &str) -> Option<(i32, &str)> {
    let Some(text) = text.strip_prefix([':', '：', '分']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    else {
        return Some((0, text.strip_prefix('分').unwrap_or(text)));
    };
    let (second, _, rest) = number(text).filter(|(_, digits, _)| *digits == 2)?;
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    Some((second, rest.strip_prefix('秒').unwrap_or(rest)))
}

#[derive(Clone, Copy)]
enum Half {
    Before,
    After,
}

/// A word for the half of the day, and what follows it.
fn half_of_day(text: &str) -> (Option<Half>, &str) {
    const WORDS: [(&str, Half); 9] = [
        ("am", Half::Before),
        ("a.m.", Half::Before),
        ("上午", Half::Before),
        ("凌晨", Half::Before),
        ("pm", Half::After),
        ("p.m.", Half::After),
        ("下午", Half::After),
        ("晚上", Half::After),
        ("中午", Half::After),
    ];
    let found = WORDS.iter().find_map(|(word, half)| {
        let (start, rest) = text.split_at_checked(word.len())?;
        start.eq_ignore_ascii_case(word).then_some((Some(*half), rest))
    });
    found.unwrap_or((None, text))
}

/// An offset from UTC in minutes, -14:00 to +14:00: `+08:00`, `+0800`, `+8`, `UTC+8`, `GMT`, `Z`.
pub fn parse_zone(text: &str) -> Option<i16> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let named = text.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("utc") || word.eq_ignore_ascii_case("gmt"));
    let text = if named { text.get(3..)?.trim_start() } else { text };
    if named && text.is_empty() {
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' | '＋' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let rest = text.get(text.chars().next()?.len_utf8()..)?;
    let (hours, digits, rest) = number(rest)?;
    let (hours, minutes) = match (digits, rest.strip_prefix([':', '：'])) {
        (1 | 2, Some(minutes)) => {
            (hours, number(minutes).filter(|(_, digits, rest)| *digits == 2 && rest.is_empty())?.0)
        }
        (1 | 2, None) if rest.is_empty() => (hours, 0),
        (4, None) if rest.is_empty() => (hours / 100, hours % 100),
        _ => return None,
    };
    let whole = hours * 60 + minutes;
    (minutes < 60 && whole <= 14 * 60).then(|| i16::try_from(sign * whole).ok())?
}

/// An offset as `+08:00`.
pub(super) fn zone_text(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_forms_that_loggers_write() {
        for (text, expected) in [
            ("2026-05-31", Day::Known(2026, 5, 31)),
            ("2026/5/3", Day::Known(2026, 5, 3)),
            ("2026.05.31", Day::Known(2026, 5, 31)),
            ("2026年5月31日", Day::Known(2026, 5, 31)),
            ("20260531", Day::Known(2026, 5, 31)),
            ("31.05.2026", Day::Known(2026, 5, 31)),
            ("31/05/2026", Day::YearLast(31, 5, 2026)),
            ("5-31-2026", Day::YearLast(5, 31, 2026)),
            ("26-05-31", Day::Short(26, 5, 31)),
            ("31-May-2026", Day::Known(2026, 5, 31)),
            ("3 may 26", Day::Known(2026, 5, 3)),
            ("May 31, 2026", Day::Known(2026, 5, 31)),
            ("September 3 2026", Day::Known(2026, 9, 3)),
        ] {
            assert_eq!(day(text), Some((expected, "")), "{text}");
        }
        for text in ["", "31", "31/05", "31/05-2026", "2026-05", "May", "31-Foo-2026", "99999999999"] {
            assert_eq!(day(text), None, "{text}");
        }
        assert_eq!(Day::YearLast(31, 5, 2026).number(DateOrder::Mdy), None);
        assert_eq!(Day::YearLast(1, 2, 1970).number(DateOrder::Dmy), Some(31));
        assert_eq!(Day::Short(70, 1, 2).number(DateOrder::Ymd), Some(36_526));
    }

    #[test]
    fn times_of_day_are_read_in_the_forms_that_loggers_write() {
        let at = |hour: u32, minute: u32, second: u32| hour * 3600 + minute * 60 + second;
        for (text, second, zone) in [
            ("14:05", at(14, 5, 0), None),
            ("4:05:30", at(4, 5, 30), None),
            ("14:05:30.250", at(14, 5, 30), None),
            ("140530", at(14, 5, 30), None),
            ("2:05:30 PM", at(14, 5, 30), None),
            ("12:00 AM", 0, None),
            ("12:00 a.m.", 0, None),
            ("12:30pm", at(12, 30, 0), None),
            ("下午 2:05:30", at(14, 5, 30), None),
            ("上午12:05", at(0, 5, 0), None),
            ("下午14:05", at(14, 5, 0), None),
            ("14时05分30秒", at(14, 5, 30), None),
            ("14时05分", at(14, 5, 0), None),
            ("14:05:30Z", at(14, 5, 30), Some(0)),
            ("14:05:30+08:00", at(14, 5, 30), Some(480)),
            ("14:05 GMT-3", at(14, 5, 0), Some(-180)),
        ] {
            assert_eq!(time(text), Some((second, zone)), "{text}");
        }
        for text in
            ["", "14", "24:00", "14:60", "14:05:60", "14:5", "13:00 AM", "0:30 PM", "14:05 o'clock", "14:05:30:00"]
        {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn zones_reach_fourteen_hours() {
        for (text, minutes) in
            [("+08:00", 480), ("-0330", -210), ("UTC+8", 480), ("gmt", 0), ("Z", 0), ("+14:00", 840), ("UTC −3", -180)]
        {
            assert_eq!(parse_zone(text), Some(minutes), "{text}");
        }
        for text in ["", "8", "+", "+15:00", "+14:01", "+08:60", "CST", "+08:00 x", "UTCx"] {
            assert_eq!(parse_zone(text), None, "{text}");
        }
    }
}
