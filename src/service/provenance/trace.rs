//! A batch traced forward and back, transformation by transformation.

use std::collections::{BTreeSet, HashSet};

use super::Source;
use crate::{
    epcis::{BizStep, Class, Event, output_facts},
    limits::{TRACE_LINES_MAX, TRACED_BATCHES_MAX, TRANSFORMATION_LEVELS_MAX},
    registration::Run,
    service::{Basis, Service, provenance::Portion, whereabouts::Whereabouts},
    store,
    trace::{BatchId, EventHash, Listed, OrganizationId, Record, RecordId, What, listed},
};

/// Where goods of a batch came from and what they went into.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What the batch was made of, nearest first.
    pub came_from: Vec<Source>,
    /// How many inputs more were not looked into.
    pub came_from_further: usize,
    /// What was made of it, nearest first, at most `TRACE_LINES_MAX`.
    pub went_into: Vec<WentInto>,
    /// How many lines and batches more there are at least.
    pub went_into_further: usize,
}

/// Goods that a batch, or what was made of it, went into.
#[derive(Clone, Debug)]
pub struct WentInto {
    /// How many transformations lie between, from 1.
    pub level: usize,
    /// The batch whose goods were consumed.
    pub from: BatchId,
    /// The public id of the transformation.
    pub event: EventHash,
    /// When, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Who said it.
    pub organization: OrganizationId,
    /// The business step.
    pub biz_step: Option<BizStep>,
    /// Whether it took effect.
    pub confirmed: bool,
    /// What came of it.
    pub output: Listed,
    /// The run of codes.
    pub run: Option<Run>,
    /// What the transformation says of all its outputs.
    pub portion: Portion,
}

impl Service {
    /// What a batch was made of and what was made of it. `found` are its whereabouts.
    pub async fn trace_batch(&self, found: &Whereabouts) -> store::Result<Trace> {
        let mut basis = Basis::default();
        let made: Vec<_> = found.made.iter().copied().collect();
        let back = self.provenance(found.batch, &made, &mut basis).await?;
        let mut trace = Trace { came_from: back.sources, came_from_further: back.further, ..Trace::default() };
        let (mut seen, mut told) = (HashSet::from([found.batch]), HashSet::new());
        let mut next = self.forward(1, found, &mut told, &mut trace).await?;
        for level in 2..=TRANSFORMATION_LEVELS_MAX {
            for batch in std::mem::take(&mut next) {
                if !seen.insert(batch) {
                    continue;
                }
                if seen.len() > TRACED_BATCHES_MAX {
                    trace.went_into_further += 1;
                    continue;
                }
                let Some(found) = self.whereabouts(batch).await? else { continue };
                next.extend(self.forward(level, &found, &mut told, &mut trace).await?);
            }
        }
        Ok(trace)
    }

    /// What came out of a transformation, with those that are one with it.
    pub(in crate::service) async fn outputs_of(&self, record: &Record, event: &Event) -> store::Result<Vec<Listed>> {
        let joined = self.joined(record, event, &mut Basis::default()).await?;
        let of_joined = joined.iter().flat_map(|(_, event)| listed(&event.outputs));
        Ok(listed(&event.outputs).chain(of_joined).collect())
    }

    /// Adds what the goods of one batch went into; returns the batches that came of it.
    async fn forward(
        &self,
        level: usize,
        found: &Whereabouts,
        told: &mut HashSet<RecordId>,
        trace: &mut Trace,
    ) -> store::Result<BTreeSet<BatchId>> {
        let mut next = BTreeSet::new();
        for (id, confirmed) in &found.consumed {
            if !told.insert(*id) {
                continue;
            }
            if trace.went_into.len() >= TRACE_LINES_MAX {
                trace.went_into_further += 1;
                continue;
            }
            let Some(record) = self.store.record(*id).await? else { continue };
            let event = self.event_of(&record)?;
            let portion = Portion::of(output_facts(&record.body));
            for output in self.outputs_of(&record, &event).await? {
                let run = match &output.what {
                    What::Span(span) => self.run(span.run()).await?,
                    _ => None,
                };
                next.extend(run.as_ref().map(|run| run.batch));
                if let What::Class(Class::Batch(batch)) = &output.what {
                    next.insert(*batch);
                }
                trace.went_into.push(WentInto {
                    level,
                    from: found.batch,
                    event: record.event,
                    at_ms: record.event_time_ms,
                    organization: record.organization,
                    biz_step: event.biz_step.clone(),
                    confirmed: *confirmed,
                    output,
                    run,
                    portion: portion.clone(),
                });
            }
        }
        Ok(next)
    }
}
