//! What is staged, in pieces; the lists of applied chunks.

use scylla::{DeserializeRow, value::CqlTimestamp};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    Cluster,
    words::{corrupt, digest},
};
use crate::{
    limits::CQL_PIECE_BYTES,
    registration::Statement,
    store::{Result, Writes},
    trace::{CaptureId, Entry, Record, RecordId, Subject},
};

/// The number under which the writes stand that came with a commit.
pub const WRITES: i32 = -1;

const TABLE: &str = "staged";

/// Writes as they are staged.
type StagedWrites = (Vec<Record>, Vec<(Subject, Entry)>, Vec<Statement>);

#[derive(DeserializeRow)]
struct Piece {
    pieces: Option<i32>,
    sha256: Option<Vec<u8>>,
    piece: Option<i32>,
    data: Option<Vec<u8>>,
}

/// A staged chunk of a pass over all of them.
#[derive(DeserializeRow)]
pub struct StagedChunk {
    pub capture: Vec<u8>,
    pub chunk: i32,
    pub pieces: Option<i32>,
    pub latest: Option<CqlTimestamp>,
}

/// When the last of the records was accepted.
pub fn latest_ms(records: &[Record]) -> i64 {
    records.iter().map(|record| record.record_time_ms).max().unwrap_or(i64::MIN)
}

impl Cluster {
    /// Stages records as a chunk over what was staged under its number before.
    pub async fn stage_records(&self, capture: CaptureId, chunk: u32, records: &[Record]) -> Result<()> {
        self.stage(capture, chunk.cast_signed(), latest_ms(records), &records).await
    }

    /// Stages the writes that come with a commit.
    pub async fn stage_writes(&self, capture: CaptureId, latest_ms: i64, writes: &Writes) -> Result<()> {
        self.stage(capture, WRITES, latest_ms, &(&writes.records, &writes.entries, &writes.statements)).await
    }

    async fn stage<T: Serialize + Sync>(&self, capture: CaptureId, chunk: i32, latest_ms: i64, what: &T) -> Result<()> {
        let encoded = rmp_serde::to_vec(what);
        let encoded = encoded.map_err(|error| corrupt(TABLE, capture, format!("cannot be encoded: {error}")))?;
        let (stamp, id) = (self.stamps.replaces(), capture.0.as_slice());
        let sha256: [u8; 32] = Sha256::digest(&encoded).into();
        let pieces = i32::try_from(encoded.len().div_ceil(CQL_PIECE_BYTES)).unwrap_or(i32::MAX);
        for (piece, data) in (0..pieces).zip(encoded.chunks(CQL_PIECE_BYTES)) {
            // The last one says how many there are, and of what.
            if piece + 1 < pieces {
                self.requests.write(&self.statements.put_piece, stamp, (id, chunk, piece, data)).await?;
            } else {
                let values = (id, chunk, piece, data, pieces, CqlTimestamp(latest_ms), sha256.as_slice());
                self.requests.write(&self.statements.put_last_piece, stamp, values).await?;
            }
        }
        Ok(())
    }

    pub async fn staged_records(&self, capture: CaptureId, chunk: u32) -> Result<Option<Vec<Record>>> {
        self.staged(capture, chunk.cast_signed()).await
    }

    pub async fn staged_writes(&self, capture: CaptureId) -> Result<Option<Writes>> {
        let staged = self.staged::<StagedWrites>(capture, WRITES).await?;
        Ok(staged.map(|(records, entries, statements)| Writes { records, entries, statements }))
    }

    async fn staged<T: DeserializeOwned>(&self, capture: CaptureId, chunk: i32) -> Result<Option<T>> {
        let key = format!("{capture}/{chunk}");
        let values = (capture.0.as_slice(), chunk);
        let rows = self.requests.list::<Piece>(&self.statements.pieces, values, (TABLE, &key)).await?;
        let head = rows.first().and_then(|row| Some((row.pieces?, row.sha256.clone()?)));
        let Some((pieces, sha256)) = head else { return Ok(None) };
        let mut encoded = Vec::new();
        for (expected, row) in (0..pieces).zip(rows) {
            match (row.piece, row.data) {
                (Some(piece), Some(data)) if piece == expected => encoded.extend(data),
                (found, _) => {
                    return Err(corrupt(TABLE, &key, format!("piece {found:?} where {expected} is expected")));
                }
            }
        }
        let found: [u8; 32] = Sha256::digest(&encoded).into();
        if found != digest(TABLE, &key, "sha256", &sha256)? {
            return Err(corrupt(TABLE, &key, "it is not what was staged"));
        }
        let decoded = rmp_serde::from_slice(&encoded);
        decoded.map(Some).map_err(|error| corrupt(TABLE, &key, format!("it cannot be read: {error}")))
    }

    pub async fn is_staged(&self, capture: CaptureId, chunk: u32) -> Result<bool> {
        let at = (TABLE, format!("{capture}/{chunk}"));
        let values = (capture.0.as_slice(), chunk.cast_signed());
        let head = self.requests.one::<(Option<i32>,)>(&self.statements.is_staged, values, at).await?;
        Ok(head.is_some_and(|(pieces,)| pieces.is_some()))
    }

    pub async fn unstage(&self, capture: CaptureId, chunk: i32) -> Result<()> {
        let values = (capture.0.as_slice(), chunk);
        self.requests.write(&self.statements.unstage, self.stamps.replaces(), values).await
    }

    /// Says that a chunk is applied; the first list stays.
    pub async fn put_applied(&self, capture: CaptureId, chunk: u32, ids: &[RecordId]) -> Result<()> {
        let ids: Vec<_> = ids.iter().map(|id| id.0.as_slice()).collect();
        let values = (capture.0.as_slice(), chunk.cast_signed(), ids);
        self.requests.write(&self.statements.put_applied, self.stamps.stays(), values).await
    }

    pub async fn applied(&self, capture: CaptureId, chunk: u32) -> Result<Option<Vec<RecordId>>> {
        let key = format!("{capture}/{chunk}");
        let values = (capture.0.as_slice(), chunk.cast_signed());
        let row = self.requests.one::<(Vec<Vec<u8>>,)>(&self.statements.applied, values, ("applied", &key)).await?;
        row.map(|(ids,)| applied_ids(&key, &ids)).transpose()
    }
}

/// The ids of an applied chunk.
pub fn applied_ids(key: &str, ids: &[Vec<u8>]) -> Result<Vec<RecordId>> {
    ids.iter().map(|id| Ok(RecordId(digest("applied", key, "a record", id)?))).collect()
}
