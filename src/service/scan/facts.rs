//! What scans rest on beside ledgers: the batch with all that it refers to, and the run.

use std::sync::Arc;

use jiff::civil::Date;

use super::{
    kept::KeptRun,
    origins::Origins,
    view::{Line, shown},
    weight::{batch_bytes, entries_bytes, text_bytes},
};
use crate::{
    code::{RunId, RunKey},
    limits::DOCUMENTS_MAX,
    registration::{
        Batch, Consignment, Content, Document, DocumentOf, EffectiveBatch, Kind, Organization, Parent, Product, Run,
        Statement,
    },
    service::{
        Basis, Service, Watched,
        provenance::{Provenance, WholeTold},
        temperature::{ColdRecord, Sensed, limits, newest, sensed},
    },
    store::{self, Slice},
    trace::{BatchId, Entry, Ledger, OrganizationId, Owners, Subject, WholeStatus},
};

/// A batch with all that it refers to.
#[derive(Clone, Debug)]
pub struct BatchFacts {
    /// The batch.
    pub batch: Batch,
    /// Its consignment.
    pub consignment: Consignment,
    /// Its product; `None` only for a draft.
    pub product: Option<Product>,
    /// The importer.
    pub importer: Organization,
    /// Its documents and its consignment's, at most `DOCUMENTS_MAX` of each.
    pub documents: Vec<Document>,
    /// The lots that it belongs to, and belonged to before a correction: what was said of a lot is not shaken off by
    /// leaving it.
    pub lots: Vec<Subject>,
}

impl BatchFacts {
    /// The batch with what it takes from consignment and product.
    pub fn effective(&self) -> EffectiveBatch<'_> {
        EffectiveBatch::new(&self.batch, &self.consignment, self.product.as_ref())
    }

    /// Whether the last of its expiry dates is past on the day `today`.
    pub fn is_expired(&self, today: Date) -> bool {
        self.batch.expiry.is_some_and(|expiry| expiry.last < today)
    }
}

/// A run with its batch and the ledgers that all its codes share: what views are made from.
#[derive(Debug)]
pub struct RunFacts {
    /// The run.
    pub run: Run,
    /// What is kept of it when the rest is forgotten.
    pub(super) kept: Arc<KeptRun>,
    /// Its batch.
    pub batch: BatchFacts,
    /// What follows for every code from what was said of the whole batch and of its lots.
    pub whole_status: WholeStatus,
    /// The latest of it that the public sees.
    pub(super) whole_lines: Vec<Arc<Line>>,
    /// How much more of it there is.
    pub(super) whole_further: usize,
    /// The latest of it with temperatures.
    pub(super) whole_sensed: Vec<Sensed>,
    /// The temperature record of the whole batch.
    pub cold_record: Option<Arc<ColdRecord>>,
    /// What the whole batch was made of, where that is told.
    pub provenance: Option<Arc<Provenance>>,
    /// Entries on whole groups of the run.
    pub groups: Ledger,
    /// What it takes in memory, in bytes.
    bytes: usize,
}

impl RunFacts {
    /// Whose goods its codes are on.
    pub fn owners(&self) -> Owners {
        Owners { issuer: self.run.organization, importer: self.batch.batch.organization }
    }

    /// Roughly how much memory it takes, in bytes.
    pub fn bytes(&self) -> u32 {
        u32::try_from(self.bytes).unwrap_or(u32::MAX)
    }
}

impl Service {
    /// A batch with all that it refers to; `None` where it is not registered. Everything that it is made from is added to
    /// `basis` before it is read.
    pub async fn batch_facts(&self, id: BatchId, basis: &mut Basis) -> store::Result<Option<BatchFacts>> {
        self.watch.add(basis, Watched::Statement(Kind::Batch, id.0));
        let Some(Statement { content: Content::Batch(batch), parents, .. }) = self.statement(Kind::Batch, id.0).await?
        else {
            return Ok(None);
        };
        let consignment = match self.watched(basis, Kind::Consignment, batch.consignment.0).await? {
            Some(Content::Consignment(consignment)) => consignment,
            _ => return Err(dangling("consignment", batch.consignment)),
        };
        let importer = self.organization(batch.organization, basis).await?;
        let product = match batch.product {
            None => None,
            Some(product) => match self.watched(basis, Kind::Product, product.0).await? {
                Some(Content::Product(product)) => Some(product),
                _ => return Err(dangling("product", product)),
            },
        };
        let mut documents = self.documents_of(DocumentOf::Consignment(batch.consignment), basis).await?;
        documents.extend(self.documents_of(DocumentOf::Batch(id), basis).await?);
        let lots = lots_of(&parents);
        Ok(Some(BatchFacts { batch, consignment, product, importer, documents, lots }))
    }

