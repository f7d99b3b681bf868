//! The key ring: master keys by slot. The newest key issues, older ones go on verifying.

use std::collections::BTreeMap;
use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::{Code, KeySlot, RunId, RunKey, Verification};

/// Length of a master key, in bytes.
pub const MASTER_BYTES: usize = 32;

/// The master keys of a service. Its memory is cleared when it is dropped, and no formatting shows a key.
///
/// As text it is TOML, one table per slot (`docs/spec/trace-code.md`):
///
/// ```toml
/// [keys.0]
/// master = "64 hex digits"
/// retired = true              # optional: its codes verify and say so, it issues nothing
/// ```
pub struct KeyRing {
    /// What HKDF extracts from each master; the masters themselves are not kept.
    keys: BTreeMap<KeySlot, MasterKey>,
}

struct MasterKey {
    extracted: Hkdf<Sha256>,
    retired: bool,
}

/// Why a text is not a key ring. No variant carries a value of the text: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// Not TOML, or a slot or field twice.
    #[error("key ring: line {line} is not valid TOML, or repeats a name")]
    Syntax {
        /// Counted from 1.
        line: usize,
    },
    /// There is no `[keys.N]` table.
    #[error("key ring: no key found; expected a table [keys.0] with master = \"64 hex digits\"")]
    Empty,
    /// A name where none such is known.
    #[error("key ring: unknown name in {place}; expected {expected}")]
    UnknownName {
        /// The table that holds it.
        place: String,
        /// The names known there.
        expected: &'static str,
    },
    /// A table's name is no slot.
    #[error(
        "key ring: a table under `keys` is not named by a slot; expected a number from 0 to 31 without leading zeros"
    )]
    Slot,
    /// A field is absent, of another type or of another form.
    #[error("key ring: keys.{slot}.{field} is missing or wrong; expected {expected}")]
    Field {
        /// The slot.
        slot: KeySlot,
        /// The field's name.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// All bytes of a master are equal: a placeholder, not a key.
    #[error("key ring: keys.{slot}.master repeats one byte; expected 32 random bytes")]
    Placeholder {
        /// The slot.
        slot: KeySlot,
    },
    /// Two slots hold the same master, so that rotating changed nothing.
    #[error("key ring: keys.{slot}.master equals the master of an earlier slot; expected a new one")]
    Repeated {
        /// The later slot.
        slot: KeySlot,
    },
}

impl KeyRing {
    /// Reads the TOML text. Clearing `text` from memory is the caller's part.
    ///
    /// # Errors
    /// What is wrong and where, never a value. Unknown names are refused.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| KeyRingError::Syntax { line: line_of(text, &error) })?;
        let keys = read_keys(&table);
        table.iter_mut().for_each(|(_, value)| wipe(value));
        keys.map(|keys| Self { keys })
    }

    /// The slot that new runs use: the newest, that is the highest, whose key is not retired.
    /// `None` where every key is retired.
    pub fn issuing_slot(&self) -> Option<KeySlot> {
        self.keys.iter().rev().find(|(_, key)| !key.retired).map(|(slot, _)| *slot)
    }

    /// The slot that a rotation fills; `None` where slot 31 is taken.
    pub fn next_slot(&self) -> Option<KeySlot> {
        self.keys.last_key_value().map_or(KeySlot::new(0), |(slot, _)| KeySlot::new(slot.get() + 1))
    }

    /// Every slot that holds a key, ascending, and whether that key is retired.
    pub fn slots(&self) -> impl Iterator<Item = (KeySlot, bool)> {
        self.keys.iter().map(|(slot, key)| (*slot, key.retired))
    }

    /// The key of a run, to be kept with the run; `None` where the ring has no key in its slot.
    pub fn run_key(&self, run: RunId) -> Option<RunKey> {
        let key = self.keys.get(&run.key())?;
        Some(RunKey::derive(&key.extracted, run, key.retired))
    }

    /// Checks a code's tag in constant time. Where many codes of one run are checked, keep its
    /// [`run_key`](Self::run_key) and ask that one: it costs a fifth.
    pub fn verify(&self, code: &Code) -> Verification {
        self.run_key(code.run).map_or(Verification::UnknownKey, |key| key.verify(code))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.slots().map(|(slot, retired)| (slot.get(), if retired { "retired" } else { "key" })))
            .finish()
    }
}

