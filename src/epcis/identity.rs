//! Identities of records and captures.

use sha2::{Digest, Sha256};

use crate::trace::{CaptureId, OrganizationId, RecordId};

/// The id of one organization's statement of one event:
/// `SHA-256("coldproof/record/1" || u64be organization || J)`, J being the event's canonical JSON.
pub fn record_id(organization: OrganizationId, j: &str) -> RecordId {
    let hash = Sha256::new().chain_update(b"coldproof/record/1").chain_update(organization.0.to_be_bytes());
    RecordId(hash.chain_update(j).finalize().into())
}

/// The id of one accepted document: `SHA-256("coldproof/capture/1" || u64be organization || ordered record ids)`.
/// So a repeated capture is the same one.
pub fn capture_id(organization: OrganizationId, records: impl IntoIterator<Item = RecordId>) -> CaptureId {
    let mut hash = Sha256::new().chain_update(b"coldproof/capture/1").chain_update(organization.0.to_be_bytes());
    records.into_iter().for_each(|record| hash.update(record.0));
    CaptureId(hash.finalize().into())
}
