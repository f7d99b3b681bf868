//! A cell with a temperature, and units as loggers write them.

use crate::cold_chain::Unit;

/// What stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nothing with a digit in it: empty, `---`, `NC`, `Error`.
    Missing,
    /// A number in millionths, and the unit behind it.
    Number { millionths: i64, unit: Option<Unit> },
    /// Something else.
    Bad,
}

impl Cell {
    pub(super) fn parse(text: &str) -> Self {
        if !text.contains(|c: char| c.is_ascii_digit()) {
            return Self::Missing;
        }
        Self::number(text).unwrap_or(Self::Bad)
    }

    fn number(text: &str) -> Option<Self> {
        let unsigned = text.trim_start_matches(['-', '\u{2212}', '\u{2013}', '\u{2010}', '+']);
        // One sign at most.
        let sign = text.strip_suffix(unsigned).filter(|sign| sign.chars().count() <= 1)?;
        let end = unsigned.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(unsigned.len());
        let (number, behind) = unsigned.split_at_checked(end)?;
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !(digits(whole) && whole.len() <= 6 && digits(fraction)) {
            return None;
        }
        let kept = fraction.get(..fraction.len().min(6))?;
        let scale = 10_i64.pow(6 - u32::try_from(kept.len()).ok()?);
        let magnitude = whole.parse::<i64>().ok()? * 1_000_000 + kept.parse::<i64>().ok()? * scale;
        let behind = behind.trim();
        let unit = if behind.is_empty() { None } else { Some(unit_of(behind)?) };
        let negative = !sign.is_empty() && sign != "+";
        Some(Self::Number { millionths: if negative { -magnitude } else { magnitude }, unit })
    }
}

/// The unit that a text names: `°C`, `degC`, `Temp (F)`, `temp_k`, `摄氏度`.
pub(super) fn unit_of(text: &str) -> Option<Unit> {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["℃", "°c", "ºc", "° c", "celsius", "摄氏", "degc", "deg c", "deg. c"]) {
        return Some(Unit::Celsius);
    }
    if says(&["℉", "°f", "ºf", "° f", "fahrenheit", "华氏", "degf", "deg f", "deg. f"]) {
        return Some(Unit::Fahrenheit);
    }
    if says(&["kelvin", "开尔文", "°k"]) {
        return Some(Unit::Kelvin);
    }
    // A letter that stands alone.
    text.split(|c: char| !c.is_alphanumeric()).find_map(|word| match word {
        "c" | "cel" => Some(Unit::Celsius),
        "f" | "fah" => Some(Unit::Fahrenheit),
        "k" | "kel" => Some(Unit::Kelvin),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_numbers_with_or_without_a_unit_or_say_nothing() {
        let number = |millionths, unit| Cell::Number { millionths, unit };
        for (text, expected) in [
            ("-18.5", number(-18_500_000, None)),
            ("-18,5", number(-18_500_000, None)),
            ("\u{2212}18.25 °C", number(-18_250_000, Some(Unit::Celsius))),
            ("+4", number(4_000_000, None)),
            ("4.123456789", number(4_123_456, None)),
            ("-0.5℃", number(-500_000, Some(Unit::Celsius))),
            ("0F", number(0, Some(Unit::Fahrenheit))),
            ("255.15 K", number(255_150_000, Some(Unit::Kelvin))),
            ("", Cell::Missing),
            ("---", Cell::Missing),
            ("NC", Cell::Missing),
            ("1.234,5", Cell::Bad),
            ("--18", Cell::Bad),
            ("18.", Cell::Bad),
            (".5", Cell::Bad),
            ("-18.5 %", Cell::Bad),
            ("2026-05-01", Cell::Bad),
            ("99999999", Cell::Bad),
        ] {
            assert_eq!(Cell::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn units_are_found_in_headers() {
        for (text, expected) in [
            ("Temperature(℃)", Some(Unit::Celsius)),
            ("Temp. [°C]", Some(Unit::Celsius)),
            ("temp_c", Some(Unit::Celsius)),
            ("Temperature, F", Some(Unit::Fahrenheit)),
            ("T [K]", Some(Unit::Kelvin)),
            ("温度（摄氏度）", Some(Unit::Celsius)),
            ("Temperature", None),
            ("Reefer check", None),
        ] {
            assert_eq!(unit_of(text), expected, "{text}");
        }
    }
}
