//! A code's timeline: every entry that bears on it, in event-time order.

use super::{Basis, Service};
use crate::{
    code::Code,
    registration::Run,
    store::{self, Slice},
    trace::{Bearing, Block, Entry, Group, Owners, Scope, Status, Subject, Told, WholeStatus, fold, in_order},
};

/// Everything that is said of one code.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What follows from it.
    pub status: Status,
    /// In ascending order of event time, each with what it counts for.
    pub lines: Vec<(Entry, Bearing)>,
}

impl Service {
    /// The timeline of an issued code. `some` reports on its batch or lot stand in it and count for nothing.
    pub async fn timeline(&self, code: &Code, run: &Run) -> store::Result<Timeline> {
        let mut basis = Basis::default();
        let (importer, whole) = match self.batch_facts(run.batch, &mut basis).await? {
            Some(facts) => (facts.batch.organization, self.whole_entries(run.batch, &facts, &mut basis).await?),
            None => (run.organization, Vec::new()),
        };
        let owners = Owners { issuer: run.organization, importer };
        let (whole_status, whole_bearings) = WholeStatus::of(&whole, owners);
        let mut entries = Vec::new();
        let block = Subject::Block(Block::of(run.id, code.serial));
        let slices = [
            (Subject::Run(run.id), Slice::Shared),
            (Subject::Group(Group::of(run.id, code.serial)), Slice::Shared),
            (block.clone(), Slice::Shared),
            (block, Slice::Serial(Block::offset(code.serial).into())),
        ];
        for (subject, slice) in slices {
            let names = |entry: &Entry| matches!(entry.scope, Scope::Span(span) if span.contains(code.serial));
            entries.extend(self.ledger(&subject, slice, &mut basis).await?.into_iter().filter(names));
        }
        let mut told: Vec<_> = entries.iter().map(|entry| Told { entry, of: None }).collect();
        in_order(&mut told);
        let status = fold(&told, &whole_status, owners);
        let own =
            told.iter().zip(&status.bearings).filter_map(|(told, bearing)| Some((told.entry.clone(), (*bearing)?)));
        let mut lines: Vec<_> = own.chain(whole.into_iter().zip(whole_bearings)).collect();
        lines.sort_unstable_by_key(|(entry, _)| entry.place);
        Ok(Timeline { status, lines })
    }
}
