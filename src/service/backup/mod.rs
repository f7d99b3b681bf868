//! Backups: one moment of the store and all uploaded files as one stream, while the service goes on; and back. The
//! format is `docs/spec/backup.md`. The key ring is no part of it.

pub mod frame;
pub mod payload;
mod read;
mod restore;
#[cfg(test)]
mod spec;
mod tally;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use self::{
    frame::{FrameKind, FrameWriter},
    payload::{Digest32, Header, Trailer, encode, encode_kept, head_row},
};
pub use self::{
    read::{BackupReader, check},
    restore::{Restoration, Summary, restore},
    tally::{Sum, Tally},
};
use super::{Service, register::file_hash};
use crate::{
    limits::{BACKUP_FRAME_BYTES_MAX, BACKUP_PIECE_BYTES, BACKUP_PIECES_WAITING},
    registration::FileHash,
    store::{self, FeedHead, Intake, Snapshot, Writer},
};

/// Why a backup was not written, or is none.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It could not be read.
    #[error("the backup cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is something else, or of another version.
    #[error("it begins with {found:?}, expected the line \"coldproof/backup/1\"")]
    Foreign {
        /// Its first bytes.
        found: String,
    },
    /// It is not as it was written.
    #[error("the backup is damaged at byte {at}: {found}")]
    Damaged {
        /// Where the frame begins that is wrong.
        at: u64,
        /// What is wrong with it.
        found: String,
    },
    /// Its source gave up and said why.
    #[error("the backup was broken off by its source: {0}")]
    BrokeOff(String),
    /// A thing over the limit of a frame.
    #[error("a {what} of {found} bytes; at most {BACKUP_FRAME_BYTES_MAX} can be in a backup")]
    TooLarge {
        /// What kind of thing.
        what: &'static str,
        /// Its size in bytes.
        found: usize,
    },
    /// A thing that cannot be written.
    #[error("a thing cannot be encoded: {0}")]
    Encoding(String),
    /// The backup is not the one that was last taken.
    #[error("the final backup {found} is not the one that this server took last; take it again")]
    NotTaken {
        /// The name that was given.
        found: String,
    },
    /// What was restored is not what is in the backup.
    #[error(
        "what was restored is not what is in the backup: {} of kind {kind} were put, {} are there (sums {}, {})",
        put.count, found.count, put.hex(), found.hex()
    )]
    Differs {
        /// What kind of things.
        kind: &'static str,
        /// Those that were put.
        put: Sum,
        /// Those that are there.
        found: Sum,
    },
    /// Another server wrote after the moment of the final backup.
    #[error(
        "feed {} went on after the final backup: another server writes to this store. Stop all others and take it again",
        writer.0
    )]
    WentOn {
        /// Whose feed.
        writer: Writer,
    },
    /// The store failed, or holds something damaged.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An uploaded file is not as it was uploaded.
    #[error("file {hash}: {found}; `coldproof audit` says what names it")]
    File {
        /// Its name.
        hash: FileHash,
        /// What is wrong with it.
        found: String,
    },
    /// The file store failed.
    #[error("the file store: {0}")]
    Files(#[from] object_store::Error),
}

impl BackupError {
    fn cut(at: u64) -> Self {
        Self::Damaged { at, found: "the backup ends within this frame: it was cut short".to_owned() }
    }
}

impl Service {
    /// One moment of everything, as a stream in constant memory. Where it fails, its last frame says why, so that what was
    /// received is refused with that reason.
    ///
    /// `last` pauses all writes, so that nothing can come behind it: until [`Service::retire`], or, where the stream
    /// fails or is dropped, until then.
    ///
    /// # Errors
    /// Where the store gives no snapshot.
    pub async fn backup(self: &Arc<Self>, last: bool) -> Result<impl Stream<Item = Bytes> + use<>, BackupError> {
        match self.flush_scans().await {
            Ok(_) | Err(store::Error::Retired | store::Error::Paused) => {}
            Err(error) => return Err(error.into()),
        }
        let last = last && self.pause().await?;
        let snapshot = match self.store.snapshot().await {
            Ok(snapshot) => snapshot,
            Err(error) => {
                self.resume(last).await;
                return Err(error.into());
            }
        };
        let (to, mut from) = mpsc::channel(BACKUP_PIECES_WAITING);
        let service = Arc::clone(self);
        tokio::spawn(async move {
            if !service.send_backup(snapshot, last, &to).await {
                service.resume(last).await;
            }
        });
        Ok(stream::poll_fn(move |context| from.poll_recv(context)))
    }

    /// Retires the store for good, after the receiver of its last final backup has made that durable.
    ///
    /// # Errors
    /// [`BackupError::NotTaken`] where `digest` is not that of the last final backup, or writes went on since.
    pub async fn retire(&self, digest: [u8; 32]) -> Result<(), BackupError> {
        let taken = self.final_backup.lock().await.clone();
        let Some(taken) = taken.filter(|taken| taken.digest == digest) else {
            return Err(BackupError::NotTaken { found: FileHash(digest).to_string() });
        };
        if let Err(error) = self.went_not_on(&taken.heads).await {
            self.resume(true).await;
            return Err(error);
        }
        Ok(self.store.set_intake(Intake::Retired).await?)
    }

