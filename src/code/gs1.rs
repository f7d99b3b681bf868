//! Identification keys and values of GS1: GTIN, SSCC, lot; check digits, character set 82 and the
//! Application Identifiers that links carry (GS1 General Specifications, sections 3, 7.9 and 7.11).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a value does not fit its Application Identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gs1Error {
    /// Too short or too long.
    #[error("{what}: {found} characters found where {expected} are expected")]
    Length {
        /// The key or Application Identifier.
        what: String,
        /// Characters found.
        found: usize,
        /// How many there may be.
        expected: String,
    },
    /// A character that the value may not hold.
    #[error("{what}: character {found:?} at position {position} is none of {expected}")]
    Character {
        /// The key or Application Identifier.
        what: String,
        /// The first one that does not belong there.
        found: char,
        /// Its place, counted in characters from 1.
        position: usize,
        /// What may stand there.
        expected: &'static str,
    },
    /// The check digit does not fit the digits before it.
    #[error("{what}: check digit {found} found where {expected} is expected")]
    CheckDigit {
        /// The key or Application Identifier.
        what: String,
        /// The digit found.
        found: char,
        /// The digit that fits.
        expected: char,
    },
}

/// Global Trade Item Number (AI 01) in its 14-digit form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gtin([u8; 14]);

/// Serial Shipping Container Code (AI 00), 18 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sscc([u8; 18]);

/// A lot as AI 10 can carry it: 1 to 20 characters of character set 82.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lot(String);

impl Gtin {
    /// Its 14 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Reads a GTIN-14, or a GTIN-8, -12 or -13, which zeros make one.
impl FromStr for Gtin {
    type Err = Gs1Error;

    fn from_str(text: &str) -> Result<Self, Gs1Error> {
        const WHAT: &str = "AI 01 (GTIN)";
        check_digits(WHAT, text)?;
        if !matches!(text.len(), 8 | 12 | 13 | 14) {
            let expected = "8, 12, 13 or 14".to_owned();
            return Err(Gs1Error::Length { what: WHAT.to_owned(), found: text.len(), expected });
        }
        check_check_digit(WHAT, text)?;
        let mut digits = [b'0'; 14];
        for (digit, byte) in digits.iter_mut().rev().zip(text.bytes().rev()) {
            *digit = byte;
        }
        Ok(Self(digits))
    }
}

impl Sscc {
    /// Its 18 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Sscc {
    type Err = Gs1Error;

    fn from_str(text: &str) -> Result<Self, Gs1Error> {
        const WHAT: &str = "AI 00 (SSCC)";
        check_digits(WHAT, text)?;
        check_length(WHAT, text, 18, 18)?;
        check_check_digit(WHAT, text)?;
        let mut digits = [b'0'; 18];
        for (digit, byte) in digits.iter_mut().zip(text.bytes()) {
            *digit = byte;
        }
        Ok(Self(digits))
    }
}

impl Lot {
    /// Its characters, not escaped.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Lot {
    type Err = Gs1Error;

