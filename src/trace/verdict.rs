//! Verdicts: what a scan says, gravest first.

use serde::{Deserialize, Serialize};

/// What a scan says of a code. The order is the order of gravity: the least is the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The tag does not prove the code: forged or mistyped.
    Forged,
    /// The tag is ours, the code was never issued.
    NotIssued,
    /// The code stands under another product's GTIN or lot.
    WrongProduct,
    /// The issuer declared the label void.
    Void,
    /// A recall stands.
    Recalled,
    /// The goods were destroyed.
    Destroyed,
    /// Authenticated reports contradict each other, or an inspector said so.
    Suspicious,
    /// A hold stands.
    OnHold,
    /// The goods were warmer than their limits for longer than the published rule allows.
    ColdChainBroken,
    /// The last expiry date of the batch is past.
    Expired,
    /// The label was issued, its application has not been reported.
    NotActivated,
    /// It cannot be said: the key is not here, or the store is silent.
    Unverifiable,
    /// None of the others.
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

    /// Its word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::NotIssued => "not_issued",
            Self::WrongProduct => "wrong_product",
            Self::Void => "void",
            Self::Recalled => "recalled",
            Self::Destroyed => "destroyed",
            Self::Suspicious => "suspicious",
            Self::OnHold => "on_hold",
            Self::ColdChainBroken => "cold_chain_broken",
            Self::Expired => "expired",
            Self::NotActivated => "not_activated",
            Self::Unverifiable => "unverifiable",
            Self::Genuine => "genuine",
        }
    }

    /// Whether the label is ours and belongs to this product: no verdict that it carries denies it.
    pub const fn label_is_ours(self) -> bool {
        !matches!(self, Self::Forged | Self::NotIssued | Self::WrongProduct | Self::Unverifiable)
    }

    /// A sentence for the `reasons` of a scan.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Forged => "The code does not prove itself: it is forged or mistyped.",
            Self::NotIssued => "The code was never issued.",
            Self::WrongProduct => "The code belongs to another product or lot than the link says.",
            Self::Void => "The issuer has declared this label void; it should be on no goods.",
            Self::Recalled => "The goods are recalled.",
            Self::Destroyed => "The goods were reported destroyed; they should not be on sale.",
            Self::Suspicious => "Reports about these goods contradict each other.",
            Self::OnHold => "An authority or the importer has put the goods on hold.",
            Self::ColdChainBroken => {
                "The goods were outside their temperature limits for longer than the published rule allows."
            }
            Self::Expired => "The expiry date has passed.",
            Self::NotActivated => "The label was issued, but not yet reported as applied to goods.",
            Self::Unverifiable => "Safety could not be confirmed now.",
            Self::Genuine => "The code is genuine and nothing speaks against the goods.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_verdicts_is_the_order_of_gravity() {
        assert!(Verdict::ALL.is_sorted());
        assert_eq!(Verdict::ALL.iter().min(), Some(&Verdict::Forged));
    }

    #[test]
    fn words_are_what_serde_writes() {
        for verdict in Verdict::ALL {
            let found = rmp_serde::to_vec(&verdict).unwrap();
            assert!(String::from_utf8_lossy(&found).ends_with(verdict.word()), "{verdict:?}");
        }
    }
}
