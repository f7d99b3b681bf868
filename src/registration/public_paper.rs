//! What the public sees of a batch's papers: kind, masked number, issuer and date, whether they were uploaded or
//! only stated.

use jiff::civil::Date;

use super::{Document, DocumentKind, EffectiveBatch, Paper, masked_number};
use crate::trace::DocumentId;

/// What is public of one paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicPaper {
    /// What it is.
    pub kind: DocumentKind,
    /// Its number with the middle masked.
    pub number_masked: String,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When.
    pub date: Option<Date>,
    /// The document whose public rendition shows it, where there is one.
    pub rendition: Option<DocumentId>,
}

/// The papers of a batch in the order of their kinds: those uploaded, then those that its fields state and nobody uploaded.
pub fn public_papers(batch: &EffectiveBatch<'_>, documents: &[Document]) -> Vec<PublicPaper> {
    let uploaded = documents.iter().map(|document| PublicPaper {
        kind: document.kind,
        number_masked: masked_number(&document.number),
        issuer: document.issuer.clone(),
        date: document.date,
        rendition: document.public.as_ref().map(|_| document.id),
    });
    let known = |kind: DocumentKind, number: &str| {
        documents.iter().any(|document| document.kind == kind && document.number == number)
    };
    let stated = stated(batch).into_iter().filter(|(kind, paper)| !known(*kind, &paper.number));
    let stated = stated.map(|(kind, paper)| PublicPaper {
        kind,
        number_masked: masked_number(&paper.number),
        issuer: paper.issuer,
        date: paper.date,
        rendition: None,
    });
    let mut papers: Vec<_> = uploaded.chain(stated).collect();
    papers.sort_by_key(|paper| paper.kind);
    papers
}

/// The papers whose numbers stand in fields. The supervision warehouse is a trade partner: its name is not public.
fn stated(batch: &EffectiveBatch<'_>) -> Vec<(DocumentKind, Paper)> {
    let numbered = |number: String, date| Paper { number, issuer: None, date };
    let declaration = batch.consignment.declaration.as_ref().map(|number| numbered(number.to_string(), None));
    let release = batch
        .consignment
        .supervision
        .as_ref()
        .and_then(|stay| stay.release_number.as_ref().map(|number| numbered(number.clone(), stay.release_date)));
    let papers = [
        (DocumentKind::CustomsDeclaration, declaration),
        (DocumentKind::QuarantineCertificate, batch.quarantine_certificate.cloned()),
        (DocumentKind::OriginCertificate, batch.origin_certificate.cloned()),
        (DocumentKind::TestReport, batch.test_report.cloned()),
        (DocumentKind::DisinfectionCertificate, batch.disinfection_certificate.cloned()),
        (DocumentKind::SupervisionRelease, release),
        (DocumentKind::ChineseLabel, batch.batch.chinese_label.clone()),
    ];
    papers.into_iter().filter_map(|(kind, paper)| Some((kind, paper?))).collect()
}
