//! A record: one organization's statement of one event.

use serde::{Deserialize, Serialize};

use super::{CaptureId, EventHash, OrganizationId, RecordId, Role};

/// One organization's statement of one event, or of an error declaration on it: what is stored,
/// ordered and logged. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// `SHA-256("coldproof/record/1" || u64be organization || body)`.
    pub id: RecordId,
    /// The public event id.
    pub event: EventHash,
    /// The document that it first came in.
    pub capture: CaptureId,
    /// Who said it.
    pub organization: OrganizationId,
    /// In which role.
    pub role: Role,
    /// Event time, milliseconds since 1970-01-01 UTC.
    pub event_time_ms: i64,
    /// When it was accepted, milliseconds since 1970-01-01 UTC.
    pub record_time_ms: i64,
    /// The `eventID` that the capturer gave, where it is another than `event`'s URI.
    pub given_event_id: Option<String>,
    /// J: the RFC 8785 form of the event with own codes made canonical EPCs.
    pub body: String,
}
