//! `DIR/admin.sock`: the same interface, for whoever may open the store's folder anyway.
//!
//! Commands reach a running server here. The socket has mode 0600, and a peer with another user id than the socket's
//! owner (or root) is turned away, so that the moment between bind and chmod opens nothing.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use crate::{
    service::Caller,
    trace::{OrganizationId, Role},
};

/// The socket's name in the store's folder.
pub const FILE_NAME: &str = "admin.sock";

/// Who calls through it.
pub(super) const CALLER: Caller = Caller { key: None, organization: OrganizationId(0), role: Role::Admin };

/// A bound admin socket; its file is removed when it is dropped.
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl AdminSocket {
    /// Binds the socket in `folder`. Whoever calls this holds the store's lock on the folder, so that a socket that is
    /// there already was left by a server that is gone, and is replaced.
    ///
    /// # Errors
    /// When something else than a socket has its name, or the system refuses.
    pub fn bind(folder: &Path) -> io::Result<AdminSocket> {
        let path = folder.join(FILE_NAME);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.file_type().is_socket() => fs::remove_file(&path)?,
            Ok(_) => {
                let message = format!("{} is in the way and is not a socket", path.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let owner = fs::metadata(&path)?.uid();
        Ok(AdminSocket { listener, path, owner })
    }

    /// The next connection of a peer that may connect.
    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            let user = stream.peer_cred()?.uid();
            if user == self.owner || user == 0 {
                return Ok(stream);
            }
            tracing::warn!(user, "a stranger was turned away from the admin socket");
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // A socket that stays behind is replaced by the next server.
        let _ = fs::remove_file(&self.path);
    }
}
