//! Links as scanners and events give them (GS1 Digital Link: URI Syntax): which thing is meant, or what is wrong.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::gs1::{self, Gs1Error};
use super::link_text::GS1_HOST;
use super::{Code, Gtin, Host, Lot, Sscc};

/// What a link names. Where its last part parses as a code, the code decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// `/{code}`, `/01/{gtin}/21/{code}` or `/01/{gtin}/10/{lot}/21/{code}`. The code is not proved yet, and
    /// GTIN and lot are what the link claims.
    Code {
        /// The code.
        code: Code,
        /// AI 01, where the link has one.
        gtin: Option<Gtin>,
        /// AI 10, where the link has one.
        lot: Option<Lot>,
    },
    /// A serial number (AI 21) that is no code.
    Serial {
        /// AI 01.
        gtin: Gtin,
        /// AI 10, where the link has one.
        lot: Option<Lot>,
        /// AI 21.
        serial: String,
    },
    /// `/01/{gtin}/10/{lot}`.
    Lot {
        /// AI 01.
        gtin: Gtin,
        /// AI 10.
        lot: Lot,
    },
    /// `/01/{gtin}`.
    Product(Gtin),
    /// `/00/{sscc}`.
    Unit(Sscc),
    /// `/batch/{id}`.
    Batch(u64),
}

/// Why a link names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// None of the forms that are known here: neither a key (AI 00 or 01), nor a batch, nor a code. A full
    /// URI of another host or scheme is unknown as well.
    #[error("link: {found:?} is none of /{{code}}, /01/{{gtin}}..., /00/{{sscc}} and /batch/{{id}} on a known host")]
    Unknown {
        /// The path, or the whole URI.
        found: String,
    },
    /// `%` without two hex digits, or bytes that are not UTF-8.
    #[error("link: percent-encoding in {found:?} is malformed, or is not UTF-8")]
    Encoding {
        /// The part as given.
        found: String,
    },
    /// An Application Identifier without a value.
    #[error("link: AI {ai} has no value")]
    NoValue {
        /// The identifier.
        ai: String,
    },
    /// The same Application Identifier twice.
    #[error("link: AI {ai} stands twice")]
    Twice {
        /// The identifier.
        ai: String,
    },
    /// A qualifier that its key does not have, or out of order.
    #[error("link: {found:?} found behind AI {key}, where {expected} may follow in this order")]
    Qualifier {
        /// What was found.
        found: String,
        /// The key.
        key: &'static str,
        /// The key's qualifiers.
        expected: &'static str,
    },
    /// A key or qualifier in the query, where only attributes may stand.
    #[error("link: AI {ai} stands in the query; expected in the path")]
    Misplaced {
        /// The identifier.
        ai: String,
    },
    /// The value of an Application Identifier is wrong.
    #[error("link: {0}")]
    Value(#[from] Gs1Error),
}

impl Link {
    /// Reads path and query of a request: `/01/09506000134352/21/...`, still percent-encoded.
    ///
    /// In the query, Application Identifiers that are known are checked; all else, such as `s` or `linkType`, is let be.
    ///
    /// # Errors
    /// [`LinkError::Unknown`] where the path has none of the known forms (404), any other where it
    /// has one and is wrong (400).
    pub fn parse_path(path: &str, query: Option<&str>) -> Result<Self, LinkError> {
        let link = parse_segments(path, true)?;
        check_query(query.unwrap_or_default())?;
        Ok(link)
    }

