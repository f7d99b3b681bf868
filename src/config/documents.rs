//! `[documents]`.

use std::path::PathBuf;

use serde::Deserialize;

/// Uploaded documents and pictures.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documents {
    /// Their folder as given; see [`super::Config::documents_path`].
    pub folder: PathBuf,
}
