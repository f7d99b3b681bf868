//! The events that registration makes.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Change, RegisterError, Result, Service, content_of};
use crate::{
    epcis::{
        record_id,
        shapes::{self, BatchFacts, DocumentFact, Occasion},
    },
    registration::{
        Batch, Consignment, Content, DateRange, Document, DocumentKind, DocumentOf, EffectiveBatch, Kind, Paper,
        Product, Statement,
    },
    service::{Basis, Caller},
    store,
};

impl Service {
    /// Adds to `change` the event of a batch's registration; where a registration stands already and says something
    /// else, the declaration that it is in error and the event in its place. A draft makes none.
    ///
    /// A correction has the time of the registration, by as many milliseconds later as it has versions before it: so
    /// that a value put back makes another event than the one that was declared in error.
    pub(super) async fn registration_event(
        &self,
        caller: &Caller,
        change: &mut Change,
        before: Option<&Statement>,
        batch: &mut Batch,
        consignment: &Consignment,
        product: Option<&Product>,
    ) -> Result<()> {
        if batch.draft {
            return Ok(());
        }
        let documents = self.papers_of(batch, change).await?;
        let importer = match self.statement(Kind::Organization, batch.organization.0).await? {
            Some(statement) => Some(content_of!(statement.content, Organization)?.legal_name),
            None => None,
        };
        let facts = BatchFacts { importer, ..facts(&EffectiveBatch::new(batch, consignment, product), &documents) };
        let certificates = self.certificates(&documents);
        let make = |event_time_ms| {
            let offset =
                self.settings.zone.to_offset(jiff::Timestamp::from_millisecond(event_time_ms).unwrap_or_default());
            let offset_minutes = i16::try_from(offset.seconds() / 60).unwrap_or_default();
            let occasion = Occasion { event_time_ms, offset_minutes, read_point: None };
            shapes::registration(&occasion, batch.id, &facts, &certificates, &self.hosts).map_err(RegisterError::Event)
        };
        let event = match batch.registration {
            None => make(batch.created_ms)?,
            Some(record) => {
                let record = self.store.record(record).await?.ok_or_else(|| missing(record))?;
                let standing = self.event_of(&record)?;
                if make(standing.event_time_ms)?.body == standing.body {
                    return Ok(());
                }
                let versions = before.map_or(0, |before| i64::from(before.version));
                let event = make(batch.created_ms + versions)?;
                let declared = shapes::declared_in_error(&standing, Some(&event), self.now_ms(), &self.hosts);
                change.events.push(declared.map_err(RegisterError::Event)?);
                event
            }
        };
        batch.registration = Some(record_id(caller.organization, &event.body));
        change.events.push(event);
        Ok(())
    }

    /// The uploaded documents of a batch's consignment and then its own, each in the order of their numbers, as they
    /// are once `change` is written.
    async fn papers_of(&self, batch: &Batch, change: &Change) -> Result<Vec<Document>> {
        let mut papers = Vec::new();
        for of in [DocumentOf::Consignment(batch.consignment), DocumentOf::Batch(batch.id)] {
            let documents = self.documents_of(of, &mut Basis::default()).await?.0.into_iter();
            let mut documents: BTreeMap<_, _> = documents.map(|document| (document.id, document)).collect();
            for statement in &change.statements {
                if let Content::Document(document) = &statement.content
                    && document.of == of
                {
                    documents.insert(document.id, document.clone());
                }
            }
            papers.extend(documents.into_values());
        }
        Ok(papers)
    }

    /// Where the public finds what it may see of documents.
    fn certificates(&self, documents: &[Document]) -> Vec<String> {
        let public = documents.iter().filter(|document| document.public.is_some());
        let host = &self.settings.host;
        public.map(|document| format!("https://{host}/v1/documents/{}/public", document.id)).collect()
    }
}

fn missing(record: crate::trace::RecordId) -> RegisterError {
    let found = "a batch refers to it, but it is not there".to_owned();
    store::Error::Corrupt { table: "records", key: record.to_string(), found }.into()
}

fn facts(batch: &EffectiveBatch, documents: &[Document]) -> BatchFacts {
    let own = |text: Option<&str>| text.map(ToOwned::to_owned);
    let days = |days: Option<DateRange>| days.map(|days| (days.first.to_string(), days.last.to_string()));
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    BatchFacts {
        quantity: batch.batch.quantity.as_ref().map(|it| (it.value.to_number(), Some(it.uom.to_string()))),
        gtin: batch.product.and_then(|product| product.gtin).map(|gtin| gtin.to_string()),
        product: batch.product.map(|product| product.name_zh.clone()),
        lot: batch.batch.lot.clone(),
        production: days(batch.batch.production),
        expiry: days(batch.batch.expiry),
        origin: batch.origin.map(|country| country.to_string()),
        net_weight: batch.batch.net_weight.as_ref().map(|it| (it.value.to_number(), it.uom.to_string())),
        content: None,
        specification: own(batch.specification),
        brand: own(batch.brand),
        hs_code: batch.hs_code.map(ToString::to_string),
        storage_celsius: batch.storage.map_or((None, None), |limits| (limits.min_celsius, limits.max_celsius)),
        producer: batch.producer.map(|producer| producer.name.clone()),
        producer_registration: batch.producer.and_then(|producer| producer.registration.clone()),
        importer: None,
        declaration: batch.consignment.declaration.as_ref().map(ToString::to_string),
        declaration_line: batch.batch.line,
        port_of_entry: batch.consignment.port_of_entry.clone(),
        entry_date: day(batch.entry_date),
        documents: papers(batch, documents),
    }
}

/// Papers whose numbers stand among the fields, then those that were uploaded.
fn papers(batch: &EffectiveBatch, documents: &[Document]) -> Vec<DocumentFact> {
    let stated = [
        (DocumentKind::QuarantineCertificate, batch.quarantine_certificate),
        (DocumentKind::OriginCertificate, batch.origin_certificate),
        (DocumentKind::TestReport, batch.test_report),
        (DocumentKind::DisinfectionCertificate, batch.disinfection_certificate),
        (DocumentKind::ChineseLabel, batch.batch.chinese_label.as_ref()),
    ];
    let stated = stated.into_iter().filter_map(|(kind, paper)| {
        let Paper { number, issuer, date } = paper?.clone();
        let date = date.map(|date| date.to_string());
        Some(DocumentFact { kind: kind.as_str().to_owned(), number, issuer, date, sha256: None })
    });
    let uploaded = documents.iter().map(|document| DocumentFact {
        kind: document.kind.as_str().to_owned(),
        number: document.number.clone(),
        issuer: document.issuer.clone(),
        date: document.date.map(|date| date.to_string()),
        sha256: document.original.as_ref().map(|file| file.sha256.to_string()),
    });
    stated.chain(uploaded).collect()
}