    /// Reads a full URI: of one of `hosts`, the service's own names, or canonical, of `id.gs1.org`.
    /// Scheme (`http` or `https`) and host are read in either case.
    ///
    /// # Errors
    /// [`LinkError::Unknown`] also for other hosts and schemes: the URI may well be another EPC.
    pub fn parse_uri(uri: &str, hosts: &[Host]) -> Result<Self, LinkError> {
        let unknown = || LinkError::Unknown { found: uri.to_owned() };
        let (scheme, rest) = uri.split_once("://").ok_or_else(unknown)?;
        let default_port = match scheme.to_ascii_lowercase().as_str() {
            "https" => ":443",
            "http" => ":80",
            _ => return Err(unknown()),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
        let own =
            hosts.iter().any(|host| host.as_str().strip_suffix(default_port).unwrap_or(host.as_str()) == authority);
        if !(own || authority == GS1_HOST) || path.contains('#') {
            return Err(unknown());
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let link = parse_segments(path, own)?;
        check_query(query)?;
        Ok(link)
    }
}

/// Reads a path; `own` allows the forms that only the service itself has: a bare code and a batch.
fn parse_segments(path: &str, own: bool) -> Result<Link, LinkError> {
    let unknown = || LinkError::Unknown { found: path.to_owned() };
    let mut segments = path.strip_prefix('/').ok_or_else(unknown)?.split('/');
    let first = segments.next().unwrap_or_default();
    let rest: Vec<&str> = segments.collect();
    match (first, rest.as_slice()) {
        ("01", rest) => parse_gtin(rest),
        ("00", [sscc]) => Ok(Link::Unit(value("00", sscc)?.parse()?)),
        ("00", []) => Err(LinkError::NoValue { ai: "00".to_owned() }),
        ("00", [_, found, ..]) => {
            Err(LinkError::Qualifier { found: (*found).to_owned(), key: "00", expected: "nothing" })
        }
        (word, [batch]) if own && word.eq_ignore_ascii_case("batch") => {
            parse_batch(batch).map(Link::Batch).ok_or_else(unknown)
        }
        (code, []) if own => {
            // A path is bytes of anybody: what does not decode is no code.
            let code = decode(code).ok().and_then(|code| Code::parse(&code).ok()).ok_or_else(unknown)?;
            Ok(Link::Code { code, gtin: None, lot: None })
        }
        _ => Err(unknown()),
    }
}

/// A batch's number as it is written: decimal, from 1, without leading zeros.
fn parse_batch(text: &str) -> Option<u64> {
    text.parse().ok().filter(|batch: &u64| *batch > 0 && batch.to_string() == text)
}

/// Reads what follows AI 01: its value, then qualifiers 22, 10 and 21, each at most once and in this order.
fn parse_gtin(segments: &[&str]) -> Result<Link, LinkError> {
    let mut segments = segments.iter().copied();
    let gtin: Gtin = value("01", segments.next().unwrap_or_default())?.parse()?;
    let (mut lot, mut serial) = (None, None);
    let mut last = 0;
    while let Some(ai) = segments.next() {
        let place = match ai {
            "22" => 1,
            "10" => 2,
            "21" => 3,
            "01" => return Err(LinkError::Twice { ai: ai.to_owned() }),
            _ => 0,
        };
        if place == last && place > 0 {
            return Err(LinkError::Twice { ai: ai.to_owned() });
        }
        if place <= last {
            return Err(LinkError::Qualifier { found: ai.to_owned(), key: "01", expected: "AIs 22, 10 and 21" });
        }
        last = place;
        let value = value(ai, segments.next().unwrap_or_default())?;
        match place {
            1 => gs1::check_text("AI 22 (consumer product variant)", &value, 1, 20)?,
            2 => lot = Some(value.parse::<Lot>()?),
            _ => serial = Some(value),
        }
    }
    let Some(serial) = serial else {
        return Ok(match lot {
            Some(lot) => Link::Lot { gtin, lot },
            None => Link::Product(gtin),
        });
    };
    if let Ok(code) = Code::parse(&serial) {
        return Ok(Link::Code { code, gtin: Some(gtin), lot });
    }
    gs1::check_text("AI 21 (serial number)", &serial, 1, 20)?;
    Ok(Link::Serial { gtin, lot, serial: serial.into_owned() })
}

/// Checks the attributes of a query; parameters that are no Application Identifiers are let be.
fn check_query(query: &str) -> Result<(), LinkError> {
    let mut seen = Vec::new();
    for parameter in query.split('&') {
        let (ai, given) = parameter.split_once('=').unwrap_or((parameter, ""));
        if matches!(ai, "00" | "01" | "10" | "21" | "22") {
            return Err(LinkError::Misplaced { ai: ai.to_owned() });
        }
        // Nothing is known about other parameters, not even that they are UTF-8.
        if !gs1::is_attribute(ai) {
            continue;
        }
        if seen.contains(&ai) {
            return Err(LinkError::Twice { ai: ai.to_owned() });
        }
        seen.push(ai);
        gs1::check_attribute(ai, &value(ai, given)?)?;
    }
    Ok(())
}

/// The decoded value of an Application Identifier.
fn value<'a>(ai: &str, segment: &'a str) -> Result<Cow<'a, str>, LinkError> {
    if segment.is_empty() {
        return Err(LinkError::NoValue { ai: ai.to_owned() });
    }
    decode(segment)
}

