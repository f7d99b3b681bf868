//! TransactionEvent (EPCIS 2.0, clause 7.4.4): objects belong to business transactions, or no longer.

use super::{
    Action, EventKind, GoodsList, Hosts,
    context::Context,
    draft::Draft,
    error::{Checked, Fault, Under},
    fields,
    json::{Json, Members},
    parts::{self, Parts, Shape},
};

const SHAPE: Shape = Shape {
    kind: EventKind::Transaction,
    goods: GoodsList::Objects,
    transforms: false,
    has_parent: true,
    has_ilmd: false,
    has_persistent_disposition: false,
};

/// Reads a TransactionEvent whose `@context` and `type` are known already.
pub(super) fn read<'a>(members: Members<'a>, context: &Context, hosts: &'a Hosts) -> Checked<Draft<'a>> {
    let (parts, members) = parts::read(&SHAPE, members, context, hosts)?;
    check_transactions(&members)?;
    check_objects(&parts)?;
    Draft::new(parts, members, hosts)
}

fn check_transactions(members: &Members<'_>) -> Checked<()> {
    const EXPECTED: &str = "an array of at least one business transaction";
    match members.iter().find(|(name, _)| name == "bizTransactionList") {
        Some((name, Json::Array(items))) if items.is_empty() => {
            Err(Fault::unexpected("an empty array", EXPECTED)).under(name)
        }
        Some(_) => Ok(()),
        None => Err(fields::missing("bizTransactionList", EXPECTED)),
    }
}

/// A DELETE without objects speaks of all of them.
fn check_objects(parts: &Parts) -> Checked<()> {
    let named = parts.goods.epcs.is_some() || parts.goods.names_any();
    if named || parts.common.action == Some(Action::Delete) {
        return Ok(());
    }
    Err(fields::missing("epcList", "an epcList or a quantityList, or the action DELETE"))
}
