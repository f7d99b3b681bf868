//! Names of logistic units: SSCC, freight container, returnable asset.

use super::{Sscc, check_digit, sscc_epc};

/// The canonical URI of a unit that a person names: an SSCC of 18 digits, a container number (ISO 6346: `CSQU3054383`), a
/// GRAI (AI 8003: 14 digits and a serial), or one of their URIs. `None` for what is none of them, or has a wrong check
/// digit.
pub fn unit_epc(text: &str) -> Option<String> {
    let text = ["https://id.gs1.org/00/", "https://id.gs1.org/8003/", "urn:epc:id:bic:"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .unwrap_or(text)
        .trim();
    if let Ok(sscc) = text.parse::<Sscc>() {
        return Some(sscc_epc(sscc));
    }
    container(text).or_else(|| returnable_asset(text))
}

/// ISO 6346: three letters of the owner, a category (U, J or Z), six digits, and a check digit; spaces and hyphens between.
fn container(text: &str) -> Option<String> {
    let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect::<String>().to_ascii_uppercase();
    let (body, check) = number.split_at_checked(10)?;
    let letters = body.get(..4)?;
    let formed = letters.bytes().all(|byte| byte.is_ascii_uppercase()) && letters.ends_with(['U', 'J', 'Z']);
    if !formed || !body.get(4..)?.bytes().all(|byte| byte.is_ascii_digit()) || check.len() != 1 {
        return None;
    }
    let sum: u32 = (0..).zip(body.bytes()).map(|(at, byte)| letter_value(byte) << at).sum();
    (check.parse() == Ok(sum % 11 % 10)).then(|| format!("urn:epc:id:bic:{number}"))
}

/// Values of ISO 6346, annex A: digits their own, letters from 10 on without the multiples of 11.
fn letter_value(byte: u8) -> u32 {
    let from = |base: u8, value: u32| value + u32::from(byte.saturating_sub(base));
    match byte {
        b'A' => 10,
        b'B'..=b'K' => from(b'B', 12),
        b'L'..=b'U' => from(b'L', 23),
        b'V'..=b'Z' => from(b'V', 34),
        _ => from(b'0', 0),
    }
}

/// GRAI (GS1 General Specifications, 3.8.3): 0, twelve digits, a check digit, and up to 16 characters of a serial; those
/// that a link would have to escape are not taken.
fn returnable_asset(text: &str) -> Option<String> {
    let (asset, serial) = text.split_at_checked(14)?;
    let digits = asset.strip_prefix('0')?;
    let (body, check) = digits.split_at_checked(12)?;
    let proved = check_digit(body)? == check.chars().next()? && digits.len() == 13;
    let serial_ok = serial.len() <= 16 && serial.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    (proved && serial_ok).then(|| format!("https://id.gs1.org/8003/{text}"))
}

#[cfg(test)]
mod tests {
    use super::unit_epc;

    #[test]
    fn units_are_known_by_their_check_digits() {
        for (text, expected) in [
            ("095060001234567893", "https://id.gs1.org/00/095060001234567893"),
            ("https://id.gs1.org/00/095060001234567893", "https://id.gs1.org/00/095060001234567893"),
            ("CSQU3054383", "urn:epc:id:bic:CSQU3054383"),
            ("csqu 305438-3", "urn:epc:id:bic:CSQU3054383"),
            ("urn:epc:id:bic:MSKU0134962", "urn:epc:id:bic:MSKU0134962"),
            ("09506000134352A7", "https://id.gs1.org/8003/09506000134352A7"),
            ("https://id.gs1.org/8003/09506000134352", "https://id.gs1.org/8003/09506000134352"),
        ] {
            assert_eq!(unit_epc(text).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "095060001234567890", "CSQU3054384", "CSQX3054383", "CSQU305438", "09506000134353A7", "pallet 7"]
        {
            assert_eq!(unit_epc(text), None, "{text}");
        }
    }
}
