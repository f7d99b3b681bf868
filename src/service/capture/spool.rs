//! Documents that are too large for memory lie in files while they arrive and are read: one folder, so many files at once,
//! so many bytes each. A file goes with its [`Spool`]; what a stop left behind goes at the next start.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncWriteExt, BufWriter},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::CaptureError;
use crate::{
    epcis::{DocumentError, DocumentStream, Draft, EventText, Hosts},
    limits::{CAPTURE_WAIT_MS, SPOOL_CHUNK_BYTES, SPOOL_PIECE_BYTES},
};

/// How the files are named, behind a number.
const EXTENSION: &str = "spool";

/// Why a document was not kept; nothing of it took effect.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It is larger than the operator lets it be.
    #[error("found a document of more, expected at most {bytes_max} bytes")]
    TooLarge {
        /// What it may have.
        bytes_max: u64,
    },
    /// As many are under way as may be.
    #[error("as many captures are under way as may be at once")]
    Busy,
    /// The disk does not take it or give it back.
    #[error("the document could not be kept while it was read: {0}")]
    Disk(#[from] io::Error),
}

/// The folder of spooled documents.
#[derive(Debug)]
pub struct Spools {
    folder: PathBuf,
    bytes_max: u64,
    free: Arc<Semaphore>,
    next: AtomicU64,
}

impl Spools {
    /// In a folder of one's own, which is made when it is needed; documents of at most `bytes_max`, `spools_max` at once.
    pub fn new(folder: PathBuf, bytes_max: u64, spools_max: usize) -> Self {
        Self { folder, bytes_max, free: Arc::new(Semaphore::new(spools_max)), next: AtomicU64::new(0) }
    }

    /// The largest document that is taken, in bytes.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Removes what an earlier process left behind. Says how many files there were.
    ///
    /// # Errors
    /// Where the folder cannot be read or a file not be removed.
    pub fn sweep(&self) -> io::Result<usize> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        let mut swept = 0;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                fs::remove_file(path)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Begins a file, once there may be one more.
    ///
    /// # Errors
    /// [`SpoolError::Busy`] where that takes too long, [`SpoolError::Disk`] where it cannot be made.
    pub async fn begin(&self) -> Result<SpoolWriter, SpoolError> {
        let wait = timeout(Duration::from_millis(CAPTURE_WAIT_MS), Arc::clone(&self.free).acquire_owned());
        let permit = wait.await.ok().and_then(Result::ok).ok_or(SpoolError::Busy)?;
        tokio::fs::create_dir_all(&self.folder).await?;
        let path = self.folder.join(format!("{}.{EXTENSION}", self.next.fetch_add(1, Ordering::Relaxed)));
        let file = File::options().create_new(true).write(true).mode(0o600).open(&path)?;
        let spool = Spool { path, bytes: 0, _permit: permit };
        let file = BufWriter::with_capacity(SPOOL_PIECE_BYTES, tokio::fs::File::from_std(file));
        Ok(SpoolWriter { file, spool, bytes_max: self.bytes_max })
    }
}

/// A document that is arriving.
#[derive(Debug)]
pub struct SpoolWriter {
    file: BufWriter<tokio::fs::File>,
    spool: Spool,
    bytes_max: u64,
}

impl SpoolWriter {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`SpoolError::TooLarge`], and [`SpoolError::Disk`] where the disk is full.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), SpoolError> {
        self.spool.bytes = self.spool.bytes.saturating_add(piece.len() as u64);
        if self.spool.bytes > self.bytes_max {
            return Err(SpoolError::TooLarge { bytes_max: self.bytes_max });
        }
        Ok(self.file.write_all(piece).await?)
    }

    /// The whole document.
    ///
    /// # Errors
    /// As of [`SpoolWriter::write`].
    pub async fn finish(mut self) -> Result<Spool, SpoolError> {
        self.file.flush().await?;
        Ok(self.spool)
    }
}

