//! A code's timeline: every entry that bears on it, in event-time order.

pub use super::gather::TimelineLine;
use super::{
    Basis, Service,
    gather::{Gathered, Units},
    provenance::{Portion, Source, WholeTold},
    scan::made_by,
};
use crate::{
    code::Code,
    registration::Run,
    store,
    trace::{Instance, Owners, Status, WholeStatus},
};

/// Everything that is said of one code.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What follows from it, and from what the goods were made of.
    pub status: Status,
    /// In ascending order of event time.
    pub lines: Vec<TimelineLine>,
    /// What the goods were made of, by the code's own entries and then by those of its whole batch.
    pub came_from: Vec<Source>,
    /// How many inputs more were not looked into.
    pub came_from_further: usize,
    /// What the split says of a portion.
    pub portion: Portion,
}

impl Service {
    /// The timeline of an issued code. `some` reports on its batch or lot stand in it and count for nothing.
    pub async fn timeline(&self, code: &Code, run: &Run) -> store::Result<Timeline> {
        let mut basis = Basis::default();
        let facts = self.batch_and_said(run.batch, None, &mut basis).await?;
        let importer = facts.as_ref().map_or(run.organization, |(facts, _)| facts.batch.organization);
        let owners = Owners { issuer: run.organization, importer };
        let whole = match facts {
            Some((_, said)) => self.told_of(run.batch, said.entries, owners, &mut basis).await?,
            None => WholeTold {
                entries: Vec::new(),
                bearings: Vec::new(),
                status: WholeStatus::default(),
                provenance: None,
            },
        };
        let own = self.instance_entries(&Instance::Code { run: run.id, serial: code.serial }, i64::MIN).await?;
        let own: Vec<_> = own.iter().collect();
        let gathered = self.gather(&own, &whole.status, owners, &mut Units::default(), &mut basis).await?;
        let Gathered { mut lines, mut status } = gathered;
        let made = self.provenance(run.batch, &made_by(&lines), &mut basis).await?;
        status.inherit(&made.measures(), made.is_suspicious());
        let of_whole = whole.provenance.as_deref();
        let came_from = made.sources.iter().chain(of_whole.iter().flat_map(|whole| &whole.sources)).cloned().collect();
        let came_from_further = made.further + of_whole.map_or(0, |whole| whole.further);
        let of_whole = |(entry, bearing)| TimelineLine { entry, of: None, bearing, mark: None };
        lines.extend(whole.entries.into_iter().zip(whole.bearings).map(of_whole));
        lines.sort_by_key(|line| line.entry.place);
        Ok(Timeline { status, lines, came_from, came_from_further, portion: made.portion })
    }
}
