//! Fields of a body that creates or changes something.
//!
//! One body type serves POST and PATCH: a field that is absent leaves what is there, `null` takes it away, a value
//! replaces it whole. All fields at fault are told at once.

use serde::{Deserialize, Deserializer};

use super::error::Problem;
use crate::{
    registration::{FieldError, ValueError, text},
    service::register::{self, RegisterError},
};

/// A field of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// It is not there.
    #[default]
    Absent,
    /// It is `null`.
    Null,
    /// It has a value.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Option::deserialize(from).map(|value| value.map_or(Self::Null, Self::Value))
    }
}

/// Reads the fields of one body, and keeps what is wrong with them.
#[derive(Debug, Default)]
pub struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// Reads a field that may be absent or taken away; `pointer` is its JSON pointer.
    pub fn set<T, U>(
        &mut self,
        pointer: &str,
        given: Given<T>,
        target: &mut Option<U>,
        read: impl FnOnce(&mut Self, T) -> Option<U>,
    ) {
        match given {
            Given::Absent => {}
            Given::Null => *target = None,
            Given::Value(value) => {
                if let Some(value) = self.inside(pointer, |fields| read(fields, value)) {
                    *target = Some(value);
                }
            }
        }
    }

    /// Reads a text field of at most `chars_max` characters.
    pub fn set_text(&mut self, pointer: &str, given: Given<String>, target: &mut Option<String>, chars_max: usize) {
        self.set_parsed(pointer, given, target, |value| text(value, chars_max));
    }

    /// Reads a field that is one text.
    pub fn set_parsed<U>(
        &mut self,
        pointer: &str,
        given: Given<String>,
        target: &mut Option<U>,
        parse: impl FnOnce(&str) -> Result<U, ValueError>,
    ) {
        self.set(pointer, given, target, |fields, value| fields.keep("", parse(&value)));
    }

    /// Reads a field that stays once it is there; `null` is refused.
    pub fn require<T, U>(
        &mut self,
        pointer: &str,
        given: Given<T>,
        target: &mut U,
        read: impl FnOnce(&mut Self, T) -> Option<U>,
    ) {
        match given {
            Given::Absent => {}
            Given::Null => self.refuse(pointer, ValueError::Missing { expected: "a value; it cannot be taken away" }),
            Given::Value(value) => {
                if let Some(value) = self.inside(pointer, |fields| read(fields, value)) {
                    *target = value;
                }
            }
        }
    }

    /// Reads each value of a list of at most `len_max`.
    pub fn list<T, U>(
        &mut self,
        values: Vec<T>,
        len_max: usize,
        mut read: impl FnMut(&mut Self, T) -> Option<U>,
    ) -> Option<Vec<U>> {
        if values.len() > len_max {
            let found = format!("{} of them", values.len());
            self.refuse("", ValueError::out_of_range(found, format!("at most {len_max}")));
            return None;
        }
        let read = |(at, value)| self.inside(&format!("/{at}"), |fields| read(fields, value));
        values.into_iter().enumerate().map(read).collect()
    }

    /// Keeps the error of a value, under a pointer relative to where it is read.
    pub fn keep<T>(&mut self, pointer: &str, read: Result<T, ValueError>) -> Option<T> {
        read.map_err(|error| self.refuse(pointer, error)).ok()
    }

    /// Notes that a field is wrong.
    pub fn refuse(&mut self, pointer: &str, error: ValueError) {
        self.errors.push(FieldError::new(pointer, error));
    }

    /// Lets `read` note errors under `pointer`.
    pub fn inside<T>(&mut self, pointer: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let outer = std::mem::take(&mut self.errors);
        let value = read(self);
        let inner = std::mem::replace(&mut self.errors, outer);
        let under = |error: FieldError| FieldError::new(format!("{pointer}{}", error.field), error.error);
        self.errors.extend(inner.into_iter().map(under));
        value
    }

    /// Refuses where anything is wrong.
    ///
    /// # Errors
    /// [`RegisterError::Invalid`] with every field at fault.
    pub fn finish(self) -> register::Result<()> {
        if self.errors.is_empty() { Ok(()) } else { Err(RegisterError::Invalid(self.errors)) }
    }
}

/// 400 with every field at fault; fields that have no pointer yet are members of the body.
pub fn problem_of_fields(errors: Vec<FieldError>) -> Problem {
    let named = |error: FieldError| super::error::FieldError {
        field: if error.field.starts_with('/') { error.field } else { format!("/{}", error.field) },
        detail: error.error.to_string(),
    };
    Problem::invalid_fields(errors.into_iter().map(named).collect())
}
