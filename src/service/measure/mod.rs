//! Measures: holds and recalls by number, made, lifted, looked ahead at and shown.
//!
//! A measure is a statement and the events that say it, in one capture. What a code's scan says follows from the events
//! alone; the statement holds who may lift it, and the words that the public is told.

mod reach;
mod table;
mod target;

use super::{Caller, Counter, Service};
use crate::{
    code::{Code, Gtin, Lot, RunId, Serial},
    epcis::{
        DocumentError, Event, record_id,
        shapes::{self, BatchSpan, MeasureKind},
    },
    limits::{MEASURES_OF_IMPORTER_MAX, PAGE_ITEMS_MAX},
    registration::{Content, FieldError, Kind, Lift, Measure, Parent, Statement},
    store,
    trace::{BatchId, MeasureId, Role, Span},
};

pub(super) use self::table::TableChange;
pub use self::{
    reach::{Reach, ReachedBatch},
    table::{MeasureTable, StandingMeasure, Words},
};

/// A measure to be made, or looked ahead at.
#[derive(Clone, Debug)]
pub struct MeasureOrder {
    /// What it is to do.
    pub kind: MeasureKind,
    /// What it is to be about.
    pub targets: NamedTargets,
    /// Why.
    pub reason: Option<String>,
    /// What the public is told.
    pub notice: Option<String>,
    /// What a holder should do.
    pub advice: Option<String>,
}

/// Goods as a caller names them.
#[derive(Clone, Debug, Default)]
pub struct NamedTargets {
    /// A whole batch.
    pub batch: Option<BatchId>,
    /// A whole lot.
    pub lot: Option<(Gtin, Lot)>,
    /// Codes from the first to the last, not proved yet; at most `MEASURE_SPANS_MAX`.
    pub spans: Vec<(Code, Code)>,
    /// Units by their canonical URIs; at most `MEASURE_UNITS_MAX`.
    pub units: Vec<String>,
}

