//! Layout of a code: 5 bits key | 25 bits run | 22 bits serial | 48 bits tag, most significant
//! first, as 20 digits (`docs/spec/trace-code.md`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::alphabet;
use crate::limits::{KEY_RUNS_MAX, KEY_SLOTS, RUN_CODES_MAX};

/// Digits of a code.
pub const CODE_DIGITS: usize = 20;
/// Digits of a run's name: the first of its codes.
pub const RUN_DIGITS: usize = 6;
/// Digits of a code behind the run's name: serial and tag.
pub(super) const TAIL_DIGITS: usize = CODE_DIGITS - RUN_DIGITS;

const RUN_BITS: u32 = KEY_RUNS_MAX.ilog2();
const SERIAL_BITS: u32 = RUN_CODES_MAX.ilog2();
const TAG_BITS: u32 = 48;
const RUN_ID_BITS: u32 = RUN_BITS + (KEY_SLOTS as u32).ilog2();

const _: () = assert!(RUN_ID_BITS as usize == 5 * RUN_DIGITS);
const _: () = assert!((SERIAL_BITS + TAG_BITS) as usize == 5 * TAIL_DIGITS);

/// Number of a master key, 0 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeySlot(u8);

/// A run's number under its key: 30 bits, the first six characters of its codes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct RunId(u32);

/// A code's position in its run, from 0; 22 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Serial(u32);

/// The 48 bits that prove a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tag(pub [u8; 6]);

/// One printed code, not yet proved.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    /// The run that it belongs to.
    pub run: RunId,
    /// Its position in the run.
    pub serial: Serial,
    /// What proves it.
    pub tag: Tag,
}

/// Why a text is not a code or a run's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too few or too many digits, hyphens and spaces not counted.
    #[error("{found} characters found where {expected} are expected (hyphens and spaces are not counted)")]
    Length {
        /// Digits found.
        found: usize,
        /// 20 for a code, 6 for a run.
        expected: usize,
    },
    /// A character outside the alphabet.
    #[error("character {found:?} at position {position} is none of 0-9 and A-Z without U")]
    Character {
        /// The first one that does not belong there.
        found: char,
        /// Its place in the text as given, counted in characters from 1.
        position: usize,
    },
}

/// A number from storage that has more bits than the layout gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} found where a number below {below} is expected")]
pub struct RangeError {
    /// The number.
    pub found: u32,
    /// The first one too large.
    pub below: u32,
}

impl KeySlot {
    /// `None` where `slot` is not below 32.
    pub const fn new(slot: u8) -> Option<Self> {
        if slot < KEY_SLOTS { Some(Self(slot)) } else { None }
    }
    /// 0 to 31.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for KeySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl RunId {
    /// `None` where `number` is not below 2^25.
    pub const fn new(key: KeySlot, number: u32) -> Option<Self> {
        if number < KEY_RUNS_MAX { Some(Self((key.0 as u32) << RUN_BITS | number)) } else { None }
    }
    /// From its 30 bits; `None` where more are set.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits < 1 << RUN_ID_BITS { Some(Self(bits)) } else { None }
    }
    /// Its 30 bits.
    pub const fn bits(self) -> u32 {
        self.0
    }
    /// The master key's slot.
    pub const fn key(self) -> KeySlot {
        KeySlot((self.0 >> RUN_BITS) as u8)
    }
    /// Its number under that key.
    pub const fn number(self) -> u32 {
        self.0 & (KEY_RUNS_MAX - 1)
    }
    /// Its name: the first six digits of its codes.
    pub fn to_ascii(self) -> [u8; RUN_DIGITS] {
        let bits = self.0 as u64;
        let ([a, b], [c, d], [e, f]) = (alphabet::pair(bits >> 20), alphabet::pair(bits >> 10), alphabet::pair(bits));
        [a, b, c, d, e, f]
    }
}

/// Writes the name, six digits.
impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(ascii_str(&self.to_ascii()))
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

/// Reads the name as forgivingly as [`Code::parse`] reads a code.
impl FromStr for RunId {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let [a, b, c, d, e, f] = read_digits::<RUN_DIGITS>(text)?;
        Ok(Self([a, b, c, d, e, f].into_iter().fold(0, |bits, digit| bits << 5 | u32::from(digit))))
    }
}

impl TryFrom<u32> for RunId {
    type Error = RangeError;

    fn try_from(bits: u32) -> Result<Self, RangeError> {
        Self::from_bits(bits).ok_or(RangeError { found: bits, below: 1 << RUN_ID_BITS })
    }
}

