//! What an EPC or a class URI names: an own code, a batch, a measure, a lot, or something else.

use std::borrow::Cow;

use super::{
    error::{Checked, Fault},
    event::Hosts,
    gs1_uri,
};
use crate::{
    code::{Code, RunId, Serial, Tag},
    trace::{BatchId, MeasureId},
};

/// What a URI names.
#[derive(Debug, PartialEq)]
pub(super) enum Named {
    Code { code: Code, gtin: Option<[u8; 14]>, own_host: bool },
    Batch(BatchId),
    Measure(MeasureId),
    Lot { gtin: String, lot: String },
    Other,
}

/// Reads a URI. Links with our host whose path is none of ours, and all other URIs, are `Other`.
pub(super) fn read(uri: &str, hosts: &Hosts) -> Checked<Named> {
    if uri.starts_with("urn:") {
        return match gs1_uri::canonical(uri) {
            Some(link) => read_link(&link, hosts),
            None => Ok(Named::Other),
        };
    }
    read_link(uri, hosts)
}

/// The canonical link of an own code: with the GTIN of its product, or on our host.
pub(super) fn code_uri(code: &str, gtin: Option<[u8; 14]>, hosts: &Hosts) -> String {
    match gtin {
        Some(gtin) => format!("https://id.gs1.org/01/{}/21/{code}", String::from_utf8_lossy(&gtin)),
        None => format!("https://{}/{code}", hosts.canonical),
    }
}

/// The class URI of a batch.
pub(super) fn batch_uri(batch: BatchId, hosts: &Hosts) -> String {
    format!("https://{}/batch/{batch}", hosts.canonical)
}

/// The URI of a measure as a business transaction.
pub(super) fn measure_uri(measure: MeasureId, hosts: &Hosts) -> String {
    format!("https://{}/measure/{measure}", hosts.canonical)
}

/// The class URI of a lot.
pub(super) fn lot_uri(gtin: &str, lot: &str) -> String {
    let mut uri = format!("https://id.gs1.org/01/{gtin}/10/");
    for byte in lot.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// Reads a code as people and links write it: 20 characters of Crockford base32 in any case, with hyphens and look-alikes.
pub(super) fn parse_code(text: &str) -> Option<Code> {
    let mut bits: u128 = 0;
    let mut digits = 0;
    for byte in text.bytes().filter(|byte| *byte != b'-') {
        bits = bits.checked_mul(32)? | u128::from(digit(byte)?);
        digits += 1;
    }
    if digits != 20 {
        return None;
    }
    let tag = u64::try_from(bits & ((1 << 48) - 1)).ok()?.to_be_bytes();
    let [_, _, tag @ ..] = tag;
    Some(Code {
        run: RunId::from_bits(u32::try_from(bits >> 70).ok()?)?,
        serial: Serial::new(u32::try_from((bits >> 48) & ((1 << 22) - 1)).ok()?)?,
        tag: Tag(tag),
    })
}

/// The 20 canonical characters of a code.
pub(super) fn code_text(code: &Code) -> String {
    let Tag([a, b, c, d, e, f]) = code.tag;
    let tag = u128::from(u64::from_be_bytes([0, 0, a, b, c, d, e, f]));
    let bits = u128::from(code.run.bits()) << 70 | u128::from(code.serial.get()) << 48 | tag;
    (0..20).rev().map(|at| ALPHABET.get((bits >> (5 * at)) as usize & 31).map_or('0', |byte| char::from(*byte))).collect()
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn digit(byte: u8) -> Option<u8> {
    let byte = match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    u8::try_from(ALPHABET.iter().position(|digit| *digit == byte)?).ok()
}

fn read_link(uri: &str, hosts: &Hosts) -> Checked<Named> {
    let Some((scheme, rest)) = uri.split_once("://") else { return Ok(Named::Other) };
    if !(scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")) {
        return Ok(Named::Other);
    }
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.strip_suffix('/').unwrap_or(path);
    let parts: Vec<&str> = path.split('/').collect();
    let own_host = hosts.contains(host);
    if own_host {
        match parts.as_slice() {
            [text] => {
                if let Some(code) = parse_code(text) {
                    return Ok(Named::Code { code, gtin: None, own_host });
                }
            }
            ["batch", number] => return number_of(number, uri, "a batch number after /batch/").map(|n| Named::Batch(BatchId(n))),
            ["measure", number] => {
                return number_of(number, uri, "a measure number after /measure/").map(|n| Named::Measure(MeasureId(n)));
            }
            _ => {}
        }
    }
    Ok(read_item_path(&parts, own_host))
}

/// `/01/{gtin}` with its qualifiers, after any stem.
fn read_item_path(parts: &[&str], own_host: bool) -> Named {
    let Some(at) = parts.iter().position(|part| matches!(*part, "01" | "gtin")) else { return Named::Other };
    let Some((gtin, mut rest)) = parts.get(at + 1..).and_then(<[&str]>::split_first) else { return Named::Other };
    let Some(gtin) = gtin_14(gtin) else { return Named::Other };
    let mut lot = None;
    while let [name, value, more @ ..] = rest {
        match *name {
            "22" | "cpv" => {}
            "10" | "lot" => lot = Some(*value),
            "21" | "ser" => {
                return match parse_code(&unescaped(value)) {
                    Some(code) if more.is_empty() => Named::Code { code, gtin: Some(gtin), own_host },
                    _ => Named::Other,
                };
            }
            _ => return Named::Other,
        }
        rest = more;
    }
    match (lot, rest) {
        (Some(lot), []) => {
            Named::Lot { gtin: String::from_utf8_lossy(&gtin).into_owned(), lot: unescaped(lot).into_owned() }
        }
        _ => Named::Other,
    }
}

/// A GTIN of 8, 12, 13 or 14 digits with a right check digit, as 14.
fn gtin_14(text: &str) -> Option<[u8; 14]> {
    if !(matches!(text.len(), 8 | 12 | 13 | 14) && text.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let (body, check) = text.split_at(text.len() - 1);
    let right = check.as_bytes() == [b'0' + gs1_uri::check_digit(body)];
    right.then(|| format!("{text:0>14}").into_bytes().try_into().ok()).flatten()
}

fn unescaped(value: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(value).decode_utf8_lossy()
}

fn number_of(text: &str, uri: &str, expected: &'static str) -> Checked<u64> {
    let canonical = !text.starts_with('0') && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if canonical => Ok(number),
        _ => Err(Fault::unexpected(uri, expected)),
    }
}