/// The TOML table of one new key, to be written into a new ring or behind an existing one.
/// `created` is the date, for people; `master` must be random.
pub fn key_table(slot: KeySlot, master: &[u8; MASTER_BYTES], created: &str) -> Zeroizing<String> {
    // All of it is reserved at once: a text that grows leaves copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(created.len() + 128));
    text.push_str(&format!("[keys.{slot}] # created {created}\nmaster = \""));
    for byte in master {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text.push_str("\"\n");
    text
}

/// The line at which TOML stopped reading, from 1. Its own message quotes the line, and with it the secret.
fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let end = error.span().map_or(0, |span| span.start);
    text.bytes().take(end).filter(|&byte| byte == b'\n').count() + 1
}

fn read_keys(table: &toml::Table) -> Result<BTreeMap<KeySlot, MasterKey>, KeyRingError> {
    if table.keys().any(|name| name != "keys") {
        return Err(KeyRingError::UnknownName { place: "the ring".to_owned(), expected: "`keys`" });
    }
    let tables = table.get("keys").and_then(toml::Value::as_table).filter(|tables| !tables.is_empty());
    let mut masters = BTreeMap::new();
    for (name, fields) in tables.ok_or(KeyRingError::Empty)? {
        let slot = name.parse().ok().and_then(KeySlot::new).filter(|slot| slot.to_string() == *name);
        let slot = slot.ok_or(KeyRingError::Slot)?;
        masters.insert(slot, read_key(slot, fields)?);
    }
    let mut keys = BTreeMap::new();
    let mut earlier = Vec::<&Zeroizing<_>>::new();
    for (&slot, (master, retired)) in &masters {
        if earlier.contains(&master) {
            return Err(KeyRingError::Repeated { slot });
        }
        earlier.push(master);
        keys.insert(slot, MasterKey { extracted: Hkdf::new(None, master.as_slice()), retired: *retired });
    }
    Ok(keys)
}

fn read_key(slot: KeySlot, fields: &toml::Value) -> Result<(Zeroizing<[u8; MASTER_BYTES]>, bool), KeyRingError> {
    let field = |field, expected| KeyRingError::Field { slot, field, expected };
    let fields = fields.as_table().ok_or(KeyRingError::Slot)?;
    if fields.keys().any(|name| !matches!(name.as_str(), "master" | "retired")) {
        return Err(KeyRingError::UnknownName { place: format!("keys.{slot}"), expected: "`master` and `retired`" });
    }
    let retired = match fields.get("retired") {
        None => false,
        Some(value) => value.as_bool().ok_or(field("retired", "true or false"))?,
    };
    let digits = fields.get("master").and_then(toml::Value::as_str);
    let master = digits.and_then(read_master).ok_or(field("master", "64 hex digits in quotes"))?;
    if master.iter().all(|byte| Some(byte) == master.first()) {
        return Err(KeyRingError::Placeholder { slot });
    }
    Ok((master, retired))
}

fn read_master(digits: &str) -> Option<Zeroizing<[u8; MASTER_BYTES]>> {
    let mut master = Zeroizing::new([0; MASTER_BYTES]);
    if digits.len() != 2 * MASTER_BYTES {
        return None;
    }
    let hex = |digit: u8| char::from(digit).to_digit(16);
    for (byte, pair) in master.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = u8::try_from(hex(high)? << 4 | hex(low)?).ok()?;
    }
    Some(master)
}

