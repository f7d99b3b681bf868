//! `@context`: the prefixes that extension names and URIs may be shortened by. Contexts named by URL are
//! not fetched: what a document means must not change with a server elsewhere.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    error::{Checked, Fault, Reason, Under},
    json::Json,
    uri::is_uri,
};
use crate::limits::{CAPTURE_BYTES_MAX, PREFIX_IRI_BYTES_MAX, PREFIXES_MAX, URI_BYTES_MAX};

/// Prefixes that EPCIS 2.0's standard context declares.
const STANDARD_PREFIXES: [(&str, &str); 8] = [
    ("epcis", "https://ref.gs1.org/epcis/"),
    ("cbv", "https://ref.gs1.org/cbv/"),
    ("cbvmda", "urn:epcglobal:cbv:mda:"),
    ("gs1", "https://gs1.org/voc/"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("owl", "http://www.w3.org/2002/07/owl#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ("dcterms", "http://purl.org/dc/terms/"),
];

/// Prefixes in force for a document, or for an event in it.
#[derive(Debug, Default)]
pub(super) struct Context<'o> {
    /// The document's, which an event's own stands upon.
    outer: Option<&'o Context<'o>>,
    declared: Vec<(String, String)>,
    /// Bytes that prefixes added so far, in the whole document or in one event of a stream; counted in the outermost.
    expanded_bytes: AtomicUsize,
}

impl<'o> Context<'o> {
    /// What an event may add its own prefixes to; those of `outer` stay in force.
    pub(super) fn within(outer: &'o Context<'o>) -> Self {
        Self { outer: Some(outer), ..Self::default() }
    }

    /// Adds what an `@context` declares: a URL, an object, or an array of both.
    pub(super) fn extend(&mut self, context: &Json<'_>) -> Checked<()> {
        match context {
            Json::String(url) if is_uri(url) => Ok(()),
            Json::Object(terms) => {
                terms.iter().try_for_each(|(prefix, meaning)| self.declare(prefix, meaning).under(prefix))
            }
            Json::Array(parts) => {
                if parts.len() > PREFIXES_MAX {
                    let what = "elements of one @context";
                    return Err(Fault::new(Reason::TooMany { what, found: parts.len(), max: PREFIXES_MAX }));
                }
                parts.iter().enumerate().try_for_each(|(at, part)| {
                    match part {
                        Json::Array(_) => Err(Fault::unexpected(part.describe(), "a URL or an object")),
                        _ if parts.iter().take(at).any(|before| before == part) => {
                            Err(Fault::new(Reason::Duplicate { found: part.describe() }))
                        }
                        _ => self.extend(part),
                    }
                    .under_index(at)
                })
            }
            other => Err(Fault::unexpected(other.describe(), "a URL, an object, or an array of both")),
        }
    }

    fn declare(&mut self, prefix: &str, meaning: &Json<'_>) -> Checked<()> {
        if prefix.starts_with('@') {
            return Ok(());
        }
        let iri = match meaning {
            Json::String(iri) => iri,
            // An expanded term definition; one without @id gives a term a type and no prefix.
            Json::Object(members) => match members.iter().find(|(name, _)| name == "@id") {
                Some((_, Json::String(iri))) => iri,
                _ => return Ok(()),
            },
            _ => return Err(Fault::unexpected(meaning.describe(), "the name space of the prefix")),
        };
        let iri = self.expand(iri)?;
        self.check_limits(&iri)?;
        if !(is_uri(&iri) && is_full(&iri)) {
            return Err(Fault::unexpected(iri, "an absolute IRI with :// or of the urn scheme"));
        }
        self.declared.push((prefix.to_owned(), iri.into_owned()));
        Ok(())
    }

    /// Whether there may be one more prefix, and it may mean this.
    fn check_limits(&self, iri: &str) -> Checked<()> {
        let declared = self.declared.len() + self.outer.map_or(0, |outer| outer.declared.len());
        let limits = [
            ("bytes in the IRI of a prefix", iri.len(), PREFIX_IRI_BYTES_MAX),
            ("declared prefixes", declared + 1, PREFIXES_MAX),
        ];
        match limits.into_iter().find(|(_, found, max)| found > max) {
            Some((what, found, max)) => Err(Fault::new(Reason::TooMany { what, found, max })),
            None => Ok(()),
        }
    }

    /// The full IRI of a shortened one; anything else stays (JSON-LD 1.1, section 3.1).
    pub(super) fn expand<'t>(&self, text: &'t str) -> Checked<Cow<'t, str>> {
        let iri = match text.split_once(':') {
            Some((prefix, rest)) if !rest.starts_with("//") => self.meaning(prefix).map(|iri| (iri, rest)),
            _ => None,
        };
        let found = iri.map_or(text.len(), |(iri, rest)| iri.len() + rest.len());
        if found > URI_BYTES_MAX {
            return Err(Fault::new(Reason::TooMany { what: "bytes in one URI or name", found, max: URI_BYTES_MAX }));
        }
        let Some((iri, rest)) = iri else { return Ok(text.into()) };
        self.spend(iri.len())?;
        Ok(format!("{iri}{rest}").into())
    }

    /// Counts what a prefix adds to the document: a few bytes of it must not become gigabytes in memory.
    fn spend(&self, bytes: usize) -> Checked<()> {
        let document = self.outer.unwrap_or(self);
        let found = document.expanded_bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if found > CAPTURE_BYTES_MAX {
            let what = "bytes added by prefixes in one document";
            return Err(Fault::new(Reason::TooMany { what, found, max: CAPTURE_BYTES_MAX }));
        }
        Ok(())
    }

    /// Begins to count anew what prefixes add.
    pub(super) fn forget_expanded(&self) {
        self.expanded_bytes.store(0, Ordering::Relaxed);
    }

    /// Bytes that prefixes added.
    pub(super) fn expanded_bytes(&self) -> usize {
        self.expanded_bytes.load(Ordering::Relaxed)
    }

    /// The full IRI of an extension's name.
    pub(super) fn expand_name(&self, name: &str) -> Checked<String> {
        let full = self.expand(name)?;
        if is_uri(&full) && is_full(&full) {
            return Ok(full.into_owned());
        }
        Err(Fault::new(Reason::UnknownField {
            name: super::error::quote(name),
            expected: "a field that EPCIS 2.0 gives this type of event, or an extension whose prefix an @context in this document declares",
        }))
    }

    fn meaning(&self, prefix: &str) -> Option<&str> {
        let outer = self.outer.into_iter().flat_map(|outer| outer.declared.iter().rev());
        let declared = self.declared.iter().rev().chain(outer).map(|(prefix, iri)| (prefix.as_str(), iri.as_str()));
        declared.chain(STANDARD_PREFIXES).find_map(|(name, iri)| (name == prefix).then_some(iri))
    }
}

