//! AssociationEvent (EPCIS 2.0, clause 7.4.6): objects are attached to a parent thing or place, or taken off it, such as a
//! logger on a container.

use super::{
    EventKind, GoodsList, Hosts,
    aggregation_event::check_children,
    context::Context,
    draft::Draft,
    error::Checked,
    fields,
    json::Members,
    parts::{self, Shape},
};

const SHAPE: Shape = Shape {
    kind: EventKind::Association,
    goods: GoodsList::Children,
    transforms: false,
    has_parent: true,
    has_ilmd: false,
    has_persistent_disposition: false,
};

/// Reads an AssociationEvent whose `@context` and `type` are known already.
pub(super) fn read<'a>(members: Members<'a>, context: &Context, hosts: &'a Hosts) -> Checked<Draft<'a>> {
    let (parts, members) = parts::read(&SHAPE, members, context, hosts)?;
    if !parts.has_parent {
        return Err(fields::missing("parentID", "the URI of the thing or place"));
    }
    check_children(&parts)?;
    Draft::new(parts, members, hosts)
}
