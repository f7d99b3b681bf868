//! The store: seven traits, each by what it guarantees, not by what it holds.
//!
//! Everything a caller writes is idempotent: the same call twice, in any order with others, leaves
//! the same state. A method that returns `Ok` has made its effect durable. After an error nothing
//! is known to be durable and the call may be repeated as it is; [`Error::Ambiguous`] alone says that
//! a swap may have taken effect. A failed write may stop all further ones ([`Error::Unavailable`]) while reads go on.
//! What a read returns is what was written, checked: anything else is [`Error::Corrupt`]. Nothing here knows the meaning
//! of what it keeps.

mod copies;
pub mod cql;
mod error;
mod folder_lock;
pub mod local;
mod patience;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use self::copies::Stop;
pub(crate) use self::patience::{again, is_unavailable, patiently};
pub use self::{
    copies::{Copies, FeedHead, Intake, Kept, Snapshot},
    error::{Error, Result},
    folder_lock::FolderLock,
};
pub use crate::trace::ScanSum;
use crate::{
    limits::{BLOCK_CODES, FAULTS_LISTED_MAX},
    registration::{Kind, Parent, Statement},
    trace::{Block, CaptureId, Entry, EventHash, OrganizationId, Place, Record, RecordId, Role, Scope, Subject},
};

/// The whole store, as the service holds it.
pub trait Store: Records + Ledgers + Feed + Claims + Scans + Verify + Copies {}

impl<T: Records + Ledgers + Feed + Claims + Scans + Verify + Copies> Store for T {}

/// The one claim that a store itself understands: where it is there, the store is [`Intake::Retired`].
pub const RETIRED_CLAIM: &str = "retired";

/// Bodies of records and versions of statements: idempotent put (through [`Feed::append`]), get by key.
#[async_trait]
pub trait Records: Send + Sync {
    /// The record with this id, once its capture is applied.
    async fn record(&self, id: RecordId) -> Result<Option<Record>>;
    /// Ids of the applied records with this public event id, in ascending order, at most `limit`.
    async fn records_of_event(&self, event: EventHash, limit: usize) -> Result<Vec<RecordId>>;
    /// Ids of the organization's applied records to which it gave this eventID, at most `limit`.
    async fn records_of_given_id(
        &self,
        organization: OrganizationId,
        given: &str,
        limit: usize,
    ) -> Result<Vec<RecordId>>;
    /// The highest version of a statement.
    async fn statement(&self, kind: Kind, id: u64) -> Result<Option<Statement>>;
    /// All versions of a statement, oldest first, from version `from` on, at most `limit`.
    async fn versions(&self, kind: Kind, id: u64, from: u32, limit: usize) -> Result<Vec<Statement>>;
    /// Numbers of the `kind`s listed under `parent`, ascending, above `after`, at most `limit`.
    async fn children(&self, parent: &Parent, kind: Kind, after: Option<u64>, limit: usize) -> Result<Vec<u64>>;
}

/// Which part of a ledger to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// All but single-serial entries of a block: what bears on more than one code.
    Shared,
    /// Single-serial entries of one serial of a block: the serial in its run, or its remainder by the block's size.
    Serial(u32),
    /// Everything.
    Whole,
}

impl Slice {
    /// The part in which an entry lies: apart only in blocks, and only if it speaks of one of the block's codes.
    pub fn of(subject: &Subject, scope: &Scope) -> Self {
        match (subject, scope) {
            (Subject::Block(block), Scope::Span(span))
                if span.codes() == 1
                    && span.run() == block.run
                    && span.first().get() / BLOCK_CODES == u32::from(block.index) =>
            {
                Self::Serial(span.first().get())
            }
            _ => Self::Shared,
        }
    }
}

/// Ledgers: entries of a subject, appended through [`Feed::append`], idempotent by subject and place.
#[async_trait]
pub trait Ledgers: Send + Sync {
    /// Entries of one slice in ascending order of [`Place`], those above `after`, at most `limit`.
    /// Applied entries only.
    async fn entries(&self, subject: &Subject, slice: Slice, after: Option<Place>, limit: usize) -> Result<Vec<Entry>>;
    /// The entry of this scope at this place, once it is applied.
    async fn entry(&self, subject: &Subject, scope: &Scope, place: Place) -> Result<Option<Entry>>;
}

