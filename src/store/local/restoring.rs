//! A folder into which a store is being restored: marked until all of it is there, and no store before.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Folder, LocalStore};
use crate::store::{Error, Result};

/// Stands in a folder for as long as a store is being restored into it.
const MARK: &str = "restoring";
/// What a folder has that is a store's: `docs/spec/store-layout.md`, section 1.
const STORE: [&str; 2] = ["head", "engine"];

/// A store that is being filled. Dropped, or killed, it leaves a folder that nobody opens.
pub struct Restoring {
    store: Arc<LocalStore>,
    folder: PathBuf,
}

impl Restoring {
    /// Begins a store in `folder`, which is made where there is none and may hold anything but a store.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where a store is there, or what an earlier restore left, or the folder cannot be written.
    pub fn begin(folder: &Path) -> Result<Self> {
        let locked = Folder::lock(folder)?;
        refuse_unfinished(folder)?;
        if let Some(name) = STORE.iter().find(|name| folder.join(name).exists()) {
            let found = format!("{} has a store already ({name}): name a new folder", folder.display());
            return Err(Error::Unavailable(found));
        }
        let marked = || {
            let mut mark = File::create_new(folder.join(MARK))?;
            mark.write_all(b"coldproof restore is filling this folder; if it was stopped, remove the folder\n")?;
            mark.sync_all()?;
            File::open(folder)?.sync_all()
        };
        marked().map_err(|error| failed(folder, &error))?;
        Ok(Self { store: LocalStore::open_folder(locked)?, folder: folder.to_owned() })
    }

    /// The store, for [`crate::store::Copies::load`].
    pub fn store(&self) -> &Arc<LocalStore> {
        &self.store
    }

    /// Closes the store and takes the mark away: from here on it opens.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the disk fails: then it stays marked.
    pub async fn finish(self) -> Result<()> {
        self.store.close().await?;
        let removed = fs::remove_file(self.folder.join(MARK)).and_then(|()| File::open(&self.folder)?.sync_all());
        removed.map_err(|error| failed(&self.folder, &error))
    }
}

/// Refuses a folder that a restore has not finished.
pub fn refuse_unfinished(folder: &Path) -> Result<()> {
    if !folder.join(MARK).exists() {
        return Ok(());
    }
    let found = format!("a restore into {0} was not finished: remove {0} and restore again", folder.display());
    Err(Error::Unavailable(found))
}

fn failed(folder: &Path, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("{}: {error}", folder.display()))
}
