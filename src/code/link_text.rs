//! Links and EPCs as text: what is printed in a symbol, and the canonical URIs of events.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::{Code, Gtin, Host, Lot, Sscc};

/// Everything but the unreserved characters of RFC 3986, 2.3: what GS1 Digital Link escapes in a value.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where GS1's canonical URIs stand (GS1 Digital Link: URI Syntax; EPCIS 2.0 names EPCs by them).
pub(super) const GS1_HOST: &str = "id.gs1.org";

/// Letters of scheme and host in a printed link (`qr.case`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkCase {
    /// `HTTPS://HOST/...`: the smallest symbol, because QR has a mode for upper-case letters.
    #[default]
    Upper,
    /// `https://host/...`: for cameras that open no upper-case link.
    Lower,
}

/// Scheme of printed links (`--link-scheme`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkScheme {
    /// What a label should say.
    #[default]
    Https,
    /// For a demonstration on a local network.
    Http,
}

/// The text of symbols of one product at one host, up to the code that ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPrefix(String);

impl LinkPrefix {
    /// `HTTPS://HOST/01/{gtin}/21/`, or `HTTPS://HOST/` without a GTIN; in lower case if `case` says so.
    pub fn new(scheme: LinkScheme, host: &Host, gtin: Option<Gtin>, case: LinkCase) -> Self {
        let scheme = match scheme {
            LinkScheme::Https => "https",
            LinkScheme::Http => "http",
        };
        let mut text = format!("{scheme}://{host}/");
        if case == LinkCase::Upper {
            text.make_ascii_uppercase();
        }
        if let Some(gtin) = gtin {
            // Writing to a String cannot fail.
            let _ = write!(text, "01/{gtin}/21/");
        }
        Self(text)
    }

    /// The text before the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole text of one symbol.
    pub fn link(&self, code: Code) -> String {
        format!("{}{code}", self.0)
    }
}

/// The EPC of one code as events and records name it: `https://id.gs1.org/01/{gtin}/21/{code}`, and
/// `https://HOST/{code}` for goods without a GTIN.
pub fn code_epc(host: &Host, gtin: Option<Gtin>, code: Code) -> String {
    match gtin {
        Some(gtin) => format!("https://{GS1_HOST}/01/{gtin}/21/{code}"),
        None => format!("https://{host}/{code}"),
    }
}

/// The class of a batch: `https://HOST/batch/{batch}`.
pub fn batch_class(host: &Host, batch: u64) -> String {
    format!("https://{host}/batch/{batch}")
}

/// The class of a product: `https://id.gs1.org/01/{gtin}`.
pub fn gtin_class(gtin: Gtin) -> String {
    format!("https://{GS1_HOST}/01/{gtin}")
}

/// The class of a lot (LGTIN): `https://id.gs1.org/01/{gtin}/10/{lot}`, the lot percent-encoded.
pub fn lot_class(gtin: Gtin, lot: &Lot) -> String {
    format!("https://{GS1_HOST}/01/{gtin}/10/{}", utf8_percent_encode(lot.as_str(), RESERVED))
}

/// The EPC of a logistic unit: `https://id.gs1.org/00/{sscc}`.
pub fn sscc_epc(sscc: Sscc) -> String {
    format!("https://{GS1_HOST}/00/{sscc}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_design() {
        let host: Host = "Cold.Example".parse().unwrap();
        let gtin: Gtin = "09506000134352".parse().unwrap();
        let code = Code::parse("000003ABCDEFGHJKMNPQ").unwrap();
        let text = |scheme, gtin, case| LinkPrefix::new(scheme, &host, gtin, case).link(code);
        assert_eq!(
            text(LinkScheme::Https, Some(gtin), LinkCase::Upper),
            "HTTPS://COLD.EXAMPLE/01/09506000134352/21/000003ABCDEFGHJKMNPQ"
        );
        assert_eq!(text(LinkScheme::Http, None, LinkCase::Lower), "http://cold.example/000003ABCDEFGHJKMNPQ");
        assert_eq!(code_epc(&host, None, code), "https://cold.example/000003ABCDEFGHJKMNPQ");
        assert_eq!(code_epc(&host, Some(gtin), code), "https://id.gs1.org/01/09506000134352/21/000003ABCDEFGHJKMNPQ");
        assert_eq!(batch_class(&host, 12), "https://cold.example/batch/12");
        assert_eq!(gtin_class(gtin), "https://id.gs1.org/01/09506000134352");
        let lot: Lot = "A/1 %_".replace(' ', "+").parse().unwrap();
        assert_eq!(lot_class(gtin, &lot), "https://id.gs1.org/01/09506000134352/10/A%2F1%2B%25_");
        let sscc = "106141412345678908".parse().unwrap();
        assert_eq!(sscc_epc(sscc), "https://id.gs1.org/00/106141412345678908");
    }
}
