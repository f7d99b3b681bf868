//! `[issuing]`.

use serde::Deserialize;

use super::{Error, Result};

/// How many codes a batch may have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuing {
    /// By how many thousandths the codes of a level may pass the batch's quantity of that level, 0 to 1000.
    pub tolerance_permille: u32,
}

impl Issuing {
    pub(super) fn check(&self) -> Result<()> {
        if self.tolerance_permille > 1000 {
            return Err(Error::range("issuing.tolerance_permille", self.tolerance_permille, "expected 0 to 1000"));
        }
        Ok(())
    }
}
