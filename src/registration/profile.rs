//! Which papers a batch needs before codes are issued for it, and which it lacks.

use std::fmt;

use jiff::civil::Date;

use super::{Category, Country, Document, DocumentKind, EffectiveBatch, Paper};

/// A rule: the batches that it meets, and the papers that they need. What is empty or `None` meets every batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Kinds of food.
    pub categories: Vec<Category>,
    /// What the HS code begins with: 1 to 13 digits.
    pub hs_prefixes: Vec<String>,
    /// Countries of origin.
    pub origins: Vec<Country>,
    /// Entered on this day or later.
    pub entered_from: Option<Date>,
    /// Entered before this day.
    pub entered_before: Option<Date>,
    /// What these batches need.
    pub required: Vec<DocumentKind>,
}

/// All rules; a batch needs what any that meets it asks for. The operator's configuration has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles(pub Vec<Profile>);

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
    /// The field, or the kind of paper, as the API writes it.
    pub fn field(self) -> &'static str {
        match self {
            Self::Field(field) => field,
            Self::Paper(kind) => kind.as_str(),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => write!(f, "{field} is missing; expected it on the batch or its consignment"),
            Self::Paper(kind) => {
                let kind = kind.as_str();
                write!(f, "{kind} is missing; expected its number on the batch or its consignment, or a document")
            }
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::{
        Batch, DocumentOf,
        samples::{batch, consignment, product},
    };
    use super::*;
    use crate::{
        config::Config,
        trace::{BatchId, DocumentId, OrganizationId},
    };

    fn profiles() -> Profiles {
        Config::default_values().unwrap().papers.profiles
    }

    fn missing(entered: Option<Date>, change: impl FnOnce(&mut Batch), documents: &[Document]) -> Vec<Missing> {
        let (mut batch, mut consignment, product) = (batch(), consignment(), product());
        consignment.entry_date = entered;
        change(&mut batch);
        profiles().missing(&EffectiveBatch::new(&batch, &consignment, Some(&product)), documents)
    }

    fn document(kind: DocumentKind) -> Document {
        Document {
            id: DocumentId(1),
            organization: OrganizationId(1),
            of: DocumentOf::Batch(BatchId(1)),
            kind,
            number: "N".to_owned(),
            issuer: None,
            date: None,
            original: None,
            public: None,
            created_ms: 0,
        }
    }

    #[test]
    fn goods_that_entered_before_port_testing_ended_need_its_papers() {
        let both = [DocumentKind::TestReport, DocumentKind::DisinfectionCertificate].map(Missing::Paper);
        assert_eq!(missing(Some(date(2023, 1, 7)), |_| {}, &[]), both);
        assert_eq!(missing(Some(date(2023, 1, 8)), |_| {}, &[]), []);
        let documents = [document(DocumentKind::TestReport), document(DocumentKind::DisinfectionCertificate)];
        assert_eq!(missing(Some(date(2022, 6, 1)), |_| {}, &documents), []);
    }

    #[test]
    fn fields_without_which_nothing_is_issued_are_named() {
        assert_eq!(missing(None, |batch| batch.lot = None, &[]), [Missing::Field("lot"), Missing::Field("entry_date")]);
    }

    #[test]
    fn a_batch_overrides_its_consignment_and_its_product() {
        let (mut batch, consignment, product) = (batch(), consignment(), product());
        let view = EffectiveBatch::new(&batch, &consignment, Some(&product));
        assert_eq!((view.origin.map(Country::alpha2), view.brand), (Some("EC"), Some("Pacífico")));
        batch.origin = Country::parse("PE").ok();
        batch.brand = Some("Norte".to_owned());
        let view = EffectiveBatch::new(&batch, &consignment, Some(&product));
        assert_eq!((view.origin.map(Country::alpha2), view.brand), (Some("PE"), Some("Norte")));
    }

    #[test]
    fn profiles_meet_batches_by_category_hs_prefix_and_origin() {
        let (batch, consignment, product) = (batch(), consignment(), product());
        let view = EffectiveBatch::new(&batch, &consignment, Some(&product));
        let base = profiles().0.remove(0);
        let meets = |change: fn(&mut Profile)| {
            let mut profile = base.clone();
            change(&mut profile);
            profile.meets(&view)
        };
        assert!(meets(|profile| profile.categories = vec![Category::Seafood, Category::Meat]));
        assert!(!meets(|profile| profile.categories = vec![Category::Meat]));
        assert!(meets(|profile| profile.hs_prefixes = vec!["0202".to_owned(), "0306".to_owned()]));
        assert!(!meets(|profile| profile.hs_prefixes = vec!["0202".to_owned()]));
        assert!(!meets(|profile| profile.origins = Country::parse("NO").into_iter().collect()));
        assert!(!meets(|profile| profile.entered_from = Some(date(2030, 1, 1))));
    }
}
