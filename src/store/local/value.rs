//! Values: a `MessagePack` array, and behind it eight bytes of hash that bind it to its key.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::key::Table;
use crate::{
    epcis::{Action, BizStep, Disposition},
    registration::Kind,
    store::{Capture, Error, Result},
    trace::{
        CaptureId, Entry, EventHash, HandOver, MeasureId, OrganizationId, Part, Place, Record, RecordId, Role, Scope,
    },
};

/// Bytes of the hash behind each value.
const HASH_BYTES: usize = 8;

/// XXH3-64 of the payload, seeded with XXH3-64 of the key: so a value under another key does not pass.
pub fn hash(key: &[u8], payload: &[u8]) -> u64 {
    xxh3_64_with_seed(payload, xxh3_64(key))
}

/// A payload with its hash.
pub fn seal(key: &[u8], mut payload: Vec<u8>) -> Vec<u8> {
    let hash = hash(key, &payload);
    payload.extend_from_slice(&hash.to_be_bytes());
    payload
}

/// The payload of a sealed value and its hash, if it is what was written under this key.
pub fn open<'v>(key: &[u8], sealed: &'v [u8]) -> Result<(&'v [u8], u64)> {
    let Some((payload, tail)) = sealed.split_last_chunk::<HASH_BYTES>() else {
        return Err(corrupt(key, format!("the value has {} bytes; its hash alone has {HASH_BYTES}", sealed.len())));
    };
    let (written, found) = (u64::from_be_bytes(*tail), hash(key, payload));
    if written != found {
        return Err(corrupt(key, format!("the value hashes to {found:016x}; {written:016x} was written with it")));
    }
    Ok((payload, written))
}

/// Encodes and seals.
pub fn encode<T: Serialize>(key: &[u8], row: &T) -> Result<Vec<u8>> {
    let payload = rmp_serde::to_vec(row).map_err(|error| corrupt(key, format!("cannot be encoded: {error}")))?;
    Ok(seal(key, payload))
}

/// Opens and decodes.
pub fn decode<T: DeserializeOwned>(key: &[u8], sealed: &[u8]) -> Result<T> {
    let (payload, _) = open(key, sealed)?;
    rmp_serde::from_slice(payload).map_err(|error| corrupt(key, format!("the value cannot be read: {error}")))
}

/// Evidence that something under `key` is not what was written.
pub fn corrupt(key: &[u8], found: String) -> Error {
    let table = Table::of(key).map_or("unknown", Table::name);
    let hex = key.get(1..).unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect();
    Error::Corrupt { table, key: hex, found }
}

/// A record without its id, which is its key.
#[derive(Serialize, Deserialize)]
pub struct RecordRow {
    event: EventHash,
    capture: CaptureId,
    organization: OrganizationId,
    role: Role,
    event_time_ms: i64,
    record_time_ms: i64,
    given_event_id: Option<String>,
    body: String,
}

impl From<&Record> for RecordRow {
    fn from(record: &Record) -> Self {
        Self {
            event: record.event,
            capture: record.capture,
            organization: record.organization,
            role: record.role,
            event_time_ms: record.event_time_ms,
            record_time_ms: record.record_time_ms,
            given_event_id: record.given_event_id.clone(),
            body: record.body.clone(),
        }
    }
}

impl RecordRow {
    pub fn record(self, id: RecordId) -> Record {
        Record {
            id,
            event: self.event,
            capture: self.capture,
            organization: self.organization,
            role: self.role,
            event_time_ms: self.event_time_ms,
            record_time_ms: self.record_time_ms,
            given_event_id: self.given_event_id,
            body: self.body,
        }
    }
}

/// An entry without its place, which is in its key.
#[derive(Serialize, Deserialize)]
pub struct EntryRow {
    event: EventHash,
    organization: OrganizationId,
    role: Role,
    record_time_ms: i64,
    scope: Scope,
    part: Part,
    action: Option<Action>,
    biz_step: Option<BizStep>,
    disposition: Option<Disposition>,
    set: Vec<Disposition>,
    unset: Vec<Disposition>,
    measure: Option<MeasureId>,
    declares_error: bool,
    hand_over: HandOver,
    observed_ms: Option<(i64, i64)>,
}

impl From<&Entry> for EntryRow {
    fn from(entry: &Entry) -> Self {
        Self {
            event: entry.event,
            organization: entry.organization,
            role: entry.role,
            record_time_ms: entry.record_time_ms,
            scope: entry.scope,
            part: entry.part.clone(),
            action: entry.action,
            biz_step: entry.biz_step.clone(),
            disposition: entry.disposition.clone(),
            set: entry.set.clone(),
            unset: entry.unset.clone(),
            measure: entry.measure,
            declares_error: entry.declares_error,
            hand_over: entry.hand_over,
            observed_ms: entry.observed_ms,
        }
    }
}

impl EntryRow {
    pub fn entry(self, place: Place) -> Entry {
        Entry {
            place,
            event: self.event,
            organization: self.organization,
            role: self.role,
            record_time_ms: self.record_time_ms,
            scope: self.scope,
            part: self.part,
            action: self.action,
            biz_step: self.biz_step,
            disposition: self.disposition,
            set: self.set,
            unset: self.unset,
            measure: self.measure,
            declares_error: self.declares_error,
            hand_over: self.hand_over,
            observed_ms: self.observed_ms,
        }
    }
}

/// A capture without its id.
#[derive(Serialize, Deserialize)]
pub struct CaptureRow {
    organization: OrganizationId,
    role: Role,
    created_ms: i64,
    records: u32,
    chunks: u32,
    statements: Vec<(Kind, u64, u32)>,
    finished_ms: Option<i64>,
}

impl From<&Capture> for CaptureRow {
    fn from(capture: &Capture) -> Self {
        Self {
            organization: capture.organization,
            role: capture.role,
            created_ms: capture.created_ms,
            records: capture.records,
            chunks: capture.chunks,
            statements: capture.statements.clone(),
            finished_ms: capture.finished_ms,
        }
    }
}

impl CaptureRow {
    pub fn capture(self, id: CaptureId) -> Capture {
        Capture {
            id,
            organization: self.organization,
            role: self.role,
            created_ms: self.created_ms,
            records: self.records,
            chunks: self.chunks,
            statements: self.statements,
            finished_ms: self.finished_ms,
        }
    }
}

/// A row of the feed without its position: the digest of the row before, and the captures.
pub type FeedRowValue = (Digest32, Vec<(CaptureId, u32)>);

/// Staged records.
pub type StagedRow = Vec<Record>;
/// When the last of a chunk's staged records was accepted, milliseconds since 1970-01-01 UTC.
pub type StagedHead = i64;

/// 32 bytes as one `MessagePack` binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest32(#[serde(with = "crate::trace::bytes32")] pub [u8; 32]);
