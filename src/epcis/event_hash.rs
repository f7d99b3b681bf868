//! The CBV 2.0 event hash (clause 8.9.2): the public event id. It leaves out `recordTime`, `eventID` and
//! `errorDeclaration`, and joins names and values without delimiters, so that it is an id to look up by and no
//! proof of content. Where the clause leaves a case open, the reference generator's reading of the canonical event is followed.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::{
    gs1_uri,
    hash_order::{EVENT, Ordered},
    json::{self, Json},
    time,
};
use crate::trace::{EventHash, bytes32};

const BEFORE: &str = "ni:///sha-256;";
const AFTER: &str = "?ver=CBV2.0";

/// The event id as EPCIS writes it: `ni:///sha-256;{64 hex digits}?ver=CBV2.0` (RFC 6920 with CBV's version).
pub fn event_id(hash: EventHash) -> String {
    format!("{BEFORE}{hash}{AFTER}")
}

/// Reads such an id; `None` for any other.
pub fn parse_event_id(text: &str) -> Option<EventHash> {
    let hex = text.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
    let hash = bytes32::from_hex(hex).filter(|_| !hex.contains(|digit: char| digit.is_ascii_uppercase()))?;
    Some(EventHash(hash))
}

/// The hash of a canonical event.
pub(super) fn of_tree(event: &Json<'_>) -> EventHash {
    EventHash(Sha256::digest(pre_hash(event)).into())
}

/// The text that is hashed.
fn pre_hash(event: &Json<'_>) -> String {
    let Json::Object(members) = event else { return String::new() };
    let words = Words::of(event);
    let mut children = Vec::new();
    for (name, value) in members {
        Node::push(&mut children, name, value, &words);
    }
    let kind = members.iter().find(|(name, _)| name == "type").map(|(_, value)| value);
    let mut text = String::with_capacity(512);
    text.push_str("eventType=");
    if let Some(Json::String(kind)) = kind {
        text.push_str(kind);
    }
    in_order(&mut children, EVENT, &mut text);
    children.retain(|child| !["recordTime", "eventID", "type", "errorDeclaration"].contains(&child.name.as_ref()));
    text.push_str(&remaining(&children));
    text
}

/// An element as the XML form of the event would have it.
#[derive(Debug)]
struct Node<'t> {
    name: Cow<'t, str>,
    text: Cow<'t, str>,
    children: Vec<Node<'t>>,
}

