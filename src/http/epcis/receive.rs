//! Bodies of captures: small ones into memory, as much as all captures together may have, larger ones into a file. Nothing
//! is captured before all of a body is there.

use std::time::{Duration, Instant};

use axum::{
    body::{BodyDataStream, Bytes},
    extract::Request,
};
use futures_util::StreamExt;
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    http::{
        App,
        error::Problem,
        extract::{TooLarge, declared_bytes},
    },
    limits::{CAPTURE_BYTES_PER_S_MIN, CAPTURE_MEMORY_BYTES_MAX, CAPTURE_SLOW_S_MAX},
    service::capture::{CaptureError, Spool},
};

/// A body that is whole.
pub enum Received {
    /// In memory, with its share of that.
    InMemory(Vec<u8>, OwnedSemaphorePermit),
    /// In a file.
    Spooled(Spool),
}

/// Receives the body of a capture of any size that the operator allows.
///
/// # Errors
/// 413 where it is too large, 400 where it breaks off, 408 where it comes too slowly, 503 where there is no room.
pub async fn receive(app: &App, request: Request) -> Result<Received, Problem> {
    let (mut body, declared) = incoming(request);
    let bytes_max = app.spools.bytes_max();
    if declared.is_some_and(|bytes| bytes > bytes_max) {
        return Err(TooLarge { found: declared, bytes_max }.problem());
    }
    let expected = declared.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(CAPTURE_MEMORY_BYTES_MAX);
    if expected > CAPTURE_MEMORY_BYTES_MAX {
        return spool(app, body, &[]).await;
    }
    let share = app.service.capture_memory(expected).await?;
    let mut text = Vec::with_capacity(declared.map_or(0, |_| expected));
    while let Some(piece) = body.piece().await? {
        text.extend_from_slice(&piece);
        // Only where it did not say how long it is.
        if text.len() > CAPTURE_MEMORY_BYTES_MAX {
            return spool(app, body, &text).await;
        }
    }
    Ok(Received::InMemory(text, share))
}

/// Receives a body that must fit into memory.
///
/// # Errors
/// As of [`receive`].
pub async fn receive_in_memory(
    app: &App,
    request: Request,
    bytes_max: usize,
) -> Result<(Vec<u8>, OwnedSemaphorePermit), Problem> {
    let (mut body, declared) = incoming(request);
    let too_large = || TooLarge { found: declared, bytes_max: bytes_max as u64 }.problem();
    let expected = declared.map_or(Ok(bytes_max), usize::try_from).ok().filter(|bytes| *bytes <= bytes_max);
    let share = app.service.capture_memory(expected.ok_or_else(too_large)?).await?;
    let mut text = Vec::new();
    while let Some(piece) = body.piece().await? {
        if text.len() + piece.len() > bytes_max {
            return Err(too_large());
        }
        text.extend_from_slice(&piece);
    }
    Ok((text, share))
}

async fn spool(app: &App, mut body: Incoming, begun: &[u8]) -> Result<Received, Problem> {
    let refused = |error| Problem::from(CaptureError::Spool(error));
    let mut spool = app.spools.begin().await.map_err(refused)?;
    spool.write(begun).await.map_err(refused)?;
    while let Some(piece) = body.piece().await? {
        spool.write(&piece).await.map_err(refused)?;
    }
    Ok(Received::Spooled(spool.finish().await.map_err(refused)?))
}

/// A body on its way.
struct Incoming {
    body: BodyDataStream,
    begun: Instant,
    bytes: u64,
}

/// The body, and how many bytes it says it has.
fn incoming(request: Request) -> (Incoming, Option<u64>) {
    let declared = declared_bytes(&request);
    let body = request.into_body().into_data_stream();
    (Incoming { body, begun: Instant::now(), bytes: 0 }, declared)
}

impl Incoming {
    /// The next piece; none at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Problem> {
        let Some(piece) = self.body.next().await else { return Ok(None) };
        let piece = piece.map_err(|_| Problem::malformed("the body broke off"))?;
        self.bytes += piece.len() as u64;
        let allowed_s = CAPTURE_SLOW_S_MAX + self.bytes / CAPTURE_BYTES_PER_S_MIN;
        if self.begun.elapsed() > Duration::from_secs(allowed_s) {
            return Err(Problem::too_slow(format!(
                "the body comes more slowly than {CAPTURE_BYTES_PER_S_MIN} bytes a second"
            )));
        }
        Ok(Some(piece))
    }
}
