//! What is said of a whole batch, with what holds of what it was made of.

use std::sync::Arc;

use super::{Provenance, Walk};
use crate::{
    service::{
        Basis, Service,
        scan::{BatchFacts, Said},
        temperature::Bodies,
    },
    store,
    trace::{BatchId, Bearing, Entry, Owners, Subject, WholeStatus},
};

/// What is said of a whole batch and of its lots.
#[derive(Debug)]
pub(in crate::service) struct WholeTold {
    /// In order of place.
    pub entries: Vec<Entry>,
    /// What each counts for.
    pub bearings: Vec<Bearing>,
    /// What follows, with what holds of what the batch was made of.
    pub status: WholeStatus,
    /// What it was made of, where that is told.
    pub provenance: Option<Arc<Provenance>>,
}

/// A batch with what is said of the whole of it, for a walk upstream.
pub(super) struct WholeOf {
    pub(super) facts: Arc<BatchFacts>,
    pub(super) entries: Vec<Entry>,
    pub(super) bodies: Bodies,
    pub(super) bearings: Vec<Bearing>,
    pub(super) status: WholeStatus,
}

impl Service {
    /// What is said of a whole batch. Everything that it is made from is added to `basis` before it is read.
    pub(in crate::service) async fn whole_told(
        &self,
        id: BatchId,
        lots: &[Subject],
        owners: Owners,
        basis: &mut Basis,
    ) -> store::Result<WholeTold> {
        let entries = self.whole_entries(id, lots, basis).await?;
        self.told_of(id, entries, owners, basis).await
    }

    /// The same of entries that were read, in order of place.
    pub(in crate::service) async fn told_of(
        &self,
        id: BatchId,
        entries: Vec<Entry>,
        owners: Owners,
        basis: &mut Basis,
    ) -> store::Result<WholeTold> {
        let (mut status, bearings) = WholeStatus::of(&entries, owners);
        let mut provenance = None;
        if !status.made.is_empty() {
            let found = self.provenance(id, &status.made, basis).await?;
            status.inherited = found.measures();
            status.doubted |= found.is_suspicious();
            provenance = Some(Arc::new(found));
        }
        Ok(WholeTold { entries, bearings, status, provenance })
    }
}

impl Walk<'_> {
    /// A registered batch by itself; read once on one walk.
    pub(super) async fn whole(&mut self, id: BatchId, basis: &mut Basis) -> store::Result<Option<Arc<WholeOf>>> {
        if let Some(known) = self.wholes.get(&id) {
            return Ok(known.clone());
        }
        let whole = match self.service.batch_and_said(id, None, basis).await? {
            None => None,
            Some((facts, Said { entries, bodies })) => {
                let (status, bearings) = WholeStatus::of(&entries, Owners::one(facts.batch.organization));
                Some(Arc::new(WholeOf { facts: Arc::new(facts), entries, bodies, bearings, status }))
            }
        };
        self.wholes.insert(id, whole.clone());
        Ok(whole)
    }
}
