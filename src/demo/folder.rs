//! The folder of a demo: new, filled, or left behind half filled.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Names what the folder's demo is for; written last, so that a folder with it is whole.
const DEMO_FILE: &str = "demo.json";
/// Stands in a folder for as long as it is being filled.
const UNFINISHED_FILE: &str = "demo.unfinished";

/// What a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Not there, or empty.
    New,
    /// Whole.
    Filled,
    /// A demo was being filled here and was stopped.
    Unfinished,
    /// Something else is in it.
    Foreign,
}

/// What the folder is.
///
/// # Errors
/// Where it cannot be read.
pub fn condition(folder: &Path) -> io::Result<Condition> {
    if folder.join(UNFINISHED_FILE).exists() {
        return Ok(Condition::Unfinished);
    }
    if folder.join(DEMO_FILE).exists() {
        return Ok(Condition::Filled);
    }
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Condition::New),
        Err(error) => Err(error),
        Ok(mut entries) => Ok(if entries.next().is_none() { Condition::New } else { Condition::Foreign }),
    }
}

/// A folder that is being filled, by this process alone.
#[derive(Debug)]
pub struct Unfinished {
    folder: PathBuf,
    /// Locked while the folder is being filled.
    _marker: File,
}

impl Unfinished {
    /// Marks a new folder; empties one that an earlier demo left half filled. Everything in such a folder was made by
    /// that demo, because only an empty folder is ever marked.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where another process is filling the folder, and where it cannot be written.
    pub fn begin(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(UNFINISHED_FILE);
        let mut marker = File::options().create(true).truncate(false).write(true).open(&path)?;
        marker.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            TryLockError::Error(error) => error,
        })?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.path() == path {
                continue;
            }
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
        }
        marker.write_all(b"coldproof demo is filling this folder; if it was stopped, its next start begins anew\n")?;
        marker.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(Self { folder: folder.to_owned(), _marker: marker })
    }

    /// Writes `demo.json` for its owner alone, and takes the mark away: the folder is filled.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn finish(self, demo_json: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(DEMO_FILE);
        let mut file = File::options().create_new(true).write(true).mode(0o600).open(&path)?;
        file.write_all(demo_json.as_bytes())?;
        file.sync_all()?;
        fs::remove_file(self.folder.join(UNFINISHED_FILE))?;
        File::open(&self.folder)?.sync_all()?;
        Ok(path)
    }
}

/// Writes into a filled folder's `demo.json` where it is served now. The address stands alone on the second line.
///
/// # Errors
/// Where the file cannot be read or written.
pub fn moved(folder: &Path, base_url: &str) -> io::Result<()> {
    let path = folder.join(DEMO_FILE);
    let before = fs::read_to_string(&path)?;
    let line = |line: &str| match line.trim_start().starts_with("\"base_url\":") {
        true => format!("  \"base_url\": \"{base_url}\",\n"),
        false => format!("{line}\n"),
    };
    let after: String = before.lines().map(line).collect();
    if after == before {
        return Ok(());
    }
    let beside = folder.join("demo.json.new");
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
    file.write_all(after.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_filled_only_when_its_demo_has_finished() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("demo");
        assert_eq!(condition(&folder).unwrap(), Condition::New);
        let unfinished = Unfinished::begin(&folder).unwrap();
        assert_eq!(condition(&folder).unwrap(), Condition::Unfinished);
        let error = Unfinished::begin(&folder).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
        unfinished.finish("{}").unwrap();
        assert_eq!(condition(&folder).unwrap(), Condition::Filled);
    }

    #[test]
    fn a_half_filled_folder_is_emptied_and_one_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("letter.txt"), "mine").unwrap();
        assert_eq!(condition(folder.path()).unwrap(), Condition::Foreign);
        fs::remove_file(folder.path().join("letter.txt")).unwrap();

        drop(Unfinished::begin(folder.path()).unwrap());
        fs::create_dir(folder.path().join("documents")).unwrap();
        fs::write(folder.path().join("documents/half"), "made by the demo").unwrap();
        let _again = Unfinished::begin(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the mark alone is left");
    }
}
