//! What is wrong with a document, and where.

use thiserror::Error;

/// Longest piece of a document that an error quotes, in characters.
const FOUND_CHARS_MAX: usize = 80;

/// Why a document or an event was refused. Nothing of a refused document takes effect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}{}: {reason}", .event.map(|event| format!("event {event}, ")).unwrap_or_default(), if .pointer.is_empty() { "the whole" } else { .pointer })]
pub struct DocumentError {
    /// Which event of the document, from 0, where the fault lies in one.
    pub event: Option<usize>,
    /// RFC 6901 pointer from the document's root to the fault.
    pub pointer: String,
    /// What is wrong there.
    pub reason: Reason,
}

/// What is wrong with one value of a document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// The text is not JSON (RFC 8259).
    #[error("not JSON at line {line}, column {column}: found {found}, expected {expected}")]
    Syntax {
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// An object names the same member twice.
    #[error("the member {name:?} stands twice in one object")]
    DuplicateName {
        /// The member's name.
        name: String,
    },
    /// A number that an IEEE 754 double cannot hold exactly as written.
    #[error("found the number {found}, expected one that an IEEE 754 double holds exactly as written")]
    InexactNumber {
        /// The number as written.
        found: String,
    },
    /// Arrays and objects inside one another beyond the limit.
    #[error("nested deeper than {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// More of something than one document or event may have.
    #[error("found {found} {what}, expected at most {max}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// A required field is absent.
    #[error("the field {field:?} is missing, expected {expected}")]
    Missing {
        /// Its name.
        field: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// A field that has no meaning here: neither EPCIS's own nor an extension with a declared prefix.
    #[error("unknown field {name:?}, expected {expected}")]
    UnknownField {
        /// Its name.
        name: String,
        /// What would be known.
        expected: &'static str,
    },
    /// A value of the wrong type or form.
    #[error("found {found}, expected {expected}")]
    Unexpected {
        /// The value, cut short.
        found: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// The same thing is named twice in a list that names each thing once.
    #[error("{found} is named twice, expected each once")]
    Duplicate {
        /// The thing.
        found: String,
    },
    /// A type of event that EPCIS 2.0 does not have.
    #[error(
        "found an event of type {found}, expected ObjectEvent, AggregationEvent, TransactionEvent, \
         TransformationEvent or AssociationEvent"
    )]
    UnknownType {
        /// The type.
        found: String,
    },
}

/// A fault on its way out of a document: each level that it passes puts its name before the pointer.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) pointer: String,
    pub(super) reason: Reason,
}

pub(super) type Checked<T> = Result<T, Fault>;

impl Fault {
    /// A fault of the value at hand.
    pub(super) fn new(reason: Reason) -> Self {
        Self { pointer: String::new(), reason }
    }

    /// A value of the wrong type or form.
    pub(super) fn unexpected(found: impl AsRef<str>, expected: &'static str) -> Self {
        Self::new(Reason::Unexpected { found: quote(found.as_ref()), expected })
    }

    /// The same fault as seen from the object or array one level up.
    pub(super) fn under(mut self, token: &str) -> Self {
        let token = token.replace('~', "~0").replace('/', "~1");
        self.pointer.insert_str(0, &token);
        self.pointer.insert(0, '/');
        self
    }

    /// The fault as the caller of this module sees it.
    pub(super) fn in_document(self, event: Option<usize>) -> DocumentError {
        DocumentError { event, pointer: self.pointer, reason: self.reason }
    }
}

/// Puts the name of the level before the pointer of a fault.
pub(super) trait Under<T> {
    /// See [`Fault::under`].
    fn under(self, token: &str) -> Checked<T>;
    /// The same for an element of an array.
    fn under_index(self, index: usize) -> Checked<T>;
}

impl<T> Under<T> for Checked<T> {
    fn under(self, token: &str) -> Checked<T> {
        self.map_err(|fault| fault.under(token))
    }
    fn under_index(self, index: usize) -> Checked<T> {
        self.map_err(|fault| fault.under(&index.to_string()))
    }
}

/// A piece of the document as an error quotes it.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(FOUND_CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
