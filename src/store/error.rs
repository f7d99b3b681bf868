//! Why the store did not do what it was asked.

use crate::trace::CaptureId;

/// Result of a store call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The store cannot take this now: it is full, read-only, stopped after a failed write, or out of reach.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// Something read back is not what was written.
    #[error("{table}/{key}: {found}")]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// Its key, in hex or text.
        key: String,
        /// What is wrong with it.
        found: String,
    },
    /// A swap timed out and may have taken effect.
    #[error("it is not known whether the claim {0:?} was swapped")]
    Ambiguous(String),
    /// Something was to be applied to, or finished for, a capture that no row of a feed names.
    #[error("capture {0} is not committed")]
    NotCommitted(CaptureId),
    /// A capture was to be committed whose staged chunk is not there (any more): stage it again.
    #[error("chunk {chunk} of capture {capture} is not staged")]
    NotStaged {
        /// The capture.
        capture: CaptureId,
        /// Its first chunk that is missing.
        chunk: u32,
    },
    /// Writes are paused while a last copy is taken.
    #[error(
        "a final backup is being taken: nothing is written until it is done; restart the server to go on without it"
    )]
    Paused,
    /// The store takes no write any more.
    #[error("this store was retired by a final backup: it takes no write any more; use the store restored from it")]
    Retired,
    /// A value over the limits of the store.
    #[error("{what} has {found} bytes; at most {max} can be kept")]
    TooLarge {
        /// What was to be kept.
        what: &'static str,
        /// Its size in bytes.
        found: usize,
        /// The limit in bytes.
        max: usize,
    },
}
