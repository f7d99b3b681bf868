//! What an EPC or a class URI names: an own code, a batch, a measure, a lot, or something else.

use super::{
    error::{Checked, Fault},
    event::Hosts,
    fields, gs1_uri,
    json::Json,
};
use crate::{
    code::{Code, Gtin, Link, LinkError, Lot},
    trace::{BatchId, MeasureId, OrganizationId},
};

/// What a URI names.
#[derive(Debug, PartialEq)]
pub(super) enum Named {
    /// What reads as an own code, with the GTIN that its link claims.
    Code {
        code: Code,
        gtin: Option<Gtin>,
        own_host: bool,
    },
    Batch(BatchId),
    Measure(MeasureId),
    Lot {
        gtin: Gtin,
        lot: Lot,
    },
    /// Somebody else's, or a key of GS1 that is neither code nor lot.
    Other,
}

/// Reads a URI in any form: URN, link of one of our hosts, of `id.gs1.org`, or of any other host.
pub(super) fn read(uri: &str, hosts: &Hosts) -> Checked<Named> {
    if uri.starts_with("urn:") {
        let named = gs1_uri::canonical(uri).and_then(|link| Link::parse_uri(&link, hosts.all()).ok());
        return Ok(named.map_or(Named::Other, |link| named_by(link, false)));
    }
    let own_host = is_own(uri, hosts);
    match Link::parse_uri(uri, hosts.all()) {
        Ok(link) => Ok(named_by(link, own_host)),
        Err(LinkError::Unknown { .. }) if own_host => read_measure(uri),
        // Nobody else can have meant our host, so a broken link to it is a mistake to tell.
        Err(error) if own_host => Err(Fault::unexpected(error.to_string(), "a link of ours that is whole")),
        Err(_) => Ok(read_foreign_link(uri)),
    }
}

/// The class URI of a batch.
pub(super) fn batch_uri(batch: BatchId, hosts: &Hosts) -> String {
    crate::code::batch_class(hosts.canonical(), batch.0)
}

/// The URI of a measure as a business transaction.
pub(super) fn measure_uri(measure: MeasureId, hosts: &Hosts) -> String {
    format!("https://{}/measure/{measure}", hosts.canonical())
}

/// The URI of an organization as a party.
pub(super) fn organization_uri(organization: OrganizationId, hosts: &Hosts) -> String {
    format!("https://{}/organization/{organization}", hosts.canonical())
}

/// The organization that a party's URI names: `/organization/{n}` on one of our hosts.
pub(super) fn organization_of(uri: &str, hosts: &Hosts) -> Option<OrganizationId> {
    let (_, path) = uri.split_once("://")?.1.split_once('/')?;
    let number = path.strip_prefix("organization/").filter(|number| !number.starts_with(['0', '+']))?;
    Some(OrganizationId(number.parse().ok().filter(|_| is_own(uri, hosts))?))
}

/// The canonical form of a link on one of our hosts that names a key of GS1.
pub(super) fn own_link(uri: &str, hosts: &Hosts) -> Option<String> {
    if !is_own(uri, hosts) {
        return None;
    }
    let (_, path) = uri.split_once("://")?.1.split_once('/')?;
    gs1_uri::canonical(&format!("https://id.gs1.org/{path}"))
}

/// The canonical URI of a GS1 identifier in any form: URN, or a Digital Link on any host, ours with them.
pub fn canonical_epc(uri: &str, hosts: &Hosts) -> Option<String> {
    own_link(uri, hosts).or_else(|| gs1_uri::canonical(uri))
}

/// Makes a link on one of our hosts that names a key of GS1 canonical in the tree; gives back what stands there.
pub(super) fn canonical_link(value: &mut Json<'_>, uri: String, hosts: &Hosts) -> String {
    match own_link(&uri, hosts) {
        Some(link) => {
            fields::replace(value, &link);
            link
        }
        None => uri,
    }
}

fn is_own(uri: &str, hosts: &Hosts) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (web, port) = match scheme.len() {
        5 => (scheme.eq_ignore_ascii_case("https"), ":443"),
        _ => (scheme.eq_ignore_ascii_case("http"), ":80"),
    };
    web && hosts.contains(authority.strip_suffix(port).unwrap_or(authority))
}

fn named_by(link: Link, own_host: bool) -> Named {
    match link {
        Link::Code { code, gtin, .. } => Named::Code { code, gtin, own_host },
        Link::Batch(number) => Named::Batch(BatchId(number)),
        Link::Lot { gtin, lot } => Named::Lot { gtin, lot },
        Link::Serial { .. } | Link::Product(_) | Link::Unit(_) => Named::Other,
    }
}

/// A GS1 Digital Link may stand on any host, after any stem.
fn read_foreign_link(uri: &str) -> Named {
    let path = uri.split(['?', '#']).next().unwrap_or(uri);
    let path = path.strip_suffix('/').unwrap_or(path);
    match path.find("/01/").and_then(|at| path.get(at..)) {
        Some(path) => Link::parse_path(path, None).map_or(Named::Other, |link| named_by(link, false)),
        None => Named::Other,
    }
}

/// `/measure/{n}` on our host; any other path of ours is no EPC.
fn read_measure(uri: &str) -> Checked<Named> {
    let Some((_, number)) = uri.split_once("/measure/") else { return Ok(Named::Other) };
    match number.parse() {
        Ok(measure @ 1..) if !number.starts_with(['0', '+']) => Ok(Named::Measure(MeasureId(measure))),
        _ => Err(Fault::unexpected(uri, "the number of a measure, from 1, after /measure/")),
    }
}
