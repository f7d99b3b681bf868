//! What scans rest on beside ledgers: the batch with all that it refers to, and the run.

use std::sync::Arc;

use futures_util::future::{OptionFuture, try_join_all};
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
        temperature::{Bodies, ColdRecord, Sensed, limits, newest, sensed},
    },
    store::{self, Slice},
    trace::{BatchId, ConsignmentId, Entry, Ledger, OrganizationId, Owners, ProductId, Subject, WholeStatus},
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

/// What is read of a batch beside all that it refers to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Also {
    Nothing,
    /// What was said of the whole of it and of its lots.
    Said,
}

/// What was said of a whole batch and of its lots.
#[derive(Debug, Default)]
pub(in crate::service) struct Said {
    /// In order of place.
    pub entries: Vec<Entry>,
    /// Records of the batch's own entries with temperatures, read beside what the batch refers to.
    pub bodies: Bodies,
}

impl Service {
    /// A batch with all that it refers to; `None` where it is not registered. Everything that it is made from is added to
    /// `basis` before it is read.
    pub async fn batch_facts(&self, id: BatchId, basis: &mut Basis) -> store::Result<Option<BatchFacts>> {
        Ok(self.read_batch(id, None, Also::Nothing, basis).await?.map(|(facts, _)| facts))
    }

    /// A batch with all that it refers to, and with what was said of the whole of it. `consignment` is where to look before
    /// the batch says it, where that is known.
    pub(in crate::service) async fn batch_and_said(
        &self,
        id: BatchId,
        consignment: Option<ConsignmentId>,
        basis: &mut Basis,
    ) -> store::Result<Option<(BatchFacts, Said)>> {
        // Whose hand-overs count depends on it, of the batch as of its codes.
        self.watch.add(basis, Watched::Parties);
        self.read_batch(id, consignment, Also::Said, basis).await
    }

    /// Reads a batch in as few rounds as follow from one another: the batch, its ledger and its list of documents; then what
    /// these name.
    async fn read_batch(
        &self,
        id: BatchId,
        consignment: Option<ConsignmentId>,
        also: Also,
        basis: &mut Basis,
    ) -> store::Result<Option<(BatchFacts, Said)>> {
        let own_papers = self.documents_of(DocumentOf::Batch(id), basis);
        let foreseen = OptionFuture::from(consignment.map(|consignment| self.consignment(consignment, basis)));
        let own = (also == Also::Said).then(|| self.ledger(&Subject::Batch(id), Slice::Shared, basis));
        let own = async {
            let Some(own) = own else { return Ok((Vec::new(), Bodies::default())) };
            let entries = own.await?;
            let bodies = self.bodies_of(&entries).await?;
            Ok((entries, bodies))
        };
        let referred = async {
            let batch = self.watched_statement(basis, Kind::Batch, id.0).await?;
            let Some(Statement { content: Content::Batch(batch), parents, .. }) = batch else { return Ok(None) };
            let lots = lots_of(&parents);
            let said = if also == Also::Said { lots.as_slice() } else { &[] };
            let of_lots: Vec<_> = said.iter().map(|lot| self.ledger(lot, Slice::Shared, basis)).collect();
            let importer = self.organization(batch.organization, basis);
            let product = OptionFuture::from(batch.product.map(|product| self.product(product, basis)));
            // A batch never leaves its consignment, so that what was foreseen is right.
            let other = consignment.is_none_or(|foreseen| foreseen != batch.consignment);
            let unforeseen = OptionFuture::from(other.then(|| self.consignment(batch.consignment, basis)));
            let (of_lots, importer, product, unforeseen) =
                tokio::try_join!(try_join_all(of_lots), importer, present(product), present(unforeseen))?;
            Ok(Some((batch, lots, of_lots.concat(), importer, product, unforeseen)))
        };
        let ((own_papers, of_own_papers), foreseen, (mut entries, bodies), referred) =
            tokio::try_join!(own_papers, present(foreseen), own, referred)?;
        let Some((batch, lots, of_lots, importer, product, unforeseen)) = referred else { return Ok(None) };
        let missing = || dangling("consignment", batch.consignment);
        let (consignment, mut documents, of_consignment) = unforeseen.or(foreseen).ok_or_else(missing)?;
        basis.extend(of_own_papers);
        basis.extend(of_consignment);
        documents.extend(own_papers);
        entries.extend(of_lots);
        entries.sort_unstable_by_key(|entry| entry.place);
        let facts = BatchFacts { batch, consignment, product, importer, documents, lots };
        Ok(Some((facts, Said { entries, bodies })))
    }

