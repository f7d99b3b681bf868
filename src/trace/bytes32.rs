//! 32 bytes as one byte string, because serde's own form of an array writes them one by one; and from hex.

use serde::{Deserializer, Serializer, de};

pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    from.deserialize_bytes(Bytes32)
}

/// From 64 hex digits, of either case.
pub(crate) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = u8::try_from(digit(high)? << 4 | digit(low)?).ok()?;
    }
    Some(bytes)
}

struct Bytes32;

impl<'de> de::Visitor<'de> for Bytes32 {
    type Value = [u8; 32];

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("32 bytes")
    }
    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<[u8; 32], E> {
        bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
    }
    /// A text format writes bytes as a list of numbers.
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<[u8; 32], A::Error> {
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = list.next_element()?.ok_or_else(|| de::Error::invalid_length(at, &self))?;
        }
        match list.next_element::<u8>()? {
            Some(_) => Err(de::Error::invalid_length(33, &self)),
            None => Ok(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::from_hex;

    #[test]
    fn only_64_hex_digits_are_32_bytes() {
        assert_eq!(from_hex(&"0aF1".repeat(16)), Some([[0x0a, 0xf1]; 16].as_flattened().try_into().unwrap()));
        for text in ["", &"0".repeat(63), &"0".repeat(65), &"0".repeat(66), &"+a".repeat(32), &"é".repeat(32)] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }
}
