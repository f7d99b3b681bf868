//! Bounds of audits, and of how long the store is asked again.

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
/// How long a start, or an audit, which may have worked for an hour, asks for what is not answered in time, in milliseconds: a
/// node that starts, or a pause of all of them, takes no longer.
pub const STORE_PATIENCE_MS: u64 = 60_000;
/// The pause before they ask a second time, in milliseconds; it grows by as much each time.
pub const STORE_PATIENCE_PAUSE_MS: u64 = 50;
/// Findings that an audit lists, and captures that it looks at again.
pub const AUDIT_FINDINGS_MAX: usize = 1_000;
