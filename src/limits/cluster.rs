//! Bounds of the store on a cluster.

use super::{FEED_ROW_CAPTURES_MAX, WRITE_BYTES_MAX};

/// Reads, and as many writes, that one server has under way at the cluster; further ones wait for `CQL_WAIT_MS`. Ten
/// times what keeps three nodes busy, and far below the 32,768 that one connection carries.
pub const CQL_REQUESTS_MAX: usize = 1_024;
/// How long a request waits for its turn, in milliseconds, before it is refused: as long as one may take.
pub const CQL_WAIT_MS: u64 = 1_500;
/// How long one request may take, in milliseconds. With one of three nodes stopped this and the two below kept every
/// answer below 200 ms; the driver's 30 s left 13 s of silence.
pub const CQL_TIMEOUT_MS: u64 = 1_500;
/// After how many milliseconds a request is sent to another replica too.
pub const CQL_SPECULATE_MS: u64 = 100;
/// To how many further replicas.
pub const CQL_SPECULATIONS_MAX: usize = 2;
/// How often a node is asked first, in milliseconds, that has said nothing for `CQL_SPECULATE_MS`: each such request waits for as
/// long, and nobody needs to know soon that it is back. Until then it is asked behind all others.
pub const CQL_SILENT_ASKED_MS: u64 = 5_000;
/// How often a page of a pass over a whole table is asked for.
pub const CQL_PASS_TRIES_MAX: u32 = 10;
/// How often a connection is tried, in milliseconds, and how long its answer may take.
pub const CQL_KEEPALIVE_MS: u64 = 1_000;
/// How long a connection may take to be made, in milliseconds.
pub const CQL_CONNECT_MS: u64 = 3_000;
/// How often nodes are asked whether they agree on a change of the schema, in milliseconds.
pub const CQL_AGREEMENT_MS: u64 = 20;
/// For how many milliseconds what fails at once is asked again, all but swaps: a node that comes or goes is known to the others
/// within as long. A caller still hears within two seconds.
pub const CQL_TRIES_MS: u64 = 500;
/// For how many milliseconds a claim is asked for again, which is a round of Paxos: twice as long as one may take.
pub const CQL_CLAIM_MS: u64 = 2 * CQL_TIMEOUT_MS;
/// Rows that one call writes at the same time, and that a pass over everything looks up at the same time; and statements that are
/// prepared at the same time.
pub const CQL_ROWS_AT_ONCE: usize = 64;
/// Rows in one page of a longer answer.
pub const CQL_PAGE_ROWS: i32 = 1_000;
/// How long such a page of a pass over a whole table may take, in milliseconds, and what a start or a migration asks: nobody waits for
/// it, and a node gives up after as long.
pub const CQL_PASS_PAGE_MS: u64 = 10_000;
/// How often a restore puts a part before it gives up, and milliseconds between: a cluster that is busy comes back within a minute.
pub const CQL_LOAD_TRIES_MAX: u32 = 12;
/// Milliseconds between two of these.
pub const CQL_LOAD_PAUSE_MS: u64 = 5_000;
/// How often what was restored is read back before a restore gives up: a cluster that is busy answers the second time.
pub const RESTORE_READS_MAX: u32 = 3;
/// One piece of a body or of a staged chunk, in bytes: a server takes 16 MiB in one write, and answers in one frame.
pub const CQL_PIECE_BYTES: usize = 512 << 10;
/// What is applied together with its commit, in bytes: it is staged and written again, so that more goes in chunks.
pub const CQL_ATOMIC_BYTES_MAX: usize = 1 << 20;
/// Rows of one partition of a feed: full ones stay below 100 MB.
pub const CQL_FEED_PARTITION_ROWS: u64 = 2_048;
/// Rows of one bucket of a ledger, behind which its subject opens the next level of buckets.
pub const CQL_LEDGER_BUCKET_ROWS: i64 = 16_384;
/// Entries that a server writes into one ledger before it first asks how full it is: most ledgers never have so many.
pub const CQL_LEDGER_UNCOUNTED_ROWS: u32 = 64;
/// And between one such question and the next.
pub const CQL_LEDGER_RECOUNT_ROWS: u32 = 2_048;
/// Buckets of one level for each of the level before.
pub const CQL_LEDGER_FAN_OUT: u32 = 16;
/// The highest level: 4,096 buckets hold 67 million entries.
pub const CQL_LEDGER_LEVEL_MAX: u32 = 3;
/// Ledgers of which it is remembered how many entries this server wrote.
pub const CQL_LEDGERS_KNOWN_MAX: u64 = 100_000;
/// Buckets of lists, and blocks with this server's scans, that are known to be listed: each saves a write.
pub const CQL_LISTINGS_KNOWN_MAX: u64 = 100_000;
/// Bits of a number within one bucket of a list of children.
pub const CQL_CHILD_BUCKET_BITS: u32 = 14;
/// Captures of this server that are known to be finished, so that its own finisher need not look.
pub const CQL_FINISHED_KNOWN_MAX: u64 = 65_536;
/// Captures whose commit failed halfway and that a client may send again, each some 100 bytes: those of a long fault.
pub const CQL_BEGUN_KNOWN_MAX: u64 = 100_000;
/// Times that a swap of which it is not known how it ended is asked for again.
pub const CQL_SWAP_TRIES_MAX: u32 = 4;
/// How long the claim of a feed stands still before its server is thought dead, in milliseconds, by the clock of whoever
/// looks: four renewals, so that a cluster that is silent for a while costs no server its feed.
pub const CQL_LEASE_MS: u64 = 10_000;
/// How often a server moves the claim of its feed on and looks at those of others, in milliseconds.
pub const CQL_LEASE_RENEWED_MS: u64 = 2_500;
/// How long a copy waits for other servers, in milliseconds: until the feeds of those that died are closed, their leases and two
/// looks.
pub const CQL_ALONE_WAIT_MS: u64 = 20_000;
/// How long writes are kept out for the moment of a copy, in milliseconds, at most: longer than those take that were let in.
pub const CQL_COPY_PAUSE_MS: u64 = 3_000;
/// By how much the clocks of servers may differ, in microseconds, for what each wrote to be in a copy: twice what is asked of them.
pub const CQL_CLOCKS_APART_US: i64 = 2_000_000;
/// How often servers look how far a copy is, in milliseconds, from when it is announced until its moment.
pub const CQL_COPY_LOOK_MS: u64 = 25;
/// How long a capture that a feed names may be without its mark before any server finishes it, in milliseconds.
pub const CQL_SETTLED_AFTER_MS: u64 = 5_000;
/// Claims of which a server remembers that it has noted for a copy what they were: each saves two reads.
pub const CQL_CLAIMS_NOTED_KNOWN_MAX: u64 = 100_000;
/// How long one server may change the schema before another one may think that it is gone, in milliseconds.
pub const CQL_SCHEMA_LOCK_MS: i64 = 60_000;
/// How long a keyspace that was made may take to let anyone in, in milliseconds.
pub const CQL_ENTER_MS: u64 = 10_000;
/// How long a start waits for another one that changes the schema, in milliseconds.
pub const CQL_SCHEMA_WAIT_MS: u64 = 120_000;

