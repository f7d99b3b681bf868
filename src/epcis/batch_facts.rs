//! What a registration says of a batch, as instance and lot master data (CBV 2.0, clause 9: ILMD).

use serde_json::{Map, Value, json};

use super::document::NAME_SPACE;

/// CBV's name space of master data attributes.
const CBV: &str = "urn:epcglobal:cbv:mda:";

/// Facts of a batch and of the consignment that it came in. All are as registered; what is absent is left out. No
/// personal data: drivers, plates and buyers stay out of events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchFacts {
    /// How much there is, and the unit (UN/ECE Recommendation 20); `None` counts pieces.
    pub quantity: Option<(f64, Option<String>)>,
    /// The product's GTIN, 14 digits.
    pub gtin: Option<String>,
    /// The product's name.
    pub product: Option<String>,
    /// The producer's lot.
    pub lot: Option<String>,
    /// First and last production date, ISO 8601.
    pub production: Option<(String, String)>,
    /// First and last expiry date, ISO 8601.
    pub expiry: Option<(String, String)>,
    /// Country of origin, ISO 3166-1 alpha-2.
    pub origin: Option<String>,
    /// Net weight and its unit (UN/ECE Recommendation 20).
    pub net_weight: Option<(f64, String)>,
    /// What one code of them holds, and its unit (UN/ECE Recommendation 20): of the outputs of a split.
    pub content: Option<(f64, String)>,
    /// Specification as on the packaging.
    pub specification: Option<String>,
    /// Brand.
    pub brand: Option<String>,
    /// HS code, digits only.
    pub hs_code: Option<String>,
    /// Lowest and highest storage temperature in degrees Celsius, where limited.
    pub storage_celsius: (Option<f64>, Option<f64>),
    /// The foreign producer's name.
    pub producer: Option<String>,
    /// The foreign producer's registration number.
    pub producer_registration: Option<String>,
    /// The importer's public name.
    pub importer: Option<String>,
    /// Number of the customs declaration.
    pub declaration: Option<String>,
    /// Line of the declaration, from 1.
    pub declaration_line: Option<u16>,
    /// Port of entry.
    pub port_of_entry: Option<String>,
    /// Date of entry, ISO 8601.
    pub entry_date: Option<String>,
    /// Certificates and other papers.
    pub documents: Vec<DocumentFact>,
}

/// A paper that a batch or its consignment has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentFact {
    /// What it is: `customs_declaration`, `quarantine_certificate`, ...
    pub kind: String,
    /// Its number.
    pub number: String,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When, ISO 8601.
    pub date: Option<String>,
    /// SHA-256 of the original file, 64 hex digits.
    pub sha256: Option<String>,
}

impl BatchFacts {
    /// The members of `ilmd`, each name a full IRI.
    pub(super) fn to_ilmd(&self) -> Map<String, Value> {
        let mut ilmd = Map::new();
        let own = |name: &str| format!("{NAME_SPACE}{name}");
        let range = |(first, last): &(String, String)| json!({ "first": first, "last": last });
        let (low, high) = self.storage_celsius;
        let storage = (low.is_some() || high.is_some()).then(|| present([("min", low), ("max", high)]));
        let amount = |(value, uom): &(f64, String)| json!({ "value": value, "uom": uom });
        let facts = [
            (format!("{CBV}lotNumber"), text(&self.lot)),
            (format!("{CBV}countryOfOrigin"), text(&self.origin)),
            (format!("{CBV}itemExpirationDate"), self.expiry.as_ref().map(|(_, last)| json!(last))),
            (own("gtin"), text(&self.gtin)),
            (own("product"), text(&self.product)),
            (own("production"), self.production.as_ref().map(range)),
            (own("expiry"), self.expiry.as_ref().map(range)),
            (own("netWeight"), self.net_weight.as_ref().map(amount)),
            (own("content"), self.content.as_ref().map(amount)),
            (own("specification"), text(&self.specification)),
            (own("brand"), text(&self.brand)),
            (own("hsCode"), text(&self.hs_code)),
            (own("storageCelsius"), storage),
            (own("producer"), text(&self.producer)),
            (own("producerRegistration"), text(&self.producer_registration)),
            (own("importer"), text(&self.importer)),
            (own("declaration"), text(&self.declaration)),
            (own("declarationLine"), self.declaration_line.map(|line| json!(line))),
            (own("portOfEntry"), text(&self.port_of_entry)),
            (own("entryDate"), text(&self.entry_date)),
            (own("documents"), (!self.documents.is_empty()).then(|| self.documents.iter().map(document).collect())),
        ];
        ilmd.extend(facts.into_iter().filter_map(|(name, value)| Some((name, value?))));
        ilmd
    }
}

fn text(fact: &Option<String>) -> Option<Value> {
    fact.as_ref().map(|text| json!(text))
}

fn document(paper: &DocumentFact) -> Value {
    present([
        ("kind", Some(&paper.kind)),
        ("number", Some(&paper.number)),
        ("issuer", paper.issuer.as_ref()),
        ("date", paper.date.as_ref()),
        ("sha256", paper.sha256.as_ref()),
    ])
}

/// An object of what is there.
fn present<T: serde::Serialize, const N: usize>(members: [(&str, Option<T>); N]) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect()
}
