//! The store's folder: its lock, and what is done before the engine opens.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
};

use super::{
    head::{Head, Mark},
    journal, marker,
    tables::Tables,
};
use crate::{
    limits,
    store::{Error, FolderLock, Result},
};

/// Where the engine keeps its files, the head its slots, and copies of journals go.
const ENGINE: &str = "engine";
const HEAD: &str = "head";
const ASIDE: &str = "journals-";

/// The engine, the head, and the newest marker with its digest.
pub type Opened = (Tables, Head, (marker::Marker, [u8; 32]));

/// A folder that this process alone has open.
pub struct Folder {
    path: PathBuf,
    _lock: FolderLock,
}

impl Folder {
    /// Locks the folder, which is made where there is none.
    pub fn lock(path: &Path) -> Result<Self> {
        let lock = FolderLock::take(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Opens the engine and checks that it has kept all that was answered.
    pub fn open(&self) -> Result<Opened> {
        let head = Head::open(&self.path.join(HEAD))?;
        let mark = head.as_ref().map(Head::mark);
        if let Some(mark) = mark.filter(|mark| !mark.clean) {
            self.copy_journals(mark)?;
        }
        let tables = match (self.open_engine(), mark) {
            (Err(Error::Corrupt { .. }), Some(mark)) if !mark.clean && self.cut_torn_end()? => self.open_engine(),
            (tables, _) => tables,
        };
        let tables = tables.map_err(|error| self.refusal(error, mark))?;
        let Some(head) = head else { return self.without_head(tables) };
        let chain = marker::check_chain(&tables.view(), head.mark());
        let newest = chain.map_err(|error| self.refusal(error, mark))?;
        Ok((tables, head, newest))
    }

    /// A store that has no head yet has no group either: its making was interrupted, or has just begun.
    fn without_head(&self, tables: Tables) -> Result<Opened> {
        let path = self.path.join(HEAD);
        let newest = marker::check_chain(&tables.view(), Mark::default());
        let newest = newest.ok().filter(|(newest, _)| newest.number == 0).ok_or_else(|| Error::Corrupt {
            table: "head",
            key: path.display().to_string(),
            found: "the file is missing, but the store is not empty".to_owned(),
        })?;
        Ok((tables, Head::create(&path)?, newest))
    }

    /// Cuts a batch off that was being written when the machine stopped; whether there was one.
    fn cut_torn_end(&self) -> Result<bool> {
        let engine = self.path.join(ENGINE);
        let failed = |error: std::io::Error| Error::Unavailable(format!("{}: {error}", engine.display()));
        let number = |name: &String| name.strip_suffix(".jnl").and_then(|number| number.parse::<u64>().ok());
        let newest = names(&engine).map_err(failed)?.filter(|name| number(name).is_some()).max_by_key(number);
        newest.map_or(Ok(false), |name| journal::cut_torn_end(&engine.join(name)).map_err(failed))
    }

    fn open_engine(&self) -> Result<Tables> {
        let path = self.path.join(ENGINE);
        let open = || {
            let database = fjall::Database::builder(&path)
                .cache_size(limits::BLOCK_CACHE_BYTES)
                .worker_threads(limits::ENGINE_WORKERS)
                .open()?;
            let options = || fjall::KeyspaceCreateOptions::default().max_memtable_size(limits::MEMTABLE_BYTES_MAX);
            let keyspace = database.keyspace("coldproof", options)?;
            Ok::<_, fjall::Error>(Tables { database, keyspace })
        };
        let unreadable = |found| Error::Corrupt { table: "engine", key: path.display().to_string(), found };
        // The engine asserts some of what it reads while it recovers.
        match std::panic::catch_unwind(AssertUnwindSafe(open)) {
            Ok(Ok(tables)) => Ok(tables),
            Ok(Err(fjall::Error::Io(error))) => Err(Error::Unavailable(format!("opening {}: {error}", path.display()))),
            Ok(Err(error)) => Err(unreadable(format!("it cannot be opened: {error}"))),
            Err(_) => Err(unreadable("the engine gave up while it recovered".to_owned())),
        }
    }

    /// Says where the journals are as they were before the engine cut them.
    fn refusal(&self, error: Error, mark: Option<Mark>) -> Error {
        match (error, mark) {
            (Error::Corrupt { table, key, found }, Some(mark)) if !mark.clean => {
                let aside = self.aside(mark);
                let found = format!("{found}; the journals as they were found are in {}", aside.display());
                Error::Corrupt { table, key, found }
            }
            (error, _) => error,
        }
    }

    fn aside(&self, mark: Mark) -> PathBuf {
        self.path.join(format!("{ASIDE}{}", mark.number))
    }

    /// After an unclean stop, copies the engine's journals aside: it cuts a damaged one short when it opens.
    ///
    /// Kept is one copy, the first of the newest stop: a second attempt to open finds journals that are cut already.
    fn copy_journals(&self, mark: Mark) -> Result<()> {
        let failed = |error: std::io::Error| Error::Unavailable(format!("copying the journals aside: {error}"));
        let aside = self.aside(mark);
        if aside.exists() {
            return Ok(());
        }
        for name in names(&self.path).map_err(failed)?.filter(|name| name.starts_with(ASIDE)) {
            fs::remove_dir_all(self.path.join(name)).map_err(failed)?;
        }
        let unfinished = self.path.join(format!("{ASIDE}new"));
        fs::create_dir_all(&unfinished).map_err(failed)?;
        let engine = self.path.join(ENGINE);
        for name in names(&engine).map_err(failed)?.filter(|name| name.ends_with(".jnl")) {
            copy_sparse(&engine.join(&name), &unfinished.join(&name)).map_err(failed)?;
        }
        fs::rename(&unfinished, &aside).map_err(failed)
    }
}

/// Names in a folder; none where there is no such folder.
fn names(folder: &Path) -> std::io::Result<impl Iterator<Item = String> + use<>> {
    let names = match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    names.map(|names: Vec<_>| names.into_iter())
}

/// Copies a file without its stretches of zeros: a journal is made 64 MiB long before anything is in it.
fn copy_sparse(from: &Path, to: &Path) -> std::io::Result<()> {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let mut chunk = vec![0; 1 << 20];
    loop {
        let read = from.read(&mut chunk)?;
        let bytes = chunk.get(..read).unwrap_or_default();
        if read == 0 {
            return to.set_len(from.metadata()?.len());
        }
        if bytes.iter().all(|byte| *byte == 0) {
            to.seek(SeekFrom::Current(i64::try_from(read).unwrap_or(i64::MAX)))?;
        } else {
            to.write_all(bytes)?;
        }
    }
}
