//! EPCIS 2.0 documents and events, vocabularies, canonical form, event hash. PURE.

mod uri;
mod vocabulary;

pub use vocabulary::{Action, BizStep, Disposition};