/// A document in a file, which goes when this is dropped. It need not outlast a power cut: until its capture is
/// committed nothing was promised.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    bytes: u64,
    _permit: OwnedSemaphorePermit,
}

impl Spool {
    /// Its length.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a spooled document was not removed");
        }
    }
}

/// One reading of a spooled document from its beginning, in constant memory. It blocks.
pub(super) struct Reading {
    file: File,
    stream: DocumentStream,
    piece: Vec<u8>,
    /// What is wrong behind the events that were given last: theirs is told first.
    fault: Option<DocumentError>,
}

impl Reading {
    pub(super) fn begin(spool: &Spool) -> Result<Self, SpoolError> {
        let file = File::open(&spool.path)?;
        Ok(Self { file, stream: DocumentStream::default(), piece: vec![0; SPOOL_PIECE_BYTES], fault: None })
    }

    /// The next events, together `SPOOL_CHUNK_BYTES` or a single larger one; none at the end.
    pub(super) fn texts(&mut self) -> Result<Vec<EventText>, CaptureError> {
        if let Some(fault) = self.fault.take() {
            return Err(fault.into());
        }
        let (mut texts, mut bytes) = (Vec::new(), 0);
        while bytes < SPOOL_CHUNK_BYTES {
            match self.stream.next_event() {
                Ok(Some(text)) => {
                    bytes += text.bytes();
                    texts.push(text);
                }
                Ok(None) if self.stream.has_ended() => break,
                Ok(None) => self.read_piece()?,
                Err(fault) if texts.is_empty() => return Err(fault.into()),
                Err(fault) => {
                    self.fault = Some(fault);
                    break;
                }
            }
        }
        Ok(texts)
    }

    fn read_piece(&mut self) -> Result<(), SpoolError> {
        let read = self.file.read(&mut self.piece)?;
        self.stream.push(self.piece.get(..read).unwrap_or_default());
        if read == 0 {
            self.stream.end();
        }
        Ok(())
    }

    pub(super) fn drafts<'a>(
        &mut self,
        texts: &'a [EventText],
        hosts: &'a Hosts,
    ) -> Result<Vec<Draft<'a>>, DocumentError> {
        texts.iter().map(|text| self.stream.read(text, hosts)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).map(Iterator::count).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_spool_is_there_until_it_is_dropped_and_frees_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let spools = Spools::new(folder.path().join("spool"), 10, 1);
        let mut writer = spools.begin().await.unwrap();
        writer.write(b"01234").await.unwrap();
        let spool = writer.finish().await.unwrap();
        assert_eq!((spool.bytes(), fs::read(spool.path()).unwrap()), (5, b"01234".to_vec()));
        drop(spool);
        assert_eq!((files(&folder.path().join("spool")), spools.free.available_permits()), (0, 1));
    }

    #[tokio::test]
    async fn one_that_is_too_large_is_refused_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let spools = Spools::new(folder.path().to_owned(), 10, 1);
        let mut writer = spools.begin().await.unwrap();
        writer.write(b"0123456789").await.unwrap();
        assert!(matches!(writer.write(b"0").await, Err(SpoolError::TooLarge { bytes_max: 10 })));
        drop(writer);
        assert_eq!((files(folder.path()), spools.free.available_permits()), (0, 1));
    }

    #[tokio::test]
    async fn a_disk_that_takes_nothing_is_an_error_of_the_disk() {
        let spools = Spools::new(PathBuf::from("/dev/null/spool"), 10, 1);
        assert!(matches!(spools.begin().await, Err(SpoolError::Disk(_))));
        assert_eq!(spools.free.available_permits(), 1);
    }

    #[test]
    fn what_an_earlier_process_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let spools = Spools::new(folder.path().to_owned(), 10, 1);
        for name in ["0.spool", "17.spool", "letter.txt"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!((spools.sweep().unwrap(), files(folder.path())), (2, 1));
        assert_eq!(Spools::new(folder.path().join("none"), 10, 1).sweep().unwrap(), 0);
    }
}