    /// Makes sure that the feeds end where they did. Writes are paused here, but other servers of the store do not know that.
    async fn went_not_on(&self, heads: &[FeedHead]) -> Result<(), BackupError> {
        for writer in self.store.writers().await? {
            let rows = heads.iter().find(|head| head.writer == writer).map_or(0, |head| head.rows);
            if !self.store.rows(writer, rows, 1).await?.is_empty() {
                return Err(BackupError::WentOn { writer });
            }
        }
        Ok(())
    }

    /// Pauses writes for a final backup; whether there was anything to pause.
    async fn pause(&self) -> Result<bool, BackupError> {
        match self.store.set_intake(Intake::Paused).await {
            Ok(()) => Ok(true),
            Err(store::Error::Retired) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    async fn resume(&self, was_last: bool) {
        if was_last {
            *self.final_backup.lock().await = None;
            // A retired store stays so; nothing else can be refused here.
            let _ = self.store.set_intake(Intake::Open).await;
        }
    }

    /// Sends a whole backup; false where it failed or nobody takes it.
    async fn send_backup(&self, snapshot: Snapshot, last: bool, to: &mpsc::Sender<Bytes>) -> bool {
        let mut sending = Sending { service: self, frames: FrameWriter::begin(), to };
        let heads = snapshot.heads.clone();
        let failure = match sending.everything(snapshot).await {
            Ok(digest) => {
                if last {
                    *self.final_backup.lock().await = Some(FinalBackup { digest, heads });
                }
                let sent = sending.send().await.is_ok();
                // All room is free once all was taken; a receiver that has gone away takes nothing.
                return sent && to.reserve_many(BACKUP_PIECES_WAITING).await.is_ok();
            }
            Err(Stop::Unheard) => return false,
            Err(Stop::Failed(error)) => error,
        };
        tracing::error!(error = %failure, "a backup failed");
        let _ = sending.frames.put(FrameKind::Failure, failure.to_string().as_bytes());
        let _ = sending.send().await;
        false
    }
}

/// A final backup that was sent, and for which writes are paused.
#[derive(Clone, Debug)]
pub(super) struct FinalBackup {
    /// Its name.
    digest: [u8; 32],
    /// Where the feeds ended.
    heads: Vec<FeedHead>,
}

/// Why a backup ends early.
enum Stop {
    /// Nobody takes it any more.
    Unheard,
    Failed(BackupError),
}

impl<E: Into<BackupError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct Sending<'a> {
    service: &'a Service,
    frames: FrameWriter,
    to: &'a mpsc::Sender<Bytes>,
}

impl Sending<'_> {
    /// Everything but the last piece, which is left to be sent; the backup's digest.
    async fn everything(&mut self, mut snapshot: Snapshot) -> Result<[u8; 32], Stop> {
        let header = Header {
            host: self.service.settings.host.to_string(),
            created_ms: self.service.now_ms(),
            heads: snapshot.heads.iter().map(head_row).collect(),
            records: snapshot.records,
            entries: snapshot.entries,
        };
        self.frames.put(FrameKind::Header, &encode(&header)?)?;
        while let Some(things) = snapshot.things.next().await {
            for thing in things? {
                let (kind, payload) = encode_kept(&thing)?;
                self.frames.put(kind, &payload)?;
                self.send_full().await?;
            }
        }
        // Two passes over a cluster may be answered by other replicas.
        let promised = header.check_counts(&self.frames.counts);
        promised.map_err(|said| store::Error::Unavailable(format!("{said}: take the backup again")))?;
        self.files().await?;
        let digest = self.frames.digest();
        let trailer = Trailer { counts: self.frames.counts.0.clone(), digest: Digest32(digest) };
        self.frames.put(FrameKind::Trailer, &encode(&trailer)?)?;
        Ok(digest)
    }

    /// All files that there are: those that the snapshot names were durable before it named them. Some may come that
    /// it does not name.
    async fn files(&mut self) -> Result<(), Stop> {
        let mut listed = self.service.files.list(None);
        while let Some(file) = listed.try_next().await? {
            let Some(hash) = file_hash(&file.location) else { continue };
            let bytes = self.service.read_hash(hash).await;
            let bytes = bytes.map_err(|error| BackupError::File { hash, found: error.to_string() })?;
            self.frames.put(FrameKind::File, &[&hash.0, bytes.as_ref()].concat())?;
            self.send_full().await?;
        }
        Ok(())
    }

    async fn send_full(&mut self) -> Result<(), Stop> {
        if self.frames.waiting() < BACKUP_PIECE_BYTES { Ok(()) } else { self.send().await }
    }

    async fn send(&mut self) -> Result<(), Stop> {
        self.to.send(self.frames.take().into()).await.map_err(|_| Stop::Unheard)
    }
}
