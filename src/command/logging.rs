//! Starts the log; `docs/LOGGING.md` says what goes into it.

use std::io::{IsTerminal, stderr};

use super::Result;
use crate::config::{Log, LogFormat};

/// Sends everything that passes the filter to standard error. A log that is started already stays.
pub(super) fn start(log: &Log) -> Result<()> {
    let builder = tracing_subscriber::fmt().with_env_filter(log.env_filter()?).with_writer(stderr);
    let started = match log.format {
        LogFormat::Text => builder.with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    // Fails only where a log has been started, as in a test that runs two commands.
    drop(started);
    Ok(())
}
