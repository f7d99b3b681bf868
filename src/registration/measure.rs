//! Holds and recalls: what each is about, why, and what the public is told.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    code::{Gtin, Lot},
    epcis::shapes::MeasureKind,
    trace::{BatchId, MeasureId, OrganizationId, RecordId, Role, Span},
};

/// A numbered hold or recall. Its events say the same; a code's history is told by those alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Its number, from 1.
    pub id: MeasureId,
    /// What it does.
    pub kind: MeasureKind,
    /// Who made it.
    pub organization: OrganizationId,
    /// In which role: an inspector's is lifted by an inspector alone.
    pub role: Role,
    /// What it is about.
    pub targets: Targets,
    /// Why; for its author and inspectors, at most `MEASURE_TEXT_CHARS_MAX` characters.
    pub reason: Option<String>,
    /// What the public is told, at most as long.
    pub notice: Option<String>,
    /// What a holder of the goods should do, at most as long.
    pub advice: Option<String>,
    /// When it was made, milliseconds since 1970-01-01 UTC.
    pub made_ms: i64,
    /// The records of its events, one or two.
    pub records: Vec<RecordId>,
    /// Its lift; `None` while it stands.
    pub lifted: Option<Lift>,
}

/// What a measure is about; something of it is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// A whole batch.
    pub batch: Option<BatchId>,
    /// A whole lot.
    pub lot: Option<(Gtin, Lot)>,
    /// Codes, each once, with their batches; at most `MEASURE_SPANS_MAX` spans.
    pub spans: Vec<(BatchId, Span)>,
    /// Units by their canonical URIs, each once; at most `MEASURE_UNITS_MAX`.
    pub units: Vec<String>,
}

/// The end of a measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    /// Who lifted it.
    pub organization: OrganizationId,
    /// In which role.
    pub role: Role,
    /// When, milliseconds since 1970-01-01 UTC.
    pub lifted_ms: i64,
    /// Why, at most `MEASURE_TEXT_CHARS_MAX` characters.
    pub reason: Option<String>,
    /// The records of its events.
    pub records: Vec<RecordId>,
}

impl Measure {
    /// Whether it may be lifted by an organization in a role.
    pub fn may_be_lifted_by(&self, organization: OrganizationId, role: Role) -> bool {
        match role {
            Role::Inspector => true,
            Role::Importer => self.role != Role::Inspector && self.organization == organization,
            Role::Operator | Role::Admin => false,
        }
    }
}

impl Targets {
    /// The batches that it names, or names codes of.
    pub fn batches(&self) -> BTreeSet<BatchId> {
        self.batch.into_iter().chain(self.spans.iter().map(|(batch, _)| *batch)).collect()
    }
}
