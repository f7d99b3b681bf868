//! Everything out of one store, and into another.

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use super::{Capture, Chunk, Error, FeedRow, Result, ScanSum, Writer};
use crate::{
    registration::Statement,
    trace::{Block, CaptureId, Entry, Record, Subject},
};

/// One thing that a store keeps. What follows from these things (look-up keys of records, lists of children, which
/// captures are unfinished) is none by itself: a store makes it anew.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// A claim.
    Claim {
        /// Its name.
        name: String,
        /// Its value.
        value: Vec<u8>,
    },
    /// One version of a statement, with its parents.
    Statement(Box<Statement>),
    /// A committed capture.
    Capture(Capture),
    /// A chunk of a committed capture.
    Chunk {
        /// Whose.
        capture: CaptureId,
        /// Counted from 0.
        number: u32,
        /// The chunk.
        chunk: Chunk,
    },
    /// A row of a feed.
    Row(Writer, FeedRow),
    /// An applied record.
    Record(Record),
    /// An entry in the ledger of its subject.
    Entry(Subject, Entry),
    /// Scan sums of one server, by serial within the block.
    Scans {
        /// Of which block.
        block: Block,
        /// Counted by whom.
        writer: Writer,
        /// Each serial once.
        sums: Vec<(u16, ScanSum)>,
    },
}

/// Where a feed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedHead {
    /// Whose feed.
    pub writer: Writer,
    /// How many rows it has: the position of the next one.
    pub rows: u64,
    /// Digest of its last row; zeros where there is none.
    pub digest: [u8; 32],
}

/// One moment of a store.
pub struct Snapshot {
    /// Where each feed ends.
    pub heads: Vec<FeedHead>,
    /// How many records there are.
    pub records: u64,
    /// How many entries there are.
    pub entries: u64,
    /// Everything that is kept, some things at a time; the rows of a feed in their order. It ends behind an error.
    pub things: BoxStream<'static, Result<Vec<Kept>>>,
}

/// Whether a store takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// It does.
    Open,
    /// Not now: [`super::Error::Paused`]. Opened again, it is open.
    Paused,
    /// Never again: [`super::Error::Retired`]. This outlasts everything.
    Retired,
}

/// Copies: all that a store keeps, as things of this contract, so that any implementor can take what another gave.
#[async_trait]
pub trait Copies: Send + Sync {
    /// One moment of the store, while writes go on: everything that was acknowledged before the call is in it, whatever
    /// one call of [`super::Feed::append`] or [`super::Feed::apply`] wrote is in it whole or not at all, and nothing that comes
    /// later is. Chunks that were staged for a capture that is not committed are left out.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], at once or in the stream, where something is not as it was written or is missing: a
    /// copy that lacks something is none.
    async fn snapshot(&self) -> Result<Snapshot>;
    /// Puts things into a store that is being filled and that nobody else uses; durable on return. The rows of a feed,
    /// whoever wrote it, come in their order, all else in any. What is there already stays, so that things may come again.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`] for a row that neither follows the rows that are there nor is one of them.
    async fn load(&self, things: Vec<Kept>) -> Result<()>;
    /// Stops or resumes the taking of writes. On return every write that was let in before has been answered and no
    /// other one gets in; reads go on. `Retired` is durable on return.
    ///
    /// # Errors
    /// [`super::Error::Retired`] where a retired store is to be anything else.
    async fn set_intake(&self, intake: Intake) -> Result<()>;
}

/// Why the reading of a snapshot ends early.
pub(super) enum Stop {
    /// Nobody listens any more.
    Unheard,
    /// It cannot be read.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
