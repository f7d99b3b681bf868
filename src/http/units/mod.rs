//! `/v1/units`: SSCCs from an organization's prefix, and what is inside of a unit.

pub mod get;
pub mod post;

use super::error::Problem;
use crate::service::unit::UnitError;

impl From<UnitError> for Problem {
    fn from(error: UnitError) -> Self {
        let detail = error.to_string();
        match error {
            UnitError::Count { .. } => Self::invalid("/count", detail),
            UnitError::NoPrefix(_) => Self::conflict("no-prefix", detail),
            UnitError::UsedUp { .. } => Self::conflict("used-up", detail),
            UnitError::Capture(error) => error.into(),
        }
    }
}
