//! Keys that name companies, and the units that they number: GLN, GS1 Company Prefix, and SSCCs made of a prefix (GS1
//! General Specifications, sections 1.4, 2.2.1 and 2.4).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    Sscc,
    gs1::{Gs1Error, check_check_digit, check_digit, check_digits, check_length, text_value},
};

/// Global Location Number, 13 digits: a party (AI 417) or a place (AI 414).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gln([u8; 13]);

impl Gln {
    /// Its 13 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The canonical URI of the party.
    pub fn party_uri(&self) -> String {
        format!("https://id.gs1.org/417/{self}")
    }

    /// The canonical URI of the place. EPCIS before 2.0 named parties by it too.
    pub fn place_uri(&self) -> String {
        format!("https://id.gs1.org/414/{self}")
    }
}

impl FromStr for Gln {
    type Err = Gs1Error;

    fn from_str(text: &str) -> Result<Self, Gs1Error> {
        const WHAT: &str = "GLN";
        check_digits(WHAT, text)?;
        check_length(WHAT, text, 13, 13)?;
        check_check_digit(WHAT, text)?;
        let mut digits = [b'0'; 13];
        for (digit, byte) in digits.iter_mut().zip(text.bytes()) {
            *digit = byte;
        }
        Ok(Self(digits))
    }
}

/// GS1 Company Prefix, 4 to 12 digits: what a company's numbers begin with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gs1Prefix {
    digits: [u8; Self::LENGTH_MAX],
    length: u8,
}

impl Gs1Prefix {
    const LENGTH_MIN: usize = 4;
    const LENGTH_MAX: usize = 12;
    /// Digits of an SSCC without its check digit.
    const SSCC_DIGITS: usize = 17;

    /// Its digits.
    pub fn as_str(&self) -> &str {
        self.digits.get(..usize::from(self.length)).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("")
    }

    /// The shorter prefixes that it begins with: no two companies have prefixes of which one begins with the other.
    pub fn beginnings(&self) -> impl Iterator<Item = &str> {
        (Self::LENGTH_MIN..usize::from(self.length)).filter_map(|length| self.as_str().get(..length))
    }

    /// The prefixes that an SSCC may have been made of, shortest first.
    pub fn of_sscc(sscc: &Sscc) -> impl Iterator<Item = &str> {
        let digits = sscc.as_str().get(1..).unwrap_or_default();
        (Self::LENGTH_MIN..=Self::LENGTH_MAX).filter_map(move |length| digits.get(..length))
    }

    /// How many SSCCs it has: extension digit and serial reference fill what the prefix leaves of 17 digits.
    pub fn units(&self) -> u64 {
        10_u64.pow(17_u32.saturating_sub(u32::from(self.length)))
    }

    /// The SSCC of a number below [`Gs1Prefix::units`]; its highest digit is the extension digit.
    pub fn sscc(&self, number: u64) -> Option<Sscc> {
        if number >= self.units() {
            return None;
        }
        let free = Self::SSCC_DIGITS.saturating_sub(usize::from(self.length));
        let number = format!("{number:0free$}");
        let (extension, serial) = number.split_at_checked(1)?;
        let digits = format!("{extension}{self}{serial}");
        format!("{digits}{}", check_digit(&digits)?).parse().ok()
    }
}

impl FromStr for Gs1Prefix {
    type Err = Gs1Error;

    fn from_str(text: &str) -> Result<Self, Gs1Error> {
        const WHAT: &str = "GS1 Company Prefix";
        check_digits(WHAT, text)?;
        check_length(WHAT, text, Self::LENGTH_MIN, Self::LENGTH_MAX)?;
        let mut digits = [b'0'; Self::LENGTH_MAX];
        for (digit, byte) in digits.iter_mut().zip(text.bytes()) {
            *digit = byte;
        }
        // At most 12.
        Ok(Self { digits, length: text.len() as u8 })
    }
}

text_value! { Gln Gs1Prefix }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glns_have_thirteen_digits_of_which_the_last_proves_the_others() {
        let gln: Gln = "9506000000015".parse().unwrap();
        assert_eq!(gln.party_uri(), "https://id.gs1.org/417/9506000000015");
        let message = |text: &str| text.parse::<Gln>().unwrap_err().to_string();
        assert_eq!(message("9506000000018"), "GLN: check digit 8 found where 5 is expected");
        assert_eq!(message("950600000001"), "GLN: 12 characters found where 13 are expected");
    }

    #[test]
    fn a_prefix_numbers_its_units_from_the_first_to_the_last() {
        for (prefix, number, expected) in [
            ("9506000", 0, "095060000000000008"),
            ("0614141", 1_234_567_890, "106141412345678908"),
            ("9506", 9_999_999_999_999, "995069999999999995"),
            ("950600012345", 99_999, "995060001234599996"),
        ] {
            let prefix: Gs1Prefix = prefix.parse().unwrap();
            assert_eq!(prefix.sscc(number).map(|sscc| sscc.to_string()).as_deref(), Some(expected), "{prefix}");
            assert!(Gs1Prefix::of_sscc(&expected.parse().unwrap()).any(|of| of == prefix.as_str()));
            assert_eq!(prefix.sscc(prefix.units()), None);
        }
    }

    #[test]
    fn a_prefix_has_four_to_twelve_digits() {
        for text in ["", "123", "1234567890123", "95O6"] {
            assert!(text.parse::<Gs1Prefix>().is_err(), "{text}");
        }
        let prefix: Gs1Prefix = "950600".parse().unwrap();
        assert_eq!(prefix.beginnings().collect::<Vec<_>>(), ["9506", "95060"]);
    }
}
