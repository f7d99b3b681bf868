//! Asking again where the store did not answer in time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Error, Result};
use crate::limits::{STORE_PATIENCE_MS, STORE_PATIENCE_PAUSE_MS};

/// An audit asks so much that some of it comes late where the store has other things to do, and a start would end where one thing
/// does: it is asked again.
pub(crate) async fn patiently<T, F: Future<Output = Result<T>>>(ask: impl Fn() -> F) -> Result<T> {
    let (begun, mut tries) = (Instant::now(), 1);
    loop {
        match ask().await {
            Err(Error::Unavailable(_)) if begun.elapsed() < Duration::from_millis(STORE_PATIENCE_MS) => {}
            outcome => return outcome,
        }
        sleep(Duration::from_millis(STORE_PATIENCE_PAUSE_MS) * tries).await;
        tries += 1;
    }
}
