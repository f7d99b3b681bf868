//! The claim that says how far a copy is.

use super::words::corrupt;
use crate::store::{Result, Writer};

/// The claim. It is no part of what is kept.
pub const CLAIM: &str = "copy";

/// A copy: its number, and the feed of the server that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyId {
    pub number: i64,
    pub taker: Writer,
}

/// What the claim says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No copy is under way.
    Over,
    /// One will be taken soon.
    Announced(CopyId),
    /// Writes are to be kept out.
    Asked(CopyId),
    /// Its moment was noted, by the timestamps of first writes.
    Taken(CopyId, i64),
}

impl Stage {
    pub fn encode(self) -> Vec<u8> {
        let words = |word: &str, copy: CopyId| format!("{word} {} {}", copy.number, copy.taker.0);
        match self {
            Self::Over => String::new(),
            Self::Announced(copy) => words("announced", copy),
            Self::Asked(copy) => words("asked", copy),
            Self::Taken(copy, moment) => format!("{} {moment}", words("taken", copy)),
        }
        .into_bytes()
    }

    pub fn parse(claim: Option<&[u8]>) -> Result<Self> {
        let text = std::str::from_utf8(claim.unwrap_or_default()).unwrap_or("?");
        let words: Vec<_> = text.split_whitespace().collect();
        let copy = |number: &str, taker: &str| {
            Some(CopyId { number: number.parse().ok()?, taker: Writer(taker.parse().ok()?) })
        };
        let stage = match words[..] {
            [] => Some(Self::Over),
            ["announced", number, taker] => copy(number, taker).map(Self::Announced),
            ["asked", number, taker] => copy(number, taker).map(Self::Asked),
            ["taken", number, taker, moment] => {
                copy(number, taker).zip(moment.parse().ok()).map(|(copy, moment)| Self::Taken(copy, moment))
            }
            _ => None,
        };
        stage.ok_or_else(|| corrupt("claims", CLAIM, format!("{text:?} is no stage of a copy")))
    }

    pub fn copy(self) -> Option<CopyId> {
        match self {
            Self::Over => None,
            Self::Announced(copy) | Self::Asked(copy) | Self::Taken(copy, _) => Some(copy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_read_as_it_was_written_and_anything_else_is_named() {
        let copy = CopyId { number: 1_796_000_000_000_000, taker: Writer(3) };
        for stage in [Stage::Over, Stage::Announced(copy), Stage::Asked(copy), Stage::Taken(copy, -7)] {
            assert_eq!(Stage::parse(Some(&stage.encode())).unwrap(), stage);
        }
        assert_eq!(Stage::parse(None).unwrap(), Stage::Over);
        for odd in ["asked", "asked 1", "asked x 1", "taken 1 2", "taken 1 2 x", "begun 1 2", "over"] {
            let error = Stage::parse(Some(odd.as_bytes())).unwrap_err().to_string();
            assert_eq!(error, format!("claims/copy: {odd:?} is no stage of a copy"));
        }
        Stage::parse(Some(&[0xff])).unwrap_err();
    }
}
