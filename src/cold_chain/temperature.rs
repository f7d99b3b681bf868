//! Temperatures in hundredths of a degree Celsius, and the units in which they are reported.

use std::fmt;

/// A temperature in hundredths of a degree Celsius, from absolute zero to 200 °C: no logger of goods measures beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Temperature(i32);

impl Temperature {
    /// Absolute zero.
    pub const LOWEST: Self = Self(-27_315);
    /// 200 °C.
    pub const HIGHEST: Self = Self(20_000);

    /// From hundredths of a degree Celsius; `None` outside the range.
    pub fn from_hundredths(hundredths: i64) -> Option<Self> {
        let value = i32::try_from(hundredths).ok().map(Self)?;
        (Self::LOWEST..=Self::HIGHEST).contains(&value).then_some(value)
    }

    /// The nearest to a number of degrees Celsius; `None` outside the range.
    pub fn from_celsius(celsius: f64) -> Option<Self> {
        Unit::Celsius.read(millionths(celsius)?)
    }

    /// In hundredths of a degree Celsius.
    pub const fn hundredths(self) -> i32 {
        self.0
    }

    /// In degrees Celsius.
    pub fn celsius(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// Degrees Celsius without trailing zeros, `-18.5`; no unit.
impl fmt::Display for Temperature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.celsius().fmt(f)
    }
}

/// A unit in which temperatures are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Degrees Celsius.
    Celsius,
    /// Degrees Fahrenheit.
    Fahrenheit,
    /// Kelvin.
    Kelvin,
}

impl Unit {
    /// By its code in UN/ECE Recommendation 20: `CEL`, `FAH`, `KEL`.
    pub fn of_code(code: &str) -> Option<Self> {
        match code {
            "CEL" => Some(Self::Celsius),
            "FAH" => Some(Self::Fahrenheit),
            "KEL" => Some(Self::Kelvin),
            _ => None,
        }
    }

    /// The temperature of so many millionths of this unit, to the nearest hundredth of a degree Celsius, halves away from
    /// zero; `None` outside the range of [`Temperature`].
    pub fn read(self, millionths: i64) -> Option<Temperature> {
        let (numerator, denominator) = match self {
            Self::Celsius => (millionths, 10_000),
            Self::Fahrenheit => (millionths.checked_sub(32_000_000)?.checked_mul(5)?, 90_000),
            Self::Kelvin => (millionths.checked_sub(273_150_000)?, 10_000),
        };
        let half = if numerator < 0 { -denominator / 2 } else { denominator / 2 };
        Temperature::from_hundredths(numerator.checked_add(half)? / denominator)
    }
}

/// A number in millionths, to the nearest; `None` beyond a million.
pub fn millionths(value: f64) -> Option<i64> {
    // Up to there a double holds six decimal places.
    (value.abs() <= 1e6).then(|| (value * 1e6).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_converted_to_the_nearest_hundredth() {
        let read = |unit: Unit, value: f64| unit.read(millionths(value).unwrap()).map(Temperature::hundredths);
        for (unit, value, expected) in [
            (Unit::Celsius, -18.5, Some(-1850)),
            (Unit::Celsius, -0.005, Some(-1)),
            (Unit::Celsius, 0.0049, Some(0)),
            (Unit::Fahrenheit, 0.0, Some(-1778)),
            (Unit::Fahrenheit, -40.0, Some(-4000)),
            (Unit::Fahrenheit, 32.0, Some(0)),
            (Unit::Kelvin, 255.15, Some(-1800)),
            (Unit::Kelvin, 0.0, Some(-27_315)),
            // Celsius under a header that says Kelvin.
            (Unit::Kelvin, -18.0, None),
            // Kelvin under a header that says Celsius.
            (Unit::Celsius, 255.15, None),
        ] {
            assert_eq!(read(unit, value), expected, "{unit:?} {value}");
        }
        assert_eq!(millionths(f64::NAN), None);
        assert_eq!(millionths(1e300), None);
    }

    #[test]
    fn a_temperature_is_written_without_trailing_zeros() {
        for (hundredths, text) in [(-1850, "-18.5"), (400, "4"), (-5, "-0.05"), (0, "0")] {
            assert_eq!(Temperature::from_hundredths(hundredths).unwrap().to_string(), text);
        }
    }
}