/// What one commit puts beside its row in the feed.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// Bodies, each under its record id, its event id and its given event id.
    pub records: Vec<Record>,
    /// Ledger entries.
    pub entries: Vec<(Subject, Entry)>,
    /// Versions of statements, each listed under its parents.
    pub statements: Vec<Statement>,
}

/// One accepted document as the feed keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Its identity; a repeated capture is the same one.
    pub id: CaptureId,
    /// Who captured it.
    pub organization: OrganizationId,
    /// In which role.
    pub role: Role,
    /// When it was accepted, milliseconds since 1970-01-01 UTC.
    pub created_ms: i64,
    /// How many records it has.
    pub records: u32,
    /// In how many chunks their list is kept: see [`Feed::chunk`].
    pub chunks: u32,
    /// The statements that came with it, as (kind, id, version).
    pub statements: Vec<(Kind, u64, u32)>,
    /// When it was applied; `None` while some of its effect may still be missing.
    pub finished_ms: Option<i64>,
}

/// Part of a capture's list of records.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    /// Staged: the records themselves, seen by nobody but who applies them.
    Staged(Vec<Record>),
    /// Applied: their ids, in the document's order.
    Applied(Vec<RecordId>),
}

/// A server's name in the feeds and in the scan sums: one per incarnation on a cluster, always 0 embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Writer(pub u64);

/// A row of a feed: captures that were committed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRow {
    /// Dense from 0.
    pub position: u64,
    /// SHA-256 of the row before; zeros at position 0.
    pub previous: [u8; 32],
    /// Captures in the order of their commits, with how many records each has.
    pub captures: Vec<(CaptureId, u32)>,
}

impl FeedRow {
    /// SHA-256 over everything that the row says: what the next row names as its previous.
    pub fn digest(&self, writer: Writer) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"coldproof/feed/1");
        hash.update(writer.0.to_be_bytes());
        hash.update(self.position.to_be_bytes());
        hash.update(self.previous);
        for (capture, records) in &self.captures {
            hash.update(capture.0);
            hash.update(records.to_be_bytes());
        }
        hash.finalize().into()
    }
}

/// The feed: this server's ordered stream of committed captures.
///
/// A capture takes effect through stage, commit, apply. `append` is the commit: it returns once the row
/// that names the capture is durable. Where the capture's size is at most [`Feed::atomic_bytes_max`], row and writes take
/// effect together and the capture is finished. Otherwise its records must have been staged, `append` is
/// called with empty writes, and the caller applies chunk by chunk: [`Feed::apply`], then [`Feed::finish`].
#[async_trait]
pub trait Feed: Send + Sync {
    /// The largest capture, in bytes of record bodies, whose row and writes take effect together; 0 where none does.
    fn atomic_bytes_max(&self) -> usize;
    /// Keeps a chunk of records under the capture's id, where only [`Feed::chunk`] shows them. A chunk staged again
    /// replaces the one before; for a capture that is committed it does nothing.
    async fn stage(&self, capture: CaptureId, chunk: u32, records: &[Record]) -> Result<()>;
    /// Commits a capture; many callers share one row. `capture.finished_ms` says whether `writes` completes it: then the
    /// ids of `writes.records`, in order and repeats included, are its chunk 0 (`chunks` is 1, or 0 without records).
    /// A capture that is committed already is not committed again, whatever comes with it; its first form is returned.
    /// Of bodies, entries and statement versions that are there already the first stays.
    ///
    /// # Errors
    /// [`Error::NotStaged`] for an unfinished capture of which a chunk is missing (swept, or never staged): stage again.
    async fn append(&self, capture: Capture, writes: Writes) -> Result<Capture>;
    /// Applies one chunk of a committed capture: puts bodies and entries and replaces the staged chunk by its ids.
    /// Applying it again, by whomever, changes nothing.
    ///
    /// # Errors
    /// [`Error::NotCommitted`] where no row names the capture.
    async fn apply(&self, capture: CaptureId, chunk: u32, writes: Writes) -> Result<()>;
    /// Marks a committed capture applied; the first time stays. The caller has applied every chunk.
    ///
    /// # Errors
    /// [`Error::NotCommitted`] where no row names the capture.
    async fn finish(&self, capture: CaptureId, finished_ms: i64) -> Result<()>;
    /// A committed capture.
    async fn capture(&self, id: CaptureId) -> Result<Option<Capture>>;
    /// A chunk of a capture's list, from 0.
    async fn chunk(&self, capture: CaptureId, chunk: u32) -> Result<Option<Chunk>>;
    /// Committed captures that are not marked applied, at most `limit`.
    async fn unfinished(&self, limit: usize) -> Result<Vec<CaptureId>>;
    /// Removes staged chunks of captures that no feed row names and whose records were all accepted
    /// ([`Record::record_time_ms`]) before `before_ms`; says how many. `before_ms` lies well behind any capture under way.
    async fn sweep(&self, before_ms: i64) -> Result<u64>;
    /// Whether other servers may write to the store while it is open here. Where they may not, all that there is has gone
    /// through this process.
    fn is_shared(&self) -> bool;
    /// The feeds there are.
    async fn writers(&self) -> Result<Vec<Writer>>;
    /// A position of a feed before which every capture is applied: from where on somebody follows it who has read the
    /// store as it is now. It may lie somewhat behind.
    async fn applied(&self, writer: Writer) -> Result<u64>;
    /// Rows of a feed from `position` on, without a gap, at most `limit`.
    async fn rows(&self, writer: Writer, position: u64, limit: usize) -> Result<Vec<FeedRow>>;
}

