//! Numbers that others gave: credit codes, containers, declarations, HS codes. Each is
//! checked when it is read, so that a value of the type is well formed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ValueError;

macro_rules! text_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Its canonical text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

text_number! {
    /// A unified social credit code (统一社会信用代码): 18 characters of GB 32100-2015, the last a check character.
    Uscc
}
text_number! {
    /// A container number of ISO 6346: owner, category `U`, `J` or `Z`, six digits, check digit.
    ContainerNumber
}
text_number! {
    /// The number of a customs declaration (报关单号): 18 digits.
    DeclarationNumber
}
text_number! {
    /// A code of the Harmonized System: 6 digits, or the 8, 10 or 13 of the Chinese tariff.
    HsCode
}
/// The 31 characters of GB 32100-2015: no I, O, S, V or Z.
const USCC_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

impl Uscc {
    /// Reads 18 characters, letters in either case.
    ///
    /// # Errors
    /// Where the length, a character or the check character (GB 32100-2015, 4.2.6) is wrong.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let expected = "a unified social credit code: 18 of 0-9 and A-Z without I, O, S, V, Z";
        let upper = text.to_ascii_uppercase();
        let values: Option<Vec<u32>> = upper.chars().map(|c| USCC_ALPHABET.find(c).map(|at| at as u32)).collect();
        let values = values.filter(|values| values.len() == 18).ok_or(ValueError::malformed(text, expected))?;
        let mut sum = 0;
        let mut weight = 1;
        for value in values.iter().take(17) {
            sum += value * weight;
            weight = weight * 3 % 31;
        }
        let check = (31 - sum % 31) % 31;
        let right = USCC_ALPHABET.chars().nth(check as usize).unwrap_or('0');
        if !upper.ends_with(right) {
            return Err(ValueError::CheckCharacter { found: upper, expected: right });
        }
        Ok(Self(upper))
    }
}

impl ContainerNumber {
    /// Reads 11 characters, letters in either case; a space or hyphen may set off the check digit.
    ///
    /// # Errors
    /// Where the length, a character or the check digit (ISO 6346:2022, annex A) is wrong.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let upper: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect::<String>().to_ascii_uppercase();
        let well_formed = upper.len() == 11
            && upper.bytes().take(3).all(|byte| byte.is_ascii_uppercase())
            && upper.as_bytes().get(3).is_some_and(|byte| matches!(byte, b'U' | b'J' | b'Z'))
            && upper.bytes().skip(4).all(|byte| byte.is_ascii_digit());
        if !well_formed {
            return Err(ValueError::malformed(text, "a container number of ISO 6346, such as CSQU3054383"));
        }
        let sum: u32 = upper.bytes().take(10).zip(0..).map(|(byte, place)| container_value(byte) << place).sum();
        let right = digit(sum % 11 % 10);
        if !upper.ends_with(right) {
            return Err(ValueError::CheckCharacter { found: upper, expected: right });
        }
        Ok(Self(upper))
    }
}

/// ISO 6346, annex A: letters count from 10 on and leave out the multiples of 11.
fn container_value(byte: u8) -> u32 {
    let value = match byte {
        b'0'..=b'9' => byte - b'0',
        b'A' => 10,
        b'B'..=b'K' => byte - b'B' + 12,
        b'L'..=b'U' => byte - b'L' + 23,
        b'V'..=b'Z' => byte - b'V' + 34,
        _ => 0,
    };
    u32::from(value)
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).unwrap_or('0')
}

impl DeclarationNumber {
    /// Reads 18 digits.
    ///
    /// # Errors
    /// Where it is anything else.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if text.len() != 18 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ValueError::malformed(text, "a customs declaration number of 18 digits"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl HsCode {
    /// Reads 6, 8, 10 or 13 digits; dots and spaces between them are left out.
    ///
    /// # Errors
    /// Where it is anything else.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let digits: String = text.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
        if !matches!(digits.len(), 6 | 8 | 10 | 13) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ValueError::malformed(text, "an HS code of 6, 8, 10 or 13 digits"));
        }
        Ok(Self(digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_codes_with_a_right_check_character_are_read() {
        for text in ["91350100M000100Y43", "91110000600037341L", "914403001922038216", "91350100m000100y43"] {
            assert_eq!(Uscc::parse(text).map(|code| code.to_string()), Ok(text.to_ascii_uppercase()), "{text}");
        }
    }

    #[test]
    fn every_single_character_change_of_a_credit_code_is_refused() {
        let right = "91350100M000100Y43";
        for at in 0..right.len() {
            for other in USCC_ALPHABET.chars().filter(|c| right.chars().nth(at) != Some(*c)) {
                let mut changed = right.to_owned();
                changed.replace_range(at..=at, &other.to_string());
                assert!(Uscc::parse(&changed).is_err(), "{changed}");
            }
        }
    }

    #[test]
    fn a_credit_code_with_letters_that_the_standard_leaves_out_is_malformed() {
        for text in ["", "91350100M000100Y4", "91350100M000100Y433", "9135O100M000100Y43", "91350100M00０100Y43"] {
            assert!(matches!(Uscc::parse(text), Err(ValueError::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn container_numbers_are_checked_by_iso_6346() {
        for text in ["CSQU3054383", "csqu 305438-3", "MSKU6011672", "TOLU4734787"] {
            assert!(ContainerNumber::parse(text).is_ok(), "{text}");
        }
        assert!(matches!(ContainerNumber::parse("CSQU3054384"), Err(ValueError::CheckCharacter { expected: '3', .. })));
        for text in ["CSQX3054383", "CSQU305438", "CS1U3054383", ""] {
            assert!(matches!(ContainerNumber::parse(text), Err(ValueError::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn declaration_numbers_and_hs_codes_keep_their_forms() {
        assert!(DeclarationNumber::parse("223120201000012345").is_ok());
        assert!(DeclarationNumber::parse("22312020100001234").is_err());
        assert_eq!(HsCode::parse("0306.17.90 90").map(|code| code.to_string()), Ok("0306179090".to_owned()));
        assert!(HsCode::parse("03061").is_err());
    }
}
