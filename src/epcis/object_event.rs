//! ObjectEvent (EPCIS 2.0, clause 7.4.2): its own fields, and the rules between its fields.

use super::{
    Action, Class, ClassQuantity, CodeAt, Hosts,
    common_fields::CommonFields,
    context::Context,
    draft::{Draft, SPANS, Subjects},
    epc::{self, Named},
    error::{Checked, Fault, Reason, Under},
    event::Position,
    fields, gs1_uri,
    json::{Json, Members, names_differ},
};
use crate::{
    code::{Code, lot_class},
    limits::{EVENT_SUBJECTS_MAX, EVENT_URIS_BYTES_MAX},
    trace::Span,
};

/// What an ObjectEvent says of its objects.
#[derive(Debug, Default)]
struct Objects {
    subjects: Subjects,
    has_epc_list: bool,
    has_ilmd: bool,
    count: usize,
    /// Bytes of the URIs of EPCs and classes.
    uris_bytes: usize,
}

/// Reads an ObjectEvent whose `@context` and `type` are known already. Drops what the canonical form leaves out.
pub(super) fn read<'a>(members: Members<'a>, context: &Context, hosts: &'a Hosts) -> Checked<Draft<'a>> {
    let mut common = CommonFields::default();
    let mut objects = Objects::default();
    let mut kept: Members<'a> = Vec::with_capacity(members.len());
    for (mut name, mut value) in members {
        match name.as_ref() {
            "@context" => continue,
            "recordTime" => {
                fields::date_time(&value).under("recordTime")?;
                continue;
            }
            "type" => {}
            "epcList" => objects.read_epcs(&mut value, context, hosts).under("epcList")?,
            "quantityList" => objects.read_quantities(&mut value, context, hosts).under("quantityList")?,
            "ilmd" => {
                objects.has_ilmd = true;
                ilmd(&mut value, context).under("ilmd")?;
            }
            _ => {
                if !common.read(&name, &mut value, context, hosts).under(&name)? {
                    let written = name.clone();
                    fields::extension(&mut name, &mut value, context)?;
                    if name == SPANS {
                        objects.read_spans(&mut value, hosts).under(&written)?;
                    }
                }
            }
        }
        kept.push((name, value));
    }
    names_differ(&kept)?;
    // Quantities beside spans only repeat them.
    objects.count(if objects.subjects.names_spans { 0 } else { objects.subjects.classes.len() })?;
    check(&common, &objects)?;
    Draft::new(common, objects.subjects, kept, hosts)
}

/// Rules between fields.
fn check(common: &CommonFields, objects: &Objects) -> Checked<()> {
    let senses = common.sensors.elements > 0 && common.read_point.is_some();
    if !(objects.has_epc_list || !objects.subjects.classes.is_empty() || senses) {
        return Err(fields::missing("epcList", "an epcList, a quantityList, or sensor elements at a read point"));
    }
    if objects.has_ilmd && common.action.is_some_and(|action| action != Action::Add) {
        return Err(Fault::unexpected("ilmd", "no ilmd where the action is not ADD")).under("ilmd");
    }
    if let (Some(latest), Some(event_time)) = (common.sensors.latest_report_ms, common.event_time_ms)
        && latest > event_time
    {
        return Err(Fault::unexpected("a report later than the event", "reports up to the event time"))
            .under("sensorElementList");
    }
    if objects.subjects.names_spans && !objects.subjects.classes.is_empty() {
        let named: u64 = objects.subjects.spans.iter().map(|span| u64::from(span.codes())).sum();
        let counted: Option<f64> = objects.subjects.classes.iter().map(count_of_batch).sum();
        // Both are below 2^53, where doubles count exactly.
        if counted != Some(named as f64) {
            return Err(Fault::unexpected(
                format!("quantities that differ from the {named} codes of the spans"),
                "one element per batch, its quantity the number of codes that the spans name, without uom",
            ))
            .under("quantityList");
        }
    }
    Ok(())
}

