//! What happened to the goods and what follows from it: spans, subjects, entries, timelines,
//! verdicts. PURE: state is a fold over entries; no clock, no I/O.

pub mod authority;
pub(crate) mod bytes32;
mod cut;
mod entries;
mod entry;
mod id;
mod ledger;
mod record;
mod span;

mod status;
mod subject;
mod verdict;

pub use cut::cut;
pub use entries::{entries_of, subject_of, subject_of_instance};
pub use entry::{Entry, HandOver, Part, PartyId, Place, Scope};
pub use id::{
    BatchId, CaptureId, ConsignmentId, DocumentId, EventHash, KeyId, MeasureId, OrganizationId, ProductId, RecordId,
    Role,
};
pub use ledger::Ledger;
pub use record::Record;
pub use span::Span;

pub use status::{Bearing, Standing, State, Status, fold};
pub use subject::{Block, Group, Instance, Subject};
pub use verdict::Verdict;
