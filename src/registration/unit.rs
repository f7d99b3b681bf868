//! Names of logistic units as people and scanners give them.

use super::{ContainerNumber, ValueError};
use crate::{
    code::{Gtin, Sscc, sscc_epc},
    epcis::{Hosts, canonical_epc},
};

/// What a unit may be named by.
const EXPECTED: &str = "a unit: an SSCC of 18 digits, a container number, a GRAI of 14 digits and a serial, or the link or EPC URI of an SSCC, a container, a GRAI or a GIAI";
/// The URN of a freight container, up to its number (CBV 2.0, clause 8.2: BIC container code).
const CONTAINER: &str = "urn:epc:id:bic:";
/// Where canonical links stand.
const HOME: &str = "https://id.gs1.org/";
/// Digits that a GRAI begins with (GS1 General Specifications, section 3, AI 8003); a serial follows.
const GRAI_DIGITS: usize = 14;
/// A name of a unit, in bytes: the longest URI of those that are read.
const NAME_BYTES_MAX: usize = 256;

/// The canonical URI of a unit: an SSCC, a freight container (ISO 6346) or an asset (GRAI, GIAI).
///
/// # Errors
/// Where it is none of them, or its check digit is wrong.
pub fn unit_epc(text: &str, hosts: &Hosts) -> Result<String, ValueError> {
    let text = text.trim();
    if text.len() > NAME_BYTES_MAX {
        return Err(ValueError::malformed(text, EXPECTED));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(sscc_epc(text.parse()?));
    }
    let is_uri = text.contains("://") || text.starts_with("urn:");
    if !is_uri && text.get(..GRAI_DIGITS).is_some_and(|asset| asset.bytes().all(|byte| byte.is_ascii_digit())) {
        return unit_epc(&format!("{HOME}8003/{text}"), hosts);
    }
    if let Some(number) = text.strip_prefix(CONTAINER).or_else(|| (!is_uri).then_some(text)) {
        let number = ContainerNumber::parse(number).map_err(|error| match error {
            ValueError::Malformed { .. } => ValueError::malformed(text, EXPECTED),
            error => error,
        })?;
        return Ok(format!("{CONTAINER}{number}"));
    }
    let canonical = canonical_epc(text, hosts).ok_or_else(|| ValueError::malformed(text, EXPECTED))?;
    let key = canonical.strip_prefix(HOME).and_then(|path| path.split_once('/'));
    match key {
        Some(("00", number)) => drop(number.parse::<Sscc>()?),
        // A GRAI begins as a GTIN does: its check digit is the fourteenth digit.
        Some(("8003", asset)) => drop(asset.get(..GRAI_DIGITS).unwrap_or(asset).parse::<Gtin>()?),
        Some(("8004", _)) => {}
        _ => return Err(ValueError::malformed(text, EXPECTED)),
    }
    Ok(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, ValueError> {
        unit_epc(text, &Hosts::new("trace.example".parse().unwrap(), []))
    }

    #[test]
    fn a_unit_has_one_uri_however_it_is_named() {
        for (text, expected) in [
            ("106141412345678908", "https://id.gs1.org/00/106141412345678908"),
            ("https://trace.example/00/106141412345678908", "https://id.gs1.org/00/106141412345678908"),
            ("https://elsewhere.example/x/00/106141412345678908", "https://id.gs1.org/00/106141412345678908"),
            ("urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/00/106141412345678908"),
            ("csqu 305438-3", "urn:epc:id:bic:CSQU3054383"),
            ("urn:epc:id:bic:CSQU3054383", "urn:epc:id:bic:CSQU3054383"),
            ("https://id.gs1.org/8003/09506000134352A7", "https://id.gs1.org/8003/09506000134352A7"),
            ("09506000134352A7", "https://id.gs1.org/8003/09506000134352A7"),
            ("urn:epc:id:giai:0614141.12345400", "https://id.gs1.org/8004/061414112345400"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn wrong_check_digits_and_what_is_no_unit_are_refused() {
        for text in [
            "",
            "pallet 7",
            "106141412345678909",
            "10614141234567890",
            "https://trace.example/00/106141412345678909",
            "https://elsewhere.example/00/106141412345678909",
            "CSQU3054384",
            "urn:epc:id:bic:CSQU3054384",
            "https://id.gs1.org/8003/09506000134353A7",
            "09506000134353A7",
            "09506000134352 7",
            "https://id.gs1.org/01/09506000134352/21/1",
            "https://id.gs1.org/414/9506000134352",
            "urn:example:pallet:7",
            &format!("urn:epc:id:giai:0614141.{}", "1".repeat(300)),
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
