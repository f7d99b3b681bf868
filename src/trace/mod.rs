//! What happened to the goods and what follows from it: spans, subjects, entries, timelines,
//! verdicts. PURE: state is a fold over entries; no clock, no I/O.

pub mod authority;
pub(crate) mod bytes32;
mod containment;
mod custody;
mod cut;
mod entries;
mod entry;
mod fold;
mod id;
mod ledger;
mod listed;
mod measures;
pub mod misuse;
mod record;
mod region;
mod scan_sum;
mod span;

mod status;
mod subject;
mod verdict;
mod whole;

pub use containment::Stay;
pub use custody::{Conflict, Mark};
pub use cut::cut;
pub use entries::{entries_of, receives, subject_of};
pub use entry::{Entry, HandOver, Part, PartyId, Place, Scope};
pub use fold::{Owners, Told, fold, in_order};
pub use id::{
    BatchId, CaptureId, ConsignmentId, DocumentId, EventHash, KeyId, MeasureId, OrganizationId, ProductId, RecordId,
    Role,
};
pub use ledger::Ledger;
pub use listed::{Listed, What, listed};
pub use measures::{Measures, Standing};
pub use misuse::{LevelRule, MisuseRules, Notice};
pub use record::Record;
pub use region::Region;
pub use scan_sum::{PlaceSum, Places, ScanSum};
pub use span::Span;

pub use status::{Bearing, State, Status};
pub use subject::{Block, Group, Instance, Subject};
pub use verdict::Verdict;
pub use whole::WholeStatus;