/// Clears every text below `value`.
fn wipe(value: &mut toml::Value) {
    match value {
        toml::Value::String(text) => text.zeroize(),
        toml::Value::Array(values) => values.iter_mut().for_each(wipe),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| wipe(value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::code::Serial;

    fn slot(number: u8) -> KeySlot {
        KeySlot::new(number).unwrap()
    }

    fn master(first: u8) -> [u8; 32] {
        std::array::from_fn(|at| first.wrapping_add(at as u8))
    }

    fn ring(keys: &[(u8, bool)]) -> KeyRing {
        let text: String = keys.iter().fold(String::new(), |text, &(number, retired)| {
            let table = key_table(slot(number), &master(number), "2026-01-01");
            text + &table + if retired { "retired = true\n" } else { "" }
        });
        KeyRing::parse(&text).unwrap()
    }

    fn code(ring: &KeyRing, key: u8) -> Code {
        ring.run_key(RunId::new(slot(key), 5).unwrap()).unwrap().code(Serial::new(17).unwrap())
    }

    #[test]
    fn the_newest_key_issues_and_the_old_ones_verify() {
        let before = ring(&[(0, false)]);
        let code_before = code(&before, 0);
        assert_eq!((before.issuing_slot(), before.next_slot()), (Some(slot(0)), Some(slot(1))));

        let after = ring(&[(0, true), (1, false), (2, true)]);
        assert_eq!((after.issuing_slot(), after.next_slot()), (Some(slot(1)), Some(slot(3))));
        assert_eq!(after.verify(&code_before), Verification::Retired);
        let code_after = code(&after, 1);
        assert_eq!(after.verify(&code_after), Verification::Valid);
        assert_eq!(before.verify(&code_after), Verification::UnknownKey);
        assert_eq!(ring(&[(31, true)]).issuing_slot(), None);
        assert_eq!(ring(&[(31, true)]).next_slot(), None);
    }

    proptest! {
        #[test]
        fn every_single_character_change_is_refused(key in 0u8..32, number in 0u32..1 << 25, serial in 0u32..1 << 22) {
            let one_key = ring(&[(key, false)]);
            let all_keys = ring(&(0..32).map(|slot| (slot, false)).collect::<Vec<_>>());
            let run = RunId::new(slot(key), number).unwrap();
            let code = one_key.run_key(run).unwrap().code(Serial::new(serial).unwrap());
            prop_assert_eq!(one_key.verify(&code), Verification::Valid);
            let text = code.to_ascii();
            for at in 0..text.len() {
                for digit in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".bytes().filter(|digit| *digit != text[at]) {
                    let mut changed = text;
                    changed[at] = digit;
                    let changed = Code::parse(str::from_utf8(&changed).unwrap()).unwrap();
                    prop_assert_eq!(all_keys.verify(&changed), Verification::Forged);
                    let expected = if at == 0 { Verification::UnknownKey } else { Verification::Forged };
                    prop_assert_eq!(one_key.verify(&changed), expected);
                }
            }
        }
    }

    #[test]
    fn formatting_shows_no_key() {
        let ring = ring(&[(0, true), (1, false)]);
        assert_eq!(format!("{ring:?}"), r#"{0: "retired", 1: "key"}"#);
    }

    #[test]
    fn a_wrong_ring_is_refused_with_its_place_and_without_its_values() {
        let digits = "5ec4e7".repeat(10) + "beef";
        let good = format!("master = \"{digits}\"\n");
        let cases = [
            (String::new(), "no key found"),
            ("keys = 3".to_owned(), "no key found"),
            (format!("keys = \"{digits}\""), "no key found"),
            (format!("[keys.0]\n{good}{good}"), "line 3"),
            (format!("[keys.0]\n{good}[keys.0]\n{good}"), "line 3"),
            (format!("[keys.0]\nmaster = {digits}"), "line 2"),
            (format!("[keys.0]\n{good}retire = true"), "unknown name in keys.0"),
            (format!("{digits} = 1\n[keys.0]\n{good}"), "unknown name in the ring"),
            (format!("[keys]\n0 = \"{digits}\""), "slot"),
            (format!("[keys.32]\n{good}"), "0 to 31"),
            (format!("[keys.00]\n{good}"), "without leading zeros"),
            ("[keys.7]\nretired = true".to_owned(), "keys.7.master"),
            (format!("[keys.0]\nmaster = \"{digits}0\""), "64 hex digits"),
            (format!("[keys.0]\nmaster = \"{}\"", digits.replace('b', "g")), "64 hex digits"),
            (format!("[keys.0]\n{good}retired = \"yes\""), "keys.0.retired"),
            (format!("[keys.0]\nmaster = \"{}\"", "00".repeat(32)), "repeats one byte"),
            (format!("[keys.0]\n{good}[keys.4]\n{good}"), "keys.4.master equals"),
        ];
        for (text, expected) in cases {
            let message = KeyRing::parse(&text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message:?} does not say {expected:?}");
            assert!(!message.contains("5ec4e7"), "{message:?} shows a secret");
        }
    }
}
