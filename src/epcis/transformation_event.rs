//! TransformationEvent (EPCIS 2.0, clause 7.4.5): inputs are consumed, and outputs come of them.

use super::{
    EventKind, GoodsList, Hosts,
    context::Context,
    draft::Draft,
    error::Checked,
    fields,
    json::Members,
    parts::{self, Parts, Shape},
};

const SHAPE: Shape = Shape {
    kind: EventKind::Transformation,
    goods: GoodsList::Inputs,
    transforms: true,
    has_parent: false,
    has_ilmd: true,
    has_persistent_disposition: true,
};

/// Reads a TransformationEvent whose `@context` and `type` are known already.
pub(super) fn read<'a>(members: Members<'a>, context: &Context, hosts: &'a Hosts) -> Checked<Draft<'a>> {
    let (parts, members) = parts::read(&SHAPE, members, context, hosts)?;
    check(&parts)?;
    Draft::new(parts, members, hosts)
}

/// A transformation is whole with inputs and outputs; its id makes several events one, each with a part of them.
fn check(parts: &Parts) -> Checked<()> {
    let (inputs, outputs) = (parts.goods.names_any(), parts.outputs.names_any());
    match (inputs, outputs, &parts.transformation_id) {
        (true, true, _) | (true, _, Some(_)) | (_, true, Some(_)) => Ok(()),
        (false, false, Some(_)) => Err(fields::missing("inputEPCList", "at least one input or output")),
        (true, false, None) => {
            Err(fields::missing("outputEPCList", "at least one output, or a transformationID that joins it to others"))
        }
        (false, _, None) => {
            Err(fields::missing("inputEPCList", "at least one input, or a transformationID that joins it to others"))
        }
    }
}
