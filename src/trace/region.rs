//! Regions: as much of a place as is kept of a scan.

use std::{fmt, num::NonZeroU16};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Provinces by their letters in ISO 3166-2:CN, and the first two digits of their codes in GB/T 2260.
const PROVINCES: [(&[u8; 2], &[u8; 2]); 34] = [
    (b"BJ", b"11"),
    (b"TJ", b"12"),
    (b"HE", b"13"),
    (b"SX", b"14"),
    (b"NM", b"15"),
    (b"LN", b"21"),
    (b"JL", b"22"),
    (b"HL", b"23"),
    (b"SH", b"31"),
    (b"JS", b"32"),
    (b"ZJ", b"33"),
    (b"AH", b"34"),
    (b"FJ", b"35"),
    (b"JX", b"36"),
    (b"SD", b"37"),
    (b"HA", b"41"),
    (b"HB", b"42"),
    (b"HN", b"43"),
    (b"GD", b"44"),
    (b"GX", b"45"),
    (b"HI", b"46"),
    (b"CQ", b"50"),
    (b"SC", b"51"),
    (b"GZ", b"52"),
    (b"YN", b"53"),
    (b"XZ", b"54"),
    (b"SN", b"61"),
    (b"GS", b"62"),
    (b"QH", b"63"),
    (b"NX", b"64"),
    (b"XJ", b"65"),
    (b"TW", b"71"),
    (b"HK", b"81"),
    (b"MO", b"82"),
];

/// A province of China by the two digits of GB/T 2260, or another country by the two letters of ISO 3166-1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(NonZeroU16);

impl Region {
    /// Any region for which there was no place of its own any more.
    pub const OTHER: Self = Self(NonZeroU16::MIN.saturating_add(u16::from_be_bytes(*b"--") - 1));

    /// Reads an ISO 3166-2 code (`CN-HN`, `CN-43`, `VN-SG`) or two digits of GB/T 2260 (`43`), in any letter case; `None`
    /// for anything else. Of other countries the subdivision is dropped; `HK`, `MO` and `TW` have codes in both standards.
    pub fn parse(text: &str) -> Option<Self> {
        let (country, part) = match *text.as_bytes() {
            [a, b] => ([b'C', b'N'], [a, b]),
            [a, b, b'-', ref part @ ..] if (1..=3).contains(&part.len()) => {
                let alphanumeric = part.iter().all(u8::is_ascii_alphanumeric);
                let part = if let [c, d] = *part { [c, d] } else { *b"--" };
                ([a, b].map(|byte| byte.to_ascii_uppercase()), alphanumeric.then_some(part)?)
            }
            _ => return None,
        };
        let is_bare = text.len() == 2;
        match country {
            [b'C', b'N'] => Self::province(part, !is_bare),
            letters if letters.iter().all(u8::is_ascii_uppercase) => Self::province(letters, true)
                .filter(|_| [*b"HK", *b"MO", *b"TW"].contains(&letters))
                .or(Self::of(letters)),
            _ => None,
        }
    }

    fn province(part: [u8; 2], letters: bool) -> Option<Self> {
        let part = part.map(|byte| byte.to_ascii_uppercase());
        let known = PROVINCES.iter().find(|(iso, digits)| **digits == part || (letters && **iso == part));
        known.and_then(|(_, digits)| Self::of(**digits))
    }

    fn of(bytes: [u8; 2]) -> Option<Self> {
        NonZeroU16::new(u16::from_be_bytes(bytes)).map(Self)
    }

    /// Its two characters, as they are stored.
    fn characters(self) -> [char; 2] {
        self.0.get().to_be_bytes().map(char::from)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.characters();
        write!(f, "{first}{second}")
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({self})")
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let bytes = text.as_bytes().try_into().ok().filter(|bytes: &[u8; 2]| bytes.is_ascii());
        bytes.and_then(Self::of).ok_or_else(|| D::Error::custom(format!("found {text:?}, expected two characters")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Region::parse(text).map(|region| region.to_string())
    }

    #[test]
    fn a_province_is_one_region_however_it_is_written() {
        for text in ["CN-HN", "cn-hn", "43", "CN-43"] {
            assert_eq!(parsed(text).as_deref(), Some("43"), "{text}");
        }
        for (text, region) in [("CN-TW", "71"), ("TW-TPE", "71"), ("HK-X", "81"), ("CN-HK", "81"), ("MO-1", "82")] {
            assert_eq!(parsed(text).as_deref(), Some(region), "{text}");
        }
    }

    #[test]
    fn of_another_country_the_country_is_kept() {
        assert_eq!(parsed("VN-SG").as_deref(), Some("VN"));
        assert_eq!(Region::parse("us-ca"), Region::parse("US-NY"));
        // The letters of a province elsewhere are no province.
        assert_eq!(parsed("HN-CR").as_deref(), Some("HN"));
    }

    #[test]
    fn anything_else_is_no_region() {
        for text in
            ["", "HN", "CN", "CN-", "CN-XX", "00", "99", "430000", "CN_HN", "湖南", "C-HN", "CN-HUNA", "12-34", "--"]
        {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn no_two_provinces_share_a_code() {
        let digits: std::collections::HashSet<_> = PROVINCES.iter().map(|(_, digits)| digits).collect();
        let letters: std::collections::HashSet<_> = PROVINCES.iter().map(|(letters, _)| letters).collect();
        assert_eq!((digits.len(), letters.len()), (34, 34));
    }
}
