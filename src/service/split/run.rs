//! A shop's open split run of a batch, and the serials that are taken from it.

use super::{Result, SplitError};
use crate::{
    code::{RunId, RunKey, Serial},
    limits::RUN_CODES_MAX,
    registration::{Activation, Content, Kind, Level, Parent, Run, Statement},
    service::Service,
    store,
    trace::{BatchId, OrganizationId},
};

/// Serials that nobody else gets.
pub(super) struct Taken {
    pub(super) run: Run,
    pub(super) key: RunKey,
    pub(super) first: Serial,
    pub(super) last: Serial,
    /// The run, where it has no row yet.
    pub(super) opened: Option<Run>,
}

/// What the names of claims on open split runs begin with. They do not outlast a restore: serials that the lost server took
/// after the backup are taken in a run that nobody takes from any more.
pub(in crate::service) const OPEN_CLAIMS: &str = "split-open/";

/// The claim that says which of a shop's split runs of a batch is open: its 30 bits, big end first.
fn open_claim(organization: OrganizationId, batch: BatchId) -> String {
    format!("{OPEN_CLAIMS}{organization}/{batch}")
}

/// The claim that says how many serials of a run are taken, big end first.
fn taken_claim(run: RunId) -> String {
    format!("split/{run}")
}

impl Service {
    /// Takes the next serials of the shop's open split run; opens one where there is none, or the open one is full. A stop
    /// before the portions are written wastes their serials.
    pub(super) async fn take_portions(
        &self,
        organization: OrganizationId,
        batch: BatchId,
        portions: u32,
    ) -> Result<Taken> {
        loop {
            let open = self.store.claim(&open_claim(organization, batch)).await?;
            let id = match open.as_deref() {
                Some(bytes) => run_of(bytes)?,
                None => match self.open_run(organization, batch, None).await? {
                    Some(id) => id,
                    None => continue,
                },
            };
            let key = self.keys.run_key(id).ok_or(SplitError::NoKey)?;
            match self.take_serials(id, portions).await? {
                Some((first, last)) => {
                    return Ok(match self.run(id).await? {
                        Some(run) => Taken { run, key, first, last, opened: None },
                        None => {
                            let run = self.split_run(id, organization, batch);
                            Taken { opened: Some(run.clone()), run, key, first, last }
                        }
                    });
                }
                // Full, or of a key that cannot issue any more: the next one.
                None => drop(self.open_run(organization, batch, open.as_deref()).await?),
            }
        }
    }

    /// Claims a new run to be the open one in the place of `before`; `None` where somebody else did.
    async fn open_run(
        &self,
        organization: OrganizationId,
        batch: BatchId,
        before: Option<&[u8]>,
    ) -> Result<Option<RunId>> {
        let slot = self.keys.issuing_slot().ok_or(SplitError::NoKey)?;
        let id = self.next_run(slot).await?.ok_or(SplitError::NoKey)?;
        let claimed = self.store.swap(&open_claim(organization, batch), before, &id.bits().to_be_bytes()).await?;
        Ok(claimed.then_some(id))
    }

    /// `None` where the run has not so many left, or its key is retired.
    async fn take_serials(&self, run: RunId, portions: u32) -> Result<Option<(Serial, Serial)>> {
        if self.keys.issuing_slot().is_none_or(|slot| slot != run.key()) {
            return Ok(None);
        }
        let name = taken_claim(run);
        loop {
            let before = self.store.claim(&name).await?;
            let next = taken_of(&name, before.as_deref())?;
            let end = next.checked_add(portions).filter(|end| *end <= RUN_CODES_MAX);
            let Some(end) = end else { return Ok(None) };
            if self.store.swap(&name, before.as_deref(), &end.to_be_bytes()).await? {
                return Ok(Serial::new(next).zip(Serial::new(end - 1)));
            }
        }
    }

    fn split_run(&self, id: RunId, organization: OrganizationId, batch: BatchId) -> Run {
        Run {
            id,
            organization,
            batch,
            level: Level::Item,
            content: None,
            count: RUN_CODES_MAX,
            activate: Activation::OnReport,
            signed: false,
            created_ms: self.now_ms(),
            split: true,
        }
    }

    /// The split runs of a batch, oldest first, each with as many codes as are taken.
    pub(in crate::service) async fn split_runs_of(&self, batch: BatchId) -> store::Result<Vec<Run>> {
        let mut runs = self.runs_under(&Parent::Splits(batch.0)).await?;
        for run in &mut runs {
            run.count = self.taken_portions(run.id).await?.min(run.count);
        }
        Ok(runs)
    }

    /// How many serials of a split run are taken: all below this one.
    pub(in crate::service) async fn taken_portions(&self, run: RunId) -> store::Result<u32> {
        let name = taken_claim(run);
        taken_of(&name, self.store.claim(&name).await?.as_deref())
    }
}

/// The row of a split run. It is listed apart from the batch's ordered runs, whose number is bounded.
pub(super) fn statement(run: &Run) -> Statement {
    Statement {
        kind: Kind::Run,
        id: run.id.bits().into(),
        version: 1,
        parents: vec![Parent::Splits(run.batch.0), Parent::Organization(run.organization.0)],
        author: run.organization,
        written_ms: run.created_ms,
        content: Content::Run(run.clone()),
    }
}

fn run_of(bytes: &[u8]) -> store::Result<RunId> {
    let bits = bytes.try_into().ok().map(u32::from_be_bytes);
    bits.and_then(RunId::from_bits).ok_or_else(|| damaged(OPEN_CLAIMS, bytes))
}

fn taken_of(name: &str, claim: Option<&[u8]>) -> store::Result<u32> {
    let Some(bytes) = claim else { return Ok(0) };
    bytes.try_into().map(u32::from_be_bytes).map_err(|_| damaged(name, bytes))
}

fn damaged(name: &str, bytes: &[u8]) -> store::Error {
    let found = format!("{} bytes where a claim of splits has 4", bytes.len());
    store::Error::Corrupt { table: "claims", key: name.to_owned(), found }
}
