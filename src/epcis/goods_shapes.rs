//! Our own events about goods that move, are packed, or become others.

use serde_json::{Map, Value, json};

use super::{
    Action, BizStep, Class, ClassQuantity, Disposition, DocumentError, Event, GoodsList, Hosts,
    batch_facts::BatchFacts,
    epc,
    shapes::{BatchSpan, Occasion, base, insert_spans, read},
};
use crate::{
    code::{Gln, lot_class},
    trace::OrganizationId,
};

/// Goods that an event names. Beside spans there are no classes: the event's quantities count what the spans name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedGoods {
    /// Own codes.
    pub spans: Vec<BatchSpan>,
    /// Other things, as URIs; single own codes as their links.
    pub epcs: Vec<String>,
    /// Batches, lots and other classes, and how much of each.
    pub classes: Vec<ClassQuantity>,
}

/// Who hands goods over, or takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedParty {
    /// An organization that is registered here.
    Organization(OrganizationId),
    /// Anybody, by GLN.
    Gln(Gln),
}

/// Goods seen on their way.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    /// `shipping`, `receiving`, `storing`, ...
    pub biz_step: BizStep,
    /// What holds of the goods from then on.
    pub disposition: Option<Disposition>,
    /// The goods.
    pub goods: NamedGoods,
    /// Who possessed them before.
    pub from: Option<NamedParty>,
    /// Who possesses them from then on.
    pub to: Option<NamedParty>,
    /// Where they are from then on, as a URI.
    pub biz_location: Option<String>,
    /// Orders, despatch advices, ...: type (`po`, `desadv`, or a URI) and URI.
    pub transactions: Vec<(String, String)>,
}

/// Goods that become others: repackaging.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transformation {
    /// What is consumed.
    pub inputs: NamedGoods,
    /// What comes of it.
    pub outputs: NamedGoods,
    /// What makes several events one transformation, as a URI.
    pub id: Option<String>,
    /// What holds of the outputs from then on.
    pub disposition: Option<Disposition>,
    /// What is new about the outputs, such as expiry and net weight.
    pub facts: BatchFacts,
}

/// Goods packed into a parent (ADD), seen in it (OBSERVE) or taken out of it (DELETE; of no children, all of them).
/// `parent` is a URI: of a unit, or the link of an own code, such as a case's.
///
/// # Errors
/// No children where the action is not DELETE; the parent among them; spans as in [`super::shapes::codes`].
pub fn aggregation(
    occasion: &Occasion,
    action: Action,
    parent: &str,
    children: &NamedGoods,
    biz_step: &BizStep,
    hosts: &Hosts,
) -> Result<Event, DocumentError> {
    let mut event = base(occasion, action.as_str(), Some(biz_step.as_str()), None);
    event.insert("type".into(), json!("AggregationEvent"));
    event.insert("parentID".into(), json!(parent));
    insert_goods(&mut event, GoodsList::Children, children, hosts);
    read(event, hosts)
}

/// Units that begin a life of their own, empty: ADD, `commissioning`, `active`. `units` are URIs.
///
/// # Errors
/// What is no URI.
pub fn units(occasion: &Occasion, units: &[String], hosts: &Hosts) -> Result<Event, DocumentError> {
    let mut event = base(occasion, "ADD", Some("commissioning"), Some("active"));
    event.insert("epcList".into(), json!(units));
    read(event, hosts)
}

/// Goods that move, wait or are looked at: OBSERVE, with the parties between which they pass.
///
/// # Errors
/// No goods; classes beside spans; a place or transaction that is no URI.
pub fn movement(occasion: &Occasion, movement: &Movement, hosts: &Hosts) -> Result<Event, DocumentError> {
    let disposition = movement.disposition.as_ref().map(Disposition::as_str);
    let mut event = base(occasion, "OBSERVE", Some(movement.biz_step.as_str()), disposition);
    insert_goods(&mut event, GoodsList::Objects, &movement.goods, hosts);
    for (list, field, party) in
        [("sourceList", "source", movement.from), ("destinationList", "destination", movement.to)]
    {
        if let Some(party) = party {
            let uri = match party {
                NamedParty::Organization(organization) => epc::organization_uri(organization, hosts),
                NamedParty::Gln(gln) => gln.party_uri(),
            };
            event.insert(list.into(), json!([{ "type": "possessing_party", field: uri }]));
        }
    }
    if let Some(place) = &movement.biz_location {
        event.insert("bizLocation".into(), json!({ "id": place }));
    }
    if !movement.transactions.is_empty() {
        let transaction = |(kind, uri): &(String, String)| json!({ "type": kind, "bizTransaction": uri });
        event.insert("bizTransactionList".into(), movement.transactions.iter().map(transaction).collect());
    }
    read(event, hosts)
}

/// Goods that become others: `repackaging`, inputs and outputs, and in ilmd what is new about the outputs.
///
/// # Errors
/// No inputs or no outputs, where there is no id; something that is both; classes beside spans.
pub fn transformation(
    occasion: &Occasion,
    transformation: &Transformation,
    hosts: &Hosts,
) -> Result<Event, DocumentError> {
    let disposition = transformation.disposition.as_ref().map(Disposition::as_str);
    let mut event = base(occasion, "", Some("repackaging"), disposition);
    event.insert("type".into(), json!("TransformationEvent"));
    event.remove("action");
    insert_goods(&mut event, GoodsList::Inputs, &transformation.inputs, hosts);
    insert_goods(&mut event, GoodsList::Outputs, &transformation.outputs, hosts);
    if let Some(id) = &transformation.id {
        event.insert("transformationID".into(), json!(id));
    }
    let ilmd = transformation.facts.to_ilmd();
    if !ilmd.is_empty() {
        event.insert("ilmd".into(), Value::Object(ilmd));
    }
    read(event, hosts)
}

pub(super) fn insert_goods(event: &mut Map<String, Value>, list: GoodsList, goods: &NamedGoods, hosts: &Hosts) {
    if !goods.epcs.is_empty() {
        event.insert(list.epcs().into(), json!(goods.epcs));
    }
    if !goods.spans.is_empty() {
        insert_spans(event, list, &goods.spans, hosts);
    }
    if !goods.classes.is_empty() {
        let classes = goods.classes.iter().map(|class| quantity_element(class, hosts));
        // Beside spans this is refused, so that nothing is lost unseen.
        match event.get_mut(list.quantities()).and_then(Value::as_array_mut) {
            Some(counts) => counts.extend(classes),
            None => drop(event.insert(list.quantities().into(), classes.collect())),
        }
    }
}

fn quantity_element(class: &ClassQuantity, hosts: &Hosts) -> Value {
    let uri = match &class.class {
        Class::Batch(batch) => epc::batch_uri(*batch, hosts),
        Class::Lot { gtin, lot } => lot_class(*gtin, lot),
        Class::Other(uri) => uri.clone(),
    };
    let mut element = Map::new();
    element.insert("epcClass".into(), json!(uri));
    if let Some(quantity) = class.quantity {
        element.insert("quantity".into(), json!(quantity));
    }
    if let Some(uom) = &class.uom {
        element.insert("uom".into(), json!(uom));
    }
    Value::Object(element)
}
