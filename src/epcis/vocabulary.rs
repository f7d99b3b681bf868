//! CBV 2.0 vocabularies.

use serde::{Deserialize, Serialize};

/// What an event does to its objects (EPCIS 2.0, clause 7.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// They come into being, or are associated.
    Add,
    /// They are seen, unchanged.
    Observe,
    /// They cease to be.
    Delete,
}

/// A CBV 2.0 business step (clause 7.1), or a user's own as its full URI.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BizStep(pub String);

/// A CBV 2.0 disposition (clause 7.2), or a user's own as its full URI.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Disposition(pub String);
