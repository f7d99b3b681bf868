//! Asking again where the store did not answer in time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Error, Result};
use crate::limits::{AUDIT_PATIENCE_MS, AUDIT_TRY_PAUSE_MS};

/// An audit asks so much that some of it comes late where the store has other things to do: it is asked again.
pub(crate) async fn patiently<T, F: Future<Output = Result<T>>>(ask: impl Fn() -> F) -> Result<T> {
    let (begun, mut tries) = (Instant::now(), 1);
    loop {
        match ask().await {
            Err(Error::Unavailable(_)) if begun.elapsed() < Duration::from_millis(AUDIT_PATIENCE_MS) => {}
            outcome => return outcome,
        }
        sleep(Duration::from_millis(AUDIT_TRY_PAUSE_MS) * tries).await;
        tries += 1;
    }
}
