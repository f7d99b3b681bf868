//! ObjectEvent (EPCIS 2.0, clause 7.4.2): something happened to objects.

use super::{
    Action, EventKind, GoodsList, Hosts,
    context::Context,
    draft::Draft,
    error::{Checked, Fault, Under},
    fields,
    json::Members,
    parts::{self, Parts, Shape},
};

const SHAPE: Shape = Shape {
    kind: EventKind::Object,
    goods: GoodsList::Objects,
    transforms: false,
    has_parent: false,
    has_ilmd: true,
    has_persistent_disposition: true,
};

/// Reads an ObjectEvent whose `@context` and `type` are known already.
pub(super) fn read<'a>(members: Members<'a>, context: &Context, hosts: &'a Hosts) -> Checked<Draft<'a>> {
    let (parts, members) = parts::read(&SHAPE, members, context, hosts)?;
    check(&parts)?;
    Draft::new(parts, members, hosts)
}

fn check(parts: &Parts) -> Checked<()> {
    let common = &parts.common;
    let senses = common.sensors.elements > 0 && common.read_point.is_some();
    // An empty list of EPCs will do: the JSON schema asks no more.
    if !(parts.goods.epcs.is_some() || parts.goods.names_any() || senses) {
        return Err(fields::missing("epcList", "an epcList, a quantityList, or sensor elements at a read point"));
    }
    if parts.has_ilmd && common.action.is_some_and(|action| action != Action::Add) {
        return Err(Fault::unexpected("ilmd", "no ilmd where the action is not ADD")).under("ilmd");
    }
    Ok(())
}
