//! What is registered before codes are issued: organizations, keys, products, consignments,
//! batches, documents, runs. PURE.

use serde::{Deserialize, Serialize};

/// Kinds of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A legal person.
    Organization,
    /// An API key.
    Key,
    /// A trade item.
    Product,
    /// What one customs declaration covers.
    Consignment,
    /// One lot of one product in one consignment.
    Batch,
    /// A certificate or other paper.
    Document,
    /// A numbered series of codes.
    Run,
}

/// What a statement is listed under.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Parent {
    /// Everything of a kind.
    All,
    /// What belongs to an organization.
    Organization(u64),
    /// What belongs to a consignment.
    Consignment(u64),
    /// What belongs to a batch.
    Batch(u64),
    /// Products with a GTIN (14 digits).
    Gtin(String),
    /// Batches of a lot: GTIN and AI 10.
    Lot(String, String),
}

/// One version of something registered. The highest version holds; earlier ones stay readable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// What kind of thing.
    pub kind: Kind,
    /// Its number.
    pub id: u64,
    /// From 1.
    pub version: u32,
    /// What it is listed under; a parent once named stays.
    pub parents: Vec<Parent>,
    /// The thing itself.
    pub content: Content,
}

/// The thing a statement is about. (To be filled with one noun per kind.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// Placeholder until the nouns stand.
    Empty,
}