/// Why a measure was not made or lifted. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// No such measure.
    #[error("there is no measure {0}")]
    NotFound(MeasureId),
    /// Fields are not what they must be.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<FieldError>),
    /// The caller may not make or lift it.
    #[error("{detail}")]
    Forbidden {
        /// The field that names others' goods, where one does.
        field: Option<String>,
        /// Whose it is and who may.
        detail: String,
    },
    /// It was lifted before.
    #[error("measure {measure} was lifted before")]
    Lifted {
        /// Its number.
        measure: MeasureId,
        /// When it was lifted, milliseconds since 1970-01-01 UTC.
        lifted_ms: i64,
    },
    /// The importer has as many as it may.
    #[error(
        "{MEASURES_OF_IMPORTER_MAX} measures of this organization stand already; lift some, or name more goods in one"
    )]
    Full,
    /// Another request lifted it at the same time.
    #[error("measure {0} was changed by another request at the same time; repeat this one")]
    Changed(MeasureId),
    /// The codes of a run cannot be written, because its key is gone.
    #[error("the key ring has no key for codes of run {0}")]
    KeyAbsent(RunId),
    /// The event could not be made.
    #[error(transparent)]
    Event(#[from] DocumentError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Result of a measure.
pub type Result<T> = std::result::Result<T, MeasureError>;

impl Service {
    /// Makes a measure: it holds from the answer on.
    ///
    /// # Errors
    /// Where the caller may not, what it names is not there, or the store fails.
    pub async fn make_measure(&self, caller: &Caller, order: MeasureOrder) -> Result<MeasureId> {
        let targets = self.targets(caller, &order.targets).await?;
        let full = self.measures.standing_of(caller.organization) >= MEASURES_OF_IMPORTER_MAX;
        if full && caller.role != Role::Inspector {
            return Err(MeasureError::Full);
        }
        let id = MeasureId(self.next_number(Counter::Measures).await?);
        let now_ms = self.now_ms();
        let (organization, role) = (caller.organization, caller.role);
        let MeasureOrder { kind, reason, notice, advice, .. } = order;
        let (made_ms, records, lifted) = (now_ms, Vec::new(), None);
        let mut measure =
            Measure { id, kind, organization, role, targets, reason, notice, advice, made_ms, records, lifted };
        let events = shapes::measure(&self.occasion(now_ms), &self.measure_shape(&measure)?, &self.hosts)?;
        measure.records = records_of(caller, &events);
        let statement = Statement {
            kind: Kind::Measure,
            id: id.0,
            version: 1,
            parents: vec![Parent::All, Parent::Organization(organization.0)],
            content: Content::Measure(measure),
            author: organization,
            written_ms: now_ms,
        };
        self.commit_events(caller, &events, vec![statement], now_ms).await?;
        Ok(id)
    }

    /// Lifts a measure, for `reason`.
    ///
    /// # Errors
    /// Where there is none, it was lifted, or the caller may not.
    pub async fn lift_measure(&self, caller: &Caller, id: MeasureId, reason: Option<String>) -> Result<()> {
        self.in_turn(&self.changing, [measure_turn(id)], self.lift_in_turn(caller, id, reason)).await
    }

    async fn lift_in_turn(&self, caller: &Caller, id: MeasureId, reason: Option<String>) -> Result<()> {
        let (before, mut measure) = self.measure_statement(id).await?.ok_or(MeasureError::NotFound(id))?;
        if !measure.may_be_lifted_by(caller.organization, caller.role) {
            let made_by = format!("{:?} of organization {}", measure.role, measure.organization);
            let who = if measure.role == Role::Inspector { "an inspector alone" } else { "it or an inspector" };
            let detail = format!("measure {id} was made as {made_by}, and is lifted by {who}");
            return Err(MeasureError::Forbidden { field: None, detail });
        }
        if let Some(Lift { lifted_ms, .. }) = measure.lifted {
            return Err(MeasureError::Lifted { measure: id, lifted_ms });
        }
        let now_ms = self.now_ms();
        let (organization, role, records) = (caller.organization, caller.role, Vec::new());
        let mut lift = Lift { organization, role, lifted_ms: now_ms, reason, records };
        let shape = self.lift_shape(&measure, &lift)?;
        let events = shapes::lift(&self.occasion(now_ms), &shape, &self.hosts)?;
        lift.records = records_of(caller, &events);
        measure.lifted = Some(lift);
        let statement = Statement {
            version: before.version + 1,
            content: Content::Measure(measure),
            author: caller.organization,
            written_ms: now_ms,
            ..before
        };
        self.commit_events(caller, &events, vec![statement.clone()], now_ms).await?;
        let written = self.store.versions(Kind::Measure, id.0, statement.version, 1).await?;
        if written.first() == Some(&statement) { Ok(()) } else { Err(MeasureError::Changed(id)) }
    }

    /// A measure by its number.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn measure(&self, id: MeasureId) -> store::Result<Option<Measure>> {
        Ok(self.measure_statement(id).await?.map(|(_, measure)| measure))
    }

    /// Numbers of the measures above `after`, ascending, at most `limit` and `PAGE_ITEMS_MAX`.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn measure_numbers(&self, after: Option<u64>, limit: usize) -> store::Result<Vec<MeasureId>> {
        let numbers = self.store.children(&Parent::All, Kind::Measure, after, limit.min(PAGE_ITEMS_MAX)).await?;
        Ok(numbers.into_iter().map(MeasureId).collect())
    }

    async fn measure_statement(&self, id: MeasureId) -> store::Result<Option<(Statement, Measure)>> {
        Ok(match self.statement(Kind::Measure, id.0).await? {
            Some(statement) => match statement.content.clone() {
                Content::Measure(measure) => Some((statement, measure)),
                _ => None,
            },
            None => None,
        })
    }

    /// What the events of a measure say.
    ///
    /// # Errors
    /// [`MeasureError::KeyAbsent`] where codes of a run cannot be written any more.
    pub(super) fn measure_shape(&self, measure: &Measure) -> Result<shapes::Measure> {
        let targets = &measure.targets;
        let span = |(batch, span): &(BatchId, Span)| {
            let [first, last] = self.ends(span)?;
            Ok(BatchSpan { batch: *batch, first, last })
        };
        Ok(shapes::Measure {
            id: measure.id,
            kind: measure.kind,
            batches: targets.batch.into_iter().collect(),
            lots: targets.lot.clone().into_iter().collect(),
            spans: targets.spans.iter().map(span).collect::<Result<_>>()?,
            units: targets.units.clone(),
            reason: measure.reason.clone(),
            notice: measure.notice.clone(),
            advice: measure.advice.clone(),
        })
    }

    /// What the events of its lift say: the same goods, and why.
    ///
    /// # Errors
    /// As [`Service::measure_shape`].
    pub(super) fn lift_shape(&self, measure: &Measure, lift: &Lift) -> Result<shapes::Measure> {
        let shape = self.measure_shape(measure)?;
        Ok(shapes::Measure { reason: lift.reason.clone(), notice: None, advice: None, ..shape })
    }

    /// The first and the last code of a span.
    ///
    /// # Errors
    /// [`MeasureError::KeyAbsent`] where the key ring cannot make them.
    pub fn ends(&self, span: &Span) -> Result<[Code; 2]> {
        let key = self.keys.run_key(span.run()).ok_or(MeasureError::KeyAbsent(span.run()))?;
        Ok([span.first(), span.last()].map(|serial: Serial| key.code(serial)))
    }
}

/// The turn at a measure.
pub(super) fn measure_turn(id: MeasureId) -> String {
    format!("measure/{id}")
}

fn records_of(caller: &Caller, events: &[Event]) -> Vec<crate::trace::RecordId> {
    events.iter().map(|event| record_id(caller.organization, &event.body)).collect()
}
