//! AggregationEvent (EPCIS 2.0, clause 7.4.3): objects are put into a parent, seen in it, or taken out of it.

use super::{
    Action, EventKind, GoodsList, Hosts,
    context::Context,
    draft::Draft,
    error::Checked,
    fields,
    json::Members,
    parts::{self, Parts, Shape},
};

const SHAPE: Shape = Shape {
    kind: EventKind::Aggregation,
    goods: GoodsList::Children,
    transforms: false,
    has_parent: true,
    has_ilmd: false,
    has_persistent_disposition: false,
};

/// Reads an AggregationEvent whose `@context` and `type` are known already.
pub(super) fn read<'a>(members: Members<'a>, context: &Context, hosts: &'a Hosts) -> Checked<Draft<'a>> {
    let (parts, members) = parts::read(&SHAPE, members, context, hosts)?;
    check(&parts)?;
    Draft::new(parts, members, hosts)
}

fn check(parts: &Parts) -> Checked<()> {
    let action = parts.common.action;
    // What was seen together need not have a parent that is known by name.
    if !parts.has_parent && action != Some(Action::Observe) {
        return Err(fields::missing("parentID", "the parent's URI, where the action is ADD or DELETE"));
    }
    check_children(parts)
}

/// Children are required, but for a DELETE: without any it speaks of all of them.
pub(super) fn check_children(parts: &Parts) -> Checked<()> {
    if parts.goods.names_any() || parts.common.action == Some(Action::Delete) {
        return Ok(());
    }
    Err(fields::missing("childEPCs", "at least one child in childEPCs or childQuantityList, or the action DELETE"))
}
