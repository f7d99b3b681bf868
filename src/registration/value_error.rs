//! What is wrong with a value that came from outside.

use thiserror::Error;

use crate::code::Gs1Error;

/// Characters of a refused value that an answer repeats: enough to recognise it.
const FOUND_CHARS_MAX: usize = 64;

/// What is wrong with one value: what was found and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ValueError {
    /// Nothing was given.
    #[error("is missing; expected {expected}")]
    Missing {
        /// What was expected.
        expected: &'static str,
    },
    /// It has not the form.
    #[error("found {found:?}, expected {expected}")]
    Malformed {
        /// The value, cut short.
        found: String,
        /// The form expected.
        expected: &'static str,
    },
    /// It has the form, but a list does not have it.
    #[error("found {found:?}, expected {expected}")]
    Unknown {
        /// The value, cut short.
        found: String,
        /// What the list is.
        expected: &'static str,
    },
    /// Its check digit or check character is another.
    #[error("found {found:?}, expected {expected} as its check character")]
    CheckCharacter {
        /// The value.
        found: String,
        /// The right check character.
        expected: char,
    },
    /// It lies outside its range, or contradicts another field.
    #[error("found {found}, expected {expected}")]
    OutOfRange {
        /// The value.
        found: String,
        /// The range.
        expected: String,
    },
    /// It is no GTIN or AI 10.
    #[error(transparent)]
    Gs1(#[from] Gs1Error),
}

impl ValueError {
    /// [`ValueError::Malformed`] with the value cut short.
    pub fn malformed(found: &str, expected: &'static str) -> Self {
        Self::Malformed { found: cut(found), expected }
    }

    /// [`ValueError::Unknown`] with the value cut short.
    pub fn unknown(found: &str, expected: &'static str) -> Self {
        Self::Unknown { found: cut(found), expected }
    }

    /// [`ValueError::OutOfRange`] with the value cut short.
    pub fn out_of_range(found: impl ToString, expected: impl ToString) -> Self {
        Self::OutOfRange { found: cut(&found.to_string()), expected: expected.to_string() }
    }
}

fn cut(found: &str) -> String {
    if found.chars().nth(FOUND_CHARS_MAX).is_none() {
        return found.to_owned();
    }
    found.chars().take(FOUND_CHARS_MAX).chain(['…']).collect()
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {error}")]
pub struct FieldError {
    /// The field as the caller writes it, a path where it lies within another: `containers[1]`.
    pub field: String,
    /// What is wrong with it.
    pub error: ValueError,
}

impl FieldError {
    /// Names the field of an error.
    pub fn new(field: impl Into<String>, error: ValueError) -> Self {
        Self { field: field.into(), error }
    }
}