/// How long a turn that another server left behind stands before it is taken over, in milliseconds: longer than any order or
/// change takes where the store answers at all.
pub const TURN_MS: u64 = 20_000;
/// How long a request waits for its turn at what another server is at, in milliseconds, before it is answered with 503.
pub const TURN_WAIT_MS: u64 = 5_000;
/// How often it looks meanwhile, in milliseconds.
pub const TURN_PAUSE_MS: u64 = 20;
/// Turns of other servers that are remembered for one kind of work, so that one that was left behind is recognized.
pub const TURNS_SEEN_MAX: u64 = 10_000;
/// How often a server hears what the others count of codes' scans, in milliseconds.
pub const SCANS_HEARD_EVERY_MS: i64 = 10_000;
/// For how long what servers tell of scans is kept, in milliseconds; who heard nothing for half of it reads its blocks again.
/// `schema/` has it in seconds.
pub const SCANS_TOLD_KEPT_MS: i64 = 600_000;
/// By how much a telling may come late, or two servers' clocks differ, in milliseconds.
pub const SCANS_TOLD_LATE_MS: i64 = 5_000;
/// What is told within so many milliseconds lies in one partition: of a server that writes 10,000 codes a second 5 MB.
pub const CQL_SCANS_TOLD_BUCKET_MS: i64 = 5_000;
/// Sums in one row of what is told: 100 bytes each, so that a page of rows is some 10 MB.
pub const CQL_SCANS_TOLD_AT_ONCE: usize = 100;
/// How long a scan waits for the store, in milliseconds, so that it is answered within two seconds in any case.
pub const SCAN_STORE_MS: u64 = 1_800;
/// How often the other servers' feeds are read, in milliseconds: so that what one of them answered shows here within a second.
pub const FOLLOW_INTERVAL_MS: u64 = 250;
/// Captures of others, and records of one, that are looked at together.
pub const FOLLOWED_AT_ONCE: usize = 64;
/// Rows of another's feed that are read together: at most 2.5 MB.
pub const FOLLOWED_ROWS_AT_ONCE: usize = 64;
/// Looks in a row at a capture of another that is not applied, 250 ms apart: half an hour covers ten million records. Behind
/// them it is looked at more seldom, because its server may have died before it counted.
pub const FOLLOWED_LOOKS_OFTEN: u32 = 7_200;
/// Every which look asks whether its row is there still: 16 s, behind which a dead server's feed is closed.
pub const FOLLOWED_LOOKS_AT_ROW: u32 = 64;
/// Every which look is taken then; and every which look at a capture under way asks what of it is applied.
pub const FOLLOWED_LOOKS_BETWEEN: u32 = 8;
/// Captures of this server that are known to be applied and touched: more than it commits between two polls.
pub const APPLIED_HERE_KNOWN_MAX: u64 = 65_536;
/// Captures of others that wait until they are applied: further rows are read when there are fewer. 5 MB.
pub const FOLLOWED_CAPTURES_MAX: usize = 65_536;

const _: () = assert!(CQL_FEED_PARTITION_ROWS as usize * (FEED_ROW_CAPTURES_MAX * 38 + 128) < 100_000_000);
const _: () = assert!(CQL_TRIES_MS + CQL_TIMEOUT_MS < CQL_COPY_PAUSE_MS && CQL_COPY_PAUSE_MS < CQL_LEASE_MS / 2);
const _: () = assert!(CQL_LEASE_RENEWED_MS * 4 <= CQL_LEASE_MS && CQL_TRIES_MS + CQL_TIMEOUT_MS < CQL_LEASE_MS / 2);
const _: () = assert!(WRITE_BYTES_MAX < 100_000_000 && CQL_TRIES_MS + CQL_TIMEOUT_MS <= 2_000);