impl From<RunId> for u32 {
    fn from(run: RunId) -> Self {
        run.0
    }
}

impl Serial {
    /// The first serial of every run.
    pub const FIRST: Self = Self(0);

    /// `None` where `serial` is not below 2^22.
    pub const fn new(serial: u32) -> Option<Self> {
        if serial < RUN_CODES_MAX { Some(Self(serial)) } else { None }
    }
    /// 0 to 2^22 - 1.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u32> for Serial {
    type Error = RangeError;

    fn try_from(serial: u32) -> Result<Self, RangeError> {
        Self::new(serial).ok_or(RangeError { found: serial, below: RUN_CODES_MAX })
    }
}

impl From<Serial> for u32 {
    fn from(serial: Serial) -> Self {
        serial.0
    }
}

impl Tag {
    /// Its 48 bits as a number.
    pub(super) const fn bits(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

impl Code {
    /// Its 100 bits in the lowest ones of the number.
    pub const fn to_bits(self) -> u128 {
        (self.run.0 as u128) << (SERIAL_BITS + TAG_BITS) | (self.serial.0 as u128) << TAG_BITS | self.tag.bits() as u128
    }

    /// From its 100 bits; `None` where more are set. Any 100 bits are laid out like a code: only
    /// the tag tells whether they are one.
    pub const fn from_bits(bits: u128) -> Option<Self> {
        let run = bits >> (SERIAL_BITS + TAG_BITS);
        if run >= 1 << RUN_ID_BITS {
            return None;
        }
        let serial = (bits >> TAG_BITS) as u32 & (RUN_CODES_MAX - 1);
        let [_, _, a, b, c, d, e, f] = (bits as u64).to_be_bytes();
        Some(Self { run: RunId(run as u32), serial: Serial(serial), tag: Tag([a, b, c, d, e, f]) })
    }

    /// The canonical form: 20 upper-case digits, without an allocation.
    pub fn to_ascii(self) -> [u8; CODE_DIGITS] {
        let mut text = [0; CODE_DIGITS];
        let (run, tail) = text.split_at_mut(RUN_DIGITS);
        run.copy_from_slice(&self.run.to_ascii());
        tail.copy_from_slice(&tail_ascii(self.serial.0, self.tag.bits()));
        text
    }

    /// For people: five groups of four digits with hyphens between them.
    pub fn grouped(self) -> String {
        let mut text = String::with_capacity(CODE_DIGITS + 4);
        for group in self.to_ascii().chunks(4) {
            if !text.is_empty() {
                text.push('-');
            }
            text.push_str(ascii_str(group));
        }
        text
    }

    /// Reads a code as people and scanners give it: in either case, with hyphens and spaces
    /// anywhere, I and L for 1, O for 0. What comes out is not proved yet: see
    /// [`KeyRing::verify`](super::KeyRing::verify).
    ///
    /// # Errors
    /// The first character that does not belong into a code, or else the number of digits found.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let digits = read_digits::<CODE_DIGITS>(text)?;
        let bits = digits.into_iter().fold(0u128, |bits, digit| bits << 5 | u128::from(digit));
        // 20 digits of 5 bits are 100 bits, so that there always is a code.
        Self::from_bits(bits).ok_or(CodeError::Length { found: CODE_DIGITS, expected: CODE_DIGITS })
    }
}

/// Writes the canonical form, 20 digits.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(ascii_str(&self.to_ascii()))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::parse(text)
    }
}

/// The 14 digits of serial and tag.
#[inline]
pub(super) fn tail_ascii(serial: u32, tag_bits: u64) -> [u8; TAIL_DIGITS] {
    // 70 bits: the upper ten are the serial's, the lower 60 fit a word.
    let low = u64::from(serial) << TAG_BITS | tag_bits;
    let [a, b] = alphabet::pair(u64::from(serial) >> 12);
    let [c, d] = alphabet::pair(low >> 50);
    let [e, f] = alphabet::pair(low >> 40);
    let [g, h] = alphabet::pair(low >> 30);
    let [i, j] = alphabet::pair(low >> 20);
    let [k, l] = alphabet::pair(low >> 10);
    let [m, n] = alphabet::pair(low);
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n]
}

