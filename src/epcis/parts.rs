//! Reading the fields of an event of any type. Each type says in its [`Shape`] which fields it has, and checks in
//! its own file what holds between them.

use super::{
    CodeAt, EventKind, GoodsList, Hosts,
    common_fields::CommonFields,
    context::Context,
    error::{Checked, Fault, Under},
    event::Position,
    fields,
    json::{Json, Members, names_differ},
    listing::{Listing, Size, read_instance},
};

/// Which fields a type of event has beside those that all share (EPCIS 2.0, tables of clauses 7.4.2 to 7.4.6).
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) kind: EventKind,
    /// What the event is about.
    pub(super) goods: GoodsList,
    /// Whether goods come out of it: inputs and outputs, a transformation's id, and no action.
    pub(super) transforms: bool,
    pub(super) has_parent: bool,
    pub(super) has_ilmd: bool,
    pub(super) has_persistent_disposition: bool,
}

/// What an event's fields said.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) kind: EventKind,
    pub(super) common: CommonFields,
    pub(super) goods: Listing,
    /// Empty but in a transformation.
    pub(super) outputs: Listing,
    pub(super) has_parent: bool,
    /// The parent, where it reads as an own code.
    pub(super) parent_code: Option<CodeAt>,
    pub(super) transformation_id: Option<String>,
    pub(super) has_ilmd: bool,
}

/// Reads an event whose `@context` and `type` are known already. Drops what the canonical form leaves out.
pub(super) fn read<'a>(
    shape: &Shape,
    members: Members<'a>,
    context: &Context,
    hosts: &Hosts,
) -> Checked<(Parts, Members<'a>)> {
    let mut parts = Parts {
        kind: shape.kind,
        common: CommonFields::default(),
        goods: Listing::new(shape.goods),
        outputs: Listing::new(GoodsList::Outputs),
        has_parent: false,
        parent_code: None,
        transformation_id: None,
        has_ilmd: false,
    };
    let mut size = Size::default();
    let mut kept: Members<'a> = Vec::with_capacity(members.len());
    for (mut name, mut value) in members {
        match name.as_ref() {
            "@context" => continue,
            "recordTime" => {
                fields::date_time(&value).under("recordTime")?;
                continue;
            }
            "type" => {}
            _ if parts.read_own(shape, &name, &mut value, &mut size, context, hosts).under(&name)? => {}
            "action" if shape.transforms => return Err(absent("action")),
            "persistentDisposition" if !shape.has_persistent_disposition => {
                return Err(absent("persistentDisposition"));
            }
            _ if parts.common.read(&name, &mut value, context, hosts).under(&name)? => {}
            _ => {
                let written = name.clone();
                fields::extension(&mut name, &mut value, context)?;
                if let Some(listing) = parts.listings(shape).find(|listing| listing.list.spans() == name) {
                    listing.read_spans(&written, &mut value, &mut size, hosts).under(&written)?;
                } else if GoodsList::is_spans(&name) {
                    return Err(fields::unknown(&written, SPANS_EXPECTED));
                }
            }
        }
        kept.push((name, value));
    }
    names_differ(&kept)?;
    // Quantities beside spans only repeat them.
    for listing in parts.listings(shape).filter(|listing| listing.spans_field.is_none()) {
        size.add_subjects(listing.classes.len())?;
    }
    parts.goods.check_count()?;
    parts.outputs.check_count()?;
    parts.check_report_times()?;
    Ok((parts, kept))
}

const SPANS_EXPECTED: &str = "cp:inputSpans and cp:outputSpans in a transformation, cp:spans elsewhere";

/// A field of EPCIS that this type of event does not have.
fn absent(name: &str) -> Fault {
    fields::unknown(name, "a field that events of this type have")
}

impl Parts {
    fn listings(&mut self, shape: &Shape) -> impl Iterator<Item = &mut Listing> {
        [Some(&mut self.goods), shape.transforms.then_some(&mut self.outputs)].into_iter().flatten()
    }

    /// Reads one field, if it is one that not all types have; returns whether it is.
    fn read_own(
        &mut self,
        shape: &Shape,
        name: &str,
        value: &mut Json<'_>,
        size: &mut Size,
        context: &Context,
        hosts: &Hosts,
    ) -> Checked<bool> {
        match name {
            "parentID" if shape.has_parent => {
                self.has_parent = true;
                size.add_subjects(1)?;
                self.parent_code = read_instance(value, Position::Parent, size, context, hosts)?;
            }
            "ilmd" if shape.has_ilmd => {
                self.has_ilmd = true;
                ilmd(value, context)?;
            }
            "transformationID" if shape.transforms => {
                let uri = fields::uri(value, context)?;
                self.transformation_id = Some(super::epc::canonical_link(value, uri, hosts));
            }
            _ => {
                let epcs = self.listings(shape).find(|listing| listing.list.epcs() == name);
                if let Some(listing) = epcs {
                    listing.read_epcs(value, size, context, hosts)?;
                    return Ok(true);
                }
                let quantities = self.listings(shape).find(|listing| listing.list.quantities() == name);
                if let Some(listing) = quantities {
                    listing.read_quantities(value, size, context, hosts)?;
                    return Ok(true);
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What was measured is known by the time of the event.
    fn check_report_times(&self) -> Checked<()> {
        match (self.common.sensors.latest_report_ms, self.common.event_time_ms) {
            (Some(latest), Some(event_time)) if latest > event_time => {
                Err(Fault::unexpected("a report later than the event", "reports up to the event time"))
                    .under("sensorElementList")
            }
            _ => Ok(()),
        }
    }
}

fn ilmd(value: &mut Json<'_>, context: &Context) -> Checked<()> {
    let members = fields::object(value, "an object of namespaced members")?;
    members.iter_mut().try_for_each(|(name, value)| fields::extension(name, value, context))?;
    names_differ(members)
}
