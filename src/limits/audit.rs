//! Bounds of audits.

/// Rows of a feed that an audit reads at once.
pub const AUDIT_FEED_ROWS: usize = 256;
/// Captures, or registered things of a kind, that an audit looks at together; of a capture it keeps 16 bytes a record.
pub const AUDIT_THINGS_AT_ONCE: usize = 4;
/// Captures that one pass over the feeds of several servers tells apart, by 16 bytes each: 100 MB. For more it makes several.
pub const AUDIT_CAPTURES_NAMED_MAX: u64 = 1 << 22;
/// Records of each that it looks at together: on a cluster it waits for one after the other otherwise.
pub const AUDIT_RECORDS_AT_ONCE: usize = 16;
/// Runs, and batches, that it has in memory as there: a few bytes each.
pub const AUDIT_THINGS_KNOWN_MAX: u64 = 1 << 16;
/// How long an audit waits for captures that it found committed and not applied, in milliseconds: longer than the
/// server takes to look for those that it has to finish.
pub const AUDIT_UNFINISHED_WAIT_MS: u64 = 6_000;
/// Findings that an audit lists, and captures that it looks at again.
pub const AUDIT_FINDINGS_MAX: usize = 1_000;
