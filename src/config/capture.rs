//! `[capture]`.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Error, Result};
use crate::limits::{CAPTURE_MEMORY_BYTES_MAX, SPOOL_BYTES_MAX, SPOOLS_MAX};

/// Documents of events that are too large for memory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// The folder in which they lie while they are read, as given; see [`super::Config::spool_path`].
    pub spool_folder: PathBuf,
    /// The largest document, in bytes.
    pub document_bytes_max: u64,
    /// How many of them at once.
    pub spools_max: usize,
}

impl Capture {
    pub(super) fn check(&self) -> Result<()> {
        let least = CAPTURE_MEMORY_BYTES_MAX as u64;
        if !(least..=SPOOL_BYTES_MAX).contains(&self.document_bytes_max) {
            let expected = format!("expected {least} to {SPOOL_BYTES_MAX}");
            return Err(Error::range("capture.document_bytes_max", self.document_bytes_max, expected));
        }
        if !(1..=SPOOLS_MAX).contains(&self.spools_max) {
            return Err(Error::range("capture.spools_max", self.spools_max, format!("expected 1 to {SPOOLS_MAX}")));
        }
        Ok(())
    }
}
