//! Documents: certificates and other papers, with their uploaded originals.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Parent;
use crate::trace::{BatchId, ConsignmentId, DocumentId, OrganizationId, bytes32};

/// A certificate or other paper of a consignment or a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Its number in this service.
    pub id: DocumentId,
    /// Who uploaded it.
    pub organization: OrganizationId,
    /// What it belongs to.
    pub of: DocumentOf,
    /// What it is.
    pub kind: DocumentKind,
    /// Its own number, 1 to 100 characters; the public sees it masked.
    pub number: String,
    /// Who issued it, at most 200 characters.
    pub issuer: Option<String>,
    /// When it was issued.
    pub date: Option<Date>,
    /// The upload: for its owner and inspectors only.
    pub original: Option<StoredFile>,
    /// A rendition that the owner made for the public.
    pub public: Option<StoredFile>,
    /// When it was registered, milliseconds since 1970-01-01 UTC.
    pub created_ms: i64,
}

/// What a document belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocumentOf {
    /// All batches of a consignment.
    Consignment(ConsignmentId),
    /// One batch.
    Batch(BatchId),
}

impl DocumentOf {
    /// What it is listed under.
    pub fn parent(self) -> Parent {
        match self {
            Self::Consignment(id) => Parent::Consignment(id.0),
            Self::Batch(id) => Parent::Batch(id.0),
        }
    }
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// 进口货物报关单.
    CustomsDeclaration,
    /// 入境货物检验检疫证明.
    QuarantineCertificate,
    /// 境外生产企业注册.
    ProducerRegistration,
    /// 原产地证书.
    OriginCertificate,
    /// 核酸检测证明, or another laboratory's report.
    TestReport,
    /// 消毒证明.
    DisinfectionCertificate,
    /// 集中监管仓出仓证明.
    SupervisionRelease,
    /// 中文标签.
    ChineseLabel,
    /// The exporting country's health certificate (卫生证书).
    HealthCertificate,
    /// Any other paper.
    Other,
}

impl DocumentKind {
    /// Its name in Chinese.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::CustomsDeclaration => "进口货物报关单",
            Self::QuarantineCertificate => "入境货物检验检疫证明",
            Self::ProducerRegistration => "境外生产企业注册",
            Self::OriginCertificate => "原产地证书",
            Self::TestReport => "检测报告",
            Self::DisinfectionCertificate => "消毒证明",
            Self::SupervisionRelease => "集中监管仓出仓证明",
            Self::ChineseLabel => "中文标签",
            Self::HealthCertificate => "卫生证书",
            Self::Other => "其他文件",
        }
    }

    /// Its name in English.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::CustomsDeclaration => "Customs declaration",
            Self::QuarantineCertificate => "Inspection and quarantine certificate",
            Self::ProducerRegistration => "Registration of the producer",
            Self::OriginCertificate => "Certificate of origin",
            Self::TestReport => "Test report",
            Self::DisinfectionCertificate => "Disinfection certificate",
            Self::SupervisionRelease => "Release from the supervision warehouse",
            Self::ChineseLabel => "Chinese label",
            Self::HealthCertificate => "Health certificate",
            Self::Other => "Other document",
        }
    }

    /// Its word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomsDeclaration => "customs_declaration",
            Self::QuarantineCertificate => "quarantine_certificate",
            Self::ProducerRegistration => "producer_registration",
            Self::OriginCertificate => "origin_certificate",
            Self::TestReport => "test_report",
            Self::DisinfectionCertificate => "disinfection_certificate",
            Self::SupervisionRelease => "supervision_release",
            Self::ChineseLabel => "chinese_label",
            Self::HealthCertificate => "health_certificate",
            Self::Other => "other",
        }
    }
}

/// A file in the document store, named by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// SHA-256 of its bytes.
    pub sha256: FileHash,
    /// What its first bytes say that it is.
    pub media_type: MediaType,
    /// Its length.
    pub size_bytes: u64,
}

/// SHA-256 of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileHash(pub [u8; 32]);

/// From 64 hex digits.
impl std::str::FromStr for FileHash {
    type Err = ();

    fn from_str(hex: &str) -> Result<Self, ()> {
        bytes32::from_hex(hex).map(Self).ok_or(())
    }
}

impl std::fmt::Display for FileHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for FileHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileHash({self})")
    }
}

/// Files that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaType {
    /// `application/pdf`.
    Pdf,
    /// `image/png`.
    Png,
    /// `image/jpeg`.
    Jpeg,
    /// `image/webp`; pictures of products only.
    Webp,
}

impl MediaType {
    /// Its IANA name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }
}

/// A document's number as the public sees it: the first two and the last four characters stand, where at least as many
/// are hidden between them; of a shorter one only the last character stands, of fewer than four none.
pub fn masked_number(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    let (head, tail) = if chars.len() >= 12 { (2, 4) } else { (0, usize::from(chars.len() >= 4)) };
    let hidden = chars.len().saturating_sub(head + tail);
    let shown = |at: usize| at < head || at >= head + hidden;
    chars.iter().enumerate().map(|(at, c)| if shown(at) { *c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_sees_too_little_of_a_number_to_look_it_up() {
        assert_eq!(masked_number("223120201000012345"), "22************2345");
        assert_eq!(masked_number("I20260000001"), "I2******0001");
        assert_eq!(masked_number("检字2026001"), "********1");
        assert_eq!(masked_number("7"), "*");
        assert_eq!(masked_number(""), "");
    }
}
