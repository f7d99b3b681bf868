//! GS1 identifiers as URIs: an EPC URN, an EPC class or pattern, or a GS1 Digital Link on any host becomes
//! one canonical Digital Link on `id.gs1.org` at its finest level (CBV 2.0, clause 8.9.2, step 12).
//! Where the standard's prose leaves a case open, the reference generator's reading is followed, because
//! the event id rests on it.

use crate::code::check_digit;

/// What follows `urn:epc:` and the company prefix and reference, and how it becomes a Digital Link.
enum Tail {
    /// Nothing more.
    None,
    /// A serial in a path element of its own, at most so long.
    Serial(&'static str, usize),
    /// A serial written straight after the key, at most so long.
    Appended(usize),
    /// A serial of at most 12 digits after the key.
    AppendedDigits,
    /// The location extension: 0 is none.
    Extension,
    /// Piece and total, then a serial.
    Piece,
    /// `.*`
    Any,
    /// `.pp.tt.*`
    AnyPiece,
}

/// A scheme of EPC URNs whose company prefix and reference have a fixed number of digits together.
struct Scheme {
    name: &'static str,
    digits: usize,
    ai: &'static str,
    /// Whether the reference's first digit goes before the company prefix (indicator, extension digit).
    leads: bool,
    /// Digits before the company prefix.
    zeros: &'static str,
    /// Whether the reference may be empty, after a company prefix of 12 digits.
    empty: bool,
    tail: Tail,
}

const fn scheme(name: &'static str, digits: usize, ai: &'static str, leads: bool, tail: Tail) -> Scheme {
    Scheme { name, digits, ai, leads, zeros: "", empty: false, tail }
}

const SCHEMES: [Scheme; 18] = [
    scheme("id:sgtin:", 13, "01", true, Tail::Serial("/21/", 20)),
    scheme("id:sscc:", 17, "00", true, Tail::None),
    Scheme { empty: true, ..scheme("id:sgln:", 12, "414", false, Tail::Extension) },
    Scheme { zeros: "0", ..scheme("id:grai:", 12, "8003", false, Tail::Appended(16)) },
    scheme("id:gsrn:", 17, "8018", false, Tail::None),
    scheme("id:gsrnp:", 17, "8017", false, Tail::None),
    scheme("id:gdti:", 12, "253", false, Tail::Appended(19)),
    Scheme { empty: true, ..scheme("id:sgcn:", 12, "255", false, Tail::AppendedDigits) },
    scheme("id:gsin:", 16, "402", false, Tail::None),
    scheme("id:itip:", 13, "8006", true, Tail::Piece),
    scheme("id:upui:", 13, "01", true, Tail::Serial("/235/", 28)),
    Scheme { empty: true, ..scheme("id:pgln:", 12, "417", false, Tail::None) },
    scheme("class:lgtin:", 13, "01", true, Tail::Serial("/10/", 20)),
    scheme("idpat:sgtin:", 13, "01", true, Tail::Any),
    Scheme { zeros: "0", ..scheme("idpat:grai:", 12, "8003", false, Tail::Any) },
    scheme("idpat:gdti:", 12, "253", false, Tail::Any),
    scheme("idpat:sgcn:", 12, "255", false, Tail::Any),
    scheme("idpat:itip:", 13, "8006", true, Tail::AnyPiece),
];

const HOME: &str = "https://id.gs1.org";

/// The canonical Digital Link of a GS1 identifier in any URI form; `None` for any other text.
pub(super) fn canonical(uri: &str) -> Option<String> {
    if !uri.contains('.') {
        return None;
    }
    match uri.strip_prefix("urn:epc:") {
        Some(urn) => from_urn(urn),
        None => super::gs1_link::canonical(uri),
    }
}

fn from_urn(urn: &str) -> Option<String> {
    if let Some(rest) = urn.strip_prefix("idpat:upui:") {
        let pattern = &Scheme { name: "", ..scheme("", 13, "01", true, Tail::Any) };
        return from_scheme(pattern, rest);
    }
    match SCHEMES.iter().find_map(|scheme| Some((scheme, urn.strip_prefix(scheme.name)?))) {
        Some((scheme, rest)) => from_scheme(scheme, rest),
        None => from_open_scheme(urn),
    }
}

fn from_scheme(scheme: &Scheme, rest: &str) -> Option<String> {
    let (prefix, rest) = rest.split_once('.')?;
    let reference = rest.get(..scheme.digits.checked_sub(prefix.len())?)?;
    let rest = rest.get(reference.len()..)?;
    let shape_ok = (6..=12).contains(&prefix.len()) && (scheme.empty || !reference.is_empty());
    if !(shape_ok && is_digits(prefix) && is_digits(reference)) {
        return None;
    }
    let (lead, reference) = reference.split_at(usize::from(scheme.leads));
    let key = format!("{}{lead}{prefix}{reference}", scheme.zeros);
    let ai = scheme.ai;
    let key = format!("{HOME}/{ai}/{key}{}", check_digit(&key)?);
    tail_of(scheme, rest).map(|tail| key + &tail)
}

fn tail_of(scheme: &Scheme, rest: &str) -> Option<String> {
    let serial = |max: usize| rest.strip_prefix('.').filter(|serial| units(serial).is_some_and(|n| 1 <= n && n <= max));
    let pieces = |rest: &str| -> Option<(String, usize)> {
        let &[b'.', a, b, b'.', c, d, b'.', ..] = rest.as_bytes() else { return None };
        let text: String = [a, b, c, d].into_iter().map(char::from).collect();
        is_digits(&text).then_some((text, 7))
    };
    match scheme.tail {
        Tail::None => rest.is_empty().then(String::new),
        Tail::Serial(path, max) => serial(max).map(|serial| format!("{path}{}", encode(serial))),
        Tail::Appended(max) => serial(max).map(encode),
        Tail::AppendedDigits => serial(12).filter(|serial| is_digits(serial)).map(str::to_owned),
        Tail::Extension => match serial(20)? {
            "0" => Some(String::new()),
            extension => Some(format!("/254/{}", encode(extension))),
        },
        Tail::Piece => {
            let (pieces, end) = pieces(rest)?;
            let serial = rest.get(end..).filter(|serial| units(serial).is_some_and(|n| (1..=20).contains(&n)))?;
            Some(format!("{pieces}/21/{}", encode(serial)))
        }
        Tail::Any => (rest == ".*").then(String::new),
        Tail::AnyPiece => pieces(rest).filter(|(_, end)| rest.get(*end..) == Some("*")).map(|(pieces, _)| pieces),
    }
}

/// Schemes whose reference is text: asset, consignment and part numbers, at most 30 characters with the prefix.
fn from_open_scheme(urn: &str) -> Option<String> {
    let (name, rest) = urn.rsplit_once(':').filter(|(name, _)| name.matches(':').count() == 1).or_else(|| {
        // The reference itself may hold colons.
        let second = urn.match_indices(':').nth(1)?.0;
        Some((urn.get(..second)?, urn.get(second + 1..)?))
    })?;
    let (prefix, rest) = rest.split_once('.')?;
    if !(is_digits(prefix) && (6..=12).contains(&prefix.len())) {
        return None;
    }
    let fits = |n: usize| (1..=30 - prefix.len()).contains(&n);
    let text = |ai: &str| units(rest).filter(|n| fits(*n)).map(|_| format!("{HOME}/{ai}/{prefix}{}", encode(rest)));
    match name {
        "id:giai" => text("8004"),
        "id:ginc" => text("401"),
        "id:cpi" | "idpat:cpi" => {
            let (part, serial) = rest.rsplit_once('.')?;
            part_units(part).filter(|n| fits(*n))?;
            let part = encode(part);
            match (name, serial) {
                ("idpat:cpi", "*") => Some(format!("{HOME}/8010/{prefix}{part}")),
                ("id:cpi", serial) if is_digits(serial) && (1..=12).contains(&serial.len()) => {
                    Some(format!("{HOME}/8010/{prefix}{part}/8011/{serial}"))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// How many characters of GS1's set 82 the text of a URN names, counting an escape as one; `None` where it has another.
fn units(text: &str) -> Option<usize> {
    count_units(
        text,
        |byte| byte.is_ascii_alphanumeric() || b"!')(*+,.:;=_-".contains(&byte),
        |escaped| match escaped {
            [b'2', low] => matches!(low, b'1' | b'2' | b'5'..=b'9') || low.is_ascii_alphabetic(),
            [b'3', _] => true,
            [b'4' | b'6', low] => *low != b'0',
            [b'5', low] => low.is_ascii_digit() || matches!(low, b'A' | b'a' | b'F' | b'f'),
            [b'7', low] => low.is_ascii_digit() || matches!(low, b'A' | b'a'),
            _ => false,
        },
    )
}

/// The same for part numbers (AI 8010), in GS1's set 39.
fn part_units(text: &str) -> Option<usize> {
    count_units(
        text,
        |byte| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'-',
        |escaped| match escaped {
            [b'2', low] => matches!(low, b'3' | b'd' | b'f' | b'D' | b'F'),
            [b'3', low] => low.is_ascii_digit(),
            [b'4', low] => *low != b'0',
            [b'5', low] => low.is_ascii_digit() || matches!(low, b'A' | b'a'),
            _ => false,
        },
    )
}

fn count_units(text: &str, plain: impl Fn(u8) -> bool, escaped: impl Fn(&[u8; 2]) -> bool) -> Option<usize> {
    let mut bytes = text.bytes();
    let mut count = 0;
    while let Some(byte) = bytes.next() {
        let known = if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            pair.iter().all(u8::is_ascii_hexdigit) && escaped(&pair)
        } else {
            plain(byte)
        };
        if !known {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// Escapes what a URN may hold plainly and a Digital Link may not.
fn encode(text: &str) -> String {
    let mut link = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '!' => link.push_str("%21"),
            '(' => link.push_str("%28"),
            ')' => link.push_str("%29"),
            '*' => link.push_str("%2A"),
            '+' => link.push_str("%2B"),
            ',' => link.push_str("%2C"),
            ':' => link.push_str("%3A"),
            other => link.push(other),
        }
    }
    link
}
