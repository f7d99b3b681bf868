//! 32 bytes as one byte string: serde's own form of an array writes them one by one.

use serde::{Deserializer, Serializer, de};

pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    from.deserialize_bytes(Bytes32)
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
