//! Verdicts and states: what a scan says, and where the goods are in their life.

use serde::{Deserialize, Serialize};

/// What a scan says, gravest first: of several that hold, the smallest is the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The tag does not prove the code: copied wrongly, or made up.
    Forged,
    /// The tag holds and no such code was ever ordered.
    NotIssued,
    /// The code belongs to another product or lot than the link says.
    WrongProduct,
    /// The importer declared the label void.
    Void,
    /// A recall stands.
    Recalled,
    /// The goods were destroyed.
    Destroyed,
    /// The histories of the code contradict each other: the label may have been copied.
    Suspicious,
    /// A hold stands.
    OnHold,
    /// A reading outside the storage limits stands.
    ColdChainBroken,
    /// The last expiry date of the batch has passed.
    Expired,
    /// The label was issued and has not been reported as applied.
    NotActivated,
    /// The service cannot tell now.
    Unverifiable,
    /// The label is ours, and nothing speaks against the goods.
    Genuine,
}

impl Verdict {
    /// All of them, gravest first.
    pub const ALL: [Self; 13] = [
        Self::Forged,
        Self::NotIssued,
        Self::WrongProduct,
        Self::Void,
        Self::Recalled,
        Self::Destroyed,
        Self::Suspicious,
        Self::OnHold,
        Self::ColdChainBroken,
        Self::Expired,
        Self::NotActivated,
        Self::Unverifiable,
        Self::Genuine,
    ];
}

/// Where the goods are in their life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The code is issued, its label not reported as applied.
    Reserved,
    /// The label is on the goods.
    Active,
    /// Shipped, and not yet received.
    InTransit,
    /// In a warehouse.
    Stored,
    /// Offered to consumers.
    OnSale,
    /// Sold to a consumer.
    Sold,
    /// Sent back.
    Returned,
    /// Destroyed.
    Destroyed,
}
