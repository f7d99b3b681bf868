//! How a command talks to a running server: HTTP over the admin socket.

use std::{io, path::Path};

use axum::body::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UnixStream,
};

use super::admin_socket::FILE_NAME;
use crate::limits::ADMIN_ANSWER_BYTES_MAX;

/// Why a call through the admin socket failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket is there and cannot be used.
    #[error("the server's admin socket cannot be used: {0}")]
    Socket(#[from] io::Error),
    /// The connection broke off.
    #[error("the server did not answer: {0}")]
    Connection(#[from] hyper::Error),
    /// The server refused.
    #[error("the server refused ({status}): {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's detail, and its field where it has one.
        detail: String,
    },
    /// The answer is not one that this version of the program knows.
    #[error("the server's answer was not understood: {0}")]
    Answer(String),
}

/// A connection to the server of a store's folder.
pub struct AdminClient {
    sender: SendRequest<Full<Bytes>>,
}

impl AdminClient {
    /// Connects to the server that answers in `folder`; `None` where none does.
    ///
    /// # Errors
    /// [`Error::Socket`] where the socket may not be opened.
    pub async fn connect(folder: &Path) -> Result<Option<AdminClient>, Error> {
        let stream = match UnixStream::connect(folder.join(FILE_NAME)).await {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        AdminClient::over(stream).await.map(Some)
    }

    /// A client at the other end of `stream`.
    ///
    /// # Errors
    /// [`Error::Connection`] where the stream ends at once.
    pub async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<AdminClient, Error> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(AdminClient { sender })
    }

    /// `GET path`, read as JSON.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn get<A: DeserializeOwned>(&mut self, path: &str) -> Result<A, Error> {
        let response = self.send(Method::GET, path, Bytes::new()).await?;
        read(response).await
    }

    /// `POST path` with a JSON body, the answer read as JSON.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn post<A: DeserializeOwned>(&mut self, path: &str, body: &impl Serialize) -> Result<A, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Answer(error.to_string()))?;
        let response = self.send(Method::POST, path, body.into()).await?;
        read(response).await
    }

    /// `GET path` as a stream of bytes, each piece handed to `take` before the next one is read.
    ///
    /// # Errors
    /// Any [`Error`]; one of `take`'s as [`Error::Socket`].
    pub async fn download(&mut self, path: &str, take: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), Error> {
        let response = self.send(Method::GET, path, Bytes::new()).await?;
        stream(response, take).await
    }

    /// `POST path` with a JSON body, the answer as of [`AdminClient::download`].
    ///
    /// # Errors
    /// Any [`Error`]; one of `take`'s as [`Error::Socket`].
    pub async fn post_download(
        &mut self,
        path: &str,
        body: &impl Serialize,
        take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Answer(error.to_string()))?;
        let response = self.send(Method::POST, path, body.into()).await?;
        stream(response, take).await
    }

    /// The answer's head; a refusal is an error.
    async fn send(&mut self, method: Method, path: &str, body: Bytes) -> Result<Response<Incoming>, Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| Error::Answer(error.to_string()))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response.status(), collected(response).await?.as_ref()))
    }
}

/// Hands each piece of an answer to `take` before the next one is read.
async fn stream(response: Response<Incoming>, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), Error> {
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            take(&data)?;
        }
    }
    Ok(())
}

async fn read<A: DeserializeOwned>(response: Response<Incoming>) -> Result<A, Error> {
    let body = collected(response).await?;
    serde_json::from_slice(&body).map_err(|error| Error::Answer(error.to_string()))
}

async fn collected(response: Response<Incoming>) -> Result<Bytes, Error> {
    let collected = Limited::new(response.into_body(), ADMIN_ANSWER_BYTES_MAX).collect().await;
    collected.map(|body| body.to_bytes()).map_err(|error| {
        let too_long = error.is::<LengthLimitError>();
        Error::Answer(if too_long { format!("more than {ADMIN_ANSWER_BYTES_MAX} bytes") } else { error.to_string() })
    })
}

fn refusal(status: StatusCode, body: &[u8]) -> Error {
    #[derive(serde::Deserialize)]
    struct Problem {
        detail: String,
        field: Option<String>,
    }
    let detail = match serde_json::from_slice::<Problem>(body) {
        Ok(Problem { detail, field: Some(field) }) => format!("{field}: {detail}"),
        Ok(Problem { detail, field: None }) => detail,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    Error::Refused { status: status.as_u16(), detail }
}