    /// A consignment with its documents, and what these were read from.
    fn consignment<'s>(
        &'s self,
        id: ConsignmentId,
        basis: &mut Basis,
    ) -> impl Future<Output = store::Result<(Consignment, Vec<Document>, Basis)>> + use<'s> {
        let documents = self.documents_of(DocumentOf::Consignment(id), basis);
        let consignment = self.watched(basis, Kind::Consignment, id.0);
        async move {
            let (consignment, (documents, basis)) = tokio::try_join!(consignment, documents)?;
            match consignment {
                Some(Content::Consignment(consignment)) => Ok((consignment, documents, basis)),
                _ => Err(dangling("consignment", id)),
            }
        }
    }

    fn product<'s>(
        &'s self,
        id: ProductId,
        basis: &mut Basis,
    ) -> impl Future<Output = store::Result<Product>> + use<'s> {
        let product = self.watched(basis, Kind::Product, id.0);
        async move {
            match product.await? {
                Some(Content::Product(product)) => Ok(product),
                _ => Err(dangling("product", id)),
            }
        }
    }

    /// An organization that others refer to: from memory where it is there and still current.
    pub fn organization<'s>(
        &'s self,
        id: OrganizationId,
        basis: &mut Basis,
    ) -> impl Future<Output = store::Result<Organization>> + use<'s> {
        self.watch.add(basis, Watched::Statement(Kind::Organization, id.0));
        async move {
            if let Some(known) = self.organizations.get(&id).filter(|known| known.basis.is_current()) {
                return Ok(known.organization.clone());
            }
            let mut basis = Basis::default();
            match self.watched(&mut basis, Kind::Organization, id.0).await? {
                Some(Content::Organization(organization)) => {
                    let known = KnownOrganization { organization: organization.clone(), basis: basis.shrunk() };
                    self.organizations.insert(id, Arc::new(known));
                    Ok(organization)
                }
                _ => Err(dangling("organization", id)),
            }
        }
    }

    /// The newest version of something, which is watched from before it is read.
    pub(in crate::service) fn watched<'s>(
        &'s self,
        basis: &mut Basis,
        kind: Kind,
        id: u64,
    ) -> impl Future<Output = store::Result<Option<Content>>> + use<'s> {
        let statement = self.watched_statement(basis, kind, id);
        async move { Ok(statement.await?.map(|statement| statement.content)) }
    }

    fn watched_statement<'s>(
        &'s self,
        basis: &mut Basis,
        kind: Kind,
        id: u64,
    ) -> impl Future<Output = store::Result<Option<Statement>>> + use<'s> {
        self.watch.add(basis, Watched::Statement(kind, id));
        self.statement(kind, id)
    }

    /// The documents of a consignment or batch, in the order of their numbers, at most `DOCUMENTS_MAX`, and what they were
    /// read from; their list is added to `basis` at once.
    pub(in crate::service) fn documents_of<'s>(
        &'s self,
        of: DocumentOf,
        basis: &mut Basis,
    ) -> impl Future<Output = store::Result<(Vec<Document>, Basis)>> + use<'s> {
        self.watch.add(basis, Watched::Children(of.parent(), Kind::Document));
        async move {
            let mut basis = Basis::default();
            let listed = self.store.children(&of.parent(), Kind::Document, None, DOCUMENTS_MAX).await?;
            let documents = listed.into_iter().map(|id| self.watched(&mut basis, Kind::Document, id));
            let documents = try_join_all(documents.collect::<Vec<_>>()).await?;
            let document = |content| match content {
                Some(Content::Document(document)) => Some(document),
                _ => None,
            };
            Ok((documents.into_iter().filter_map(document).collect(), basis))
        }
    }

    /// A run with all that its codes share; `None` where it was never issued.
    pub(super) async fn run_facts(&self, id: RunId, key: RunKey) -> store::Result<Option<RunFacts>> {
        let mut basis = Basis::default();
        let run = self.watched_statement(&mut basis, Kind::Run, u64::from(id.bits()));
        let groups = self.ledger(&Subject::Run(id), Slice::Shared, &mut basis);
        let (run, groups) = tokio::try_join!(run, groups)?;
        let Some(Statement { content: Content::Run(run), parents, .. }) = run else { return Ok(None) };
        let consignment = parents.iter().find_map(|parent| match parent {
            Parent::Consignment(id) => Some(ConsignmentId(*id)),
            _ => None,
        });
        let Some((batch, said)) = self.batch_and_said(run.batch, consignment, &mut basis).await? else {
            return Err(dangling("batch", run.batch));
        };
        let groups = Ledger::new(groups);
        let owners = Owners { issuer: run.organization, importer: batch.batch.organization };
        let told = self.told_of(run.batch, said.entries, owners, &mut basis).await?;
        let WholeTold { entries: whole, bearings: whole_bearings, status: whole_status, provenance } = told;
        let whole_sensed = newest(sensed(whole.iter().zip(whole_bearings.iter().copied()), &[]));
        let limits = limits(batch.effective().storage);
        let cold_record = self.cold_record(&whole_sensed, limits, &said.bodies).await?.map(Arc::new);
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

    /// The entries on a whole batch and on its lots, in order of place.
    pub(in crate::service) async fn whole_entries(
        &self,
        id: BatchId,
        lots: &[Subject],
        basis: &mut Basis,
    ) -> store::Result<Vec<Entry>> {
        // Whose hand-overs count depends on it, of the batch as of its codes.
        self.watch.add(basis, Watched::Parties);
        let batch = Subject::Batch(id);
        let ledgers = std::iter::once(&batch).chain(lots).map(|of| self.ledger(of, Slice::Shared, basis));
        let mut whole = try_join_all(ledgers.collect::<Vec<_>>()).await?.concat();
        whole.sort_unstable_by_key(|entry| entry.place);
        Ok(whole)
    }

    /// The entries of a slice, which is watched from before they are read.
    pub fn ledger<'s>(
        &'s self,
        subject: &Subject,
        slice: Slice,
        basis: &mut Basis,
    ) -> impl Future<Output = store::Result<Vec<Entry>>> + use<'s> {
        self.watch.add(basis, Watched::Ledger(subject.clone()));
        let subject = subject.clone();
        async move { self.ledger_after(&subject, slice, None).await }
    }
}

/// An organization in memory.
#[derive(Debug)]
pub struct KnownOrganization {
    organization: Organization,
    basis: Basis,
}

impl KnownOrganization {
    /// Roughly how much memory it takes, in bytes.
    pub fn bytes(&self) -> u32 {
        let names = self.organization.legal_name.len() + self.organization.public_name.as_ref().map_or(0, String::len);
        u32::try_from(size_of::<Self>() + names + self.basis.bytes() + 128).unwrap_or(u32::MAX)
    }
}

/// A reading that there may be no need for, as one that may fail.
async fn present<T>(reading: OptionFuture<impl Future<Output = store::Result<T>>>) -> store::Result<Option<T>> {
    reading.await.transpose()
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
