//! Identities: a newtype for each, so that no two are confused.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number_id {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

number_id! {
    /// Number of an organization, from 1.
    OrganizationId
    /// Number of an API key, from 1; it stands in the key's own text.
    KeyId
    /// Number of a product, from 1.
    ProductId
    /// Number of a consignment, from 1.
    ConsignmentId
    /// Number of a batch, from 1; its EPC class is `https://HOST/batch/{id}`.
    BatchId
    /// Number of a document, from 1.
    DocumentId
    /// Number of a hold or recall, from 1.
    MeasureId
}

impl OrganizationId {
    /// The service itself: its operators' keys and the admin socket belong to no legal person.
    pub const SERVICE: Self = Self(0);
}

macro_rules! digest_id {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "crate::trace::bytes32")] pub [u8; 32]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}

digest_id! {
    /// SHA-256 over one organization's statement of one event; what is stored and ordered by.
    RecordId
    /// SHA-256 over the organization and ordered record ids of one accepted document.
    CaptureId
    /// The CBV 2.0 event hash (clause 8.9.2): the public event id. A look-up key only: records may share it.
    EventHash
}

/// What an API key may do; an entry carries the role under which it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Registers and issues its own goods.
    Importer,
    /// Warehouse, distributor or retailer.
    Operator,
    /// Sees everything, holds and recalls.
    Inspector,
    /// Makes organizations and keys; says nothing about goods.
    Admin,
}

impl Role {
    /// Its word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Importer => "importer",
            Self::Operator => "operator",
            Self::Inspector => "inspector",
            Self::Admin => "admin",
        }
    }
}
