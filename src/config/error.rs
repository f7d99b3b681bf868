//! Why a configuration is refused.

use std::path::PathBuf;

/// Result of reading a configuration.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a configuration is refused. Each is one sentence that names the key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read: {source}", path.display())]
    File {
        /// The operator's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file, or a value on the command line, is not TOML.
    #[error("{place} is not valid TOML: {message}")]
    Syntax {
        /// The file, variable or setting.
        place: String,
        /// Line, column and reason.
        message: String,
    },
    /// There is no such section.
    #[error("{place}: unknown section `{found}`; the sections are {expected}")]
    UnknownSection {
        /// The file, variable or setting.
        place: String,
        /// The section as given.
        found: String,
        /// All sections.
        expected: String,
    },
    /// There is no such key in the section.
    #[error("{place}: unknown key `{section}.{found}`; the keys of [{section}] are {expected}")]
    UnknownKey {
        /// The file, variable or setting.
        place: String,
        /// The section, which exists.
        section: String,
        /// The key as given.
        found: String,
        /// All keys of the section.
        expected: String,
    },
    /// A variable that begins with `COLDPROOF_` names no key.
    #[error("the environment variable {0} names no configuration key (COLDPROOF_SECTION_KEY)")]
    UnknownVariable(String),
    /// A setting has no `=`, or no `.` before it.
    #[error("`{0}` is not a setting: expected SECTION.KEY=VALUE")]
    Setting(String),
    /// A value has the wrong form; the message ends with its key.
    #[error("{message}")]
    Value {
        /// What was found, what was expected, and the key.
        message: String,
    },
    /// A value is well formed but out of range, or does not go with another.
    #[error("{key} is {found}: {expected}")]
    Range {
        /// The key, with its section.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it must be.
        expected: String,
    },
}

impl Error {
    /// A value out of range.
    pub(super) fn range(key: &'static str, found: impl ToString, expected: impl Into<String>) -> Error {
        Error::Range { key, found: found.to_string(), expected: expected.into() }
    }
}