/// Claims: compare-and-swap of one small value under a name. Linearizable per name.
#[async_trait]
pub trait Claims: Send + Sync {
    /// The value now.
    async fn claim(&self, name: &str) -> Result<Option<Vec<u8>>>;
    /// Sets `new` if the value is `expected` (`None`: absent). Returns whether it did; either answer stands on what is durable.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] where it may have taken effect; [`Error::TooLarge`] above [`crate::limits::CLAIM_BYTES_MAX`].
    async fn swap(&self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool>;
}

/// Absolute scan sums by block and server. A crash may lose one flush interval, nothing else may.
#[async_trait]
pub trait Scans: Send + Sync {
    /// Overwrites this server's sums of the named codes of a block; the others stay. Serials are counted within the block.
    async fn put_scans(&self, block: Block, writer: Writer, sums: &[(u16, ScanSum)]) -> Result<()>;
    /// Every server's sums of a block.
    async fn scans(&self, block: Block) -> Result<Vec<(Writer, Vec<(u16, ScanSum)>)>>;
    /// Tells other servers what this one has put, at a time in milliseconds since 1970-01-01 UTC. It is kept for
    /// `limits::SCANS_TOLD_KEPT_MS`, and not at all where nobody else writes ([`Feed::is_shared`]).
    async fn tell_scans(&self, writer: Writer, at_ms: i64, sums: &[CodeSum]) -> Result<()>;
    /// What was told at times from `from_ms` to `until_ms`, and perhaps some of what was told around them.
    async fn told_scans(&self, from_ms: i64, until_ms: i64) -> Result<Vec<(Writer, Vec<CodeSum>)>>;
}

/// What a server has counted of one code: its block, its serial in it, and the absolute sum.
pub type CodeSum = (Block, u16, ScanSum);

/// What a pass over the whole store found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Keys read.
    pub keys: u64,
    /// Applied records among them.
    pub records: u64,
    /// Ledger entries among them.
    pub entries: u64,
    /// The first faults, each with its table and key; at most `limits::FAULTS_LISTED_MAX`.
    pub faults: Vec<Error>,
    /// All faults.
    pub faults_count: u64,
}

impl Report {
    /// Whether everything is as it was written.
    pub fn is_clean(&self) -> bool {
        self.faults_count == 0
    }

    /// Notes a fault.
    fn fault(&mut self, error: Error) {
        self.faults_count += 1;
        if self.faults.len() < FAULTS_LISTED_MAX {
            self.faults.push(error);
        }
    }
}

/// Verification: the store re-reads all that it keeps, without knowing what it means.
#[async_trait]
pub trait Verify: Send + Sync {
    /// Checks every value against the hash that was written with it, every key against its count, and the feed's chain.
    /// Writes go on meanwhile. Takes as long as reading everything takes.
    async fn verify(&self) -> Result<Report>;
    /// Whether the store takes writes, as far as it knows without trying one. `false` stays until it is opened again.
    fn writable(&self) -> bool;
}
