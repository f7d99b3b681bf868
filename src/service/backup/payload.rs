//! What stands in a frame: the things of the store's contract as `MessagePack` arrays. `docs/spec/backup.md`, section 2.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    BackupError,
    frame::{Counts, FrameKind},
};
use crate::{
    registration::{FileHash, Kind, Statement},
    store::{Capture, Chunk, FeedHead, FeedRow, Kept, ScanSum, Writer},
    trace::{Block, CaptureId, Entry, OrganizationId, Places, Record, RecordId, Role, Subject},
};

/// 32 bytes as one `MessagePack` binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest32(#[serde(with = "crate::trace::bytes32")] pub [u8; 32]);

/// A feed's writer, how many rows it has, and the digest of the last.
pub type HeadRow = (u64, u64, Digest32);

/// As a row.
pub fn head_row(head: &FeedHead) -> HeadRow {
    (head.writer.0, head.rows, Digest32(head.digest))
}

/// What a backup says of itself before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The canonical host of the store.
    pub host: String,
    /// When it was begun, milliseconds since 1970-01-01 UTC.
    pub created_ms: i64,
    /// Where each feed ends.
    pub heads: Vec<HeadRow>,
    /// How many records follow.
    pub records: u64,
    /// How many entries follow.
    pub entries: u64,
}

impl Header {
    /// SHA-256 of it: no two backups have the same, and it is known before all of the backup is.
    ///
    /// # Errors
    /// None of which a header is known.
    pub fn digest(&self) -> Result<[u8; 32], BackupError> {
        Ok(Sha256::digest(encode(self)?).into())
    }

    /// Holds what was written, or read, against what it promises.
    pub(super) fn check_counts(&self, counts: &Counts) -> Result<(), String> {
        let things = (counts.get(FrameKind::Record), counts.get(FrameKind::Entry));
        if things != (self.records, self.entries) {
            let (records, entries) = (self.records, self.entries);
            return Err(format!("the header promises {records} records and {entries} entries, found {things:?}"));
        }
        Ok(())
    }
}

/// What stands behind everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// How many frames of each kind came before, in the order of [`FrameKind::ALL`].
    pub counts: Vec<u64>,
    /// SHA-256 over all bytes before the trailer's frame.
    pub digest: Digest32,
}

type CaptureRow = (CaptureId, OrganizationId, Role, i64, u32, u32, Vec<(Kind, u64, u32)>, Option<i64>);
type FeedRowRow = (u64, u64, Digest32, Vec<(CaptureId, u32)>);
type ScansRow = (Block, u64, Vec<SumRow>);

/// One code's scan sum, by its serial in the block.
#[derive(Serialize, Deserialize)]
struct SumRow {
    serial: u16,
    count: u64,
    first_ms: i64,
    last_ms: i64,
    #[serde(default)]
    places: Places,
}

impl SumRow {
    fn of((serial, sum): &(u16, ScanSum)) -> Self {
        let ScanSum { count, first_ms, last_ms, places } = sum.clone();
        Self { serial: *serial, count, first_ms, last_ms, places }
    }

    fn sum(self) -> (u16, ScanSum) {
        let Self { serial, count, first_ms, last_ms, places } = self;
        (serial, ScanSum { count, first_ms, last_ms, places })
    }
}

/// A piece of a backup between its header and its trailer.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are things, and one is read at a time")]
pub enum Piece {
    /// Something that the store keeps.
    Kept(Kept),
    /// An uploaded file under its hash.
    File(FileHash, Vec<u8>),
}

/// Encodes a row.
///
/// # Errors
/// None of which a row is known.
pub fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>, BackupError> {
    rmp_serde::to_vec(row).map_err(|error| BackupError::Encoding(error.to_string()))
}

