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

    /// So many millionths; more than 10^12 units become 10^12.
    pub(super) const fn from_millionths(millionths: u64) -> Self {
        Self(if millionths > UNITS_MAX * MILLIONTHS { UNITS_MAX * MILLIONTHS } else { millionths })
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

    /// The litre.
    pub fn litre() -> Self {
        Self("LTR".to_owned())
    }

    /// Its code in capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn factor(&self) -> Option<(Dimension, u64)> {
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
    /// How many `part`s fit into this beside what is `held` already (a content, and how often), rounded down; this may
    /// first grow by `tolerance_permille`. `None` where the units do not convert into each other, or `part` is nothing.
    pub fn room_for<'a>(
        &self,
        part: &Self,
        held: impl IntoIterator<Item = (&'a Self, u64)>,
        tolerance_permille: u32,
    ) -> Option<u64> {
        let whole = self.in_base_of(self)?.checked_mul(1_000 + u128::from(tolerance_permille))?;
        let part = part.in_base_of(self)?.checked_mul(1_000)?;
        let mut used: u128 = 0;
        for (content, count) in held {
            // What does not fit 128 bits does not fit the batch either.
            let more = content.in_base_of(self)?.saturating_mul(1_000).saturating_mul(u128::from(count));
            used = used.saturating_add(more);
        }
        Some(u64::try_from(whole.saturating_sub(used).checked_div(part)?).unwrap_or(u64::MAX))
    }

    /// This amount in the smallest unit of `other`'s dimension, or in millionths where both have the same unit and it
    /// does not convert. At most 10^18 millionths by 10^15: below 2^110.
    fn in_base_of(&self, other: &Self) -> Option<u128> {
        let factor = match (self.uom.factor(), other.uom.factor()) {
            (Some((own, factor)), Some((theirs, _))) if own == theirs => factor,
            (None, None) if self.uom == other.uom => 1,
            _ => return None,
        };
        Some(u128::from(self.value.0) * u128::from(factor))
    }
}

impl Quantity {
    /// As a consumer reads it: `0.4 kg`; units without a common sign keep their code.
    pub fn plain(&self) -> String {
        let sign = match self.uom.as_str() {
            "KGM" => "kg",
            "GRM" => "g",
            "TNE" => "t",
            "LBR" => "lb",
            "LTR" => "L",
            "MLT" => "mL",
            code => code,
        };
        format!("{} {sign}", self.value)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.uom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantity(value: &str, uom: &str) -> Quantity {
        Quantity { value: value.parse().unwrap(), uom: Uom::parse(uom).unwrap() }
    }

    #[test]
    fn decimals_are_exact_and_written_without_idle_zeros() {
        for (text, written) in [
            ("0.4", "0.4"),
            ("25000", "25000"),
            ("0.400000", "0.4"),
            ("007.5", "7.5"),
            ("1000000000000", "1000000000000"),
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), written);
        }
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "0.1234567", "1000000000001", "1000000000000.1", "NaN", "１"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        assert_eq!(Decimal::from_number(0.1 + 0.2).ok(), None, "more digits than anyone weighed");
        assert_eq!(Decimal::from_number(0.4), "0.4".parse());
        assert!(Decimal::from_number(f64::INFINITY).is_err());
    }

    #[test]
    fn pounds_convert_exactly() {
        // 100,000 lb are 45,359.237 kg, neither more nor less.
        assert_eq!(quantity("45359.237", "KGM").room_for(&quantity("1", "LBR"), [], 0), Some(100_000));
        assert_eq!(quantity("45359.236999", "KGM").room_for(&quantity("1", "LBR"), [], 0), Some(99_999));
        assert_eq!(quantity("1", "LBR").room_for(&quantity("1", "ONZ"), [], 0), Some(16));
    }

    #[test]
    fn units_of_another_dimension_do_not_convert() {
        assert_eq!(quantity("1", "KGM").room_for(&quantity("1", "LTR"), [], 0), None);
        assert_eq!(quantity("1", "KGM").room_for(&quantity("1", "H87"), [], 0), None);
        assert_eq!(quantity("20", "H87").room_for(&quantity("3", "H87"), [], 0), Some(6));
        assert_eq!(quantity("20", "KGM").room_for(&quantity("0", "KGM"), [], 0), None);
        assert!(Uom::parse("kilo").is_err());
    }

    proptest! {
        #[test]
        fn what_fits_fits_and_one_more_does_not(whole in 0_u64..1_000_000_000, part in 1_u64..1_000_000, held in 0_u64..1_000) {
            let (whole_q, part_q) = (quantity(&whole.to_string(), "GRM"), quantity(&part.to_string(), "GRM"));
            let room = whole_q.room_for(&part_q, [(&part_q, held)], 0).unwrap();
            prop_assert!((room + held) * part <= whole.max(held * part));
            prop_assert!((room + held + 1) * part > whole);
        }

        #[test]
        fn the_same_amounts_in_other_units_leave_the_same_room(whole in 1_u64..1_000_000, part in 1_u64..10_000) {
            let grams = quantity(&whole.to_string(), "GRM").room_for(&quantity(&part.to_string(), "GRM"), [], 7);
            let kilos = Quantity { value: Decimal(whole * 1_000), uom: Uom::kilogram() };
            prop_assert_eq!(kilos.room_for(&quantity(&part.to_string(), "GRM"), [], 7), grams);
        }

        #[test]
        fn decimals_round_trip(millionths in 0..=UNITS_MAX * MILLIONTHS) {
            prop_assert_eq!(Decimal(millionths).to_string().parse::<Decimal>(), Ok(Decimal(millionths)));
        }
    }
}
