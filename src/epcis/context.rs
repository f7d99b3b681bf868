//! `@context`: the prefixes that extension names and URIs may be shortened by. Contexts named by URL are
//! not fetched: what a document means must not change with a server elsewhere.

use super::{
    error::{Checked, Fault, Reason, Under},
    json::Json,
    uri::is_uri,
};

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

/// Prefixes in force for an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    declared: Vec<(String, String)>,
}

impl Context {
    /// Adds what an `@context` declares: a URL, an object, or an array of both.
    pub(super) fn extend(&mut self, context: &Json<'_>) -> Checked<()> {
        match context {
            Json::String(url) if is_uri(url) => Ok(()),
            Json::Object(terms) => {
                terms.iter().try_for_each(|(prefix, meaning)| self.declare(prefix, meaning).under(prefix))
            }
            Json::Array(parts) => parts.iter().enumerate().try_for_each(|(at, part)| {
                match part {
                    Json::Array(_) => Err(Fault::unexpected(part.describe(), "a URL or an object")),
                    _ => self.extend(part),
                }
                .under_index(at)
            }),
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
        let iri = self.expand(iri);
        if !(is_uri(&iri) && is_full(&iri)) {
            return Err(Fault::unexpected(iri, "an absolute IRI with :// or of the urn scheme"));
        }
        self.declared.push((prefix.to_owned(), iri.into_owned()));
        Ok(())
    }

    /// The full IRI of a shortened one; anything else stays (JSON-LD 1.1, section 3.1).
    pub(super) fn expand<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        let Some((prefix, rest)) = text.split_once(':') else { return text.into() };
        if rest.starts_with("//") {
            return text.into();
        }
        match self.meaning(prefix) {
            Some(iri) => format!("{iri}{rest}").into(),
            None => text.into(),
        }
    }

    /// The full IRI of an extension's name.
    pub(super) fn expand_name(&self, name: &str) -> Checked<String> {
        let full = self.expand(name);
        if is_uri(&full) && is_full(&full) {
            return Ok(full.into_owned());
        }
        Err(Fault::new(Reason::UnknownField {
            name: super::error::quote(name),
            expected: "a field of EPCIS 2.0, or an extension whose prefix an @context in this document declares",
        }))
    }

    fn meaning(&self, prefix: &str) -> Option<&str> {
        let declared = self.declared.iter().rev().map(|(prefix, iri)| (prefix.as_str(), iri.as_str()));
        declared.chain(STANDARD_PREFIXES).find_map(|(name, iri)| (name == prefix).then_some(iri))
    }
}

/// Whether an IRI cannot be mistaken for a shortened one.
fn is_full(iri: &str) -> bool {
    iri.starts_with("urn:") || iri.split_once(':').is_some_and(|(_, rest)| rest.starts_with("//"))
}