/// A thing's frame.
///
/// # Errors
/// As of [`encode`].
pub fn encode_kept(kept: &Kept) -> Result<(FrameKind, Vec<u8>), BackupError> {
    Ok(match kept {
        Kept::Claim { name, value } => {
            let length = u16::try_from(name.len()).map_err(|error| BackupError::Encoding(error.to_string()))?;
            (FrameKind::Claim, [&length.to_be_bytes(), name.as_bytes(), value].concat())
        }
        Kept::Statement(statement) => (FrameKind::Statement, encode(&**statement)?),
        Kept::Capture(capture) => {
            let Capture { id, organization, role, created_ms, records, chunks, statements, finished_ms } = capture;
            let row = (id, organization, role, created_ms, records, chunks, statements, finished_ms);
            (FrameKind::Capture, encode(&row)?)
        }
        Kept::Chunk { capture, number, chunk: Chunk::Staged(records) } => {
            (FrameKind::Staged, encode(&(capture, number, records))?)
        }
        Kept::Chunk { capture, number, chunk: Chunk::Applied(ids) } => {
            (FrameKind::Applied, encode(&(capture, number, ids))?)
        }
        Kept::Row(writer, row) => {
            (FrameKind::Row, encode(&(writer.0, row.position, Digest32(row.previous), &row.captures))?)
        }
        Kept::Record(record) => (FrameKind::Record, encode(record)?),
        Kept::Entry(subject, entry) => (FrameKind::Entry, encode(&(subject, entry))?),
        Kept::Scans { block, writer, sums } => {
            let sums: Vec<_> = sums.iter().map(SumRow::of).collect();
            (FrameKind::Scans, encode(&(block, writer.0, sums))?)
        }
    })
}

/// What stands in a frame of one of the kinds between header and trailer; `None` for another kind.
///
/// # Errors
/// In words, where it is nothing of that kind.
pub fn decode_piece(kind: FrameKind, payload: &[u8]) -> Result<Option<Piece>, String> {
    Ok(Some(Piece::Kept(match kind {
        FrameKind::Claim => decode_claim(payload).ok_or("the claim's name is not whole")?,
        FrameKind::Statement => Kept::Statement(Box::new(decode::<Statement>(payload)?)),
        FrameKind::Capture => {
            let row: CaptureRow = decode(payload)?;
            let (id, organization, role, created_ms, records, chunks, statements, finished_ms) = row;
            Kept::Capture(Capture { id, organization, role, created_ms, records, chunks, statements, finished_ms })
        }
        FrameKind::Staged => {
            let (capture, number, records): (_, _, Vec<Record>) = decode(payload)?;
            Kept::Chunk { capture, number, chunk: Chunk::Staged(records) }
        }
        FrameKind::Applied => {
            let (capture, number, ids): (_, _, Vec<RecordId>) = decode(payload)?;
            Kept::Chunk { capture, number, chunk: Chunk::Applied(ids) }
        }
        FrameKind::Row => {
            let (writer, position, previous, captures): FeedRowRow = decode(payload)?;
            Kept::Row(Writer(writer), FeedRow { position, previous: previous.0, captures })
        }
        FrameKind::Record => Kept::Record(decode(payload)?),
        FrameKind::Entry => {
            let (subject, entry): (Subject, Entry) = decode(payload)?;
            Kept::Entry(subject, entry)
        }
        FrameKind::Scans => {
            let (block, writer, sums): ScansRow = decode(payload)?;
            Kept::Scans { block, writer: Writer(writer), sums: sums.into_iter().map(SumRow::sum).collect() }
        }
        FrameKind::File => {
            let (hash, bytes) = payload.split_first_chunk().ok_or("the file's hash is not whole")?;
            return Ok(Some(Piece::File(FileHash(*hash), bytes.to_vec())));
        }
        FrameKind::Header | FrameKind::Failure | FrameKind::Trailer => return Ok(None),
    })))
}

/// Reads a row that was encoded.
///
/// # Errors
/// In words, where it is none of that form.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, String> {
    rmp_serde::from_slice(payload).map_err(|error| error.to_string())
}

fn decode_claim(payload: &[u8]) -> Option<Kept> {
    let (length, rest) = payload.split_first_chunk::<2>()?;
    let (name, value) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    Some(Kept::Claim { name: String::from_utf8(name.to_vec()).ok()?, value: value.to_vec() })
}
