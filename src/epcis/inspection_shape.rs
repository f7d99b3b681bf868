//! Our own events about goods that were looked at: inspections and samples.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    DocumentError, Event, GoodsList, Hosts,
    document::NAME_SPACE,
    goods_shapes::{NamedGoods, insert_goods},
    shapes::{Occasion, base, read},
};
use crate::trace::DocumentId;

/// What was done to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InspectionKind {
    /// The goods were looked at.
    Inspection,
    /// A sample was taken.
    Sampling,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InspectionResult {
    /// They are as they must be.
    Passed,
    /// They are not.
    Failed,
    /// It is not known yet; another event will say so.
    Pending,
}

impl InspectionResult {
    /// Its word in the interface and in events.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Pending => "pending",
        }
    }
}

/// A sample of the goods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Its number.
    pub number: Option<String>,
    /// How much was taken: value and unit of UN/CEFACT Recommendation 20.
    pub quantity: Option<(f64, String)>,
    /// Who tests it.
    pub laboratory: Option<String>,
}

/// An inspection of goods.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// What was done.
    pub kind: InspectionKind,
    /// What was found.
    pub result: InspectionResult,
    /// The goods; classes without a quantity are all of theirs.
    pub goods: NamedGoods,
    /// The sample.
    pub sample: Option<Sample>,
    /// The report.
    pub document: Option<DocumentId>,
    /// What else there is to say.
    pub note: Option<String>,
}

/// Goods inspected: OBSERVE, `inspecting` or `sampling`, and `conformant` or `non_conformant` once that is known.
///
/// # Errors
/// No goods; classes beside spans; spans as in [`super::shapes::codes`].
pub fn inspection(occasion: &Occasion, inspection: &Inspection, hosts: &Hosts) -> Result<Event, DocumentError> {
    let step = match inspection.kind {
        InspectionKind::Inspection => "inspecting",
        InspectionKind::Sampling => "sampling",
    };
    let disposition = match inspection.result {
        InspectionResult::Passed => Some("conformant"),
        InspectionResult::Failed => Some("non_conformant"),
        InspectionResult::Pending => None,
    };
    let mut event = base(occasion, "OBSERVE", Some(step), disposition);
    insert_goods(&mut event, GoodsList::Objects, &inspection.goods, hosts);
    let document = inspection.document.map(|id| format!("https://{}/v1/documents/{id}", hosts.canonical()));
    let sample = inspection.sample.as_ref().map(sample_json);
    for (name, value) in [
        ("result", Some(json!(inspection.result.word()))),
        ("sample", sample),
        ("document", document.map(Value::from)),
        ("note", inspection.note.clone().map(Value::from)),
    ] {
        if let Some(value) = value {
            event.insert(format!("{NAME_SPACE}{name}"), value);
        }
    }
    read(event, hosts)
}

fn sample_json(sample: &Sample) -> Value {
    let quantity = sample.quantity.as_ref().map(|(value, uom)| json!({ "value": value, "uom": uom }));
    let members = [
        ("number", sample.number.clone().map(Value::from)),
        ("quantity", quantity),
        ("laboratory", sample.laboratory.clone().map(Value::from)),
    ];
    Value::Object(
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>(),
    )
}
