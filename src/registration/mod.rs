//! What is registered before codes are issued: organizations, keys, products, consignments,
//! batches, documents, runs. PURE.

mod alert;
mod amounts;
mod batch;
mod batch_csv;
mod consignment;
mod country;
mod country_table;
mod division;
mod document;
mod effective;
mod issue_limit;
mod look;
mod measure;
mod number;
mod organization;
mod product;
mod profile;
mod public_paper;
mod quantity;
mod run;
#[cfg(test)]
pub(crate) mod samples;
mod text;
mod unit;
mod value_error;

use serde::{Deserialize, Serialize};

pub use self::{
    alert::Alert,
    amounts::Amounts,
    batch::{Batch, DateRange, LevelCounts, date_range},
    batch_csv::{BatchRow, COLUMNS, CsvError, read_batches},
    consignment::{Consignment, Paper, Producer, Supervision},
    country::Country,
    division::{City, city_of},
    document::{Document, DocumentKind, DocumentOf, FileHash, MediaType, StoredFile, masked_number},
    effective::EffectiveBatch,
    issue_limit::{IssueError, Limit, Live, content_of_level, limit_of_level, may_issue},
    look::Look,
    measure::{Lift, Measure, Targets},
    number::{ContainerNumber, DeclarationNumber, HsCode, Uscc},
    organization::{ApiKey, KeySecret, Organization, key_text, parse_key_text},
    product::{Category, Level, PackagingLevel, Product, StorageLimits},
    profile::{Missing, Profile, Profiles},
    public_paper::{PublicPaper, public_papers},
    quantity::{Decimal, Dimension, Quantity, Uom},
    run::{Activation, Run},
    text::{NAME_CHARS_MAX, NUMBER_CHARS_MAX, date, text},
    unit::unit_epc,
    value_error::{FieldError, ValueError},
};
use crate::trace::OrganizationId;

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
    /// A hold or recall.
    Measure,
    /// A code whose scans were noticed.
    Alert,
    /// A read by an inspector.
    Look,
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
    /// Split runs of a batch: apart from its ordered ones.
    Splits(u64),
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
    /// The organization that wrote this version.
    pub author: OrganizationId,
    /// When this version was written, milliseconds since 1970-01-01 UTC.
    pub written_ms: i64,
}

/// The thing a statement is about, one variant a [`Kind`]. Stored as compact arrays: a new field of a noun is
/// appended with `#[serde(default)]`, so that old rows stay readable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// [`Kind::Organization`].
    Organization(Organization),
    /// [`Kind::Key`].
    Key(ApiKey),
    /// [`Kind::Product`].
    Product(Product),
    /// [`Kind::Consignment`].
    Consignment(Consignment),
    /// [`Kind::Batch`].
    Batch(Batch),
    /// [`Kind::Document`].
    Document(Document),
    /// [`Kind::Run`].
    Run(Run),
    /// [`Kind::Measure`].
    Measure(Measure),
    /// [`Kind::Alert`].
    Alert(Alert),
    /// [`Kind::Look`].
    Look(Look),
}
