//! The bare server: axum with one handler that answers a fixed text. What an HTTP server costs that does nothing.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    http::{HeaderValue, header},
    response::IntoResponse,
    serve::ListenerExt,
};

/// What it answers unless told otherwise.
const TEXT: &str = "Hello, World!";
/// No page of ours is larger, so that no comparison needs more.
const BYTES_MAX: usize = 1 << 20;

/// Arguments of `hello`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Loopback address and port.
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Answer a body of so many bytes instead of the 13 of "Hello, World!".
    #[arg(long, value_name = "N")]
    bytes: Option<usize>,
}

/// Serves until it is killed. Every path has the same answer.
///
/// # Errors
/// Where the address cannot be listened on or is not on this machine.
pub fn run(args: &Args) -> Result<()> {
    ensure!(args.listen.ip().is_loopback(), "{}: expected a loopback address", args.listen);
    let body: &'static [u8] = match args.bytes {
        None => TEXT.as_bytes(),
        Some(bytes) => {
            ensure!(bytes <= BYTES_MAX, "--bytes {bytes}: at most {BYTES_MAX}");
            vec![b'x'; bytes].leak()
        }
    };
    let plain = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let router = Router::new().fallback(move || {
        let plain = plain.clone();
        async move { ([plain], body).into_response() }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen).await.context("the listener")?;
        // As the service does it.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).await.context("the server")
    })
}
