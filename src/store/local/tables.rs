//! The one keyspace and how it is read.

use fjall::{Database, Keyspace, Readable, Snapshot};
use serde::de::DeserializeOwned;

use super::{key::Table, value};
use crate::store::{Error, Result};

/// The database and its one keyspace; cloning is cheap.
#[derive(Clone)]
pub struct Tables {
    pub database: Database,
    pub keyspace: Keyspace,
}

impl Tables {
    /// The sealed value now, for the committer, which alone writes.
    pub fn sealed(&self, key: &[u8]) -> Result<Option<fjall::UserValue>> {
        self.keyspace.get(key).map_err(|error| read_error(key, &error))
    }
    /// What is committed at this moment, unmoved by later groups.
    pub fn view(&self) -> View {
        View { snapshot: self.database.snapshot(), keyspace: self.keyspace.clone() }
    }
}

/// One moment of the store.
pub struct View {
    snapshot: Snapshot,
    keyspace: Keyspace,
}

impl View {
    /// The value under a key, checked and decoded.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        let sealed = self.snapshot.get(&self.keyspace, key).map_err(|error| read_error(key, &error))?;
        sealed.map(|sealed| value::decode(key, &sealed)).transpose()
    }
    /// The value under a key as it stands.
    pub fn sealed(&self, key: &[u8]) -> Result<Option<fjall::UserValue>> {
        self.snapshot.get(&self.keyspace, key).map_err(|error| read_error(key, &error))
    }
    /// Keys and sealed values that begin with `prefix`, in ascending order, from `from` on (itself not, if `after`).
    pub fn range(
        &self,
        prefix: &[u8],
        from: Option<&[u8]>,
        after: bool,
    ) -> impl DoubleEndedIterator<Item = Result<Item>> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let low = match from {
            Some(from) if after => Excluded(from.to_vec()),
            Some(from) => Included(from.to_vec()),
            None => Included(prefix.to_vec()),
        };
        let high = successor(prefix).map_or(Unbounded, Excluded);
        let prefix = prefix.to_vec();
        self.snapshot.range(&self.keyspace, (low, high)).map(move |guard| {
            guard.into_inner().map(|(key, sealed)| Item { key, sealed }).map_err(|error| read_error(&prefix, &error))
        })
    }
}

/// A key and its sealed value.
pub struct Item {
    pub key: fjall::UserKey,
    pub sealed: fjall::UserValue,
}

impl Item {
    /// The value, checked and decoded.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T> {
        value::decode(&self.key, &self.sealed)
    }
    /// The bytes that the key ends with, where the value holds what was written with it.
    pub fn tail<const N: usize>(&self) -> Result<[u8; N]> {
        value::open(&self.key, &self.sealed)?;
        super::key::tail(&self.key)
            .ok_or_else(|| value::corrupt(&self.key, format!("the key has {} bytes", self.key.len())))
    }
}

/// The smallest key above all that begin with `prefix`; none where there is none.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let end = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut high = prefix.get(..=end)?.to_vec();
    if let Some(last) = high.last_mut() {
        *last += 1;
    }
    Some(high)
}

/// What a failed read means: the disk does not answer, or what it answers is not what was written.
pub fn read_error(key: &[u8], error: &fjall::Error) -> Error {
    use fjall::LsmError;
    match error {
        fjall::Error::Io(io) | fjall::Error::Storage(LsmError::Io(io)) => {
            Error::Unavailable(format!("reading {}: {io}", Table::of(key).map_or("unknown", Table::name)))
        }
        other => value::corrupt(key, other.to_string()),
    }
}
