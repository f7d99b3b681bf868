//! The code: 20 characters of Crockford base32 that prove themselves (`docs/spec/trace-code.md`). PURE.

mod layout;

pub use layout::{Code, KeySlot, RunId, Serial, Tag};