    /// An organization that others refer to.
    pub async fn organization(&self, id: OrganizationId, basis: &mut Basis) -> store::Result<Organization> {
        match self.watched(basis, Kind::Organization, id.0).await? {
            Some(Content::Organization(organization)) => Ok(organization),
            _ => Err(dangling("organization", id)),
        }
    }

    pub(in crate::service) async fn watched(
        &self,
        basis: &mut Basis,
        kind: Kind,
        id: u64,
    ) -> store::Result<Option<Content>> {
        self.watch.add(basis, Watched::Statement(kind, id));
        Ok(self.statement(kind, id).await?.map(|statement| statement.content))
    }

    /// The documents of a consignment or batch, in the order of their numbers, at most `DOCUMENTS_MAX`.
    pub(in crate::service) async fn documents_of(
        &self,
        of: DocumentOf,
        basis: &mut Basis,
    ) -> store::Result<Vec<Document>> {
        self.watch.add(basis, Watched::Children(of.parent(), Kind::Document));
        let mut documents = Vec::new();
        for document in self.store.children(&of.parent(), Kind::Document, None, DOCUMENTS_MAX).await? {
            if let Some(Content::Document(document)) = self.watched(basis, Kind::Document, document).await? {
                documents.push(document);
            }
        }
        Ok(documents)
    }

    /// A run with all that its codes share; `None` where it was never issued.
    pub(super) async fn run_facts(&self, id: RunId, key: RunKey) -> store::Result<Option<RunFacts>> {
        let mut basis = Basis::default();
        let Some(Content::Run(run)) = self.watched(&mut basis, Kind::Run, u64::from(id.bits())).await? else {
            return Ok(None);
        };
        let Some(batch) = self.batch_facts(run.batch, &mut basis).await? else {
            return Err(dangling("batch", run.batch));
        };
        let groups = Ledger::new(self.ledger(&Subject::Run(id), Slice::Shared, &mut basis).await?);
        let owners = Owners { issuer: run.organization, importer: batch.batch.organization };
        let told = self.whole_told(run.batch, &batch.lots, owners, &mut basis).await?;
        let WholeTold { entries: whole, bearings: whole_bearings, status: whole_status, provenance } = told;
        let whole_sensed = newest(sensed(whole.iter().zip(whole_bearings.iter().copied()), &[]));
        let cold_record = self.cold_record(&whole_sensed, limits(batch.effective().storage)).await?.map(Arc::new);
        let origins = Origins { own: None, whole: provenance.as_deref() };
        let (latest, whole_further) = shown(whole.iter().zip(whole_bearings).chain(origins.lines()));
        let whole_lines = self.public_lines(&batch.importer, &latest, &origins.places(), &mut basis).await?;
        let entries = whole_lines.iter().map(|line| line.bytes()).sum::<usize>();
        let entries = entries + entries_bytes(groups.entries()) + provenance.as_deref().map_or(0, Provenance::bytes);
        let bytes = size_of::<RunFacts>() + text_bytes(&run) + batch_bytes(&batch) + entries + basis.bytes();
        let kept = Arc::new(KeptRun::new(&run, key, &batch, basis, &self.first_texts));
        Ok(Some(RunFacts {
            run,
            kept,
            batch,
            whole_status,
            whole_lines,
            whole_further,
            whole_sensed,
            cold_record,
            provenance,
            groups,
            bytes,
        }))
    }

    /// The entries on a whole batch and on its lot, in order of place.
    pub(in crate::service) async fn whole_entries(
        &self,
        id: BatchId,
        lots: &[Subject],
        basis: &mut Basis,
    ) -> store::Result<Vec<Entry>> {
        // Whose hand-overs count depends on it, of the batch as of its codes.
        self.watch.add(basis, Watched::Parties);
        let mut whole = self.ledger(&Subject::Batch(id), Slice::Shared, basis).await?;
        for lot in lots {
            whole.extend(self.ledger(lot, Slice::Shared, basis).await?);
        }
        whole.sort_unstable_by_key(|entry| entry.place);
        Ok(whole)
    }

    /// The entries of a slice, which is watched from before they are read.
    pub async fn ledger(&self, subject: &Subject, slice: Slice, basis: &mut Basis) -> store::Result<Vec<Entry>> {
        self.watch.add(basis, Watched::Ledger(subject.clone()));
        self.ledger_after(subject, slice, None).await
    }
}

/// The lots that a batch is and was listed under.
pub(in crate::service) fn lots_of(parents: &[Parent]) -> Vec<Subject> {
    let lot = |parent: &Parent| match parent {
        Parent::Lot(gtin, lot) => Some(Subject::Lot { gtin: gtin.clone(), lot: lot.clone() }),
        _ => None,
    };
    parents.iter().filter_map(lot).collect()
}

/// What a statement refers to is written before it: its absence is damage.
fn dangling(table: &'static str, id: impl std::fmt::Display) -> store::Error {
    store::Error::Corrupt { table, key: id.to_string(), found: "it is referred to, but not there".to_owned() }
}