fn count_of_batch(class: &ClassQuantity) -> Option<f64> {
    match (&class.class, class.quantity, &class.uom) {
        (Class::Batch(_), Some(quantity), None) => Some(quantity),
        _ => None,
    }
}

fn ilmd(value: &mut Json<'_>, context: &Context) -> Checked<()> {
    let members = fields::object(value, "an object of namespaced members")?;
    members.iter_mut().try_for_each(|(name, value)| fields::extension(name, value, context))?;
    names_differ(members)
}

impl Objects {
    fn count(&mut self, more: usize) -> Checked<()> {
        self.count += more;
        if self.count > EVENT_SUBJECTS_MAX {
            let found = self.count;
            return Err(Fault::new(Reason::TooMany {
                what: "EPCs, classes and spans",
                found,
                max: EVENT_SUBJECTS_MAX,
            }));
        }
        Ok(())
    }

    fn count_uri(&mut self, uri: &str) -> Checked<()> {
        self.uris_bytes += uri.len();
        if self.uris_bytes > EVENT_URIS_BYTES_MAX {
            let what = "bytes of EPCs and classes in one event";
            return Err(Fault::new(Reason::TooMany { what, found: self.uris_bytes, max: EVENT_URIS_BYTES_MAX }));
        }
        Ok(())
    }

    fn read_epcs(&mut self, value: &mut Json<'_>, context: &Context, hosts: &Hosts) -> Checked<()> {
        let items = fields::array(value, "an array of EPCs")?;
        self.count(items.len())?;
        self.has_epc_list = true;
        for (at, item) in items.iter_mut().enumerate() {
            self.read_epc(item, at, context, hosts).under_index(at)?;
        }
        Ok(())
    }

    fn read_epc(&mut self, item: &mut Json<'_>, at: usize, context: &Context, hosts: &Hosts) -> Checked<()> {
        let uri = fields::uri(item, context)?;
        self.count_uri(&uri)?;
        match epc::read(&uri, hosts)? {
            Named::Code { code, gtin, own_host } => {
                self.subjects.codes.push(CodeAt { code, at: Position::Epc(at), gtin, claims_ours: own_host });
            }
            Named::Other => {
                if let Some(link) = epc::own_link(&uri, hosts) {
                    fields::replace(item, &link);
                }
            }
            Named::Batch(_) | Named::Lot { .. } => {
                return Err(Fault::unexpected(uri, "an instance here; classes stand in quantityList"));
            }
            Named::Measure(_) => return Err(Fault::unexpected(uri, "an EPC")),
        }
        Ok(())
    }

    fn read_quantities(&mut self, value: &mut Json<'_>, context: &Context, hosts: &Hosts) -> Checked<()> {
        let items = fields::array(value, "an array of quantity elements")?;
        for (at, item) in items.iter_mut().enumerate() {
            let class = self.read_quantity(item, context, hosts).under_index(at)?;
            self.subjects.classes.push(class);
        }
        Ok(())
    }

    fn read_quantity(&mut self, item: &mut Json<'_>, context: &Context, hosts: &Hosts) -> Checked<ClassQuantity> {
        let (mut class, mut quantity, mut uom) = (None, None, None);
        for (name, value) in fields::object(item, "a quantity element")?.iter_mut() {
            match name.as_ref() {
                "epcClass" => class = Some(self.read_class(value, context, hosts).under(name)?),
                "quantity" => quantity = Some(amount(value).under(name)?),
                "uom" => uom = Some(unit(value).under(name)?),
                other => return Err(fields::unknown(other, "epcClass, quantity or uom")),
            }
        }
        if uom.is_some() && quantity.is_none() {
            return Err(fields::missing("quantity", "a quantity in the unit given"));
        }
        let class = class.ok_or_else(|| fields::missing("epcClass", "the class's URI"))?;
        Ok(ClassQuantity { class, quantity, uom })
    }