impl<'t> Node<'t> {
    /// Adds what a member stands for: an element, one for each item of an array, or for a name that ends in `List` an
    /// element that holds them.
    fn push(into: &mut Vec<Self>, name: &'t str, value: &'t Json<'_>, words: &Words<'t>) {
        let items = match value {
            Json::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        if items.is_empty() {
            return;
        }
        if let Some(item_name) = name.strip_suffix("List") {
            let pairs = ["source", "destination", "bizTransaction"].contains(&item_name);
            let item_name = if pairs { "" } else { item_name };
            let children = items.iter().map(|item| Self::new(item_name, item, words)).collect();
            into.push(Self { name: name.into(), text: "".into(), children });
        } else if name == "childEPCs" {
            let children = items.iter().map(|item| Self::new("epc", item, words)).collect();
            into.push(Self { name: name.into(), text: "".into(), children });
        } else {
            into.extend(items.iter().map(|item| Self::new(name, item, words)));
        }
    }

    fn new(name: &'t str, value: &'t Json<'_>, words: &Words<'t>) -> Self {
        let (mut text, mut children) = (Cow::Borrowed(""), Vec::new());
        match value {
            Json::Null => text = "None".into(),
            Json::Bool(value) => text = if *value { "True" } else { "False" }.into(),
            Json::Number(value) => text = number_text(*value).into(),
            Json::String(value) => text = words.full(value),
            Json::Array(items) => children.extend(items.iter().map(|item| Self::new("", item, words))),
            Json::Object(members) => {
                for (name, value) in members {
                    match (name.as_ref(), value) {
                        ("#text", Json::String(value)) => text = value.as_ref().into(),
                        ("#text" | "comment", _) => {}
                        _ => Self::push(&mut children, name, value, words),
                    }
                }
            }
        }
        let name = match name {
            "inputEPC" | "outputEPC" => "epc",
            "inputQuantity" | "outputQuantity" | "childQuantity" => "quantityElement",
            "quantity" if !children.is_empty() => "quantityElement",
            other => other,
        };
        Self { name: name.into(), text, children }
    }
}

/// Writes the elements that the clause orders, and takes them out of the tree; what is empty afterwards goes too.
fn in_order(children: &mut Vec<Node<'_>>, order: &[Ordered], text: &mut String) {
    for ordered in order {
        let mut values = Vec::new();
        children.retain_mut(|child| {
            if child.name != ordered.name {
                return true;
            }
            let value = ordered_value(child, ordered);
            if !value.is_empty() {
                values.push(value);
            }
            !child.children.is_empty()
        });
        values.sort_unstable();
        values.iter().for_each(|value| text.push_str(value));
    }
}

fn ordered_value(node: &mut Node<'_>, ordered: &Ordered) -> String {
    let mut below = String::new();
    in_order(&mut node.children, ordered.children, &mut below);
    let text = trimmed(&node.text);
    let text = if ordered.is_time && !text.is_empty() {
        time::parse_date_time(text).and_then(time::hash_form).map_or(Cow::Borrowed(text), Cow::Owned)
    } else {
        canonical_value(text)
    };
    match (text.is_empty(), below.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("{}{below}", node.name),
        (false, _) => format!("{}={text}{below}", node.name),
    }
}

/// Elements that the clause does not order: sorted as text. Pairs of type and value stay in their order.
fn remaining(children: &[Node<'_>]) -> String {
    let mut values: Vec<String> = children
        .iter()
        .map(|child| {
            let text = trimmed(&child.text);
            let below = remaining(&child.children);
            if text.is_empty() {
                format!("{}{below}", child.name)
            } else {
                format!("{}={}{below}", child.name, canonical_value(text))
            }
        })
        .collect();
    let in_pair = |child: &Node<'_>| ["bizTransaction", "source", "destination"].contains(&child.name.as_ref());
    if !children.iter().any(in_pair) {
        values.sort_unstable();
    }
    values.concat()
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
}

/// Older CBV URNs become web URIs, numbers lose what adds nothing, GS1 identifiers become canonical Digital Links.
fn canonical_value(text: &str) -> Cow<'_, str> {
    if text.contains("urn:epcglobal:cbv:") {
        let renamed =
            [("bizstep:", "BizStep-"), ("disp:", "Disp-"), ("btt:", "BTT-"), ("sdt:", "SDT-"), ("er:", "ER-")]
                .iter()
                .fold(text.to_owned(), |text, (urn, web)| {
                    text.replace(&format!("urn:epcglobal:cbv:{urn}"), &format!("https://ref.gs1.org/cbv/{web}"))
                });
        return gs1_uri::canonical(&renamed).unwrap_or(renamed).into();
    }
    if let Some(value) = numeric(text) {
        return number_text(value).into();
    }
    gs1_uri::canonical(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The value of a text that the reference reads as a number: decimal, `_` between digits, full-width digits too.
fn numeric(text: &str) -> Option<f64> {
    let narrow = |c: char| match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
        other => other,
    };
    let first = narrow(text.trim_start_matches(['+', '-']).chars().next()?);
    if !(first.is_ascii_digit() || first == '.') {
        return None;
    }
    let text: String = text.chars().map(narrow).collect();
    let digit_at = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let separates = |(at, _): (usize, &str)| at > 0 && digit_at(at - 1) && digit_at(at + 1);
    if !text.match_indices('_').all(separates) {
        return None;
    }
    text.replace('_', "").parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whole numbers in full; others by their shortest digits, with an exponent below 10^-4 and from 10^16 on.
fn number_text(value: f64) -> String {
    if value.fract() == 0.0 {
        // Zero has no sign here.
        return format!("{:.0}", if value == 0.0 { 0.0 } else { value });
    }
    let text = json::shortest(value);
    if value.abs() >= 1e-4 {
        return text;
    }
    let Some((digits, power)) = json::decimal(&text) else { return text };
    let sign = if value < 0.0 { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let exponent = power.unsigned_abs() - rest.len() as u64;
    format!("{sign}{first}{point}{rest}e-{exponent:02}")
}

/// Full URIs of the vocabulary words that an event uses. The reference puts them in the place of any equal bare
/// word, wherever in the event it stands.
struct Words<'t>(Vec<Cow<'t, str>>);

impl<'t> Words<'t> {
    fn of(event: &'t Json<'_>) -> Self {
        let mut words = Self(Vec::new());
        words.collect(event, Some(""));
        words.0.sort_unstable();
        words.0.dedup();
        words
    }

    /// `space` is what a bare word here begins with in full; `None` inside an extension, where no name is EPCIS's own.
    fn collect(&mut self, value: &'t Json<'_>, space: Option<&'static str>) {
        match value {
            Json::String(text)
                if ["https://ref.gs1.org/cbv", "https://gs1.org/voc"].iter().any(|own| text.starts_with(own)) =>
            {
                self.0.push(text.as_ref().into());
            }
            Json::String(text) if !text.contains(':') => {
                if let Some(space) = space.filter(|space| !space.is_empty()) {
                    self.0.push(format!("{space}{text}").into());
                }
            }
            Json::Array(items) => items.iter().for_each(|item| self.collect(item, space)),
            Json::Object(members) => {
                for (name, value) in members {
                    let space = space.filter(|_| !name.contains(':')).map(|_| space_of(name, members));
                    self.collect(value, space);
                }
            }
            _ => {}
        }
    }

    fn full<'v>(&self, text: &'v str) -> Cow<'v, str> {
        let ends = |word: &&Cow<'_, str>| {
            let before = word.strip_suffix(text);
            before.is_some_and(|before| before.ends_with('-') || before.ends_with('/'))
        };
        let mut matching = self.0.iter().filter(ends);
        match (matching.next(), matching.next()) {
            (Some(word), None) => Cow::Owned(word.clone().into_owned()),
            _ => Cow::Borrowed(text),
        }
    }
}

/// What a bare word in this member's value begins with in full.
fn space_of(name: &str, members: &[(Cow<'_, str>, Json<'_>)]) -> &'static str {
    let beside = |other: &str| members.iter().any(|(name, _)| name == other);
    match name {
        "bizStep" => "https://ref.gs1.org/cbv/BizStep-",
        "disposition" | "set" | "unset" => "https://ref.gs1.org/cbv/Disp-",
        "reason" => "https://ref.gs1.org/cbv/ER-",
        "component" => "https://ref.gs1.org/cbv/Comp-",
        "exception" => "https://gs1.org/voc/",
        "type" if beside("bizTransaction") => "https://ref.gs1.org/cbv/BTT-",
        "type" if beside("source") || beside("destination") => "https://ref.gs1.org/cbv/SDT-",
        // An event has a type and a time too, but its type is no word of a vocabulary.
        "type" if !beside("eventTime") => "https://gs1.org/voc/",
        _ => "",
    }
}
