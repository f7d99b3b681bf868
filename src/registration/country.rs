//! Countries by ISO 3166-1.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ValueError, country_table::COUNTRIES};

/// A country or territory of ISO 3166-1, kept as its alpha-2 code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Country([u8; 2]);

impl Country {
    /// From alpha-2 (`EC`), alpha-3 (`ECU`) or the three digits of the numeric code (`218`); letters in either case.
    ///
    /// # Errors
    /// [`ValueError::Unknown`] where ISO 3166-1 assigns no such code.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let upper = text.to_ascii_uppercase();
        let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let numeric = if digits { text.parse::<u16>().ok() } else { None };
        COUNTRIES
            .iter()
            .find(|row| row.0 == upper || row.1 == upper || Some(row.2) == numeric)
            .and_then(|row| Some(Self(row.0.as_bytes().try_into().ok()?)))
            .ok_or_else(|| ValueError::unknown(text, "a country code of ISO 3166-1, such as EC, ECU or 218"))
    }

    fn row(self) -> Option<&'static super::country_table::Row> {
        let at = COUNTRIES.binary_search_by(|row| row.0.as_bytes().cmp(&self.0)).ok()?;
        COUNTRIES.get(at)
    }

    /// The alpha-2 code, two capital letters.
    pub fn alpha2(self) -> &'static str {
        self.row().map_or("", |row| row.0)
    }

    /// The alpha-3 code, three capital letters.
    pub fn alpha3(self) -> &'static str {
        self.row().map_or("", |row| row.1)
    }

    /// The numeric code; CBV writes it, and the customs declaration form.
    pub fn numeric(self) -> u16 {
        self.row().map_or(0, |row| row.2)
    }

    /// The short name in English.
    pub fn name_en(self) -> &'static str {
        self.row().map_or("", |row| row.3)
    }

    /// The short name in Chinese.
    pub fn name_zh(self) -> &'static str {
        self.row().map_or("", |row| row.4)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.alpha2())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({})", self.alpha2())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_read_in_each_of_its_three_codes_and_written_in_one() {
        for text in ["EC", "ec", "ECU", "ecu", "218"] {
            assert_eq!(Country::parse(text).map(Country::alpha2), Ok("EC"));
        }
        assert_eq!(Country::parse("008").map(Country::alpha3), Ok("ALB"));
        assert_eq!(Country::parse("NO").unwrap().name_zh(), "挪威");
    }

    #[test]
    fn codes_that_are_not_assigned_are_refused() {
        for text in ["", "E", "XX", "ZZZ", "999", "8", "0008", "+08", "ecuador", "é"] {
            assert!(Country::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_table_is_in_order_and_has_each_code_once() {
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut alpha3: Vec<_> = COUNTRIES.iter().map(|row| row.1).collect();
        let mut numeric: Vec<_> = COUNTRIES.iter().map(|row| row.2).collect();
        alpha3.sort_unstable();
        alpha3.dedup();
        numeric.sort_unstable();
        numeric.dedup();
        assert_eq!((alpha3.len(), numeric.len()), (COUNTRIES.len(), COUNTRIES.len()));
    }
}
