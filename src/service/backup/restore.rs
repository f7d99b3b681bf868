//! From a backup to a store: in quarantine, with every number moved past what the lost server may have given out.

use std::{collections::BTreeMap, io::Read};

use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BackupError, BackupReader, Tally, frame::FrameKind, payload::Piece};
use crate::{
    code::Gs1Prefix,
    limits::{RESTORE_BATCH_BYTES, RESTORE_NUMBERS_SKIPPED, RESTORE_READS_MAX},
    registration::FileHash,
    service::{
        Counter,
        quarantine::{RESTORED_CLAIM, Restored},
        register::file_path,
        split::OPEN_CLAIMS,
    },
    store::{self, Kept, RETIRED_CLAIM, Store},
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

/// What a restore needs beside the store and its files, and must be the same where it goes on after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restoration {
    /// A bit for each slot of the key ring, where that is known.
    pub ring: Option<u32>,
    /// When it was begun, milliseconds since 1970-01-01 UTC.
    pub begun_ms: i64,
}

/// Fills an empty store and its files from a backup, puts it into quarantine, reads all of it back and compares. One that
/// was stopped may be done again, with the same backup and begun at the same time. `progress` hears how many bytes of the
/// backup were read.
///
/// # Errors
/// Where the backup is not whole, store or files fail, or what is there then is not what was put. What was written by
/// then is of no use.
pub async fn restore<R: Read>(
    reader: &mut BackupReader<R>,
    store: &dyn Store,
    files: &dyn ObjectStore,
    restoration: Restoration,
    mut progress: impl FnMut(u64),
) -> Result<(Summary, Tally), BackupError> {
    let mut filling = Filling { store, batch: Vec::new(), tally: Tally::default() };
    let mut batch_at = reader.at();
    let mut counters = BTreeMap::new();
    while let Some(piece) = reader.piece()? {
        match piece {
            Piece::Kept(Kept::Claim { name, value }) => {
                claim(name, value, &mut counters)?.into_iter().try_for_each(|claim| filling.put(claim))?;
            }
            Piece::Kept(kept) => filling.put(kept)?,
            Piece::File(hash, bytes) => put_file(files, hash, bytes).await?,
        }
        if reader.at() - batch_at >= RESTORE_BATCH_BYTES as u64 {
            filling.load().await?;
            batch_at = reader.at();
        }
        progress(reader.at());
    }
    for counter in Counter::NUMBERED.into_iter().filter(|counter| !counters.contains_key(&counter.claim())) {
        let value = (1 + RESTORE_NUMBERS_SKIPPED).to_be_bytes().to_vec();
        filling.put(Kept::Claim { name: counter.claim(), value })?;
    }
    let (header, Restoration { ring, begun_ms }) = (reader.header(), restoration);
    let restored = Restored::new(header.created_ms, begun_ms, header.heads.clone(), &counters, ring);
    filling.put(Kept::Claim { name: RESTORED_CLAIM.to_owned(), value: restored.encoded()? })?;
    filling.load().await?;
    filling.tally.same_as(&read_back(store).await?)?;
    Ok((Summary::of(reader), filling.tally))
}

/// A store that is being filled.
struct Filling<'a> {
    store: &'a dyn Store,
    batch: Vec<Kept>,
    /// Of all that was put.
    tally: Tally,
}

impl Filling<'_> {
    fn put(&mut self, kept: Kept) -> Result<(), BackupError> {
        self.tally.add(&kept)?;
        self.batch.push(kept);
        Ok(())
    }

    async fn load(&mut self) -> Result<(), BackupError> {
        Ok(self.store.load(std::mem::take(&mut self.batch)).await?)
    }
}

/// All that is there; read again where the store did not answer in time.
async fn read_back(store: &dyn Store) -> Result<Tally, BackupError> {
    let mut tries = 1;
    loop {
        match Tally::of(store).await {
            Err(BackupError::Store(store::Error::Unavailable(error))) if tries < RESTORE_READS_MAX => {
                tracing::warn!(error, tries, "what was restored is read again");
            }
            done => return done,
        }
        tries += 1;
    }
}

/// Puts a file, and reads it back.
async fn put_file(files: &dyn ObjectStore, hash: FileHash, bytes: Vec<u8>) -> Result<(), BackupError> {
    let path = file_path(hash);
    files.put(&path, PutPayload::from(bytes)).await?;
    let found = FileHash(Sha256::digest(files.get(&path).await?.bytes().await?).into());
    if found == hash {
        Ok(())
    } else {
        Err(BackupError::File { hash, found: format!("it was put, and is {found} now") })
    }
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
