//! Bounds of the embedded store: what waits for its committer, and what its engine holds.

use super::{ATOMIC_BYTES_MAX, WRITE_BYTES_MAX};

/// What may wait for the embedded store's committer, in KiB of keys and values: bounds memory; further callers wait.
pub const WRITES_WAITING_KIB_MAX: u32 = 128 << 10;
/// Calls that may wait for the embedded store's committer.
pub const WRITES_WAITING_MAX: usize = 4096;
/// What a group takes before it is committed, in bytes: far above what fsync costs, far below a noticeable pause.
pub const GROUP_BYTES_MAX: usize = 8 << 20;
/// Groups whose markers the embedded store keeps: the chain that is checked when it opens.
pub const MARKERS_KEPT: u64 = 1 << 16;
/// Groups after which the embedded store has its engine flush, so that what is only in the journal stays well inside
/// the chain: one part being filled, two being flushed. At 8,000 groups a second that is every two seconds.
pub const GROUPS_UNFLUSHED_MAX: u64 = 1 << 14;
/// What the embedded engine holds in memory before it flushes, in bytes; with 64 MB a journal it bounds what is
/// replayed after a kill.
pub const MEMTABLE_BYTES_MAX: u64 = 8 << 20;
/// Blocks that the embedded engine keeps in memory, in bytes.
pub const BLOCK_CACHE_BYTES: u64 = 32 << 20;
/// Threads with which the embedded engine flushes and merges. Of two its first never merges: while the second does, it hands
/// the request to do so to itself again and again, which takes a whole core for as long as the merge lasts.
pub const ENGINE_WORKERS: usize = 1;

const _: () = assert!(ATOMIC_BYTES_MAX <= GROUP_BYTES_MAX && GROUP_BYTES_MAX <= WRITE_BYTES_MAX);
