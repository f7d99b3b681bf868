//! `/v1/splits`: packages opened and sold in portions.

pub mod post;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{PartialSchema, ToSchema};

use super::{
    error::Problem,
    given::Fields,
    goods::QuantityJson,
    text_or::{Parts, TextOr},
};
use crate::{
    code::Code,
    epcis::event_id,
    registration::{ValueError, date},
    service::split::{Remainder, Split, SplitError, SplitOrder},
};

/// A package to be split.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitBody {
    /// The code on the package.
    pub parent: String,
    /// Into how many portions, 1 to 10,000.
    #[schema(example = 50)]
    pub portions: u32,
    /// What each of them holds, or `"content"`: what an item of the product holds by its packaging.
    #[schema(schema_with = QuantityJson::schema)]
    pub weight: TextOr<QuantityJson>,
    /// The last day on which they may be used, no later than the package's; that of the package where left out.
    #[schema(format = Date)]
    pub expiry: Option<String>,
    /// When it was split; now where left out.
    #[schema(format = DateTime)]
    pub at: Option<String>,
    /// What becomes of the rest: `kept`, the default, in the opened package; or `destroyed`, with it.
    #[serde(default)]
    pub remainder: RemainderBody,
}

impl Parts for QuantityJson {
    const EXPECTED: &str = "an object with value and uom, or \"content\"";
}

/// What becomes of the rest.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RemainderBody {
    /// It stays in the opened package.
    #[default]
    Kept,
    /// It is destroyed, with the package.
    Destroyed,
}

/// Portions: the codes from the first to the last are on them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SplitJson {
    /// The shop's split run of the batch.
    pub run: String,
    /// The first code.
    pub first: String,
    /// The last code.
    pub last: String,
    /// How many there are.
    pub count: u32,
    /// Position of the first in the run: `GET /v1/runs/{run}/codes?from=..&count=..` streams them.
    pub from: u32,
    /// The public ids of the events that were made.
    pub events: Vec<String>,
}

impl SplitBody {
    /// The order, with every field well formed.
    ///
    /// # Errors
    /// Every field at fault.
    fn read(self) -> Result<SplitOrder, Problem> {
        let mut fields = Fields::default();
        let code = Code::parse(&self.parent).map_err(|error| ValueError::out_of_range(&self.parent, error));
        let parent = fields.keep("/parent", code);
        let weight = fields.inside("/weight", |fields| match self.weight {
            TextOr::Parts(quantity) => quantity.read(fields).map(Some),
            TextOr::Text(word) if word == "content" => Some(None),
            TextOr::Text(word) => {
                fields.refuse("", ValueError::malformed(&word, "a value with its uom, or \"content\""));
                None
            }
        });
        let expiry = self.expiry.and_then(|day| fields.keep("/expiry", date(&day)));
        let at_ms = self.at.and_then(|at| {
            let time = at.parse::<Timestamp>();
            let time = time.map_err(|_| ValueError::malformed(&at, "a time like 2026-06-01T08:00:00+08:00"));
            fields.keep("/at", time).map(Timestamp::as_millisecond)
        });
        fields.finish()?;
        let (Some(parent), Some(weight)) = (parent, weight) else { return Err(Problem::internal()) };
        let remainder = match self.remainder {
            RemainderBody::Kept => Remainder::Kept,
            RemainderBody::Destroyed => Remainder::Destroyed,
        };
        Ok(SplitOrder { parent, portions: self.portions, weight, expiry, at_ms, remainder })
    }
}

impl From<Split> for SplitJson {
    fn from(split: Split) -> Self {
        Self {
            run: split.run.id.to_string(),
            first: split.key.code(split.first).to_string(),
            last: split.key.code(split.last).to_string(),
            count: split.last.get() - split.first.get() + 1,
            from: split.first.get(),
            events: split.events.into_iter().map(event_id).collect(),
        }
    }
}

impl From<SplitError> for Problem {
    fn from(error: SplitError) -> Self {
        let detail = error.to_string();
        match error {
            SplitError::Role(_) => Self::forbidden(detail),
            SplitError::NotIssued(_) => Self::invalid("/parent", detail),
            SplitError::Portions { .. } => Self::invalid("/portions", detail),
            SplitError::NotHeld(_) => Self::conflict("not-held", detail).at("/parent"),
            SplitError::State { .. } => Self::conflict("state", detail).at("/parent"),
            SplitError::Measured(_) => Self::conflict("measured", detail).at("/parent"),
            SplitError::NoContent(_) => Self::refused("content", "Nothing says what is inside", detail).at("/parent"),
            SplitError::NoItemContent => Self::refused("content", "Nothing says what is inside", detail).at("/weight"),
            SplitError::Weight { .. } => Self::refused("quantity", "More out than in", detail).at("/portions"),
            SplitError::Incomparable { .. } => Self::refused("quantity", "More out than in", detail).at("/weight/uom"),
            SplitError::Expiry { .. } => Self::refused("expiry", "Later than the package's", detail).at("/expiry"),
            SplitError::Time(_) => Self::invalid("/at", detail),
            SplitError::NoKey => Self::conflict("no-key", detail),
            SplitError::Quarantine(_) => Self::conflict("quarantine", detail),
            SplitError::Event(error) => {
                tracing::error!(%error, "the events of a split could not be made");
                Self::internal()
            }
            SplitError::Store(error) => error.into(),
        }
    }
}
