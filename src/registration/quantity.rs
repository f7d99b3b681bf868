//! Amounts with their units, in exact arithmetic.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ValueError;

/// Digits after the point that are kept.
const DECIMALS: usize = 6;
/// 10 to the power of [`DECIMALS`].
const MILLIONTHS: u64 = 1_000_000;
/// Above what any ship carries in milligrams; below it every product with a unit's factor fits 128 bits.
const UNITS_MAX: u64 = 1_000_000_000_000;

/// A number from 0 to 10^12 with at most six digits after the point, exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decimal(u64);

impl Decimal {
    /// A whole number; one above 10^12 becomes 10^12.
    pub const fn whole(value: u64) -> Self {
        Self(if value > UNITS_MAX { UNITS_MAX } else { value } * MILLIONTHS)
    }

    /// Its value in millionths.
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// From a JSON number: its shortest decimal form is what was meant, so that 0.4 is exactly four tenths.
    ///
    /// # Errors
    /// Where it is negative, not finite, above 10^12 or has more than six digits after the point.
    pub fn from_number(value: f64) -> Result<Self, ValueError> {
        value.to_string().parse()
    }

    /// The nearest double.
    pub fn to_number(self) -> f64 {
        self.0 as f64 / MILLIONTHS as f64
    }
}

impl FromStr for Decimal {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let refused = || ValueError::malformed(text, "a number from 0 to 10^12 with at most 6 digits after the point");
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS {
            return Err(refused());
        }
        let whole: u64 = whole.parse().map_err(|_| refused())?;
        let fraction: u64 = format!("{fraction:0<DECIMALS$}").parse().map_err(|_| refused())?;
        if whole > UNITS_MAX || (whole == UNITS_MAX && fraction > 0) {
            return Err(refused());
        }
        Ok(Self(whole * MILLIONTHS + fraction))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / MILLIONTHS, self.0 % MILLIONTHS);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:0DECIMALS$}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({self})")
    }
}

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Mass; factors count in 10^-12 kg.
    Mass,
    /// Volume; factors count in 10^-12 l.
    Volume,
}

/// Units that convert: UN/CEFACT Recommendation 20 code, dimension, exact factor. The pound is 0.45359237 kg by
/// definition, the ounce its sixteenth.
const CONVERTIBLE: [(&str, Dimension, u64); 10] = [
    ("MGM", Dimension::Mass, 1_000_000),
    ("GRM", Dimension::Mass, 1_000_000_000),
    ("KGM", Dimension::Mass, 1_000_000_000_000),
    ("TNE", Dimension::Mass, 1_000_000_000_000_000),
    ("ONZ", Dimension::Mass, 28_349_523_125),
    ("LBR", Dimension::Mass, 453_592_370_000),
    ("MLT", Dimension::Volume, 1_000_000_000),
    ("CLT", Dimension::Volume, 10_000_000_000),
    ("LTR", Dimension::Volume, 1_000_000_000_000),
    ("MTQ", Dimension::Volume, 1_000_000_000_000_000),
];

/// A unit of measure by its UN/CEFACT Recommendation 20 common code, as EPCIS writes it (CBV 2.0, 7.6).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uom(String);

impl Uom {
    /// Reads 2 or 3 letters and digits, in either case.
    ///
    /// # Errors
    /// Where it is anything else.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if !matches!(text.len(), 2 | 3) || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let expected = "a unit code of UN/CEFACT Recommendation 20, such as KGM, GRM, TNE, LBR, LTR or H87";
            return Err(ValueError::malformed(text, expected));
        }
        Ok(Self(text.to_ascii_uppercase()))
    }

    /// The kilogram.
    pub fn kilogram() -> Self {
        Self("KGM".to_owned())
    }

    /// Its code in capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn factor(&self) -> Option<(Dimension, u64)> {
        CONVERTIBLE.iter().find(|(code, ..)| *code == self.0).map(|&(_, dimension, factor)| (dimension, factor))
    }
}

impl fmt::Display for Uom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Uom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uom({self})")
    }
}

/// An amount and its unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quantity {
    /// How much.
    pub value: Decimal,
    /// Of what.
    pub uom: Uom,
}

impl Quantity {
    /// How often `part` goes into this, with the rest left out; this may first grow by `tolerance_permille`. `None`
    /// where the units do not convert into each other, or `part` is nothing.
    pub fn holds(&self, part: &Self, tolerance_permille: u32) -> Option<u64> {
        let (whole_factor, part_factor) = if self.uom == part.uom {
            (1, 1)
        } else {
            let (whole, part) = (self.uom.factor()?, part.uom.factor()?);
            if whole.0 != part.0 {
                return None;
            }
            (u128::from(whole.1), u128::from(part.1))
        };
        // At most 10^18 millionths by a factor of at most 10^15 by permille: 2^128 is passed only by a tolerance
        // of more than a hundred thousand permille, and then the answer is `None`, not a wrong number.
        let common = gcd(whole_factor, part_factor);
        let whole = u128::from(self.value.0) * (whole_factor / common);
        let part = u128::from(part.value.0) * (part_factor / common);
        let grown = whole.checked_mul(1_000 + u128::from(tolerance_permille))?;
        u64::try_from(grown.checked_div(part.checked_mul(1_000)?)?).ok()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.uom)
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}
