//! Which papers a batch needs before codes are issued for it, and which it lacks.

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use super::{Category, Country, Document, DocumentKind, EffectiveBatch, Paper};

/// A rule: the batches that it meets, and the papers that they need. What is empty or `None` meets every batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it is called where a paper is found missing.
    pub name: String,
    /// Kinds of food.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// What the HS code begins with: digits.
    #[serde(default)]
    pub hs_prefixes: Vec<String>,
    /// Countries of origin, alpha-2.
    #[serde(default)]
    pub origins: Vec<Country>,
    /// Entered on this day or later.
    #[serde(default)]
    pub entered_from: Option<Date>,
    /// Entered before this day.
    #[serde(default)]
    pub entered_before: Option<Date>,
    /// What these batches need.
    pub required: Vec<DocumentKind>,
}

/// All rules; a batch needs what any that meets it asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Profiles(pub Vec<Profile>);

/// On this day testing and disinfection of imported cold-chain food at the port ended; goods that entered before it
/// need the papers of both.
pub const PORT_TESTING_ENDED: Date = date(2023, 1, 8);

impl Default for Profiles {
    fn default() -> Self {
        let rule = |name: &str, entered_before, required: &[DocumentKind]| Profile {
            name: name.to_owned(),
            categories: Vec::new(),
            hs_prefixes: Vec::new(),
            origins: Vec::new(),
            entered_from: None,
            entered_before,
            required: required.to_vec(),
        };
        Self(vec![
            rule(
                "import",
                None,
                &[
                    DocumentKind::CustomsDeclaration,
                    DocumentKind::QuarantineCertificate,
                    DocumentKind::ProducerRegistration,
                ],
            ),
            rule(
                "port-testing",
                Some(PORT_TESTING_ENDED),
                &[DocumentKind::TestReport, DocumentKind::DisinfectionCertificate],
            ),
        ])
    }
}

impl Profile {
    fn meets(&self, batch: &EffectiveBatch) -> bool {
        let any = |empty: bool, met: bool| empty || met;
        any(self.categories.is_empty(), batch.category.is_some_and(|category| self.categories.contains(&category)))
            && any(
                self.hs_prefixes.is_empty(),
                batch.hs_code.is_some_and(|hs| self.hs_prefixes.iter().any(|prefix| hs.as_str().starts_with(prefix))),
            )
            && any(self.origins.is_empty(), batch.origin.is_some_and(|origin| self.origins.contains(&origin)))
            && self.entered_from.is_none_or(|from| batch.entry_date.is_some_and(|day| from <= day))
            && self.entered_before.is_none_or(|before| batch.entry_date.is_some_and(|day| day < before))
    }
}

impl Profiles {
    /// The papers that a batch needs, each once, in the order of [`DocumentKind`].
    pub fn required(&self, batch: &EffectiveBatch) -> Vec<DocumentKind> {
        let met = self.0.iter().filter(|profile| profile.meets(batch));
        let mut required: Vec<_> = met.flat_map(|profile| profile.required.iter().copied()).collect();
        required.sort_unstable();
        required.dedup();
        required
    }

    /// What a batch lacks before codes may be issued: fields first, then papers. A paper is there when its number is
    /// given on the batch or its consignment, or a document of the kind belongs to either.
    pub fn missing(&self, batch: &EffectiveBatch, documents: &[Document]) -> Vec<Missing> {
        let fields = [
            ("product", batch.product.is_none()),
            ("lot", batch.batch.lot.is_none()),
            ("origin", batch.origin.is_none()),
            ("entry_date", batch.entry_date.is_none()),
        ];
        let fields = fields.into_iter().filter(|(_, missing)| *missing).map(|(field, _)| Missing::Field(field));
        let papers = self
            .required(batch)
            .into_iter()
            .filter(|kind| !stated(batch, *kind) && !documents.iter().any(|document| document.kind == *kind));
        fields.chain(papers.map(Missing::Paper)).collect()
    }
}

/// Something without which no code is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A field of the batch, its consignment or its product.
    Field(&'static str),
    /// A paper.
    Paper(DocumentKind),
}

impl Missing {
    /// The field's name, or the paper's kind.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Field(field) => field,
            Self::Paper(kind) => kind.as_str(),
        }
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field(_) => f.write_str("found nothing, expected a value before codes are issued"),
            Self::Paper(_) => f.write_str("found no such paper, expected its number or a document of this kind"),
        }
    }
}

/// Whether the paper's number stands among the fields.
fn stated(batch: &EffectiveBatch, kind: DocumentKind) -> bool {
    let given = |paper: Option<&Paper>| paper.is_some();
    match kind {
        DocumentKind::CustomsDeclaration => batch.consignment.declaration.is_some(),
        DocumentKind::QuarantineCertificate => given(batch.quarantine_certificate),
        DocumentKind::ProducerRegistration => batch.producer.is_some_and(|producer| producer.registration.is_some()),
        DocumentKind::OriginCertificate => given(batch.origin_certificate),
        DocumentKind::TestReport => given(batch.test_report),
        DocumentKind::DisinfectionCertificate => given(batch.disinfection_certificate),
        DocumentKind::SupervisionRelease => {
            batch.consignment.supervision.as_ref().is_some_and(|stay| stay.release_number.is_some())
        }
        DocumentKind::ChineseLabel => given(batch.batch.chinese_label.as_ref()),
        DocumentKind::HealthCertificate | DocumentKind::Other => false,
    }
}
