//! `[codes]`.

use std::path::PathBuf;

use serde::Deserialize;

/// Key ring and printed links.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// The key ring's file as given; see [`super::Config::keyring_path`].
    pub keyring: PathBuf,
    /// Letters of a printed link.
    pub qr_case: LinkCase,
}

/// Letters of a printed link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkCase {
    /// `HTTPS://HOST/...`: QR alphanumeric mode, the smaller symbol.
    Upper,
    /// `https://host/...`: for cameras that do not open an upper-case link.
    Lower,
}
