//! The head: a small file of our own that says which group was the last to be answered.
//!
//! The engine's journal may be cut short without a word; what it then lacks, the head still names.
//! Two slots are written in turn, so that a torn write leaves the other one.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
};

use xxhash_rust::xxh3::xxh3_64;

use crate::store::{Error, Result};

/// A slot begins with these: format 1.
const MAGIC: &[u8; 8] = b"CPHEAD01";
/// Magic, sequence, number, digest, clean, hash.
const SLOT_BYTES: usize = 8 + 8 + 8 + 32 + 8 + 8;
/// Slots stand so far apart that no sector or page holds both.
const SLOT_DISTANCE: u64 = 4096;

/// What a slot says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Grows by one with each slot written; the slot is its parity.
    pub sequence: u64,
    /// Number of the last group, 0 before the first.
    pub number: u64,
    /// Digest of its marker; zeros before the first.
    pub digest: [u8; 32],
    /// Whether the store was closed after it.
    pub clean: bool,
}

/// The open file.
pub struct Head {
    file: File,
    mark: Mark,
}

impl Head {
    /// Opens the head in `path`; `None` where there is no such file.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("opening", &error)),
        };
        let slots = [read_slot(&file, 0)?, read_slot(&file, 1)?];
        let newest = slots.into_iter().flatten().max_by_key(|mark| mark.sequence);
        newest.map(|mark| Some(Self { file, mark })).ok_or_else(|| Error::Corrupt {
            table: "head",
            key: path.display().to_string(),
            found: "neither of its two slots is whole".to_owned(),
        })
    }

    /// Makes the head of a store without groups, durable with its name.
    pub fn create(path: &Path) -> Result<Self> {
        let failed = |error| failed("creating", &error);
        let file = File::create_new(path).map_err(failed)?;
        file.set_len(2 * SLOT_DISTANCE).map_err(failed)?;
        let mut head = Self { file, mark: Mark::default() };
        head.write(0, [0; 32], false)?;
        head.file.sync_all().map_err(failed)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(head)
    }

    /// What the newest whole slot says.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Overwrites the older slot and waits until it is durable.
    pub fn write(&mut self, number: u64, digest: [u8; 32], clean: bool) -> Result<()> {
        let mark = Mark { sequence: self.mark.sequence + 1, number, digest, clean };
        let at = (mark.sequence % 2) * SLOT_DISTANCE;
        let written = self.file.write_all_at(&slot(&mark), at).and_then(|()| self.file.sync_data());
        written.map_err(|error| failed("writing", &error))?;
        self.mark = mark;
        Ok(())
    }
}

fn failed(doing: &str, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("{doing} the head: {error}"))
}

fn slot(mark: &Mark) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SLOT_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&mark.sequence.to_be_bytes());
    bytes.extend_from_slice(&mark.number.to_be_bytes());
    bytes.extend_from_slice(&mark.digest);
    bytes.extend_from_slice(&u64::from(mark.clean).to_be_bytes());
    bytes.extend_from_slice(&xxh3_64(&bytes).to_be_bytes());
    bytes
}

/// A slot, if it is whole.
fn read_slot(file: &File, index: u64) -> Result<Option<Mark>> {
    let mut bytes = [0; SLOT_BYTES];
    match file.read_exact_at(&mut bytes, index * SLOT_DISTANCE) {
        Ok(()) => Ok(parse_slot(&bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(failed("reading", &error)),
    }
}

fn parse_slot(bytes: &[u8]) -> Option<Mark> {
    let (said, hash) = bytes.split_last_chunk::<8>()?;
    let rest = said.strip_prefix(MAGIC)?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (digest, clean) = rest.split_first_chunk::<32>()?;
    (u64::from_be_bytes(*hash) == xxh3_64(said)).then_some(Mark {
        sequence: u64::from_be_bytes(*sequence),
        number: u64::from_be_bytes(*number),
        digest: *digest,
        clean: clean.last() == Some(&1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_slot_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        let mut head = Head::create(&path).unwrap();
        head.write(1, [1; 32], false).unwrap();
        head.write(2, [2; 32], false).unwrap();
        let newest = head.mark();
        assert_eq!((newest.number, newest.digest), (2, [2; 32]));
        head.file.write_all_at(&[0xff; 20], newest.sequence % 2 * SLOT_DISTANCE + 30).unwrap();
        let reopened = Head::open(&path).unwrap().unwrap();
        assert_eq!((reopened.mark().number, reopened.mark().digest), (1, [1; 32]));
    }

    #[test]
    fn a_head_without_a_whole_slot_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        Head::create(&path).unwrap();
        std::fs::write(&path, [7; 8192]).unwrap();
        assert!(matches!(Head::open(&path), Err(Error::Corrupt { table: "head", .. })));
        assert!(Head::open(&dir.path().join("absent")).unwrap().is_none());
    }
}
