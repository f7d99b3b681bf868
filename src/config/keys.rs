//! `[keys]`.

use std::path::PathBuf;

use serde::Deserialize;

/// Master keys of codes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The key ring's file as given; see [`super::Config::keyring_path`].
    pub ring: PathBuf,
}
