//! JSON text to a tree, stricter than RFC 8259: a member name stands once in an object, a number must
//! be one that an IEEE 754 double holds exactly as written, and nesting has a limit. The general
//! parser gives a number's value but not its text, so that 1e400 or 9007199254740993 would become
//! another statement unseen; and what is stored here is signed for by its bytes.

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    error::{Checked, Fault, Reason, Under, quote},
    extent::{Place, text_of},
};
use crate::limits::JSON_DEPTH_MAX;

/// A JSON value; strings without escapes borrow from the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    Number(f64),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Members<'a>),
}

/// A member of an object.
pub(super) type Member<'a> = (Cow<'a, str>, Json<'a>);

/// Members of an object, each name once.
pub(super) type Members<'a> = Vec<Member<'a>>;

/// Above this many members, duplicate names are looked for by sorting.
const LINEAR_NAMES_MAX: usize = 16;

impl<'a> Json<'a> {
    /// Parses a whole text.
    pub(super) fn parse(bytes: &'a [u8]) -> Checked<Self> {
        let mut parser = Parser { text: text_of(bytes, Place::default())?, at: 0, depth: 0 };
        let value = parser.value()?;
        match parser.peek() {
            None => Ok(value),
            Some(_) => Err(parser.syntax("the end of the text")),
        }
    }

    /// Parses the value that a text begins with, which stands `depth` brackets deep in another; also says how many bytes
    /// it takes.
    pub(super) fn parse_prefix(text: &'a str, depth: usize) -> Checked<(Self, usize)> {
        let mut parser = Parser { text, at: 0, depth };
        Ok((parser.value()?, parser.at))
    }

    /// What kind of value it is, or its text, as an error quotes it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::String(text) => format!("{:?}", quote(text)),
            Self::Array(items) => format!("an array of {}", items.len()),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}

impl Json<'_> {
    /// Brings members into RFC 8785's order, all the way down.
    pub(super) fn sort_names(&mut self) {
        match self {
            Self::Array(items) => items.iter_mut().for_each(Self::sort_names),
            Self::Object(members) => {
                members.iter_mut().for_each(|(_, value)| value.sort_names());
                sort_members(members);
            }
            _ => {}
        }
    }
}

/// By UTF-16 code units (RFC 8785, section 3.2.3).
pub(super) fn sort_members(members: &mut Members<'_>) {
    members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
}

/// Once names are sorted, what the general writer makes of the tree is its RFC 8785 form: that writer escapes strings
/// as the standard asks, and numbers are written here.
impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            // Below 2^53 a whole number's digits are its RFC 8785 form; 0 has no sign.
            Self::Number(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
                serializer.serialize_i64(*value as i64)
            }
            Self::Number(value) => {
                let text = RawValue::from_string(shortest(*value)).map_err(serde::ser::Error::custom)?;
                text.serialize(serializer)
            }
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name.as_ref(), value)?;
                }
                map.end()
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The next byte; always at a character's border between calls.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// The next byte that is not white space, without taking it.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes the byte if it is the next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Checked<()> {
        if self.take(byte) { Ok(()) } else { Err(self.syntax(expected)) }
    }

    fn value(&mut self) -> Checked<Json<'a>> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => Ok(Json::Number(self.number()?)),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.syntax("a value")),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Checked<Json<'a>>) -> Checked<Json<'a>> {
        if self.depth == JSON_DEPTH_MAX {
            return Err(Fault::new(Reason::TooDeep { max: JSON_DEPTH_MAX }));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Checked<Json<'a>> {
        let mut members: Members<'a> = Vec::new();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a member's name"));
            }
            let name = self.string()?;
            self.expect(b':', "':'")?;
            let value = self.value().under(&name)?;
            members.push((name, value));
            if !self.take(b',') {
                break;
            }
        }
        self.expect(b'}', "',' or '}'")?;
        names_differ(&members)?;
        Ok(Json::Object(members))
    }

    fn array(&mut self) -> Checked<Json<'a>> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value().under_index(items.len())?);
            if !self.take(b',') {
                break;
            }
        }
        self.expect(b']', "',' or ']'")?;
        Ok(Json::Array(items))
    }

    fn word(&mut self, word: &'static str, value: Json<'a>) -> Checked<Json<'a>> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.syntax("a value"))
    }

    /// A string, its opening quote being next.
    fn string(&mut self) -> Checked<Cow<'a, str>> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut end = start;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                // The general parser knows escapes; it is given exactly one string.
                Some(b'\\') => return self.escaped_string(),
                Some(0x20..) => end += 1,
                _ => {
                    self.at = end;
                    return Err(self.syntax("a string without control characters, and its closing quote"));
                }
            }
        }
        self.at = end + 1;
        Ok(Cow::Borrowed(self.text.get(start..end).unwrap_or_default()))
    }

    fn escaped_string(&mut self) -> Checked<Cow<'a, str>> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        match stream.next() {
            Some(Ok(text)) => {
                self.at += stream.byte_offset();
                Ok(Cow::Owned(text))
            }
            _ => Err(self.syntax("a string with valid escapes and a closing quote")),
        }
    }

    fn number(&mut self) -> Checked<f64> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length =
            rest.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
        let text = rest.get(..length).unwrap_or_default();
        if !is_json_number(text) {
            return Err(self.syntax("a number as RFC 8259 writes it"));
        }
        let inexact = || Fault::new(Reason::InexactNumber { found: quote(text) });
        let value: f64 = text.parse().map_err(|_| inexact())?;
        if !(value.is_finite() && holds_exactly(text, value)) {
            return Err(inexact());
        }
        self.at += length;
        Ok(value)
    }

    fn syntax(&self, expected: &'static str) -> Fault {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(c) => format!("{c:?}"),
            None => "the end of the text".to_owned(),
        };
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Fault::new(Reason::Syntax {
            line: before.matches('\n').count() + 1,
            column: self.at - line_start + 1,
            found,
            expected,
        })
    }
}

