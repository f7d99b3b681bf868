//! Fields that several event types share (EPCIS 2.0, clause 7.4.1 and the tables of 7.4.2 to 7.4.6).

use std::collections::HashSet;

use super::{
    Action, BizStep, Disposition, ErrorDeclaration, Hosts, Party,
    context::Context,
    epc::{self, Named},
    error::{Checked, Fault, Reason, Under},
    fields,
    json::{Json, names_differ},
    sensor, time,
    vocabulary::{BIZ_TRANSACTION_TYPES, ERROR_REASONS, SOURCE_DESTINATION_TYPES},
};
use crate::trace::MeasureId;

/// What the shared fields said so far.
#[derive(Debug, Default)]
pub(super) struct CommonFields {
    pub(super) event_time_ms: Option<i64>,
    pub(super) offset_minutes: Option<i16>,
    pub(super) action: Option<Action>,
    pub(super) biz_step: Option<BizStep>,
    pub(super) disposition: Option<Disposition>,
    pub(super) set: Vec<Disposition>,
    pub(super) unset: Vec<Disposition>,
    pub(super) measure: Option<MeasureId>,
    pub(super) read_point: Option<String>,
    pub(super) biz_location: Option<String>,
    pub(super) sources: Vec<Party>,
    pub(super) destinations: Vec<Party>,
    pub(super) error_declaration: Option<ErrorDeclaration>,
    pub(super) event_id: Option<String>,
    /// Latest time of a sensor report, and how many sensor elements there are.
    pub(super) sensors: sensor::Summary,
}

