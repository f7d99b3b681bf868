//! A code's timeline: every entry that bears on it, in event-time order.

use super::{Basis, Service};
use crate::{
    code::Code,
    registration::Run,
    store,
    trace::{Bearing, Entry, Instance, Mark, Owners, Status, WholeStatus},
};

/// Everything that is said of one code.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What follows from it.
    pub status: Status,
    /// In ascending order of event time.
    pub lines: Vec<TimelineLine>,
}

/// One entry of a timeline.
#[derive(Clone, Debug)]
pub struct TimelineLine {
    /// What was said.
    pub entry: Entry,
    /// The unit that it was said of; `None` where it names the code, its batch or its lot.
    pub of: Option<Instance>,
    /// What it counts for.
    pub bearing: Bearing,
    /// What it is marked with where it speaks of custody.
    pub mark: Option<Mark>,
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
        let own = self.instance_entries(&Instance::Code { run: run.id, serial: code.serial }, i64::MIN).await?;
        let gathered = self.gather(&own.iter().collect::<Vec<_>>(), &whole_status, owners, &mut basis).await?;
        let (status, told) = (gathered.status, gathered.told);
        let bears = |(((entry, of), bearing), mark): (((Entry, Option<Instance>), &Option<Bearing>), &Option<Mark>)| {
            Some(TimelineLine { entry, of, bearing: (*bearing)?, mark: *mark })
        };
        let mut lines: Vec<_> = told.into_iter().zip(&status.bearings).zip(&status.marks).filter_map(bears).collect();
        lines.extend(whole.into_iter().zip(whole_bearings).map(|(entry, bearing)| TimelineLine {
            entry,
            of: None,
            bearing,
            mark: None,
        }));
        lines.sort_by_key(|line| line.entry.place);
        Ok(Timeline { status, lines })
    }
}