    fn from_str(text: &str) -> Result<Self, Gs1Error> {
        check_text("AI 10 (lot)", text, 1, 20)?;
        Ok(Self(text.to_owned()))
    }
}

macro_rules! text_value {
    ($($name:ident)*) => {$(
        impl TryFrom<String> for $name {
            type Error = Gs1Error;

            fn try_from(text: String) -> Result<Self, Gs1Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}
pub(super) use text_value;

text_value! { Gtin Sscc Lot }

/// The check digit that follows `digits` (GS1 General Specifications, 7.9): weights 3 and 1 in
/// turn from the right. `None` where a character is no digit.
pub fn check_digit(digits: &str) -> Option<char> {
    let mut sum = 0u32;
    for (at, character) in digits.chars().rev().enumerate() {
        let weight = if at % 2 == 0 { 3 } else { 1 };
        sum = sum.checked_add(character.to_digit(10)? * weight)?;
    }
    char::from_digit((10 - sum % 10) % 10, 10)
}

/// Whether a character belongs to character set 82 (GS1 General Specifications, 7.11).
pub fn is_charset_82(character: char) -> bool {
    matches!(character, '!' | '"' | '%'..='?' | 'A'..='Z' | '_' | 'a'..='z')
}

/// What the value of an Application Identifier looks like; lengths are the least and the most.
enum Format {
    Digits(usize, usize),
    /// Digits, the last one a check digit.
    Checked(usize),
    /// Character set 82.
    Text(usize, usize),
    /// The alphabet of base64url.
    Base64Url(usize, usize),
}

/// Whether an Application Identifier is one that cold-chain goods carry in the query of a link.
pub(super) fn is_attribute(ai: &str) -> bool {
    attribute_format(ai).is_some()
}

/// Checks the value of an attribute in a link's query; that of another Application Identifier is let be.
pub(super) fn check_attribute(ai: &str, value: &str) -> Result<(), Gs1Error> {
    let what = format!("AI {ai}");
    match attribute_format(ai) {
        None => Ok(()),
        Some(Format::Digits(least, most)) => {
            check_digits(&what, value)?;
            check_length(&what, value, least, most)
        }
        Some(Format::Checked(digits)) => {
            check_digits(&what, value)?;
            check_length(&what, value, digits, digits)?;
            check_check_digit(&what, value)
        }
        Some(Format::Text(least, most)) => check_text(&what, value, least, most),
        Some(Format::Base64Url(least, most)) => {
            let base64url = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
            check_characters(&what, value, base64url, "A-Z, a-z, 0-9, - and _")?;
            check_length(&what, value, least, most)
        }
    }
}

/// The Application Identifiers that a link may carry in its query (GS1 General Specifications, section 3).
fn attribute_format(ai: &str) -> Option<Format> {
    Some(match ai {
        // Dates YYMMDD: production, due, packaging, best before, sell by, expiry.
        "11" | "12" | "13" | "15" | "16" | "17" => Format::Digits(6, 6),
        // Counts.
        "30" | "37" => Format::Digits(1, 8),
        // Serial number of a third party; customer's order number.
        "235" => Format::Text(1, 28),
        "400" => Format::Text(1, 30),
        // GLNs: ship to, bill to, purchased from, ship for, location, invoicing party, production location, party.
        "410" | "411" | "412" | "413" | "414" | "415" | "416" | "417" => Format::Checked(13),
        // Countries (ISO 3166, numeric): of origin, of first processing, of processing, of disassembly, of it all.
        "422" | "424" | "425" | "426" => Format::Digits(3, 3),
        "423" => Format::Digits(3, 15),
        // Highest and lowest temperature in hundredths of a degree, with a minus sign behind.
        "4330" | "4331" | "4332" | "4333" => Format::Text(6, 7),
        // Expiry with time; dates of first freezing and harvest.
        "7003" => Format::Digits(10, 10),
        "7006" => Format::Digits(6, 6),
        "7007" => Format::Digits(6, 12),
        // Catch area; species; production with time.
        "7005" => Format::Text(1, 12),
        "7008" => Format::Text(1, 3),
        "8008" => Format::Digits(8, 12),
        // Signature.
        "8030" => Format::Base64Url(1, 90),
        _ => return range_format(ai),
    })
}

/// Application Identifiers that come in ranges.
fn range_format(ai: &str) -> Option<Format> {
    let number: u16 = ai.bytes().all(|byte| byte.is_ascii_digit()).then(|| ai.parse().ok())??;
    match (ai.len(), number) {
        // Net weight in kilograms; the last digit of the identifier counts decimals.
        (4, 3100..=3105) => Some(Format::Digits(6, 6)),
        // Processor with its country.
        (4, 7030..=7039) => Some(Format::Text(4, 30)),
        // Internal to companies.
        (2, 91..=99) => Some(Format::Text(1, 90)),
        _ => None,
    }
}

pub(super) fn check_digits(what: &str, text: &str) -> Result<(), Gs1Error> {
    check_characters(what, text, |character| character.is_ascii_digit(), "the digits 0-9")
}

/// Checks a text of `least` to `most` characters of set 82.
pub(super) fn check_text(what: &str, text: &str, least: usize, most: usize) -> Result<(), Gs1Error> {
    check_characters(what, text, is_charset_82, "GS1 character set 82")?;
    check_length(what, text, least, most)
}

/// Checks the length of a text of one-byte characters.
pub(super) fn check_length(what: &str, text: &str, least: usize, most: usize) -> Result<(), Gs1Error> {
    if (least..=most).contains(&text.len()) {
        return Ok(());
    }
    let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
    Err(Gs1Error::Length { what: what.to_owned(), found: text.len(), expected })
}

fn check_characters(
    what: &str,
    text: &str,
    allowed: impl Fn(char) -> bool,
    expected: &'static str,
) -> Result<(), Gs1Error> {
    match text.chars().enumerate().find(|(_, character)| !allowed(*character)) {
        None => Ok(()),
        Some((at, found)) => Err(Gs1Error::Character { what: what.to_owned(), found, position: at + 1, expected }),
    }
}

/// Checks the last of at least two digits.
pub(super) fn check_check_digit(what: &str, digits: &str) -> Result<(), Gs1Error> {
    let mut before = digits.chars();
    match (before.next_back(), check_digit(before.as_str())) {
        (Some(found), Some(expected)) if found != expected => {
            Err(Gs1Error::CheckDigit { what: what.to_owned(), found, expected })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_numbers_have_their_check_digits() {
        // From the GS1 General Specifications and GS1's own examples.
        for gtin in ["09506000134352", "9506000134352", "614141123452", "96385074", "09520123456788"] {
            assert_eq!(gtin.parse::<Gtin>().unwrap().as_str(), format!("{gtin:0>14}"));
        }
        assert_eq!("106141412345678908".parse::<Sscc>().unwrap().to_string(), "106141412345678908");
        assert_eq!(check_digit("629104150021"), Some('3'));
        assert_eq!(check_digit("12x"), None);
    }

    #[test]
    fn wrong_keys_say_what_is_wrong_and_where() {
        let message = |text: &str| text.parse::<Gtin>().unwrap_err().to_string();
        assert_eq!(message("09506000134353"), "AI 01 (GTIN): check digit 3 found where 2 is expected");
        assert_eq!(message("950600013435"), "AI 01 (GTIN): check digit 5 found where 9 is expected");
        assert_eq!(message("0950600013435"), "AI 01 (GTIN): check digit 5 found where 9 is expected");
        assert_eq!(message("123"), "AI 01 (GTIN): 3 characters found where 8, 12, 13 or 14 are expected");
        assert_eq!(message("0950600x134352"), "AI 01 (GTIN): character 'x' at position 8 is none of the digits 0-9");
        let message = |text: &str| text.parse::<Sscc>().unwrap_err().to_string();
        assert_eq!(message("10614141234567890"), "AI 00 (SSCC): 17 characters found where 18 are expected");
        assert_eq!(message("106141412345678909"), "AI 00 (SSCC): check digit 9 found where 8 is expected");
        let message = |text: &str| text.parse::<Lot>().unwrap_err().to_string();
        assert_eq!(message(""), "AI 10 (lot): 0 characters found where 1 to 20 are expected");
        assert_eq!(message("L 1"), "AI 10 (lot): character ' ' at position 2 is none of GS1 character set 82");
        assert_eq!(message("批号"), "AI 10 (lot): character '批' at position 1 is none of GS1 character set 82");
        assert_eq!(message(&"9".repeat(21)), "AI 10 (lot): 21 characters found where 1 to 20 are expected");
    }

    #[test]
    fn character_set_82_has_82_characters_and_not_these() {
        assert_eq!((0..=u8::MAX).filter(|&byte| is_charset_82(char::from(byte))).count(), 82);
        assert!(" #$@[\\]^`{|}~\n".chars().all(|character| !is_charset_82(character)));
    }

    #[test]
    fn attributes_are_checked_where_they_are_known() {
        let fits = |ai, value| is_attribute(ai).then(|| check_attribute(ai, value).is_ok());
        assert_eq!(fits("17", "271231"), Some(true));
        assert_eq!(fits("17", "27123"), Some(false));
        assert_eq!(fits("3103", "000400"), Some(true));
        assert_eq!(fits("414", "9506000134352"), Some(true));
        assert_eq!(fits("414", "9506000134353"), Some(false));
        assert_eq!(fits("30", ""), Some(false));
        assert_eq!(fits("7030", "036LT-1234"), Some(true));
        assert_eq!(fits("8030", "abc-_"), Some(true));
        assert_eq!(fits("8030", "abc+"), Some(false));
        assert_eq!(fits("3106", "000400"), None);
        assert_eq!(fits("linkType", "gs1:pip"), None);
        assert_eq!(fits("+91", "x"), None);
    }

    proptest! {
        #[test]
        fn a_changed_digit_never_passes_the_check(digits in "[0-9]{13}", at in 0usize..14, by in 1u8..10) {
            let good = format!("{digits}{}", check_digit(&digits).unwrap());
            prop_assert!(good.parse::<Gtin>().is_ok());
            let mut changed = good.into_bytes();
            changed[at] = b'0' + (changed[at] - b'0' + by) % 10;
            prop_assert!(String::from_utf8(changed).unwrap().parse::<Gtin>().is_err());
        }
    }
}