/// Whether an IRI cannot be mistaken for a shortened one.
fn is_full(iri: &str) -> bool {
    iri.starts_with("urn:") || iri.split_once(':').is_some_and(|(_, rest)| rest.starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::super::{DocumentError, Event, Hosts, Ruling, parse_event};
    use super::*;
    use crate::limits::EVENT_URIS_BYTES_MAX;

    fn event(context: &str, members: &str) -> Result<Event, DocumentError> {
        let hosts = Hosts::new("demo.coldproof.example".parse().unwrap(), []);
        let text = format!(
            r#"{{"@context":{context},"type":"ObjectEvent","eventTime":"2026-05-04T09:30:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE",{members}}}"#
        );
        parse_event(text.as_bytes(), &hosts)?.seal(|code| Ruling::Ours(code.gtin))
    }

    fn too_many(found: Result<Event, DocumentError>) -> (String, usize) {
        match found.map_err(|error| (error.pointer, error.reason)) {
            Err((pointer, Reason::TooMany { max, .. })) => (pointer, max),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_uri_beyond_the_limit_is_refused_in_every_field() {
        let uri = |bytes: usize| format!("urn:x:{}", "a".repeat(bytes - 6));
        let fields = [
            (r#""epcList":["@"]"#, "/epcList/0"),
            (r#""quantityList":[{"epcClass":"@"}]"#, "/quantityList/0/epcClass"),
            (r#""epcList":[],"readPoint":{"id":"@"}"#, "/readPoint/id"),
            (r#""epcList":[],"eventID":"@""#, "/eventID"),
            (r#""epcList":[],"bizStep":"@""#, "/bizStep"),
            (r#""epcList":[],"disposition":"@""#, "/disposition"),
            (r#""epcList":[],"certificationInfo":"@""#, "/certificationInfo"),
            (r#""epcList":[],"@":1"#, ""),
        ];
        for (members, pointer) in fields {
            event("[]", &members.replace('@', &uri(URI_BYTES_MAX))).expect(members);
            let refused = event("[]", &members.replace('@', &uri(URI_BYTES_MAX + 1)));
            assert_eq!(too_many(refused), (pointer.to_owned(), URI_BYTES_MAX), "{members}");
        }
    }

    #[test]
    fn the_uris_of_one_event_have_a_limit_together() {
        let epc = |at: usize| format!(r#""urn:x:{at:04}{}""#, "a".repeat(URI_BYTES_MAX - 10));
        let list = |count: usize| (0..count).map(epc).collect::<Vec<_>>().join(",");
        let fit = EVENT_URIS_BYTES_MAX / URI_BYTES_MAX;
        event("[]", &format!(r#""epcList":[{}]"#, list(fit))).unwrap();
        let refused = event("[]", &format!(r#""epcList":[{}]"#, list(fit + 1)));
        assert_eq!(too_many(refused), (format!("/epcList/{fit}"), EVENT_URIS_BYTES_MAX));
        let class = r#""quantityList":[{"epcClass":"urn:x:class"}]"#;
        let refused = event("[]", &format!(r#""epcList":[{}],{class}"#, list(fit)));
        assert_eq!(too_many(refused), ("/quantityList/0/epcClass".to_owned(), EVENT_URIS_BYTES_MAX));
    }

    #[test]
    fn a_prefix_has_a_limit_and_so_have_all_together() {
        let context = |bytes: usize| format!(r#"{{"p":"urn:x:{}"}}"#, "a".repeat(bytes - 6));
        event(&context(PREFIX_IRI_BYTES_MAX), r#""epcList":["p:1"]"#).unwrap();
        let refused = event(&context(PREFIX_IRI_BYTES_MAX + 1), r#""epcList":[]"#);
        assert_eq!(too_many(refused), ("/@context/p".to_owned(), PREFIX_IRI_BYTES_MAX));
        let prefixes =
            |count: usize| (0..count).map(|at| format!(r#""p{at}":"urn:x:"#)).collect::<Vec<_>>().join(r#"","#);
        event(&format!(r#"{{{}"}}"#, prefixes(PREFIXES_MAX)), r#""epcList":[]"#).unwrap();
        let refused = event(&format!(r#"{{{}"}}"#, prefixes(PREFIXES_MAX + 1)), r#""epcList":[]"#);
        assert_eq!(too_many(refused), (format!("/@context/p{PREFIXES_MAX}"), PREFIXES_MAX));
    }

    #[test]
    fn what_prefixes_add_to_a_document_is_counted_over_its_events() {
        let document = Context::default();
        let iri = format!("urn:x:{}", "a".repeat(PREFIX_IRI_BYTES_MAX - 6));
        let declared = format!(r#"{{"p":"{iri}"}}"#);
        let times = CAPTURE_BYTES_MAX / PREFIX_IRI_BYTES_MAX;
        for at in 0..=times {
            let mut event = Context::within(&document);
            event.extend(&Json::parse(declared.as_bytes()).unwrap()).unwrap();
            assert_eq!(event.expand("p:1").is_ok(), at < times, "{at}");
        }
    }

    #[test]
    fn an_events_own_prefix_stands_before_the_documents() {
        let mut document = Context::default();
        document.extend(&Json::parse(br#"{"a":"urn:x:","b":"urn:y:"}"#).unwrap()).unwrap();
        let mut event = Context::within(&document);
        event.extend(&Json::parse(br#"{"a":"urn:z:"}"#).unwrap()).unwrap();
        let full = |text| event.expand(text).unwrap().into_owned();
        assert_eq!([full("a:1"), full("b:1"), full("cbv:1")], ["urn:z:1", "urn:y:1", "https://ref.gs1.org/cbv/1"]);
    }

    #[test]
    fn many_names_and_words_take_no_time_that_grows_with_their_square() {
        let members: Vec<_> = (0..100_000).map(|at| format!(r#""ex:{at}":0"#)).collect();
        let context = r#"{"ex":"https://example.com/"}"#;
        let extension = |members: &str| event(context, &format!(r#""epcList":[],"ex:all":{{{members}}}"#));
        extension(&members.join(",")).unwrap();
        let twice = format!(r#"{},"https://example.com/7":0"#, members.join(","));
        let name = "https://example.com/7".to_owned();
        assert_eq!(extension(&twice).unwrap_err().reason, Reason::DuplicateName { name });
        let words: Vec<_> = (0..100_000).map(|at| format!(r#""ex:{at}""#)).collect();
        event(context, &format!(r#""epcList":[],"persistentDisposition":{{"set":[{}]}}"#, words.join(","))).unwrap();
    }
}
