//! What one call adds to the group under way: decided by the committer alone, so that every check
//! sees all that was committed or is about to be.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use serde::{Serialize, de::DeserializeOwned};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{
    commit::WRITER,
    key,
    tables::Tables,
    value::{self, CaptureRow, Digest32, FeedRowValue, StagedHead},
};
use crate::{
    limits,
    store::{Capture, Error, FeedRow, Result, Writer},
    trace::{CaptureId, RecordId},
};

/// One write: a sealed value, or a removal.
pub struct Op {
    pub sealed: Option<Vec<u8>>,
    /// Whether the store held the key before this group.
    pub existed: bool,
}

/// Writes by key.
pub type Ops = HashMap<Vec<u8>, Op, KeyHash>;

/// Hashes keys for the time of a group, with a seed that nobody knows: a few nanoseconds each, where the committer would
/// otherwise spend a tenth of its time.
#[derive(Clone, Copy)]
pub struct KeyHash(u64);

impl KeyHash {
    fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for KeyHash {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for KeyHash {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    /// The length of a key, which the hash of its bytes covers.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The group under way.
pub struct Group<'t> {
    tables: &'t Tables,
    pub ops: Ops,
    /// Captures that it commits, in order.
    pub captures: Vec<(CaptureId, u32)>,
    /// The last row of the feed that it brings from another store.
    pub loaded: Option<FeedRow>,
}

/// Encoded writes, made by the caller so that the committer need not.
#[derive(Default)]
pub struct Encoded {
    /// Each record's key, value and index keys with their values.
    pub records: Vec<(Pair, Vec<Pair>)>,
    /// Everything else that is put where it is absent.
    pub others: Vec<Pair>,
    /// The records' ids in order, repeats included.
    pub ids: Vec<RecordId>,
}

/// A key and its sealed value.
pub type Pair = (Vec<u8>, Vec<u8>);

impl<'t> Group<'t> {
    pub fn new(tables: &'t Tables) -> Self {
        Self { tables, ops: Ops::with_hasher(KeyHash::new()), captures: Vec::new(), loaded: None }
    }
    /// Takes in what a call adds.
    pub fn add(&mut self, added: Added) {
        if self.ops.is_empty() {
            // The first of a group, often the only one.
            self.ops = added.ops;
        } else {
            self.ops.extend(added.ops);
        }
        self.captures.extend(added.captures);
        self.loaded = added.loaded.or(self.loaded.take());
    }
    pub fn is_full(&self, bytes: usize) -> bool {
        bytes >= limits::GROUP_BYTES_MAX || self.captures.len() >= limits::FEED_ROW_CAPTURES_MAX
    }
}

/// What one call adds; thrown away as a whole if the call fails.
pub struct Draft<'g, 't> {
    group: &'g Group<'t>,
    ops: Ops,
    captures: Vec<(CaptureId, u32)>,
    loaded: Option<FeedRow>,
}

/// What a call leaves for the group.
pub struct Added {
    ops: Ops,
    captures: Vec<(CaptureId, u32)>,
    loaded: Option<FeedRow>,
}

impl<'g, 't> Draft<'g, 't> {
    pub fn new(group: &'g Group<'t>) -> Self {
        let ops = Ops::with_hasher(*group.ops.hasher());
        Self { group, ops, captures: Vec::new(), loaded: None }
    }
    pub fn added(self) -> Added {
        Added { ops: self.ops, captures: self.captures, loaded: self.loaded }
    }
    pub fn tables(&self) -> &Tables {
        self.group.tables
    }

    fn pending(&self, key: &[u8]) -> Option<&Op> {
        self.ops.get(key).or_else(|| self.group.ops.get(key))
    }
    /// Whether the key is there, or will be once the group is committed; and whether the store has it already.
    fn state(&self, key: &[u8]) -> Result<(bool, bool)> {
        if let Some(op) = self.pending(key) {
            return Ok((op.sealed.is_some(), op.existed));
        }
        let stored = self.tables().keyspace.contains_key(key).map_err(|e| super::tables::read_error(key, &e))?;
        Ok((stored, stored))
    }
    pub fn has(&self, key: &[u8]) -> Result<bool> {
        Ok(self.state(key)?.0)
    }
    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        if let Some(op) = self.pending(key) {
            return op.sealed.as_ref().map(|sealed| value::decode(key, sealed)).transpose();
        }
        self.tables().sealed(key)?.map(|sealed| value::decode(key, &sealed)).transpose()
    }
    /// Puts a sealed value where there is none; whether it did.
    pub fn put_absent(&mut self, (key, sealed): Pair) -> Result<bool> {
        let (there, existed) = self.state(&key)?;
        if !there {
            self.ops.insert(key, Op { sealed: Some(sealed), existed });
        }
        Ok(!there)
    }
    /// Puts a value over whatever is there.
    pub fn put<T: Serialize>(&mut self, key: Vec<u8>, row: &T) -> Result<()> {
        let sealed = value::encode(&key, row)?;
        let (_, existed) = self.state(&key)?;
        self.ops.insert(key, Op { sealed: Some(sealed), existed });
        Ok(())
    }
    /// Removes what is there; whether there was anything.
    pub fn remove(&mut self, key: Vec<u8>) -> Result<bool> {
        let (there, existed) = self.state(&key)?;
        if there {
            self.ops.insert(key, Op { sealed: None, existed });
        }
        Ok(there)
    }

    /// Bodies with their indexes, entries, statements: each where it is absent.
    pub fn put_writes(&mut self, writes: Encoded) -> Result<()> {
        for (record, indexes) in writes.records {
            if self.put_absent(record)? {
                // They are put here alone, so that none is there where the record was not.
                for (key, sealed) in indexes {
                    self.ops.insert(key, Op { sealed: Some(sealed), existed: false });
                }
            }
        }
        for pair in writes.others {
            self.put_absent(pair)?;
        }
        Ok(())
    }

    /// Puts a row of a feed as another store had it, where it follows the rows that are there or is one of them.
    pub fn load_row(&mut self, writer: Writer, row: FeedRow) -> Result<()> {
        let (before, key) = (row.position.checked_sub(1), key::feed_row(writer, row.position));
        let follows = before.map_or(Ok(true), |before| self.has(&key::feed_row(writer, before)))?;
        match self.get::<FeedRowValue>(&key)? {
            Some(there) if there == (Digest32(row.previous), row.captures.clone()) => return Ok(()),
            None if follows => {}
            _ => return Err(value::corrupt(&key, "it does not follow the rows that are there".to_owned())),
        }
        self.put(key, &(Digest32(row.previous), &row.captures))?;
        if writer == WRITER {
            self.loaded = Some(row);
        }
        Ok(())
    }

    pub fn capture(&self, id: CaptureId) -> Result<Option<Capture>> {
        Ok(self.get::<CaptureRow>(&key::capture(id))?.map(|row| row.capture(id)))
    }

    /// Keeps a chunk of an uncommitted capture, its head and its records; that of a committed one is known already.
    pub fn stage(&mut self, id: CaptureId, [head, records]: [Pair; 2]) -> Result<()> {
        if !self.has(&key::capture(id))? {
            // Both are there or neither.
            let (_, existed) = self.state(&head.0)?;
            for (key, sealed) in [head, records] {
                self.ops.insert(key, Op { sealed: Some(sealed), existed });
            }
        }
        Ok(())
    }

    /// Commits a capture with all or none of its effect in `writes`; a committed one comes back in its first form.
    pub fn append(&mut self, capture: &Capture, writes: Encoded) -> Result<Capture> {
        if let Some(first) = self.capture(capture.id)? {
            return Ok(first);
        }
        if capture.finished_ms.is_none() {
            self.require_staged(capture)?;
            self.put(key::unfinished(capture.id), &())?;
        } else if !writes.ids.is_empty() {
            self.put(key::applied(capture.id, 0), &writes.ids)?;
        }
        self.put_writes(writes)?;
        self.put(key::capture(capture.id), &CaptureRow::from(capture))?;
        self.captures.push((capture.id, capture.records));
        Ok(capture.clone())
    }

    /// A capture whose records are applied later must have them staged: a sweep may have come between.
    fn require_staged(&self, capture: &Capture) -> Result<()> {
        for chunk in 0..capture.chunks {
            if !self.has(&key::staged_head(capture.id, chunk))? {
                return Err(Error::NotStaged { capture: capture.id, chunk });
            }
        }
        Ok(())
    }

    pub fn apply(&mut self, id: CaptureId, chunk: u32, writes: Encoded) -> Result<()> {
        if !self.has(&key::capture(id))? {
            return Err(Error::NotCommitted(id));
        }
        let applied = key::applied(id, chunk);
        if !self.has(&applied)? {
            self.put(applied, &writes.ids)?;
        }
        self.put_writes(writes)?;
        self.unstage(key::staged_head(id, chunk), key::staged(id, chunk)).map(drop)
    }

    /// Removes a chunk's head and records, which are both there or neither; whether they were.
    fn unstage(&mut self, head: Vec<u8>, records: Vec<u8>) -> Result<bool> {
        let (there, existed) = self.state(&head)?;
        if there {
            self.ops.insert(head, Op { sealed: None, existed });
            self.ops.insert(records, Op { sealed: None, existed });
        }
        Ok(there)
    }

    pub fn finish(&mut self, id: CaptureId, finished_ms: i64) -> Result<()> {
        let mut capture = self.capture(id)?.ok_or(Error::NotCommitted(id))?;
        if capture.finished_ms.is_none() {
            capture.finished_ms = Some(finished_ms);
            self.put(key::capture(id), &CaptureRow::from(&capture))?;
            self.remove(key::unfinished(id))?;
        }
        Ok(())
    }

    /// Removes up to [`limits::SWEEP_CHUNKS_MAX`] abandoned chunks; how many there were.
    pub fn sweep(&mut self, before_ms: i64) -> Result<usize> {
        let mut removed = 0;
        for item in self.tables().view().range(&key::staged_heads(), None, false) {
            let item = item?;
            let latest_ms: StagedHead = item.value()?;
            let Some((capture, chunk)) = key::staged_tail(&item.key) else { continue };
            let abandoned = latest_ms < before_ms && !self.has(&key::capture(capture))?;
            if abandoned && self.unstage(item.key.to_vec(), key::staged(capture, chunk))? {
                removed += 1;
            }
            if removed == limits::SWEEP_CHUNKS_MAX {
                break;
            }
        }
        Ok(removed)
    }

    pub fn swap(&mut self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool> {
        let key = key::claim(name)?;
        let now: Option<Vec<u8>> = self.get::<Bytes>(&key)?.map(|bytes| bytes.0);
        if now.as_deref() != expected {
            return Ok(false);
        }
        self.put(key, &Bytes(new.to_vec()))?;
        Ok(true)
    }
}

/// A byte string as one `MessagePack` binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> std::result::Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        from.deserialize_bytes(Visitor)
    }
}
