//! An event as the rest of the service sees it.

use std::borrow::Cow;

use super::{Action, BizStep, Disposition, gs1_uri};
use crate::{
    code::{Code, Gtin, Host, Lot},
    cold_chain::TemperatureReport,
    trace::{BatchId, EventHash, Instance, MeasureId, OrganizationId, Span},
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

/// The types of events (EPCIS 2.0, clauses 7.4.2 to 7.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Something happened to objects.
    Object,
    /// Objects were put into a parent, or taken out of it.
    Aggregation,
    /// Objects belong to a business transaction.
    Transaction,
    /// Objects were consumed and others came of them.
    Transformation,
    /// Something, such as a sensor, was attached to objects or places.
    Association,
}

/// Goods that an event names in one of its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Goods {
    /// Own codes, folded: single codes of the EPC list and of the spans, in ascending order, none twice.
    pub spans: Vec<Span>,
    /// Whether spans stand in the event: the class quantities then repeat what they name and make no class-level entry.
    pub names_spans: bool,
    /// Other EPCs, in the canonical Digital Link form where they have one, in the event's order.
    pub epcs: Vec<String>,
    /// Classes of the quantity list, in the event's order.
    pub classes: Vec<ClassQuantity>,
}

impl Goods {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.epcs.is_empty() && self.classes.is_empty()
    }

    /// The classes that are named for themselves: those beside spans only count what the spans name.
    pub fn own_classes(&self) -> &[ClassQuantity] {
        if self.names_spans { &[] } else { &self.classes }
    }
}

/// An event (EPCIS 2.0, clause 7.4), checked and canonical: what the fold, the ledgers and the
/// log need of it. Everything else that it says is in its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its type.
    pub kind: EventKind,
    /// When it happened, milliseconds since 1970-01-01 UTC.
    pub event_time_ms: i64,
    /// The local time's offset from UTC, -840 to 840 minutes.
    pub offset_minutes: i16,
    /// ADD, OBSERVE or DELETE; a transformation has none.
    pub action: Option<Action>,
    /// CBV business step, where given.
    pub biz_step: Option<BizStep>,
    /// CBV disposition, where given.
    pub disposition: Option<Disposition>,
    /// Persistent dispositions set.
    pub set: Vec<Disposition>,
    /// Persistent dispositions unset.
    pub unset: Vec<Disposition>,
    /// What the others are put into, taken out of, or attached to; in a transaction the whole that it is about.
    pub parent: Option<Instance>,
    /// What the event is about: its EPC list and quantities, the children of a parent, or the inputs of a transformation.
    pub goods: Goods,
    /// What comes out of a transformation; empty in all other events.
    pub outputs: Goods,
    /// What makes several transformation events one transformation.
    pub transformation_id: Option<String>,
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

impl Event {
    /// Its goods, with the list that they stand in.
    pub fn lists(&self) -> [(GoodsList, &Goods); 2] {
        let list = match self.kind {
            EventKind::Object | EventKind::Transaction => GoodsList::Objects,
            EventKind::Aggregation | EventKind::Association => GoodsList::Children,
            EventKind::Transformation => GoodsList::Inputs,
        };
        [(list, &self.goods), (GoodsList::Outputs, &self.outputs)]
    }

    /// All own codes that it names anywhere: goods, outputs, and a parent that is one.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        let parent = self.parent.iter().filter_map(|parent| match parent {
            Instance::Code { run, serial } => Some(Span::single(*run, *serial)),
            Instance::Epc(_) => None,
        });
        self.goods.spans.iter().chain(&self.outputs.spans).copied().chain(parent)
    }

    /// All classes that it names anywhere.
    pub fn classes(&self) -> impl Iterator<Item = &ClassQuantity> {
        self.goods.classes.iter().chain(&self.outputs.classes)
    }
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
    /// The organization that the URI names, where it is one of ours: `https://HOST/organization/{n}`.
    pub organization: Option<OrganizationId>,
}

impl Party {
    /// The same URI however a GS1 key was written: a GLN's URN and its links on any host are one party.
    pub fn canonical_id(&self) -> Cow<'_, str> {
        gs1_uri::canonical(&self.id).map_or(Cow::Borrowed(&self.id), Cow::Owned)
    }
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

/// A part of an event that names goods: a list of EPCs, a list of quantities, and an extension for spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GoodsList {
    /// `epcList`, `quantityList` and `cp:spans` of an object or transaction event.
    Objects,
    /// `childEPCs`, `childQuantityList` and `cp:spans` of an aggregation or association event.
    Children,
    /// `inputEPCList`, `inputQuantityList` and `cp:inputSpans` of a transformation event.
    Inputs,
    /// `outputEPCList`, `outputQuantityList` and `cp:outputSpans` of a transformation event.
    Outputs,
}

impl GoodsList {
    /// The field of the list of quantities.
    pub fn quantities(self) -> &'static str {
        match self {
            Self::Objects => "quantityList",
            Self::Children => "childQuantityList",
            Self::Inputs => "inputQuantityList",
            Self::Outputs => "outputQuantityList",
        }
    }
}

/// Where a code stands in its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// `parentID`.
    Parent,
    /// Element of a list of EPCs, from 0.
    Epc(GoodsList, usize),
    /// First code of an element of the spans, from 0.
    First(GoodsList, usize),
    /// Last code of an element of the spans, from 0.
    Last(GoodsList, usize),
}

/// What the caller says of an EPC that reads as an own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It is ours, and of a product with this GTIN, if it has one.
    Ours(Option<Gtin>),
    /// It is somebody else's EPC. Not for codes of spans.
    Foreign,
}
