//! `[issuing]`.

use serde::Deserialize;

use super::{Error, Result};

/// How many codes a batch may have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuing {
    /// By how many per cent the codes of a level may pass the batch's quantity of that level, 0 to 100.
    pub tolerance_percent: u32,
}

impl Issuing {
    pub(super) fn check(&self) -> Result<()> {
        if self.tolerance_percent > 100 {
            return Err(Error::range("issuing.tolerance_percent", self.tolerance_percent, "expected 0 to 100"));
        }
        Ok(())
    }
}
