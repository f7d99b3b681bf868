//! Identities of records and captures.

use sha2::{Digest, Sha256};

use crate::trace::{CaptureId, OrganizationId, RecordId};

/// The id of one organization's statement of one event:
/// `SHA-256("coldproof/record/1" || u64be organization || J)`, J being the event's canonical JSON.
pub fn record_id(organization: OrganizationId, j: &str) -> RecordId {
    let hash = Sha256::new().chain_update(b"coldproof/record/1").chain_update(organization.0.to_be_bytes());
    RecordId(hash.chain_update(j).finalize().into())
}

/// The id of one accepted document, in the making:
/// `SHA-256("coldproof/capture/1" || u64be organization || record ids in the document's order, repeats included)`.
/// So a repeated capture is the same one.
#[derive(Clone, Debug)]
pub struct CaptureDigest(Sha256);

impl CaptureDigest {
    /// Of a document without records as yet.
    pub fn new(organization: OrganizationId) -> Self {
        Self(Sha256::new().chain_update(b"coldproof/capture/1").chain_update(organization.0.to_be_bytes()))
    }

    /// Takes the next record.
    pub fn add(&mut self, record: RecordId) {
        self.0.update(record.0);
    }

    /// The id.
    pub fn id(self) -> CaptureId {
        CaptureId(self.0.finalize().into())
    }
}

/// The id of a document whose records are at hand: see [`CaptureDigest`].
pub fn capture_id(organization: OrganizationId, records: impl IntoIterator<Item = RecordId>) -> CaptureId {
    let mut digest = CaptureDigest::new(organization);
    records.into_iter().for_each(|record| digest.add(record));
    digest.id()
}
