//! What scans rest on beside ledgers: the batch with all that it refers to, and the run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use jiff::civil::Date;

use super::view::View;
use crate::{
    code::{RunId, RunKey},
    limits::{DOCUMENTS_MAX, LEDGER_ENTRIES_MAX, PAGE_ITEMS_MAX},
    registration::{
        Batch, Consignment, Content, Document, EffectiveBatch, Kind, Organization, Parent, Product, Run, Statement,
    },
    service::{Basis, Service, Watched, temperature::ColdRecord},
    store::{self, Slice},
    trace::{BatchId, Entry, Ledger, OrganizationId, Place, Subject},
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

/// A run with its batch, its key, and the ledgers that all its codes share.
#[derive(Debug)]
pub struct RunFacts {
    /// The run.
    pub run: Run,
    /// What proves its codes.
    pub key: RunKey,
    /// Its batch.
    pub batch: BatchFacts,
    /// Entries on the whole batch and lot: they bear on every code.
    pub whole: Vec<Entry>,
    /// The temperature record of the whole batch.
    pub cold_record: Option<Arc<ColdRecord>>,
    /// Entries on whole groups of the run.
    pub groups: Ledger,
    /// What all of the above was made from.
    pub basis: Basis,
    /// Views by the entries that they show, so that codes with the same history share one.
    views: Mutex<HashMap<Vec<Place>, Weak<View>>>,
}

impl RunFacts {
    /// The view of the codes whose own entries have these places; `make` makes it where none is in memory that
    /// `is_current`.
    pub(super) fn view(
        &self,
        places: Vec<Place>,
        is_current: impl FnOnce(&View) -> bool,
        make: impl FnOnce() -> View,
    ) -> Arc<View> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if views.len() == views.capacity() {
            views.retain(|_, view| view.strong_count() > 0);
        }
        let slot = views.entry(places).or_default();
        slot.upgrade().filter(|view| is_current(view)).unwrap_or_else(|| {
            let view = Arc::new(make());
            *slot = Arc::downgrade(&view);
            view
        })
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
        let mut documents = self.documents_of(basis, Kind::Consignment, batch.consignment.0).await?;
        documents.extend(self.documents_of(basis, Kind::Batch, id.0).await?);
        let lots = parents.into_iter().filter_map(|parent| match parent {
            Parent::Lot(gtin, lot) => Some(Subject::Lot { gtin, lot }),
            _ => None,
        });
        Ok(Some(BatchFacts { batch, consignment, product, importer, documents, lots: lots.collect() }))
    }

    /// An organization that others refer to.
    pub async fn organization(&self, id: OrganizationId, basis: &mut Basis) -> store::Result<Organization> {
        match self.watched(basis, Kind::Organization, id.0).await? {
            Some(Content::Organization(organization)) => Ok(organization),
            _ => Err(dangling("organization", id)),
        }
    }

    async fn watched(&self, basis: &mut Basis, kind: Kind, id: u64) -> store::Result<Option<Content>> {
        self.watch.add(basis, Watched::Statement(kind, id));
        Ok(self.statement(kind, id).await?.map(|statement| statement.content))
    }

    async fn documents_of(&self, basis: &mut Basis, kind: Kind, id: u64) -> store::Result<Vec<Document>> {
        self.watch.add(basis, Watched::Children(kind, id));
        let parent = if kind == Kind::Batch { Parent::Batch(id) } else { Parent::Consignment(id) };
        let mut documents = Vec::new();
        for document in self.store.children(&parent, Kind::Document, None, DOCUMENTS_MAX).await? {
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
        let whole = self.whole_entries(run.batch, &batch, &mut basis).await?;
        let groups = Ledger::new(self.ledger(&Subject::Run(id), Slice::Shared, &mut basis).await?);
        let cold_record = self.cold_record(&whole, &batch).await?.map(Arc::new);
        Ok(Some(RunFacts { run, key, batch, whole, cold_record, groups, basis, views: Mutex::default() }))
    }

    /// The entries on a whole batch and on its lot.
    pub(in crate::service) async fn whole_entries(
        &self,
        id: BatchId,
        batch: &BatchFacts,
        basis: &mut Basis,
    ) -> store::Result<Vec<Entry>> {
        let mut whole = self.ledger(&Subject::Batch(id), Slice::Shared, basis).await?;
        for lot in &batch.lots {
            whole.extend(self.ledger(lot, Slice::Shared, basis).await?);
        }
        Ok(whole)
    }

    /// The entries of a slice, page by page, at most `LEDGER_ENTRIES_MAX`.
    pub async fn ledger(&self, subject: &Subject, slice: Slice, basis: &mut Basis) -> store::Result<Vec<Entry>> {
        self.watch.add(basis, Watched::Ledger(subject.clone()));
        let mut entries: Vec<Entry> = Vec::new();
        while entries.len() < LEDGER_ENTRIES_MAX {
            let after = entries.last().map(|entry| entry.place);
            let page = self.store.entries(subject, slice, after, PAGE_ITEMS_MAX * 10).await?;
            let whole = page.len() < PAGE_ITEMS_MAX * 10;
            entries.extend(page);
            if whole {
                return Ok(entries);
            }
        }
        Err(store::Error::TooLarge { what: "ledger", found: entries.len(), max: LEDGER_ENTRIES_MAX })
    }
}

/// What a statement refers to is written before it: its absence is damage.
fn dangling(table: &'static str, id: impl std::fmt::Display) -> store::Error {
    store::Error::Corrupt { table, key: id.to_string(), found: "it is referred to, but not there".to_owned() }
}
