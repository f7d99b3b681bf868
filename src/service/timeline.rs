//! A code's timeline: every entry that bears on it, in event-time order.

pub use super::gather::TimelineLine;
use super::{
    Basis, Service,
    gather::{Gathered, Units},
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
    /// What follows from it.
    pub status: Status,
    /// In ascending order of event time.
    pub lines: Vec<TimelineLine>,
}

impl Service {
    /// The timeline of an issued code. `some` reports on its batch or lot stand in it and count for nothing.
    pub async fn timeline(&self, code: &Code, run: &Run) -> store::Result<Timeline> {
        let mut basis = Basis::default();
        let (importer, whole) = match self.batch_facts(run.batch, &mut basis).await? {
            Some(facts) => (facts.batch.organization, self.whole_entries(run.batch, &facts.lots, &mut basis).await?),
            None => (run.organization, Vec::new()),
        };
        let owners = Owners { issuer: run.organization, importer };
        let (whole_status, whole_bearings) = WholeStatus::of(&whole, owners);
        let own = self.instance_entries(&Instance::Code { run: run.id, serial: code.serial }, i64::MIN).await?;
        let own: Vec<_> = own.iter().collect();
        let Gathered { mut lines, status } =
            self.gather(&own, &whole_status, owners, &mut Units::default(), &mut basis).await?;
        let of_whole = |(entry, bearing)| TimelineLine { entry, of: None, bearing, mark: None };
        lines.extend(whole.into_iter().zip(whole_bearings).map(of_whole));
        lines.sort_by_key(|line| line.entry.place);
        Ok(Timeline { status, lines })
    }
}
