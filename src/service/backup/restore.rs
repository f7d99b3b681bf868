//! From a backup to a store: in quarantine, with every number moved past what the lost server may have given out.

use std::{collections::BTreeMap, io::Read};

use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::{BackupError, BackupReader, frame::FrameKind, payload::Piece};
use crate::{
    code::Gs1Prefix,
    limits::{RESTORE_BATCH_BYTES, RESTORE_NUMBERS_SKIPPED},
    service::{
        Counter,
        quarantine::{RESTORED_CLAIM, Restored},
        register::file_path,
        split::OPEN_CLAIMS,
    },
    store::{Kept, RETIRED_CLAIM, Store},
};

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The canonical host of the store.
    pub host: String,
    /// When the backup was begun, milliseconds since 1970-01-01 UTC.
    pub created_ms: i64,
    /// Captures in it.
    pub captures: u64,
    /// Records in it.
    pub records: u64,
    /// Uploaded files in it.
    pub files: u64,
}

impl Summary {
    /// Of a backup that was read to its end.
    pub fn of<R: Read>(reader: &BackupReader<R>) -> Self {
        let (header, counts) = (reader.header(), reader.counts());
        Self {
            host: header.host.clone(),
            created_ms: header.created_ms,
            captures: counts.get(FrameKind::Capture),
            records: counts.get(FrameKind::Record),
            files: counts.get(FrameKind::File),
        }
    }
}

/// Fills an empty store and its files from a backup, and puts it into quarantine. `ring` has a bit for each slot of the key
/// ring, where that is known. `progress` hears how many bytes were read.
///
/// # Errors
/// Where the backup is not whole, or store or files fail. What was written by then is of no use.
pub async fn restore<R: Read>(
    reader: &mut BackupReader<R>,
    store: &dyn Store,
    files: &dyn ObjectStore,
    ring: Option<u32>,
    now_ms: i64,
    mut progress: impl FnMut(u64),
) -> Result<Summary, BackupError> {
    let (mut batch, mut batch_at) = (Vec::new(), reader.at());
    let mut counters = BTreeMap::new();
    while let Some(piece) = reader.piece()? {
        match piece {
            Piece::Kept(Kept::Claim { name, value }) => batch.extend(claim(name, value, &mut counters)?),
            Piece::Kept(kept) => batch.push(kept),
            Piece::File(hash, bytes) => drop(files.put(&file_path(hash), PutPayload::from(bytes)).await?),
        }
        if reader.at() - batch_at >= RESTORE_BATCH_BYTES as u64 {
            store.load(std::mem::take(&mut batch)).await?;
            batch_at = reader.at();
        }
        progress(reader.at());
    }
    for counter in Counter::NUMBERED.into_iter().filter(|counter| !counters.contains_key(&counter.claim())) {
        let value = (1 + RESTORE_NUMBERS_SKIPPED).to_be_bytes().to_vec();
        batch.push(Kept::Claim { name: counter.claim(), value });
    }
    let header = reader.header();
    let restored = Restored::new(header.created_ms, now_ms, header.heads.clone(), &counters, ring);
    batch.push(Kept::Claim { name: RESTORED_CLAIM.to_owned(), value: restored.encoded()? });
    store.load(batch).await?;
    Ok(Summary::of(reader))
}

/// A claim as the restored store begins with it. Counters of things move; those of runs stay, because they move with the
/// release; what concerned the source alone does not come along.
fn claim(name: String, value: Vec<u8>, counters: &mut BTreeMap<String, u64>) -> Result<Option<Kept>, BackupError> {
    if name == RETIRED_CLAIM || name == RESTORED_CLAIM || name.starts_with(OPEN_CLAIMS) {
        return Ok(None);
    }
    let Some(counter) = name.strip_prefix(Counter::CLAIMS) else { return Ok(Some(Kept::Claim { name, value })) };
    let next = Counter::parse(&name, &value)?;
    counters.insert(name.clone(), next);
    let skipped = match counter.strip_prefix(Counter::UNITS).and_then(|prefix| prefix.parse::<Gs1Prefix>().ok()) {
        // A long prefix has few numbers: a tenth of them is more than a server gives out between two backups.
        Some(prefix) => RESTORE_NUMBERS_SKIPPED.min(prefix.units() / 10),
        None if counter.starts_with(Counter::RUNS) => 0,
        None => RESTORE_NUMBERS_SKIPPED,
    };
    let value = next.saturating_add(skipped).to_be_bytes().to_vec();
    Ok(Some(Kept::Claim { name, value }))
}
