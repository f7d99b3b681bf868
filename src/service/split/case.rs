//! The package that is split: who has it, what holds of it, and what is left in it.

use jiff::civil::Date;

use super::{Result, SplitError, SplitOrder};
use crate::{
    code::{Code, Verification},
    epcis::{BizStep, output_facts},
    registration::{Amounts, Level, Quantity, Run, content_of_level},
    service::{
        Basis, Caller, Service,
        provenance::Portion,
        timeline::{Timeline, TimelineLine},
    },
    store,
    trace::{Bearing, Part, State},
};

/// A package that may be split.
pub(super) struct Case {
    /// What it held.
    pub(super) content: Quantity,
    /// What was split off before.
    pub(super) out: Vec<Quantity>,
    /// Its last day.
    pub(super) expiry: Option<Date>,
    /// What an item of the product holds.
    pub(super) item_content: Option<Quantity>,
    /// The event time of the latest report on who has it, milliseconds since 1970-01-01 UTC.
    pub(super) held_ms: i64,
}

impl Case {
    /// Whether there is room for the portions beside what was split off before.
    pub(super) fn check_weight(&self, order: &SplitOrder, weight: &Quantity) -> Result<()> {
        let before = self.out.iter().map(|out| (out, 1));
        let room = self.content.room_for(weight, before, 0);
        let incomparable = || SplitError::Incomparable { weight: weight.clone(), content: self.content.clone() };
        let room = room.ok_or_else(incomparable)?;
        if u64::from(order.portions) <= room {
            return Ok(());
        }
        let mut out = Amounts::default();
        self.out.iter().for_each(|before| out.add(before, 1));
        let out = out.quantities().iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        Err(SplitError::Weight {
            parent: order.parent,
            portions: order.portions,
            weight: weight.clone(),
            room,
            content: self.content.clone(),
            out: if out.is_empty() { "none".to_owned() } else { out },
        })
    }
}

impl Service {
    /// The run of a package's code, which proves itself and was issued.
    pub(super) async fn parent_run(&self, parent: &Code) -> Result<Run> {
        let unknown = || SplitError::NotIssued(*parent);
        if !matches!(self.keys.verify(parent), Verification::Valid | Verification::Retired) {
            return Err(unknown());
        }
        let run = self.run(parent.run).await?.filter(|run| parent.serial.get() < run.count);
        run.ok_or_else(unknown)
    }

    /// The package, if the caller has it and it may be opened now.
    pub(super) async fn case(&self, caller: &Caller, parent: &Code, run: &Run) -> Result<Case> {
        let timeline = self.timeline(parent, run).await?;
        let status = &timeline.status;
        if status.holder != caller.organization {
            return Err(SplitError::NotHeld(*parent));
        }
        let gone = matches!(status.state, State::InTransit | State::Sold);
        if gone || !status.activated || status.voided || status.destroyed {
            return Err(SplitError::State { parent: *parent, state: status.state });
        }
        if !status.measures.is_empty() {
            return Err(SplitError::Measured(*parent));
        }
        let facts = self.batch_facts(run.batch, &mut Basis::default()).await?;
        let effective = facts.as_ref().map(|facts| facts.effective());
        let packed = |level| effective.as_ref().and_then(|batch| content_of_level(batch, level).cloned());
        let portion = timeline.portion.content.clone();
        let own = portion.or_else(|| run.content.clone()).or_else(|| packed(run.level).filter(|_| !run.split));
        let content = own.ok_or(SplitError::NoContent(*parent))?;
        let of_batch = facts.as_ref().and_then(|facts| facts.batch.expiry).map(|days| days.last);
        let expiry = timeline.portion.expiry.into_iter().chain(of_batch).min();
        Ok(Case {
            out: self.split_off(&timeline, &content).await?,
            expiry,
            item_content: packed(Level::Item),
            held_ms: timeline.lines.iter().filter(|line| tells_holder(line)).map(line_ms).max().unwrap_or(i64::MIN),
            content,
        })
    }

    /// What went out of a package before. A transformation that does not say how much has taken all of it.
    async fn split_off(&self, timeline: &Timeline, content: &Quantity) -> store::Result<Vec<Quantity>> {
        let mut out = Vec::new();
        let consumed = |line: &&TimelineLine| {
            line.of.is_none() && line.entry.part == Part::Input && line.bearing == Bearing::Effective
        };
        for line in timeline.lines.iter().filter(consumed) {
            let record = self.store.record(line.entry.place.record).await?;
            let facts = record.map(|record| Portion::of(output_facts(&record.body))).unwrap_or_default();
            out.push(facts.net_weight.unwrap_or_else(|| content.clone()));
        }
        Ok(out)
    }
}

/// Whether a line decides who has the goods, or puts the label on them.
fn tells_holder(line: &TimelineLine) -> bool {
    let begins = line.entry.part == Part::Output || matches!(line.entry.biz_step, Some(BizStep::Commissioning));
    line.mark.is_some() || (begins && line.bearing == Bearing::Effective)
}

fn line_ms(line: &TimelineLine) -> i64 {
    line.entry.place.event_time_ms
}
