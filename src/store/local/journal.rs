//! What a stop in the middle of a write may leave at the end of the engine's newest journal.
//!
//! The engine cuts an unfinished batch away, but refuses one that has its end and not its middle: pages of one write
//! reach the disk in any order. Such a batch was never answered, so it is cut here. The form of a journal is that of
//! fjall 3: a start (tag 1, `u32` items, `u64` sequence number), items (tag 2, type, compression, `u64` keyspace,
//! `u16` length of the key, `u32` length of the value, `u32` its length here, key, value), an end (tag 3, XXH3-64 over
//! the items, `FJL` 3); numbers are little-endian.

use std::{fs, io, path::Path};

use xxhash_rust::xxh3::xxh3_64;

/// Behind the hash of a batch.
const TRAILER: &[u8; 4] = b"FJL\x03";

/// Cuts a journal behind its last whole batch, if anything but preallocated zeros stands there; whether it did.
pub fn cut_torn_end(journal: &Path) -> io::Result<bool> {
    let bytes = fs::read(journal)?;
    let whole = whole_batches(&bytes);
    let torn = bytes.get(whole..).is_some_and(|rest| rest.iter().any(|byte| *byte != 0));
    if torn {
        let file = fs::OpenOptions::new().write(true).open(journal)?;
        file.set_len(whole as u64)?;
        file.sync_all()?;
    }
    Ok(torn)
}

/// How many bytes of a journal are whole batches, from its beginning.
fn whole_batches(journal: &[u8]) -> usize {
    let mut rest = journal;
    while let Some(behind) = batch(rest) {
        rest = behind;
    }
    journal.len() - rest.len()
}

/// What stands behind the whole batch at the beginning.
fn batch(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(&[1])?;
    let (count, rest) = rest.split_first_chunk::<4>()?;
    let (_sequence, items) = rest.split_first_chunk::<8>()?;
    let mut rest = items;
    for _ in 0..u32::from_le_bytes(*count) {
        rest = item(rest)?;
    }
    let items = items.get(..items.len() - rest.len())?;
    let (hash, rest) = rest.strip_prefix(&[3])?.split_first_chunk::<8>()?;
    let rest = rest.strip_prefix(TRAILER)?;
    (u64::from_le_bytes(*hash) == xxh3_64(items)).then_some(rest)
}

/// What stands behind the item at the beginning.
fn item(bytes: &[u8]) -> Option<&[u8]> {
    let (_type_and_compression, rest) = bytes.strip_prefix(&[2])?.split_first_chunk::<2>()?;
    let (_keyspace, rest) = rest.split_first_chunk::<8>()?;
    let (key, rest) = rest.split_first_chunk::<2>()?;
    let (_value, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_first_chunk::<4>()?;
    let key = usize::from(u16::from_le_bytes(*key));
    rest.get(key..)?.get(usize::try_from(u32::from_le_bytes(*value)).ok()?..)
}

#[cfg(test)]
mod tests {
    use fjall::{Database, KeyspaceCreateOptions, PersistMode};

    use super::*;

    #[test]
    fn the_engines_own_batches_are_whole_and_a_hole_in_the_last_ends_the_journal_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut ends = Vec::new();
        let journal = folder.path().join("0.jnl");
        {
            let database = Database::builder(folder.path()).open().unwrap();
            let keyspace = database.keyspace("k", KeyspaceCreateOptions::default).unwrap();
            for n in 0..5u8 {
                let mut batch = database.batch().durability(Some(PersistMode::SyncData));
                batch.insert(&keyspace, [n], vec![n; 10]);
                batch.insert(&keyspace, [n, 1], vec![n; 9000]);
                batch.remove(&keyspace, [n, 2]);
                batch.commit().unwrap();
                ends.push(whole_batches(&fs::read(&journal).unwrap()));
            }
        }
        assert!(ends.is_sorted_by(|a, b| a < b) && ends[0] > 0, "{ends:?}");
        let bytes = fs::read(&journal).unwrap();
        assert!(bytes[ends[4]..].iter().all(|byte| *byte == 0), "nothing is left behind the last batch");
        assert!(!cut_torn_end(&journal).unwrap());

        let mut holed = bytes.clone();
        holed[ends[3] + 40..ends[3] + 60].fill(0);
        fs::write(&journal, holed).unwrap();
        assert!(cut_torn_end(&journal).unwrap());
        assert_eq!(fs::read(&journal).unwrap(), bytes[..ends[3]]);
    }
}