impl CommonFields {
    /// Reads one field, if it is a shared one; returns whether it is.
    pub(super) fn read(&mut self, name: &str, value: &mut Json<'_>, context: &Context, hosts: &Hosts) -> Checked<bool> {
        match name {
            "eventTime" => self.event_time_ms = Some(fields::date_time(value)?),
            "eventTimeZoneOffset" => self.offset_minutes = Some(offset(value)?),
            "action" => self.action = Some(action(value)?),
            "eventID" => self.event_id = Some(fields::uri(value, context)?),
            "certificationInfo" => certification_info(value, context)?,
            "errorDeclaration" => self.error_declaration = Some(error_declaration(value, context)?),
            "bizStep" => self.biz_step = Some(biz_step(value, context)?),
            "disposition" => self.disposition = Some(disposition(value, context)?),
            "persistentDisposition" => (self.set, self.unset) = persistent_disposition(value, context)?,
            "readPoint" => self.read_point = Some(place(value, context, hosts)?),
            "bizLocation" => self.biz_location = Some(place(value, context, hosts)?),
            "bizTransactionList" => self.measure = biz_transactions(value, context, hosts)?,
            "sourceList" => self.sources = parties(value, "source", context, hosts)?,
            "destinationList" => self.destinations = parties(value, "destination", context, hosts)?,
            "sensorElementList" => self.sensors = sensor::read_list(value, context)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn offset(value: &Json<'_>) -> Checked<i16> {
    const EXPECTED: &str = "an offset from UTC between -14:00 and +14:00, such as +08:00";
    let found = fields::text(value, EXPECTED)?;
    time::parse_offset(found).ok_or_else(|| Fault::unexpected(value.describe(), EXPECTED))
}

fn action(value: &Json<'_>) -> Checked<Action> {
    const EXPECTED: &str = "ADD, OBSERVE or DELETE";
    Action::parse(fields::text(value, EXPECTED)?).ok_or_else(|| Fault::unexpected(value.describe(), EXPECTED))
}

fn biz_step(value: &mut Json<'_>, context: &Context) -> Checked<BizStep> {
    const EXPECTED: &str = "a business step of CBV 2.0, or the URI of one's own";
    let full = context.expand(fields::text(value, EXPECTED)?)?;
    let step = BizStep::parse(&full).ok_or_else(|| Fault::unexpected(value.describe(), EXPECTED))?;
    fields::replace(value, step.as_str());
    Ok(step)
}

fn disposition(value: &mut Json<'_>, context: &Context) -> Checked<Disposition> {
    const EXPECTED: &str = "a disposition of CBV 2.0, or the URI of one's own";
    let full = context.expand(fields::text(value, EXPECTED)?)?;
    let disposition = Disposition::parse(&full).ok_or_else(|| Fault::unexpected(value.describe(), EXPECTED))?;
    fields::replace(value, disposition.as_str());
    Ok(disposition)
}

fn persistent_disposition(value: &mut Json<'_>, context: &Context) -> Checked<(Vec<Disposition>, Vec<Disposition>)> {
    const EXPECTED: &str = "an object with set, unset or both";
    let (mut set, mut unset) = (Vec::new(), Vec::new());
    let members = fields::object(value, EXPECTED)?;
    for (name, value) in members.iter_mut() {
        let into = match name.as_ref() {
            "set" => &mut set,
            "unset" => &mut unset,
            other => return Err(fields::unknown(other, "set or unset")),
        };
        *into = dispositions(value, context).under(name)?;
    }
    if set.is_empty() && unset.is_empty() {
        return Err(Fault::unexpected("an empty object", EXPECTED));
    }
    Ok((set, unset))
}

fn dispositions(value: &mut Json<'_>, context: &Context) -> Checked<Vec<Disposition>> {
    const EXPECTED: &str = "an array of at least one disposition";
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for (at, item) in fields::array(value, EXPECTED)?.iter_mut().enumerate() {
        let disposition = disposition(item, context).under_index(at)?;
        if !seen.insert(disposition.clone()) {
            return Err(Fault::new(Reason::Duplicate { found: disposition.to_string() })).under_index(at);
        }
        found.push(disposition);
    }
    if found.is_empty() { Err(Fault::unexpected("an empty array", EXPECTED)) } else { Ok(found) }
}

fn certification_info(value: &mut Json<'_>, context: &Context) -> Checked<()> {
    match value {
        Json::Array(_) => fields::uris(value, context).map(drop),
        _ => fields::uri(value, context).map(drop),
    }
}

fn error_declaration(value: &mut Json<'_>, context: &Context) -> Checked<ErrorDeclaration> {
    let members = fields::object(value, "an error declaration")?;
    let (mut declaration_time_ms, mut reason, mut corrective_event_ids) = (None, None, Vec::new());
    for (name, value) in members.iter_mut() {
        match name.as_ref() {
            "declarationTime" => declaration_time_ms = Some(fields::date_time(value).under(name)?),
            "reason" => {
                let expected = "a reason of CBV 2.0 (did_not_occur, incorrect_data), or the URI of one's own";
                reason = Some(fields::word(value, &ERROR_REASONS, expected, context).under(name)?);
            }
            "correctiveEventIDs" => corrective_event_ids = fields::uris(value, context).under(name)?,
            _ => fields::extension(name, value, context)?,
        }
    }
    names_differ(members)?;
    let declaration_time_ms =
        declaration_time_ms.ok_or_else(|| fields::missing("declarationTime", "when the error was declared"))?;
    Ok(ErrorDeclaration { declaration_time_ms, reason, corrective_event_ids })
}

fn place(value: &mut Json<'_>, context: &Context, hosts: &Hosts) -> Checked<String> {
    let members = fields::object(value, "an object with the member id")?;
    let mut id = None;
    for (name, value) in members.iter_mut() {
        match name.as_ref() {
            "id" => {
                let uri = fields::uri(value, context).under(name)?;
                id = Some(epc::canonical_link(value, uri, hosts));
            }
            _ => fields::extension(name, value, context)?,
        }
    }
    names_differ(members)?;
    id.ok_or_else(|| fields::missing("id", "the place's URI"))
}

fn biz_transactions(value: &mut Json<'_>, context: &Context, hosts: &Hosts) -> Checked<Option<MeasureId>> {
    let mut measure = None;
    for (at, item) in fields::array(value, "an array of business transactions")?.iter_mut().enumerate() {
        let found = biz_transaction(item, context, hosts).under_index(at)?;
        if found.is_some() && measure.is_some() && found != measure {
            return Err(Fault::new(Reason::TooMany { what: "measures in one event", found: 2, max: 1 }))
                .under_index(at);
        }
        measure = measure.or(found);
    }
    Ok(measure)
}

fn biz_transaction(value: &mut Json<'_>, context: &Context, hosts: &Hosts) -> Checked<Option<MeasureId>> {
    let (mut has_transaction, mut measure) = (false, None);
    for (name, value) in fields::object(value, "a business transaction")?.iter_mut() {
        match name.as_ref() {
            "type" => {
                let expected = "a business transaction type of CBV 2.0, or the URI of one's own";
                fields::word(value, &BIZ_TRANSACTION_TYPES, expected, context).under(name)?;
            }
            "bizTransaction" => {
                let uri = fields::uri(value, context).under(name)?;
                if let Named::Measure(id) = epc::read(&uri, hosts).under(name)? {
                    fields::replace(value, &epc::measure_uri(id, hosts));
                    measure = Some(id);
                } else {
                    epc::canonical_link(value, uri, hosts);
                }
                has_transaction = true;
            }
            other => return Err(fields::unknown(other, "type or bizTransaction")),
        }
    }
    if has_transaction { Ok(measure) } else { Err(fields::missing("bizTransaction", "the transaction's URI")) }
}

fn parties(value: &mut Json<'_>, field: &'static str, context: &Context, hosts: &Hosts) -> Checked<Vec<Party>> {
    let items = fields::array(value, "an array of sources or destinations")?;
    items.iter_mut().enumerate().map(|(at, item)| party(item, field, context, hosts).under_index(at)).collect()
}

fn party(value: &mut Json<'_>, field: &'static str, context: &Context, hosts: &Hosts) -> Checked<Party> {
    let (mut kind, mut id, mut organization) = (None, None, None);
    for (name, value) in fields::object(value, "a source or destination")?.iter_mut() {
        if name == "type" {
            let expected = "owning_party, possessing_party, location, or the URI of one's own type";
            kind = Some(fields::word(value, &SOURCE_DESTINATION_TYPES, expected, context).under(name)?);
        } else if name == field {
            let mut uri = fields::uri(value, context).under(name)?;
            organization = epc::organization_of(&uri, hosts);
            if let Some(organization) = organization {
                uri = epc::organization_uri(organization, hosts);
                fields::replace(value, &uri);
            } else {
                uri = epc::canonical_link(value, uri, hosts);
            }
            id = Some(uri);
        } else {
            return Err(fields::unknown(name, "type, and source or destination"));
        }
    }
    Ok(Party {
        kind: kind.ok_or_else(|| fields::missing("type", "the kind of source or destination"))?,
        id: id.ok_or_else(|| fields::missing(field, "the party's or place's URI"))?,
        organization,
    })
}
