//! What a document takes beside its records: of the rate at which others' ledgers may grow, and of the room that a batch
//! has for labels. It is gathered while the events are accepted and taken when all of them are: a document that is refused
//! takes nothing.

use std::collections::BTreeMap;

use super::CaptureError;
use crate::{
    limits::CAPTURE_LABEL_BATCHES_MAX,
    registration::Run,
    service::{
        Basis, Service,
        growth::Tally,
        issue::{Order, OrderError},
        turn::Turn,
    },
    trace::BatchId,
};

/// What a document will take.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) growth: Tally,
    /// Labels that were void and are not any more, by batch, with the event that says so last.
    labels: BTreeMap<BatchId, (usize, Vec<Order>)>,
}

impl Effects {
    /// Voiding labels frees their quantity for new ones. Declaring that in error takes it again: it is an order of so many
    /// codes.
    pub(super) fn take_back(&mut self, event: usize, run: &Run, codes: u32) -> Result<(), CaptureError> {
        if self.labels.len() == CAPTURE_LABEL_BATCHES_MAX && !self.labels.contains_key(&run.batch) {
            let detail =
                format!("labels of more than {CAPTURE_LABEL_BATCHES_MAX} batches are taken back in one document");
            return Err(CaptureError::Forbidden { event, detail });
        }
        let (last, orders) = self.labels.entry(run.batch).or_default();
        *last = event;
        match orders.iter_mut().find(|order| order.level == run.level && order.content == run.content) {
            Some(order) => order.count = order.count.saturating_add(codes),
            None => orders.push(Order {
                count: codes,
                level: run.level,
                content: run.content.clone(),
                activate: run.activate,
            }),
        }
        Ok(())
    }
}

impl Service {
    /// Takes all of it or nothing. No order of codes of the same batches comes before the turn is ended, which is to be when
    /// the document is committed.
    pub(super) async fn take(&self, effects: &Effects, now_ms: i64) -> Result<Turn<'_>, CaptureError> {
        let turn = self.turn(&self.issuing, effects.labels.keys()).await?;
        match self.take_in_turn(effects, now_ms).await {
            Ok(()) => Ok(turn),
            Err(error) => turn.end(Err(error)).await,
        }
    }

    async fn take_in_turn(&self, effects: &Effects, now_ms: i64) -> Result<(), CaptureError> {
        self.growth
            .spend(&effects.growth, now_ms)
            .map_err(|(event, retry_after_s)| CaptureError::TooMany { event, retry_after_s })?;
        let mut taken = Vec::new();
        for (batch, (event, orders)) in &effects.labels {
            match self.take_labels(*batch, *event, orders).await {
                Ok(()) => taken.push((*batch, orders)),
                Err(error) => {
                    self.growth.give_back(&effects.growth);
                    for (batch, orders) in taken {
                        self.give_back(batch, orders).await?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Refused where the batch has no room for the labels any more.
    async fn take_labels(&self, batch: BatchId, event: usize, orders: &[Order]) -> Result<(), CaptureError> {
        let Some(facts) = self.batch_facts(batch, &mut Basis::default()).await? else { return Ok(()) };
        match self.reserve(&facts, orders).await {
            Ok(()) => Ok(()),
            Err(OrderError::Store(error)) => Err(error.into()),
            Err(error) => {
                let detail = format!("the labels were replaced by others in the meantime: {error}");
                Err(CaptureError::Forbidden { event, detail })
            }
        }
    }
}
