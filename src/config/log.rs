//! `[log]`.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::{Error, Result};

/// What is said, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// A level, or `target=level` pairs.
    pub filter: String,
}

impl Log {
    /// The filter, parsed.
    ///
    /// # Errors
    /// [`Error::Range`] if it is none.
    pub fn env_filter(&self) -> Result<EnvFilter> {
        EnvFilter::builder()
            .parse(&self.filter)
            .map_err(|error| Error::range("log.filter", format!("{:?}", self.filter), error.to_string()))
    }

    pub(super) fn check(&self) -> Result<()> {
        self.env_filter().map(drop)
    }
}

/// For people or for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}
