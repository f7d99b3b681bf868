//! `/v1/movements`: EPCIS without writing EPCIS.

pub mod post;

use super::{error::Problem, given::problem_of_fields};
use crate::{
    code::{CODE_DIGITS, Code, Link, Verification},
    epcis::{Hosts, canonical_epc},
    registration::{ValueError, unit_epc},
    service::{
        Service,
        capture::CaptureError,
        movement::{MovementError, Named},
    },
    trace::Instance,
};

/// A code or a unit, in any form that people and scanners give: 20 characters, digits, links and EPC URIs.
///
/// # Errors
/// Where it is neither.
pub fn named(text: &str, hosts: &Hosts) -> Result<Named, ValueError> {
    let text = text.trim();
    if text.contains("://") || text.starts_with("urn:") {
        let canonical = canonical_epc(text, hosts);
        return match Link::parse_uri(canonical.as_deref().unwrap_or(text), hosts.all()) {
            Ok(Link::Code { code, gtin, .. }) => Ok(Named::Code(code, gtin)),
            _ => unit_epc(text, hosts).map(Named::Unit),
        };
    }
    match Code::parse(text) {
        Ok(code) => Ok(Named::Code(code, None)),
        // What has as many letters as a code was meant as one: its fault is told, not that of a unit.
        Err(error) if text.chars().filter(|c| !matches!(c, '-' | ' ')).count() == CODE_DIGITS => {
            Err(ValueError::out_of_range(text, error))
        }
        Err(_) => unit_epc(text, hosts).map(Named::Unit),
    }
}

/// The unit or case that a text names; `None` for a code that does not prove itself.
///
/// # Errors
/// Where it is neither.
pub fn instance_of(text: &str, service: &Service) -> Result<Option<Instance>, ValueError> {
    Ok(match named(text, &service.hosts)? {
        Named::Unit(uri) => Some(Instance::Epc(uri)),
        Named::Code(code, _) | Named::Span(code, _) => {
            let proved = matches!(service.keys.verify(&code), Verification::Valid | Verification::Retired);
            proved.then_some(Instance::Code { run: code.run, serial: code.serial })
        }
    })
}

impl From<MovementError> for Problem {
    fn from(error: MovementError) -> Self {
        match error {
            MovementError::Invalid(errors) => problem_of_fields(errors),
            MovementError::Capture(CaptureError::Document(error)) => {
                let of_place = error.pointer.contains("readPoint") || error.pointer.contains("bizLocation");
                Self::invalid(if of_place { "/place" } else { "/what" }, error.to_string())
            }
            // The event is ours: what is at fault is what it was made of.
            MovementError::Capture(error @ (CaptureError::Forbidden { .. } | CaptureError::TooMany { .. })) => {
                Self::from(error).at("/what")
            }
            MovementError::Capture(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Result<Named, ValueError> {
        super::named(text, &Hosts::new("trace.example".parse().unwrap(), []))
    }

    #[test]
    fn a_code_is_known_however_it_is_scanned_or_typed() {
        let code: Code = "000003ABCDEFGHJKMNPQ".parse().unwrap();
        let gtin = "09506000134352".parse().ok();
        for (text, gtin) in [
            ("000003ABCDEFGHJKMNPQ", None),
            ("0000-03ab-cdef-ghjk-mnpq", None),
            ("HTTPS://TRACE.EXAMPLE/000003ABCDEFGHJKMNPQ", None),
            ("https://trace.example/01/09506000134352/21/000003ABCDEFGHJKMNPQ", gtin),
            ("HTTPS://TRACE.EXAMPLE/01/09506000134352/21/000003ABCDEFGHJKMNPQ", gtin),
            ("https://id.gs1.org/01/09506000134352/21/000003ABCDEFGHJKMNPQ", gtin),
            ("urn:epc:id:sgtin:9506000.013435.000003ABCDEFGHJKMNPQ", gtin),
        ] {
            assert_eq!(named(text), Ok(Named::Code(code, gtin)), "{text}");
        }
    }

    #[test]
    fn a_unit_is_known_by_its_number_or_its_link() {
        for (text, expected) in [
            ("106141412345678908", "https://id.gs1.org/00/106141412345678908"),
            ("https://trace.example/00/106141412345678908", "https://id.gs1.org/00/106141412345678908"),
            ("CSQU3054383", "urn:epc:id:bic:CSQU3054383"),
            ("09506000134352A7", "https://id.gs1.org/8003/09506000134352A7"),
        ] {
            assert_eq!(named(text), Ok(Named::Unit(expected.to_owned())), "{text}");
        }
        for wrong in ["", "106141412345678909", "000003ABCDEFGHJKMNPU", "https://trace.example/01/09506000134352"] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }
}
