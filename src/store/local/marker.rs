//! Markers: every group carries one, and each names the one before. So a group that the engine lost
//! is missed, wherever in the sequence it stood.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    draft::Op,
    head::Mark,
    key::{self, Table},
    tables::View,
    value::{self, Digest32},
};
use crate::{
    limits,
    store::{Error, Result},
};

/// How many keys a table holds, in the order of [`Table::ALL`].
pub type Counts = Vec<u64>;

/// What a group says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// Dense from 1.
    pub number: u64,
    /// Digest of the marker before; zeros at number 1.
    pub previous: Digest32,
    /// SHA-256 over the group's keys and the hashes of its values.
    pub content: Digest32,
    /// Keys in each table once the group is in effect.
    pub counts: Counts,
    /// Every group up to this one is known to have left the journal.
    pub flushed: u64,
    /// What the group overwrites or removes, with the new value's hash: a journal whose batches come back in
    /// another order leaves all markers in place, but not these.
    pub overwrites: Vec<(Key, Option<u64>)>,
}

/// A key as one `MessagePack` binary.
pub type Key = super::draft::Bytes;

impl Marker {
    /// The state before any group.
    pub fn origin() -> Self {
        Self {
            number: 0,
            previous: Digest32::default(),
            content: Digest32::default(),
            counts: vec![0; Table::ALL.len()],
            flushed: 0,
            overwrites: Vec::new(),
        }
    }

    /// The marker of the group that follows, of these writes in the order of their keys.
    pub fn next(&self, previous: [u8; 32], ops: &[(Vec<u8>, Op)], flushed: u64) -> Self {
        let mut content = Sha256::new();
        let mut counts = self.counts.clone();
        // A marker of an older program knows fewer tables.
        counts.resize(Table::ALL.len().max(counts.len()), 0);
        let mut overwrites = Vec::new();
        for (key, op) in ops {
            let hash = op.sealed.as_deref().and_then(<[u8]>::last_chunk::<8>);
            content.update((key.len() as u64).to_be_bytes());
            content.update(key);
            content.update(hash.map_or(&[][..], |hash| hash));
            let table = Table::of(key);
            if let Some(count) = table.and_then(|table| counts.get_mut(table.index())) {
                match (op.existed, op.sealed.is_some()) {
                    (false, true) => *count += 1,
                    (true, false) => *count -= 1,
                    _ => {}
                }
            }
            // A staged chunk may come again after a sweep. Scan sums may fall back by one interval, and are too many.
            let changes = op.existed || op.sealed.is_none() || table == Some(Table::Staged);
            if changes && table != Some(Table::Scan) {
                overwrites.push((super::draft::Bytes(key.clone()), hash.map(|hash| u64::from_be_bytes(*hash))));
            }
        }
        let content = Digest32(content.finalize().into());
        Self { number: self.number + 1, previous: Digest32(previous), content, counts, flushed, overwrites }
    }

    /// Its value, sealed, and the digest by which the next marker and the head name it.
    pub fn sealed(&self) -> Result<(Vec<u8>, Vec<u8>, [u8; 32])> {
        let key = key::marker(self.number);
        let sealed = value::encode(&key, self)?;
        let digest = digest(value::open(&key, &sealed)?.0);
        Ok((key, sealed, digest))
    }
}

/// SHA-256 by which a marker is named; zeros name the state before any group.
pub fn digest(payload: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"coldproof/group/1");
    hash.update(payload);
    hash.finalize().into()
}

/// The newest marker with its digest, once the chain that leads to it is known to be whole:
/// every marker that is still kept names the one before, and the head names the newest or the one before it.
pub fn check_chain(view: &View, head: Mark) -> Result<(Marker, [u8; 32])> {
    let mut newest = (Marker::origin(), [0; 32]);
    let mut oldest = None;
    let mut head_digest = (head.number == 0).then_some([0; 32]);
    let mut overwrites = HashMap::new();
    for item in view.range(&[Table::Marker as u8], None, false) {
        let item = item?;
        let marker: Marker = item.value()?;
        let (expected, oldest) = (newest.0.number + 1, *oldest.get_or_insert(marker.number));
        if marker.number > oldest && (marker.number != expected || marker.previous.0 != newest.1) {
            return Err(broken(expected, format!("the next group found is {}", marker.number)));
        }
        let digest = digest(value::open(&item.key, &item.sealed)?.0);
        if marker.number == head.number {
            head_digest = Some(digest);
        }
        for (key, hash) in &marker.overwrites {
            overwrites.insert(key.0.clone(), (marker.number, *hash));
        }
        newest = (marker, digest);
    }
    let first = newest.0.number.saturating_sub(limits::MARKERS_KEPT - 1).max(1);
    if newest.0.number > 0 && oldest != Some(first) {
        return Err(broken(first, format!("the oldest group found is {}", oldest.unwrap_or_default())));
    }
    if newest.0.number < head.number || newest.0.number > head.number + 1 || head_digest != Some(head.digest) {
        let found = format!("the newest group is {}; the last one answered was {}", newest.0.number, head.number);
        return Err(broken(head.number, found));
    }
    overwrites.retain(|_, (number, _)| *number > newest.0.flushed);
    check_overwrites(view, &overwrites)?;
    Ok(newest)
}

/// That what the last groups overwrote holds what the last of them wrote.
fn check_overwrites(view: &View, overwrites: &HashMap<Vec<u8>, (u64, Option<u64>)>) -> Result<()> {
    for (key, (number, written)) in overwrites {
        let sealed = view.sealed(key)?;
        let found = sealed.as_ref().map(|sealed| value::open(key, sealed)).transpose()?.map(|(_, hash)| hash);
        if found != *written {
            return Err(value::corrupt(key, format!("it is not what group {number} left there")));
        }
    }
    Ok(())
}

fn broken(number: u64, found: String) -> Error {
    Error::Corrupt {
        table: "marker",
        key: number.to_string(),
        found: format!("the chain of groups is broken: {found}"),
    }
}