    fn read_class(&mut self, value: &mut Json<'_>, context: &Context, hosts: &Hosts) -> Checked<Class> {
        let uri = fields::uri(value, context)?;
        self.count_uri(&uri)?;
        epc_class(value, uri, hosts)
    }

    fn read_spans(&mut self, value: &mut Json<'_>, hosts: &Hosts) -> Checked<()> {
        const EXPECTED: &str = "an array of at least one span";
        let items = fields::array(value, EXPECTED)?;
        self.count(items.len())?;
        self.subjects.names_spans = true;
        if items.is_empty() {
            return Err(Fault::unexpected("an empty array", EXPECTED));
        }
        for (at, item) in items.iter_mut().enumerate() {
            self.read_span(item, at, hosts).under_index(at)?;
        }
        Ok(())
    }

    fn read_span(&mut self, item: &mut Json<'_>, at: usize, hosts: &Hosts) -> Checked<()> {
        let (mut first, mut last) = (None, None);
        for (name, value) in fields::object(item, "an object with first and last")?.iter_mut() {
            let (end, position) = match name.as_ref() {
                "first" => (&mut first, Position::First(at)),
                "last" => (&mut last, Position::Last(at)),
                other => return Err(fields::unknown(other, "first or last")),
            };
            const EXPECTED: &str = "one of our codes: 20 characters, or its link";
            let text = fields::text(value, EXPECTED)?;
            let code = Code::parse(text).ok().or_else(|| match epc::read(text, hosts) {
                Ok(Named::Code { code, .. }) => Some(code),
                _ => None,
            });
            let code = code.ok_or_else(|| Fault::unexpected(value.describe(), EXPECTED)).under(name)?;
            fields::replace(value, &code.to_string());
            self.subjects.codes.push(CodeAt { code, at: position, gtin: None, claims_ours: true });
            *end = Some(code);
        }
        let first = first.ok_or_else(|| fields::missing("first", "the first code of the span"))?;
        let last = last.ok_or_else(|| fields::missing("last", "the last code of the span"))?;
        if first.run != last.run {
            return Err(Fault::unexpected("codes of two runs", "first and last of one run"));
        }
        let span = Span::new(first.run, first.serial, last.serial)
            .ok_or_else(|| Fault::unexpected("a span that runs backward", "first at or before last"))?;
        self.subjects.spans.push(span);
        Ok(())
    }
}

fn epc_class(value: &mut Json<'_>, uri: String, hosts: &Hosts) -> Checked<Class> {
    match epc::read(&uri, hosts)? {
        Named::Batch(batch) => {
            fields::replace(value, &epc::batch_uri(batch, hosts));
            Ok(Class::Batch(batch))
        }
        Named::Lot { gtin, lot } => {
            if epc::own_link(&uri, hosts).is_some() {
                fields::replace(value, &lot_class(gtin, &lot));
            }
            Ok(Class::Lot { gtin, lot })
        }
        Named::Code { own_host: false, .. } | Named::Other => {
            if let Some(link) = epc::own_link(&uri, hosts) {
                fields::replace(value, &link);
                return Ok(Class::Other(link));
            }
            Ok(Class::Other(gs1_uri::canonical(&uri).unwrap_or(uri)))
        }
        Named::Code { own_host: true, .. } | Named::Measure(_) => {
            Err(Fault::unexpected(uri, "a class here; instances stand in epcList"))
        }
    }
}

fn amount(value: &Json<'_>) -> Checked<f64> {
    match value {
        Json::Number(amount) if *amount >= 0.0 => Ok(*amount),
        other => Err(Fault::unexpected(other.describe(), "a number from 0 up")),
    }
}

/// A unit of measure, UN/ECE Recommendation 20: two or three capital letters or digits.
fn unit(value: &Json<'_>) -> Checked<String> {
    const EXPECTED: &str = "a unit of UN/ECE Recommendation 20, such as KGM";
    let text = fields::text(value, EXPECTED)?;
    let known = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if known && (2..=3).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(Fault::unexpected(value.describe(), EXPECTED))
    }
}
