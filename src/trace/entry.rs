//! Entries: the compact form of a record in a ledger.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{EventHash, Instance, MeasureId, OrganizationId, RecordId, Role, Span};
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

/// Which part the subject plays in the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// The event is about it.
    Object,
    /// It is put into this parent, seen in it, or taken out of it.
    Child(Instance),
    /// Others are put into it, seen in it, or taken out of it.
    Parent {
        /// Whether the event names none of them: then it speaks of all that are inside (EPCIS 2.0, clause 7.4.3.2).
        all: bool,
    },
    /// It is consumed by a transformation.
    Input,
    /// It comes out of a transformation.
    Output,
    /// It, an organization, received the codes of the entry's span, or this unit or other EPC.
    Received(Option<Box<str>>),
    /// It belongs to a business transaction, something is attached to it or it to something, or it was seen among others.
    Joined,
}

/// A party of a hand-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PartyId {
    /// An organization that is registered here, by its own URI.
    Organization(OrganizationId),
    /// Somebody else: the first 8 bytes of the SHA-256 of the party's URI, which of a GS1 key is the canonical one.
    Other(u64),
}

impl PartyId {
    /// Of somebody else's canonical URI.
    pub fn of_uri(uri: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(uri.as_bytes()).into();
        let (first, _) = digest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        Self::Other(u64::from_be_bytes(*first))
    }
}

/// Who hands goods over and who takes them, as far as the event says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// Who possessed the goods before (CBV 2.0, source of type `possessing_party`, or else `owning_party`).
    pub from: Option<PartyId>,
    /// Who possesses them from then on (destination, likewise).
    pub to: Option<PartyId>,
    /// Who owns them from then on (destination of type `owning_party`).
    pub owner: Option<PartyId>,
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
    /// Which part the subject plays.
    pub part: Part,
    /// ADD, OBSERVE or DELETE; a transformation has none.
    pub action: Option<Action>,
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
    /// Who hands over to whom.
    pub hand_over: HandOver,
    /// From when to when its sensors observed temperatures, milliseconds since 1970-01-01 UTC.
    pub observed_ms: Option<(i64, i64)>,
}
