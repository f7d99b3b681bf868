//! The lock on a folder that one process at a time may have open.

use std::{
    fs::{self, File, OpenOptions},
    io::Read,
    os::unix::fs::FileExt,
    path::Path,
};

use super::{Error, Result};

/// The name of the locked file in its folder.
const LOCK: &str = "lock";

/// A folder that this process alone has open, until it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the folder, which is made where there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where another process has it open, which is named, or the folder cannot be used.
    pub fn take(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
        fs::create_dir_all(path).map_err(failed)?;
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path.join(LOCK));
        let mut lock = open.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = lock.read_to_string(&mut holder);
                let holder = holder.trim();
                return Err(Error::Unavailable(format!("{} is open in process {holder}", path.display())));
            }
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        // The number is for the message above only; a full disk must not keep the store from opening.
        let _ = lock.set_len(0).and_then(|()| lock.write_all_at(format!("{}\n", std::process::id()).as_bytes(), 0));
        Ok(Self { _file: lock })
    }
}
