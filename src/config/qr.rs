//! `[qr]`.

use serde::Deserialize;

use crate::code::LinkCase;

/// Printed symbols.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qr {
    /// Letters of a printed link.
    pub case: LinkCase,
}
