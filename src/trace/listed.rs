//! What an event lists, thing by thing: the inputs and outputs of a transformation.

use super::Span;
use crate::epcis::{Class, Goods};

/// What is listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// Own codes.
    Span(Span),
    /// A batch, a lot or another class: all or some of it.
    Class(Class),
    /// A unit or somebody else's thing, as its canonical URI.
    Epc(String),
}

/// One thing of a list, and how much of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// What.
    pub what: What,
    /// How much of a class, and its unit (UN/ECE Recommendation 20); without a unit instances are counted.
    pub quantity: Option<(f64, Option<String>)>,
}

/// The goods of one list of an event, in a fixed order. Classes beside spans only count what the spans name.
pub fn listed(goods: &Goods) -> impl Iterator<Item = Listed> + '_ {
    let bare = |what| Listed { what, quantity: None };
    let spans = goods.spans.iter().map(move |span| bare(What::Span(*span)));
    let classes = goods.own_classes().iter().map(|class| Listed {
        what: What::Class(class.class.clone()),
        quantity: class.quantity.map(|quantity| (quantity, class.uom.clone())),
    });
    let epcs = goods.epcs.iter().map(move |epc| bare(What::Epc(epc.clone())));
    spans.chain(classes).chain(epcs)
}
