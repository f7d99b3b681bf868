//! Entries: the compact form of a record in a ledger.

use serde::{Deserialize, Serialize};

use super::{EventHash, MeasureId, OrganizationId, RecordId, Role, Span};
use crate::epcis::{Action, BizStep, Disposition};

/// Where an entry stands in a ledger: event time, then record, then its ordinal in that subject.
/// Two puts of the same place are the same entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Event time, milliseconds since 1970-01-01 UTC.
    pub event_time_ms: i64,
    /// The record that says so.
    pub record: RecordId,
    /// Which of the record's entries in this subject, from 0.
    pub ordinal: u32,
}

/// How much of the subject an entry speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// The whole batch or lot.
    All,
    /// A quantity somewhere in it: no code's state follows.
    Some,
    /// These codes.
    Span(Span),
}

/// One record's bearing on one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place and identity in the ledger.
    pub place: Place,
    /// The public event id; several records may share it.
    pub event: EventHash,
    /// Who said it.
    pub organization: OrganizationId,
    /// In which role.
    pub role: Role,
    /// When it was accepted, milliseconds since 1970-01-01 UTC.
    pub record_time_ms: i64,
    /// What it speaks of.
    pub scope: Scope,
    /// ADD, OBSERVE or DELETE.
    pub action: Action,
    /// CBV business step, where given.
    pub biz_step: Option<BizStep>,
    /// CBV disposition, where given.
    pub disposition: Option<Disposition>,
    /// Persistent dispositions set.
    pub set: Vec<Disposition>,
    /// Persistent dispositions unset.
    pub unset: Vec<Disposition>,
    /// The measure that it sets or lifts, where it names one.
    pub measure: Option<MeasureId>,
    /// Whether this record declares its event (`event`) in error.
    pub declares_error: bool,
}
