//! Frames: how a backup is written and read, whatever is in it. `docs/spec/backup.md`, section 1.

use std::io::{self, Read};

use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::BackupError;
use crate::limits::BACKUP_FRAME_BYTES_MAX;

/// A backup begins with this line.
pub const MAGIC: &[u8] = b"coldproof/backup/1\n";
/// Kind and length.
const HEAD_BYTES: usize = 1 + 4;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $byte:literal, $text:literal;)*) => {
        /// What a frame holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum FrameKind { $($(#[$doc])* $name = $byte,)* }

        impl FrameKind {
            /// All of them; a trailer's counts stand in this order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in messages and in the specification.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// What the backup says of itself; the first frame.
    Header = b'H', "header";
    /// A claim.
    Claim = b'k', "claim";
    /// A version of a statement.
    Statement = b's', "statement";
    /// A committed capture.
    Capture = b'c', "capture";
    /// A staged chunk of a committed capture.
    Staged = b't', "staged";
    /// An applied chunk.
    Applied = b'a', "applied";
    /// A row of a feed.
    Row = b'f', "feed";
    /// A record.
    Record = b'r', "record";
    /// An entry in a ledger.
    Entry = b'l', "entry";
    /// Scan sums of a block.
    Scans = b'n', "scan";
    /// An uploaded file.
    File = b'd', "file";
    /// Why the source gave up; the last frame of what is no backup.
    Failure = b'E', "failure";
    /// What must have come before; the last frame.
    Trailer = b'Z', "trailer";
}

impl FrameKind {
    /// The kind of this byte.
    fn of(byte: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as u8 == byte)
    }
    fn index(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or(usize::MAX)
    }
}

/// How many frames of each kind there are, in the order of [`FrameKind::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(pub Vec<u64>);

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; FrameKind::ALL.len()])
    }
}

impl Counts {
    /// How many frames of a kind there are.
    pub fn get(&self, kind: FrameKind) -> u64 {
        self.0.get(kind.index()).copied().unwrap_or_default()
    }
    fn add(&mut self, kind: FrameKind) {
        if let Some(count) = self.0.get_mut(kind.index()) {
            *count += 1;
        }
    }
}

/// XXH3-64 of a frame without its checksum, seeded with where it begins: a frame that was moved does not pass.
fn checksum(at: u64, frame: &[u8]) -> u64 {
    xxh3_64_with_seed(frame, at)
}

/// Writes frames into memory, from where they are taken.
pub struct FrameWriter {
    out: Vec<u8>,
    /// Bytes before `out`.
    taken: u64,
    hash: Sha256,
    /// What was written.
    pub counts: Counts,
}

impl FrameWriter {
    /// A backup's beginning.
    pub fn begin() -> Self {
        let mut writer = Self { out: Vec::new(), taken: 0, hash: Sha256::new(), counts: Counts::default() };
        writer.extend(MAGIC);
        writer
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.out.extend_from_slice(bytes);
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// [`BackupError::TooLarge`] above `limits::BACKUP_FRAME_BYTES_MAX`.
    pub fn put(&mut self, kind: FrameKind, payload: &[u8]) -> Result<(), BackupError> {
        let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= BACKUP_FRAME_BYTES_MAX);
        let length = length.ok_or(BackupError::TooLarge { what: kind.name(), found: payload.len() })?;
        let start = self.out.len();
        let at = self.taken + start as u64;
        self.out.push(kind as u8);
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(payload);
        let checksum = checksum(at, self.out.get(start..).unwrap_or_default());
        self.out.extend_from_slice(&checksum.to_be_bytes());
        self.hash.update(self.out.get(start..).unwrap_or_default());
        self.counts.add(kind);
        Ok(())
    }

    /// SHA-256 over everything that was written.
    pub fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// Bytes that were not taken yet.
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Takes what was written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        self.taken += self.out.len() as u64;
        std::mem::take(&mut self.out)
    }
}

/// Reads frames, each checked.
pub struct FrameReader<R> {
    from: R,
    /// Bytes that were read.
    at: u64,
    hash: Sha256,
    /// What was read, the trailer left out.
    pub counts: Counts,
}

impl<R: Read> FrameReader<R> {
    /// Reads a backup's beginning.
    ///
    /// # Errors
    /// [`BackupError::Foreign`] where it begins otherwise.
    pub fn new(from: R) -> Result<Self, BackupError> {
        let mut reader = Self { from, at: 0, hash: Sha256::new(), counts: Counts::default() };
        let found = reader.bytes(MAGIC.len())?;
        if found != MAGIC {
            return Err(BackupError::Foreign { found: String::from_utf8_lossy(&found).trim_end().to_owned() });
        }
        reader.hash.update(&found);
        Ok(reader)
    }

    /// How many bytes were read.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// SHA-256 over everything that was read, the trailer left out.
    pub fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// The next frame's kind and payload.
    ///
    /// # Errors
    /// [`BackupError::Damaged`], with where it begins, where it is not as it was written or is cut short.
    pub fn frame(&mut self) -> Result<(FrameKind, Vec<u8>), BackupError> {
        let at = self.at;
        let mut frame = self.whole(at, HEAD_BYTES)?;
        let (kind, length) = match *frame {
            [kind, a, b, c, d] => (kind, u32::from_be_bytes([a, b, c, d])),
            _ => return Err(BackupError::cut(at)),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > BACKUP_FRAME_BYTES_MAX {
            let found = format!("a frame of {length} bytes; at most {BACKUP_FRAME_BYTES_MAX} can be");
            return Err(BackupError::Damaged { at, found });
        }
        frame.extend(self.whole(at, length)?);
        let written = self.whole(at, size_of::<u64>())?;
        let found = checksum(at, &frame).to_be_bytes();
        if written != found {
            let found = "the frame is not what its checksum says".to_owned();
            return Err(BackupError::Damaged { at, found });
        }
        let kind = FrameKind::of(kind)
            .ok_or_else(|| BackupError::Damaged { at, found: format!("a frame of the unknown kind {kind}") })?;
        if kind != FrameKind::Trailer {
            self.hash.update(&frame);
            self.hash.update(&written);
            self.counts.add(kind);
        }
        frame.drain(..HEAD_BYTES);
        Ok((kind, frame))
    }

    /// Whether nothing is left.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn is_at_end(&mut self) -> Result<bool, BackupError> {
        Ok(self.bytes(1)?.is_empty())
    }

    fn whole(&mut self, frame_at: u64, count: usize) -> Result<Vec<u8>, BackupError> {
        let bytes = self.bytes(count)?;
        if bytes.len() == count { Ok(bytes) } else { Err(BackupError::cut(frame_at)) }
    }

    /// The next bytes, fewer at the end. Memory grows with what is there, not with what is promised.
    fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.from).take(count as u64).read_to_end(&mut bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }
}