/// Digits as a text; they are ASCII by construction.
fn ascii_str(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

/// The values of exactly `N` digits, hyphens and spaces left out.
fn read_digits<const N: usize>(text: &str) -> Result<[u8; N], CodeError> {
    let mut digits = [0; N];
    // The scan's path: nothing but digits, in one pass over bytes.
    if text.len() == N && digits.iter_mut().zip(text.bytes()).all(|(digit, byte)| read_digit(digit, byte)) {
        return Ok(digits);
    }
    let mut found = 0;
    for (at, character) in text.chars().enumerate() {
        if matches!(character, '-' | ' ') {
            continue;
        }
        let value = u8::try_from(character).ok().and_then(alphabet::value);
        let value = value.ok_or(CodeError::Character { found: character, position: at + 1 })?;
        if let Some(digit) = digits.get_mut(found) {
            *digit = value;
        }
        found += 1;
    }
    if found == N { Ok(digits) } else { Err(CodeError::Length { found, expected: N }) }
}

#[inline]
fn read_digit(digit: &mut u8, byte: u8) -> bool {
    match alphabet::value(byte) {
        Some(value) => {
            *digit = value;
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_code_reads_back_however_people_write_it(bits in 0u128..1 << 100, gaps in any::<u32>()) {
            let code = Code::from_bits(bits).unwrap();
            let text = code.to_string();
            prop_assert_eq!(code.to_bits(), bits);
            prop_assert_eq!(Code::parse(&text), Ok(code));
            prop_assert_eq!(Code::parse(&code.grouped()), Ok(code));
            let mut careless = String::new();
            for (at, digit) in text.chars().enumerate() {
                let look_alike = match digit {
                    '0' => 'o',
                    '1' if at % 2 == 0 => 'l',
                    '1' => 'I',
                    other => other.to_ascii_lowercase(),
                };
                if gaps >> at & 1 == 1 {
                    careless.push(if at % 3 == 0 { '-' } else { ' ' });
                }
                careless.push(look_alike);
            }
            prop_assert_eq!(Code::parse(&careless), Ok(code));
        }

        #[test]
        fn no_text_makes_the_reader_panic_and_what_it_takes_has_20_digits(text in "\\PC{0,40}") {
            if let Ok(code) = Code::parse(&text) {
                let digits = text.chars().filter(|character| !matches!(character, '-' | ' ')).count();
                prop_assert_eq!(digits, CODE_DIGITS);
                prop_assert_eq!(Code::parse(&code.to_string()), Ok(code));
            }
        }

        #[test]
        fn two_places_in_two_runs_never_share_a_code(
            a in (0u32..1 << 30, 0u32..1 << 22),
            b in (0u32..1 << 30, 0u32..1 << 22),
        ) {
            // The tag is left equal: run and serial alone must tell codes apart.
            let code = |(run, serial)| Code {
                run: RunId::from_bits(run).unwrap(),
                serial: Serial::new(serial).unwrap(),
                tag: Tag([7; 6]),
            };
            prop_assert_eq!(a == b, code(a).to_ascii() == code(b).to_ascii());
        }
    }

    #[test]
    fn runs_are_named_by_the_first_six_characters_of_their_codes() {
        let run = RunId::new(KeySlot::new(31).unwrap(), 3).unwrap();
        let code = Code { run, serial: Serial::new(RUN_CODES_MAX - 1).unwrap(), tag: Tag([0xff; 6]) };
        assert_eq!(run.to_string(), "Z00003");
        assert_eq!(code.to_string(), "Z00003ZZZZZZZZZZZZZZ");
        assert_eq!("z0ooo3".parse(), Ok(run));
        assert_eq!((run.key().get(), run.number()), (31, 3));
    }

    #[test]
    fn a_wrong_length_and_a_wrong_character_are_named() {
        let length = |found| CodeError::Length { found, expected: 20 };
        assert_eq!(Code::parse(""), Err(length(0)));
        assert_eq!(Code::parse("0000-0000 0000-0000 000"), Err(length(19)));
        assert_eq!(Code::parse("000000000000000000000"), Err(length(21)));
        let character = |found, position| CodeError::Character { found, position };
        assert_eq!(Code::parse("0000000000000000000U"), Err(character('U', 20)));
        assert_eq!(Code::parse("00-0é00000000000000000"), Err(character('é', 5)));
        assert_eq!("0000".parse::<RunId>(), Err(CodeError::Length { found: 4, expected: 6 }));
    }

    #[test]
    fn numbers_beyond_the_layout_are_refused() {
        assert_eq!(KeySlot::new(32), None);
        assert_eq!(RunId::from_bits(1 << 30), None);
        assert_eq!(RunId::new(KeySlot::new(0).unwrap(), 1 << 25), None);
        assert_eq!(Serial::new(1 << 22), None);
        assert_eq!(Code::from_bits(1 << 100), None);
        assert!(Serial::try_from(1 << 22).is_err() && RunId::try_from(1 << 30).is_err());
    }
}
