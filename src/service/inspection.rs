//! Inspections and samples: what somebody found who looked at goods.

use super::{
    Caller, Service,
    capture::{CaptureError, Captured},
    measure::{MeasureError, NamedTargets},
};
use crate::{
    epcis::{
        Class, ClassQuantity,
        shapes::{self, BatchSpan, Inspection, InspectionKind, InspectionResult, NamedGoods, Sample},
    },
    trace::DocumentId,
};

/// An inspection to be recorded.
#[derive(Clone, Debug)]
pub struct InspectionOrder {
    /// The goods: a batch, or spans and units.
    pub targets: NamedTargets,
    /// What was done.
    pub kind: InspectionKind,
    /// What was found.
    pub result: InspectionResult,
    /// The sample.
    pub sample: Option<Sample>,
    /// The report, which the caller may read.
    pub document: Option<DocumentId>,
    /// What else there is to say.
    pub note: Option<String>,
    /// When, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// Why an inspection was not recorded. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InspectionError {
    /// The goods are not there, or not the caller's.
    #[error(transparent)]
    Targets(#[from] MeasureError),
    /// The event was refused.
    #[error(transparent)]
    Capture(#[from] CaptureError),
}

impl Service {
    /// Records an inspection: an inspector's of any goods, an importer's of its own.
    ///
    /// # Errors
    /// Where the caller may not, what it names is not there, or the store fails.
    pub async fn inspect(&self, caller: &Caller, order: InspectionOrder) -> Result<Captured, InspectionError> {
        let targets = self.targets(caller, &order.targets).await?;
        let mut spans = Vec::with_capacity(targets.spans.len());
        for (batch, span) in &targets.spans {
            let [first, last] = self.ends(span)?;
            spans.push(BatchSpan { batch: *batch, first, last });
        }
        let class = |batch| ClassQuantity { class: Class::Batch(batch), quantity: None, uom: None };
        let classes = targets.batch.into_iter().map(class).collect();
        let goods = NamedGoods { spans, epcs: targets.units, classes };
        let InspectionOrder { kind, result, sample, document, note, at_ms, .. } = order;
        let inspection = Inspection { kind, result, goods, sample, document, note };
        let event = shapes::inspection(&self.occasion(at_ms), &inspection, &self.hosts);
        let event = event.map_err(CaptureError::Document)?;
        Ok(self.capture_canonical(caller, &event.body).await?)
    }
}