/// Decodes percent-encoding strictly (RFC 3986, 2.1).
fn decode(segment: &str) -> Result<Cow<'_, str>, LinkError> {
    let malformed = || LinkError::Encoding { found: segment.to_owned() };
    let is_escape = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !segment.split('%').skip(1).all(is_escape) {
        return Err(malformed());
    }
    percent_decode_str(segment).decode_utf8().map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::code::link_text::{
        LinkCase, LinkPrefix, LinkScheme, batch_class, code_epc, gtin_class, lot_class, sscc_epc,
    };

    const GTIN: &str = "09506000134352";

    fn own() -> Host {
        "Cold.Example".parse().unwrap()
    }

    fn parse(uri: &str) -> Result<Link, LinkError> {
        Link::parse_uri(uri, &[own(), "10.0.0.7:8080".parse().unwrap()])
    }

    proptest! {
        #[test]
        fn every_uri_that_is_built_reads_back(
            bits in 0u128..1 << 100,
            lot in "[!\"%&'()*+,./0-9:;<=>?A-Z_a-z-]{1,20}",
            batch in 1u64..,
            with_gtin in any::<bool>(),
        ) {
            let code = Code::from_bits(bits).unwrap();
            let (gtin, lot): (Gtin, Lot) = (GTIN.parse().unwrap(), lot.parse().unwrap());
            let given = with_gtin.then_some(gtin);
            let expected = Ok(Link::Code { code, gtin: given, lot: None });
            prop_assert_eq!(parse(&code_epc(&own(), given, code)), expected.clone());
            for case in [LinkCase::Upper, LinkCase::Lower] {
                let link = LinkPrefix::new(LinkScheme::Http, &own(), given, case).link(code);
                prop_assert_eq!(parse(&link), expected.clone());
            }
            let sscc = "106141412345678908".parse().unwrap();
            prop_assert_eq!(parse(&lot_class(gtin, &lot)), Ok(Link::Lot { gtin, lot }));
            prop_assert_eq!(parse(&batch_class(&own(), batch)), Ok(Link::Batch(batch)));
            prop_assert_eq!(parse(&gtin_class(gtin)), Ok(Link::Product(gtin)));
            prop_assert_eq!(parse(&sscc_epc(sscc)), Ok(Link::Unit(sscc)));
        }

        #[test]
        fn no_path_makes_the_reader_panic(path in "/?(01|00|batch|\\PC{0,8})(/(01|10|21|22|\\PC{0,24})){0,6}", query in "\\PC{0,30}") {
            let _ = Link::parse_path(&path, Some(&query));
            let _ = parse(&format!("https://id.gs1.org{path}?{query}"));
        }
    }

    #[test]
    fn hosts_are_compared_without_case_and_default_port() {
        for uri in [
            "HTTPS://COLD.EXAMPLE/01/09506000134352",
            "http://cold.example:80/01/09506000134352",
            "https://cold.example:443/01/09506000134352?s=A",
            "http://10.0.0.7:8080/01/09506000134352",
            "https://id.gs1.org/01/09506000134352",
            "https://ID.GS1.ORG/01/9506000134352",
        ] {
            assert_eq!(parse(uri), Ok(Link::Product(GTIN.parse().unwrap())), "{uri}");
        }
    }

    #[test]
    fn what_is_not_ours_is_unknown_and_never_an_error_of_syntax() {
        for uri in [
            "urn:epc:id:sgtin:0614141.812345.400",
            "https://example.org/01/09506000134353",
            "https://cold.example.evil/01/09506000134352",
            "https://cold.example@evil/01/09506000134352",
            "https://cold.example:8443/01/09506000134352",
            "ftp://cold.example/01/09506000134352",
            "https://cold.example",
            "https://cold.example/",
            "https://cold.example/healthz",
            "https://cold.example/batch/0",
            "https://cold.example/batch/007",
            "https://cold.example/batch/1/2",
            "https://cold.example/414/9506000134352",
            "https://cold.example/01/09506000134352#part",
            "https://id.gs1.org/000003ABCDEFGHJKMNPQ",
            "https://id.gs1.org/batch/12",
            "",
        ] {
            assert!(matches!(parse(uri), Err(LinkError::Unknown { .. })), "{uri}: {:?}", parse(uri));
        }
        for path in ["", "x", "/", "//", "/%FF", "/000003ABCDEFGHJKMNPU", "/000003ABCDEFGHJKMNPQ/x"] {
            assert!(matches!(Link::parse_path(path, None), Err(LinkError::Unknown { .. })), "{path}");
        }
    }

    #[test]
    fn an_upper_case_batch_and_an_escaped_code_are_read() {
        assert_eq!(Link::parse_path("/BATCH/12", None), Ok(Link::Batch(12)));
        let code = Code::parse("000003ABCDEFGHJKMNPQ").unwrap();
        let escaped = Link::parse_path("/0000-03ab%20cdef%2Dghjk-mnpq", None);
        assert_eq!(escaped, Ok(Link::Code { code, gtin: None, lot: None }));
    }
}
