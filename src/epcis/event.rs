//! An event as the rest of the service sees it.

use super::{Action, BizStep, Disposition};
use crate::{
    code::{Code, Gtin, Host, Lot},
    cold_chain::TemperatureReport,
    trace::{BatchId, EventHash, MeasureId, Span},
};

/// The hosts whose links are ours: one that stands in canonical links, and others whose links mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    canonical: Host,
    all: Vec<Host>,
}

impl Hosts {
    /// The canonical host and its aliases.
    pub fn new(canonical: Host, aliases: impl IntoIterator<Item = Host>) -> Self {
        let all = std::iter::once(canonical.clone()).chain(aliases).collect();
        Self { canonical, all }
    }
    /// The host that stands in canonical links.
    pub fn canonical(&self) -> &Host {
        &self.canonical
    }
    /// Canonical host and aliases.
    pub fn all(&self) -> &[Host] {
        &self.all
    }
    /// Whether links with this authority are ours, in any case.
    pub fn contains(&self, authority: &str) -> bool {
        self.all.iter().any(|host| host.as_str().eq_ignore_ascii_case(authority))
    }
}

/// An ObjectEvent (EPCIS 2.0, clause 7.4.2), checked and canonical: what the fold, the ledgers and the
/// log need of it. Everything else that it says is in its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it happened, milliseconds since 1970-01-01 UTC.
    pub event_time_ms: i64,
    /// The local time's offset from UTC, -840 to 840 minutes.
    pub offset_minutes: i16,
    /// ADD, OBSERVE or DELETE.
    pub action: Action,
    /// CBV business step, where given.
    pub biz_step: Option<BizStep>,
    /// CBV disposition, where given.
    pub disposition: Option<Disposition>,
    /// Persistent dispositions set.
    pub set: Vec<Disposition>,
    /// Persistent dispositions unset.
    pub unset: Vec<Disposition>,
    /// Own codes, folded: single codes of the EPC list and `cp:spans`, in ascending order, none twice.
    pub spans: Vec<Span>,
    /// Whether `cp:spans` stands in the event: its class quantities then repeat what the spans name and
    /// make no class-level entry.
    pub names_spans: bool,
    /// Other EPCs, in the canonical Digital Link form where they have one, in the event's order.
    pub epcs: Vec<String>,
    /// Classes of the quantity list, in the event's order.
    pub classes: Vec<ClassQuantity>,
    /// The measure that the event sets or lifts, from its business transactions.
    pub measure: Option<MeasureId>,
    /// Where it was seen.
    pub read_point: Option<String>,
    /// Where the goods are from then on.
    pub biz_location: Option<String>,
    /// Where the goods come from.
    pub sources: Vec<Party>,
    /// Where the goods go to.
    pub destinations: Vec<Party>,
    /// The temperatures of its sensor elements, in one unit; readings of one device are one report.
    pub temperatures: Vec<TemperatureReport>,
    /// Where this declares the event itself in error.
    pub error_declaration: Option<ErrorDeclaration>,
    /// The `eventID` that the capturer gave, where it is another than the event hash's URI.
    pub given_event_id: Option<String>,
    /// The CBV 2.0 event hash: the public event id.
    pub hash: EventHash,
    /// J: the canonical JSON, what is stored and signed for.
    pub body: String,
}

/// A class of the quantity list, and how much of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassQuantity {
    /// What class.
    pub class: Class,
    /// How much; `None` speaks of the whole class.
    pub quantity: Option<f64>,
    /// The unit of the quantity, UN/ECE Recommendation 20 (`KGM`); `None` counts instances.
    pub uom: Option<String>,
}

/// What class a quantity is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A registered batch.
    Batch(BatchId),
    /// A lot: GTIN and AI 10.
    Lot {
        /// AI 01.
        gtin: Gtin,
        /// AI 10.
        lot: Lot,
    },
    /// Any other, as its canonical URI.
    Other(String),
}

/// A source or destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// CBV type (`owning_party`, `possessing_party`, `location`), or a user's own as full URI.
    pub kind: String,
    /// The party or place, as its URI.
    pub id: String,
}

/// Declares that the event it stands in was in error (EPCIS 2.0, clause 7.4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDeclaration {
    /// When it was declared, milliseconds since 1970-01-01 UTC.
    pub declaration_time_ms: i64,
    /// CBV reason (`did_not_occur`, `incorrect_data`), or a user's own as full URI.
    pub reason: Option<String>,
    /// Ids of the events that stand in its place.
    pub corrective_event_ids: Vec<String>,
}

/// Something in an event that reads as an own code. Whether its tag is right and it was issued is for the caller to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeAt {
    /// The code.
    pub code: Code,
    /// Where it stands.
    pub at: Position,
    /// The GTIN of the link that it stood in, where it had one.
    pub gtin: Option<Gtin>,
    /// Whether the link's host is ours, or a span names it: then it must be ours. The serial of any other
    /// GS1 link may read as a code by chance; where its tag is wrong, it is a foreign EPC.
    pub claims_ours: bool,
}

/// Where a code stands in its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Element of `epcList`, from 0.
    Epc(usize),
    /// First code of an element of `cp:spans`.
    First(usize),
    /// Last code of an element of `cp:spans`.
    Last(usize),
}

/// What the caller says of an EPC that reads as an own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It is ours, and of a product with this GTIN, if it has one.
    Ours(Option<Gtin>),
    /// It is somebody else's EPC. Not for codes of spans.
    Foreign,
}
