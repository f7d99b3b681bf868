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

#[cfg(test)]
mod tests {
    use axum::{Extension, Json, Router, http::StatusCode, routing::get};
    use tokio::{net::TcpListener, sync::mpsc};

    use super::*;
    use crate::{
        config::Config,
        http::{
            admin_client::{AdminClient, Error},
            error::Problem,
            serve::{Signal, serve, serve_in_process},
        },
    };

    fn router() -> Router {
        let who = async |caller: Option<Extension<Caller>>| Json(format!("{:?}", caller.map(|caller| caller.role)));
        let refuse = async || Problem::invalid("/count", "found 0, expected 1 to 10");
        let lines = async || "1\n2\n".repeat(100_000);
        let broken = async || (StatusCode::BAD_GATEWAY, "no problem");
        Router::new()
            .route("/who", get(who))
            .route("/refuse", get(refuse))
            .route("/lines", get(lines))
            .route("/broken", get(broken))
    }

    async fn ask_everything(client: &mut AdminClient) {
        assert_eq!(client.get::<String>("/who").await.unwrap(), "Some(Admin)");
        let refused = client.get::<String>("/refuse").await.unwrap_err().to_string();
        assert_eq!(refused, "the server refused (400): /count: found 0, expected 1 to 10");
        assert!(matches!(client.get::<String>("/broken").await, Err(Error::Refused { status: 502, .. })));
        let mut lines = 0;
        let count = |bytes: &[u8]| {
            lines += bytes.iter().filter(|byte| **byte == b'\n').count();
            Ok(())
        };
        client.download("/lines", count).await.unwrap();
        assert_eq!(lines, 200_000);
    }

    #[tokio::test]
    async fn whoever_reaches_the_socket_is_an_admin_and_whoever_does_not_is_nobody() {
        let folder = tempfile::tempdir().unwrap();
        assert!(AdminClient::connect(folder.path()).await.unwrap().is_none());
        let admin = AdminSocket::bind(folder.path()).unwrap();
        let path = folder.path().join(FILE_NAME);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = format!("http://{}/who", listener.local_addr().unwrap());
        let server = Config::default_values().unwrap().server;
        let (signals, received) = mpsc::channel(1);
        let serving = tokio::spawn(async move { serve(listener, Some(admin), router(), &server, received).await });
        assert_eq!(reqwest::get(tcp).await.unwrap().text().await.unwrap(), r#""None""#);
        let mut client = AdminClient::connect(folder.path()).await.unwrap().unwrap();
        ask_everything(&mut client).await;

        drop(client);
        signals.send(Signal).await.unwrap();
        serving.await.unwrap();
        assert!(!path.exists(), "the socket goes with its server");
    }

    #[tokio::test]
    async fn where_no_server_runs_a_command_serves_itself() {
        let server = Config::default_values().unwrap().server;
        let (near, far) = tokio::io::duplex(1 << 12);
        let serving = tokio::spawn(async move { serve_in_process(far, router(), &server).await });
        let mut client = AdminClient::over(near).await.unwrap();
        ask_everything(&mut client).await;
        drop(client);
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_socket_of_a_dead_server_is_replaced_and_another_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(AdminClient::connect(folder.path()).await.unwrap().is_none());
        let admin = AdminSocket::bind(folder.path()).unwrap();
        assert!(AdminClient::connect(folder.path()).await.unwrap().is_some());
        drop(admin);
        fs::write(&path, "mine").unwrap();
        let error = AdminSocket::bind(folder.path()).err().unwrap().to_string();
        assert!(error.contains("is not a socket"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
