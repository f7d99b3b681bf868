//! EPCIS 2.0 in JSON: documents and events in, checked and canonical; vocabularies, event hash, identities; and
//! our own events out. PURE.
//!
//! [`parse_document`] gives a [`Draft`] per event, [`DocumentStream`] the same from a document of any size; the caller says which of its codes are ours and
//! [`Draft::seal`] makes the [`Event`], whose body is what is stored and signed for.

mod aggregation_event;
mod association_event;
mod batch_facts;
mod common_fields;
mod context;
mod document;
mod draft;
mod envelope;
mod epc;
mod error;
mod event;
mod event_hash;
mod event_text;
mod extent;
mod fields;
mod goods_shapes;
mod gs1_link;
mod gs1_uri;
mod hash_order;
mod header;
mod identity;
mod inspection_shape;
mod json;
mod listing;
mod named;
mod object_event;
mod output_facts;
mod parts;
mod sensor;
mod sensor_shape;
pub mod shapes;
mod stream;
mod temperature;
mod time;
mod transaction_event;
mod transformation_event;
mod uri;
mod vocabulary;

pub use document::{
    NAME_SPACE, STANDARD_CONTEXT, StoredEvent, document_of, parse_canonical, parse_document, parse_event,
};
pub use draft::Draft;
pub use epc::canonical_epc;
pub use error::{DocumentError, Reason};
pub use event::{
    Class, ClassQuantity, CodeAt, ErrorDeclaration, Event, EventKind, Goods, GoodsList, Hosts, Party, Position, Ruling,
};
pub use event_hash::{event_id, parse_event_id};
pub use event_text::EventText;
pub use identity::{CaptureDigest, capture_id, record_id};
pub use output_facts::{OutputFacts, output_facts};
pub use stream::DocumentStream;
pub use vocabulary::{Action, BizStep, Disposition};
