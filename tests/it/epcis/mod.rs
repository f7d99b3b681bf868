//! EPCIS: what documents become, judged by others' work and by the spec pages.

mod generated;
mod judge;
mod pages;
mod properties;
mod refusals;
mod stream;
mod temperatures;
mod type_refusals;

use coldproof::{
    code::Host,
    epcis::{DocumentError, Event, Hosts, Ruling, parse_document, parse_event},
};

/// The example host of the spec pages.
pub fn hosts() -> Hosts {
    let host = |text: &str| text.parse::<Host>().unwrap();
    Hosts::new(host("demo.coldproof.example"), [host("trace.example.cn")])
}

/// A whole document, every EPC that reads as a code of ours being one.
pub fn events(document: &str) -> Result<Vec<Event>, DocumentError> {
    let hosts = hosts();
    parse_document(document.as_bytes(), &hosts)?
        .into_iter()
        .map(|draft| draft.seal(|code| Ruling::Ours(code.gtin)))
        .collect()
}

/// A single event, likewise.
pub fn event(text: &str) -> Result<Event, DocumentError> {
    let hosts = hosts();
    parse_event(text.as_bytes(), &hosts)?.seal(|code| Ruling::Ours(code.gtin))
}

/// Events of our own making in great variety, with a context that declares `ex` and `cp`.
pub fn varied() -> Vec<Event> {
    events(include_str!("varied.json")).unwrap()
}
