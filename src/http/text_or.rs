//! Fields that are a text or an object.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A text, or an object of parts.
#[derive(Debug)]
pub enum TextOr<T> {
    /// A text.
    Text(String),
    /// The parts.
    Parts(T),
}

/// The parts that may stand where a text may.
pub trait Parts: DeserializeOwned {
    /// What is expected where neither stands.
    const EXPECTED: &'static str;
}

/// Written by hand, because what serde derives would take an array of the parts as well.
impl<'de, T: Parts> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct EitherForm<T>(PhantomData<T>);

        impl<'de, T: Parts> Visitor<'de> for EitherForm<T> {
            type Value = TextOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }
            fn visit_str<E>(self, text: &str) -> Result<TextOr<T>, E> {
                Ok(TextOr::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, parts: A) -> Result<TextOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(parts)).map(TextOr::Parts)
            }
        }

        from.deserialize_any(EitherForm(PhantomData))
    }
}
