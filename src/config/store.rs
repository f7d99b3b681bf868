//! `[store]`.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use serde::Deserialize;

use super::{Error, Result};

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Which store, and where.
    pub location: Location,
    /// Memory for the store's own cache of blocks, in bytes.
    pub cache_bytes: u64,
    /// How long a silent store is believed to be the same as before.
    silence_ms: u64,
}

impl Store {
    /// How long nothing may be heard from the store before a scan says that safety cannot be confirmed.
    pub fn silence(&self) -> Duration {
        Duration::from_millis(self.silence_ms)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.silence_ms == 0 {
            return Err(Error::range("store.silence_ms", 0, "expected at least 1"));
        }
        Ok(())
    }
}

/// Which store, and where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Location {
    /// `embedded:DIR`: a folder of this machine, for one process at a time.
    Embedded(PathBuf),
}

impl Location {
    /// The folder of the embedded store.
    pub fn folder(&self) -> &Path {
        let Location::Embedded(folder) = self;
        folder
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location::Embedded(folder) = self;
        write!(f, "embedded:{}", folder.display())
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Location, String> {
        match text.strip_prefix("embedded:") {
            Some(folder) if !folder.is_empty() => Ok(Location::Embedded(folder.into())),
            _ => Err(format!("{text:?} is not a store: expected embedded:DIR")),
        }
    }
}

impl TryFrom<String> for Location {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Location, String> {
        text.parse()
    }
}
