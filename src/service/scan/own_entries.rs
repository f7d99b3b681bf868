//! What codes share with their neighbours: the run's facts, and the ledgers of groups and blocks. Views are made from it, so
//! that it is kept apart from them: they outlast it.

use std::sync::Arc;

use super::{facts::RunFacts, weight::entries_bytes};
use crate::{
    code::{RunId, Serial},
    service::{Basis, Service, Watched, temperature::Bodies},
    store::{self, Slice},
    trace::{Block, Entry, Group, Ledger, Subject},
};

/// The entries that bear on more than one code of a block, the run's apart.
#[derive(Debug)]
pub struct SharedLedgers {
    /// On whole blocks of its group.
    group: Ledger,
    /// Of its own.
    block: Ledger,
    basis: Basis,
}

impl SharedLedgers {
    /// What they were read from.
    pub(super) fn basis(&self) -> &Basis {
        &self.basis
    }

    /// Roughly how much memory it takes, in bytes.
    pub fn bytes(&self) -> u32 {
        let entries = entries_bytes(self.group.entries()) + entries_bytes(self.block.entries());
        u32::try_from(size_of::<Self>() + entries + self.basis.bytes()).unwrap_or(u32::MAX)
    }
}

/// The entries that bear on one code: its own, and those that it shares with some.
pub(super) struct OwnEntries {
    pub(super) facts: Arc<RunFacts>,
    pub(super) shared: Arc<SharedLedgers>,
    single: Vec<Entry>,
    serial: Serial,
    /// Records of those with temperatures.
    pub(super) bodies: Bodies,
    /// What `single` was read from.
    basis: Basis,
}

impl OwnEntries {
    /// In order of place.
    pub(super) fn in_order(&self) -> Vec<&Entry> {
        let mut entries = Vec::new();
        self.facts.groups.find(self.serial, &mut entries);
        self.shared.group.find(self.serial, &mut entries);
        self.shared.block.find(self.serial, &mut entries);
        entries.extend(&self.single);
        entries.sort_unstable_by_key(|entry| entry.place);
        entries
    }

    /// Whether nothing of it has been touched since it was read.
    pub(super) fn is_current(&self) -> bool {
        self.basis.is_current() && self.shared.basis.is_current() && self.facts.kept.is_current()
    }
}

impl Service {
    /// What bears on one code of a block; `None` where its run was never issued.
    pub(super) async fn own_entries(&self, at: Block, serial: Serial) -> store::Result<Option<OwnEntries>> {
        let mut basis = Basis::default();
        let own = self.ledgers_of(at, serial, &mut basis);
        let (facts, (shared, single, bodies)) = tokio::try_join!(self.facts_of(at.run), own)?;
        Ok(facts.map(|facts| OwnEntries { facts, shared, single, serial, bodies, basis }))
    }

    /// The ledgers of a block and its group, what is said of one of its codes alone, and the records of these with
    /// temperatures.
    async fn ledgers_of(
        &self,
        at: Block,
        serial: Serial,
        basis: &mut Basis,
    ) -> store::Result<(Arc<SharedLedgers>, Vec<Entry>, Bodies)> {
        let offset = Block::offset(serial);
        self.watch.add(basis, Watched::Code(at, offset));
        let (subject, slice) = (Subject::Block(at), Slice::Serial(offset.into()));
        let (shared, single) = tokio::try_join!(self.shared_ledgers(at), self.ledger_after(&subject, slice, None))?;
        let bodies = self.bodies_of(&single).await?;
        Ok((shared, single, bodies))
    }

    /// A block's ledgers and its group's: from memory where they are there and still current.
    pub(super) async fn shared_ledgers(&self, at: Block) -> store::Result<Arc<SharedLedgers>> {
        if let Some(ledgers) = self.ledgers.get(&at).filter(|ledgers| ledgers.basis.is_current()) {
            return Ok(ledgers);
        }
        let Some(first) = at.serial(0) else {
            return Err(store::Error::TooLarge { what: "block", found: at.index.into(), max: 1 << 10 });
        };
        let mut basis = Basis::default();
        let group = Subject::Group(Group::of(at.run, first));
        let group = self.ledger(&group, Slice::Shared, &mut basis);
        let block = self.ledger(&Subject::Block(at), Slice::Shared, &mut basis);
        let (group, block) = tokio::try_join!(group, block)?;
        let (group, block) = (Ledger::new(group), Ledger::new(block));
        let ledgers = Arc::new(SharedLedgers { group, block, basis: basis.shrunk() });
        self.ledgers.insert(at, Arc::clone(&ledgers));
        Ok(ledgers)
    }

    /// The run's facts: from memory where they are there and still current.
    pub(super) async fn facts_of(&self, run: RunId) -> store::Result<Option<Arc<RunFacts>>> {
        if let Some(facts) = self.runs.get(&run).filter(|facts| facts.kept.is_current()) {
            return Ok(Some(facts));
        }
        let Some(key) = self.keys.run_key(run) else { return Ok(None) };
        let Some(facts) = self.run_facts(run, key).await? else { return Ok(None) };
        let facts = Arc::new(facts);
        self.runs.insert(run, Arc::clone(&facts));
        Ok(Some(facts))
    }
}
