//! The key ring's file: who may read it, and how it is written so that no key is lost.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use zeroize::Zeroizing;

use super::{Error, Result};
use crate::code::KeyRing;

/// The variable that may hold the key ring instead of a file.
const VARIABLE: &str = "COLDPROOF_KEYRING";
/// A full ring of 32 keys is below 5 kB.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// The key ring of the environment where there is one, otherwise of the file.
pub(super) fn read(path: &Path) -> Result<KeyRing> {
    let text = match std::env::var(VARIABLE) {
        Ok(text) => Zeroizing::new(text),
        Err(_) => read_text(path)?,
    };
    KeyRing::parse(&text).map_err(|source| Error::KeyRing { path: path.to_owned(), source })
}

/// The file's text. A file that others may read is refused: it is no secret any more.
pub(super) fn read_text(path: &Path) -> Result<Zeroizing<String>> {
    let failed = |message: String| Error::KeyRingFile { path: path.to_owned(), message };
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => failed("there is no key ring; `coldproof keygen` makes one".to_owned()),
        _ => failed(error.to_string()),
    })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(failed(format!("others may read the key ring (mode {mode:04o}); expected mode 0600")));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(failed(format!("{} bytes are no key ring; at most {FILE_BYTES_MAX}", metadata.len())));
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(|error| failed(error.to_string()))?);
    let text = std::str::from_utf8(&bytes).map_err(|_| failed("the key ring is not text".to_owned()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Writes the ring with mode 0600, durable on return: first beside the file, then in its place, so that a crash leaves
/// the old ring or the new one. `replace` says whether there may be an old one.
pub(super) fn write(path: &Path, text: &str, replace: bool) -> Result<()> {
    let failed = |error: std::io::Error| Error::KeyRingFile { path: path.to_owned(), message: error.to_string() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    if !replace && path.exists() {
        let message = "there is a key ring already; --rotate adds a key to it".to_owned();
        return Err(Error::KeyRingFile { path: path.to_owned(), message });
    }
    let beside = path.with_extension("toml.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(failed)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_written_for_its_owner_alone_and_never_over_another_by_chance() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/keyring.toml");
        write(&path, "first", false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(write(&path, "second", false).unwrap_err().to_string().contains("already"));
        write(&path, "third", true).unwrap();
        assert_eq!(*read_text(&path).unwrap(), "third");
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
    }

    #[test]
    fn a_ring_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.toml");
        assert!(read_text(&path).unwrap_err().to_string().contains("coldproof keygen"));
        write(&path, "secret", false).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_text(&path).unwrap_err().to_string();
        assert!(error.contains("0640") && !error.contains("secret"), "{error}");
    }
}