/// Refuses an object that names a member twice, in the time of a sort.
pub(super) fn names_differ(members: &Members<'_>) -> Checked<()> {
    let twice = if members.len() <= LINEAR_NAMES_MAX {
        let repeated =
            |(at, (name, _)): &(usize, &Member<'_>)| members.iter().skip(at + 1).any(|(other, _)| other == name);
        members.iter().enumerate().find(repeated).map(|(_, (name, _))| name.as_ref())
    } else {
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        })
    };
    twice.map_or(Ok(()), |name| Err(Fault::new(Reason::DuplicateName { name: quote(name) })))
}

/// RFC 8259, section 6: no leading zeros, no bare point, no plus sign.
fn is_json_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Whether the shortest decimal that names the double (as RFC 8785 writes it) has the same value as the text.
fn holds_exactly(text: &str, value: f64) -> bool {
    let short_integer = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    short_integer || decimal(text) == decimal(&shortest(value))
}

/// The shortest decimal that names a finite double, as RFC 8785 writes it.
pub(super) fn shortest(value: f64) -> String {
    // Of two that are equally short and near, RFC 8785 takes the even one and the standard library may not.
    serde_json_canonicalizer::to_string(&value).unwrap_or_default()
}

/// Significant digits without zeros at either end, and the power of ten of the last; sign apart.
pub(super) fn decimal(text: &str) -> Option<(String, i64)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let dropped = digits.len() - kept.len();
    let significant = kept.trim_start_matches('0');
    if significant.is_empty() {
        return Some((String::new(), 0));
    }
    let exponent: i64 = exponent.parse().ok()?;
    let power = i64::try_from(dropped).ok()? - i64::try_from(fraction.len()).ok()?;
    Some((significant.to_owned(), exponent.checked_add(power)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Json<'_>, Reason> {
        Json::parse(text.as_bytes()).map_err(|fault| fault.reason)
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_with_its_place() {
        let fault = Json::parse(br#"{"a":[{"b":1,"\u0062":2}]}"#).unwrap_err();
        assert_eq!(fault.pointer, "/a/0");
        assert_eq!(fault.reason, Reason::DuplicateName { name: "b".to_owned() });
        let many: String = (0..40).map(|n| format!("\"n{}\":0,", n % 39)).collect();
        let many = format!("{{{}}}", many.trim_end_matches(','));
        assert_eq!(parse(&many), Err(Reason::DuplicateName { name: "n0".to_owned() }));
    }

    #[test]
    fn numbers_that_a_double_cannot_hold_are_refused() {
        for text in ["1e400", "-1e400", "9007199254740993", "12345678901234567890", "0.10000000000000000555", "1e-400"]
        {
            assert_eq!(parse(text), Err(Reason::InexactNumber { found: text.to_owned() }));
        }
        for (text, value) in [
            ("1.0", 1.0),
            ("-0", 0.0),
            ("1E2", 100.0),
            ("0.4", 0.4),
            ("9007199254740992", 2f64.powi(53)),
            ("5e-324", 5e-324),
        ] {
            assert_eq!(parse(text), Ok(Json::Number(value)), "{text}");
        }
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&nested(JSON_DEPTH_MAX)).is_ok());
        assert_eq!(parse(&nested(JSON_DEPTH_MAX + 1)), Err(Reason::TooDeep { max: JSON_DEPTH_MAX }));
    }

    proptest! {
        #[test]
        fn texts_that_the_general_parser_refuses_are_refused(text in r#"[\[\]{},:"\\ua0-9eE+\-. tfnrulse]{0,24}"#) {
            if parse(&text).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }

        #[test]
        fn a_sorted_tree_is_written_as_rfc_8785_asks(number: f64, whole in -1e17..1e17f64, name in ".*", text in ".*", control in "[\\u{0}-\\u{20}\\u{7f}-\\u{a0}\"\\\\/]{0,8}") {
            prop_assume!(number.is_finite());
            let value = serde_json::json!({ name: [number, whole.trunc()], "é\u{10000}": text, "\u{ffff}": control, "b": null });
            let expected = serde_json_canonicalizer::to_string(&value).unwrap();
            let mut tree = Json::parse(expected.as_bytes()).unwrap();
            if let Json::Object(members) = &mut tree {
                members.reverse();
            }
            tree.sort_names();
            prop_assert_eq!(serde_json::to_string(&tree).unwrap(), expected);
        }

        #[test]
        fn values_are_those_of_the_general_parser(numbers in prop::collection::vec(-1e15..1e15f64, 0..5), name in ".*", text in ".*") {
            let value = serde_json::json!({ "n": numbers, "s": { name: text }, "w": [true, false, null] });
            let written = serde_json::to_string_pretty(&value).unwrap();
            let again = serde_json::to_string(&parse(&written).unwrap()).unwrap();
            let again: serde_json::Value = serde_json::from_str(&again).unwrap();
            let canonical = |value: &serde_json::Value| serde_json_canonicalizer::to_string(value).unwrap();
            prop_assert_eq!(canonical(&again), canonical(&value));
        }
    }
}
