//! Reading a backup: everything that can be checked of it without a store.

use std::{collections::HashMap, io::Read};

use sha2::{Digest, Sha256};

use super::{
    BackupError,
    frame::{Counts, FrameKind, FrameReader},
    payload::{Digest32, Header, Piece, Trailer, decode, decode_piece},
};
use crate::store::{FeedRow, Kept, Writer};

/// A backup under way. What it gave is to be believed only once it has ended well.
pub struct BackupReader<R> {
    frames: FrameReader<R>,
    header: Header,
    /// Each feed's rows and the digest of the last, as far as they were read.
    ends: HashMap<u64, (u64, [u8; 32])>,
    /// The digest that the trailer names, once it was read.
    digest: Option<[u8; 32]>,
}

impl<R: Read> BackupReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`BackupError::Foreign`] for anything else, [`BackupError::Damaged`] for a header that is not whole.
    pub fn new(from: R) -> Result<Self, BackupError> {
        let mut frames = FrameReader::new(from)?;
        let at = frames.at();
        let header = match frames.frame()? {
            (FrameKind::Header, payload) => decode(&payload).map_err(|found| BackupError::Damaged { at, found })?,
            (kind, _) => {
                let found = format!("a {} where the header should be", kind.name());
                return Err(BackupError::Damaged { at, found });
            }
        };
        Ok(Self { frames, header, ends: HashMap::new(), digest: None })
    }

    /// What it says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many bytes were read.
    pub fn at(&self) -> u64 {
        self.frames.at()
    }

    /// How many frames of each kind were read.
    pub fn counts(&self) -> &Counts {
        &self.frames.counts
    }

    /// SHA-256 over all but the trailer, once it has ended: the backup's name.
    pub fn digest(&self) -> Option<[u8; 32]> {
        self.digest
    }

    /// The next piece; `None` once the trailer has been found to be right and nothing follows it.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] with the place at which it is not as it was written, [`BackupError::BrokeOff`] where its
    /// source gave up.
    pub fn piece(&mut self) -> Result<Option<Piece>, BackupError> {
        let at = self.frames.at();
        let damaged = |found: String| BackupError::Damaged { at, found };
        let (kind, payload) = self.frames.frame()?;
        match kind {
            FrameKind::Failure => Err(BackupError::BrokeOff(String::from_utf8_lossy(&payload).into_owned())),
            FrameKind::Trailer => {
                let trailer = decode(&payload).map_err(damaged)?;
                let digest = self.frames.digest();
                self.check_end(&trailer, digest).map_err(damaged)?;
                if !self.frames.is_at_end()? {
                    return Err(damaged("something follows the trailer".to_owned()));
                }
                self.digest = Some(digest);
                Ok(None)
            }
            _ => {
                let piece =
                    decode_piece(kind, &payload).map_err(|found| damaged(format!("{}: {found}", kind.name())))?;
                let piece = piece.ok_or_else(|| damaged("a second header".to_owned()))?;
                self.check_piece(&piece).map_err(damaged)?;
                Ok(Some(piece))
            }
        }
    }

    fn check_piece(&mut self, piece: &Piece) -> Result<(), String> {
        match piece {
            Piece::Kept(Kept::Row(writer, row)) => self.check_row(*writer, row),
            Piece::File(hash, bytes) if Sha256::digest(bytes).as_slice() != hash.0 => {
                Err(format!("file {hash} has bytes with another hash"))
            }
            Piece::Kept(_) | Piece::File(..) => Ok(()),
        }
    }

    fn check_row(&mut self, writer: Writer, row: &FeedRow) -> Result<(), String> {
        let end = self.ends.entry(writer.0).or_default();
        if (row.position, row.previous) != *end {
            return Err(format!("row {} of feed {} does not follow the row before {}", row.position, writer.0, end.0));
        }
        *end = (row.position + 1, row.digest(writer));
        Ok(())
    }

    fn check_end(&self, trailer: &Trailer, digest: [u8; 32]) -> Result<(), String> {
        let counts = self.counts();
        if trailer.counts != counts.0 {
            return Err(format!("the trailer counts {:?} frames, {:?} were read", trailer.counts, counts.0));
        }
        if trailer.digest != Digest32(digest) {
            return Err("the trailer names another SHA-256 than that of what was read".to_owned());
        }
        self.header.check_counts(counts)?;
        for (writer, rows, last) in &self.header.heads {
            if self.ends.get(writer).copied().unwrap_or_default() != (*rows, last.0) {
                return Err(format!("feed {writer} does not end at row {rows}, where the header says"));
            }
        }
        Ok(())
    }
}

/// Reads a backup to its end; `progress` hears how many bytes were read.
///
/// # Errors
/// Why it is none.
pub fn check<R: Read>(reader: &mut BackupReader<R>, mut progress: impl FnMut(u64)) -> Result<(), BackupError> {
    while reader.piece()?.is_some() {
        progress(reader.at());
    }
    Ok(())
}
