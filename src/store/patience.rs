//! Asking again where the store did not answer in time.

use std::time::Duration;

use tokio::time::sleep;

use super::{Error, Result};
use crate::limits::{AUDIT_TRIES_MAX, AUDIT_TRY_PAUSE_MS};

/// An audit asks so much that some of it comes late where the store has other things to do: it is asked again.
pub(crate) async fn patiently<T, F: Future<Output = Result<T>>>(ask: impl Fn() -> F) -> Result<T> {
    let mut tries = 1;
    loop {
        match ask().await {
            Err(Error::Unavailable(_)) if tries < AUDIT_TRIES_MAX => {}
            outcome => return outcome,
        }
        sleep(Duration::from_millis(AUDIT_TRY_PAUSE_MS) * tries).await;
        tries += 1;
    }
}
