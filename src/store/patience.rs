//! Asking again where the store did not answer in time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Error, Result};
use crate::limits::{STORE_PATIENCE_MS, STORE_TRY_PAUSE_MS};

/// An audit asks so much that some of it comes late where the store has other things to do, and a start would end where one thing
/// does: it is asked again.
pub(crate) async fn patiently<T, F: Future<Output = Result<T>>>(ask: impl Fn() -> F) -> Result<T> {
    again(STORE_PATIENCE_MS, is_unavailable, ask).await
}

/// Whether the store may answer the next time.
pub(crate) fn is_unavailable(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_))
}

/// Asks until there is an answer, or an error that is none of these, with pauses that become longer; behind so many milliseconds
/// not once more.
pub(crate) async fn again<T, E, F: Future<Output = std::result::Result<T, E>>>(
    patience_ms: u64,
    may_pass: impl Fn(&E) -> bool,
    ask: impl Fn() -> F,
) -> std::result::Result<T, E> {
    let (begun, mut tries) = (Instant::now(), 1);
    loop {
        match ask().await {
            Err(error) if begun.elapsed() < Duration::from_millis(patience_ms) && may_pass(&error) => {}
            outcome => return outcome,
        }
        sleep(Duration::from_millis(STORE_TRY_PAUSE_MS) * tries).await;
        tries += 1;
    }
}
