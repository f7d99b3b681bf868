//! Documents of consignments and batches, and their files.

pub mod file;
pub mod list;
pub mod post;
mod upload;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answer::{Version, other_kind},
    error::Problem,
};
use crate::registration::{Content, DocumentKind, DocumentOf, MediaType, Statement, StoredFile};

/// A stored file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileJson {
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// What its first bytes say that it is.
    #[schema(example = "application/pdf")]
    pub media_type: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Where it is.
    pub href: String,
}

impl FileJson {
    fn new(file: &StoredFile, href: String) -> Self {
        let media_type = file.media_type.as_str().to_owned();
        Self { sha256: file.sha256.to_string(), media_type, size_bytes: file.size_bytes, href }
    }
}

/// A document.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentJson {
    /// Its number in this service.
    pub id: u64,
    /// The organization that uploaded it.
    pub organization: u64,
    /// The consignment that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consignment: Option<u64>,
    /// The batch that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// What it is.
    #[schema(value_type = String, example = "quarantine_certificate")]
    pub kind: DocumentKind,
    /// Its own number.
    pub number: String,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When it was issued.
    pub date: Option<String>,
    /// SHA-256 of the original, hex.
    pub sha256: Option<String>,
    /// The original: for its owner and inspectors.
    pub original: Option<FileJson>,
    /// The rendition for the public.
    pub public: Option<FileJson>,
    /// The version shown.
    #[serde(flatten)]
    pub version: Version,
}

impl DocumentJson {
    /// A version of a document.
    ///
    /// # Errors
    /// Where the statement is of another kind.
    pub fn new(statement: &Statement) -> Result<Self, Problem> {
        let Content::Document(document) = &statement.content else { return Err(other_kind(statement)) };
        let id = document.id;
        let (consignment, batch) = match document.of {
            DocumentOf::Consignment(id) => (Some(id.0), None),
            DocumentOf::Batch(id) => (None, Some(id.0)),
        };
        let file = |file: &Option<StoredFile>, part: &str| {
            file.as_ref().map(|file| FileJson::new(file, format!("/v1/documents/{id}/{part}")))
        };
        Ok(Self {
            id: id.0,
            organization: document.organization.0,
            consignment,
            batch,
            kind: document.kind,
            number: document.number.clone(),
            issuer: document.issuer.clone(),
            date: document.date.map(|date| date.to_string()),
            sha256: document.original.as_ref().map(|file| file.sha256.to_string()),
            original: file(&document.original, "original"),
            public: file(&document.public, "public"),
            version: statement.into(),
        })
    }
}

/// The parts of an upload, as `multipart/form-data`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UploadForm {
    /// What it is: `customs_declaration`, `quarantine_certificate`, `producer_registration`, `origin_certificate`,
    /// `test_report`, `disinfection_certificate`, `supervision_release`, `chinese_label`, `health_certificate`, `other`.
    pub kind: String,
    /// Its own number.
    pub number: String,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When it was issued.
    #[schema(format = Date)]
    pub date: Option<String>,
    /// The original: PDF, PNG or JPEG.
    #[schema(format = Binary)]
    pub original: Option<String>,
    /// A rendition for the public: PDF, PNG or JPEG.
    #[schema(format = Binary)]
    pub public: Option<String>,
}

/// What a document's file may be.
const FILE_TYPES: [MediaType; 3] = [MediaType::Pdf, MediaType::Png, MediaType::Jpeg];
