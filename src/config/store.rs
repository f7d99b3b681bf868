//! `[store]`.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Deserialize;

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Which store, and where.
    pub location: Location,
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

    fn from_str(text: &str) -> Result<Location, String> {
        match text.strip_prefix("embedded:") {
            Some(folder) if !folder.is_empty() => Ok(Location::Embedded(folder.into())),
            _ => Err(format!("{text:?} is not a store: expected embedded:DIR")),
        }
    }
}

impl TryFrom<String> for Location {
    type Error = String;

    fn try_from(text: String) -> Result<Location, String> {
        text.parse()
    }
}
