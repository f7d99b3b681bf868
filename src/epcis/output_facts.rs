//! What a transformation says in ilmd of the goods that come out of it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::document::NAME_SPACE;

/// CBV's attribute for the day of expiry (CBV 2.0, clause 9).
const EXPIRY: &str = "urn:epcglobal:cbv:mda:itemExpirationDate";

/// What is new about the outputs of a transformation, as far as it can be read; anybody may write anything there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputFacts {
    /// The last day of expiry: `itemExpirationDate`, else the last of `cp:expiry`.
    pub expiry: Option<String>,
    /// What one output code holds, and the unit: `cp:content`.
    pub content: Option<(f64, String)>,
    /// What all outputs weigh together, and the unit: `cp:netWeight`.
    pub net_weight: Option<(f64, String)>,
}

/// The facts in a canonical event.
pub fn output_facts(body: &str) -> OutputFacts {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        ilmd: Map<String, Value>,
    }
    let Ok(Body { ilmd }) = serde_json::from_str(body) else { return OutputFacts::default() };
    let own = |name: &str| ilmd.get(&format!("{NAME_SPACE}{name}"));
    let amount = |name: &str| {
        let fact = own(name)?;
        Some((fact.get("value")?.as_f64()?, fact.get("uom")?.as_str()?.to_owned()))
    };
    let day = ilmd.get(EXPIRY).or_else(|| own("expiry")?.get("last"));
    OutputFacts {
        expiry: day.and_then(Value::as_str).map(str::to_owned),
        content: amount("content"),
        net_weight: amount("netWeight"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_as_far_as_they_can_be() {
        let body = r#"{"ilmd":{"https://w3id.org/coldproof/1/content":{"value":0.4,"uom":"KGM"},
            "https://w3id.org/coldproof/1/netWeight":{"value":"much","uom":"KGM"},
            "https://w3id.org/coldproof/1/expiry":{"first":"2026-11-01","last":"2026-11-04"}}}"#;
        let facts = output_facts(body);
        assert_eq!(facts.expiry.as_deref(), Some("2026-11-04"));
        assert_eq!((facts.content, facts.net_weight), (Some((0.4, "KGM".to_owned())), None));
        assert_eq!(output_facts(r#"{"type":"ObjectEvent"}"#), OutputFacts::default());
        assert_eq!(output_facts("[]"), OutputFacts::default());
    }
}
