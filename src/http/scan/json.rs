//! The JSON of a scan.
//!
//! Everything but the code and its scan sums is the same for all codes with one view, so it is written once and kept.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{
    came_from::{CameFromAnswer, PortionAnswer},
    timeline::Timeline,
};
use crate::{
    http::{answer::timestamp, temperatures::ColdChainJson},
    pages::{Lang, breach_sentence},
    registration::{DateRange, Product, PublicPaper, Quantity, public_papers},
    service::{
        measure::StandingMeasure,
        scan::{BatchFacts, View},
    },
    trace::{State, Verdict},
};

/// A scan's answer, as far as it is known without the code's own figures.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Answer<'a> {
    /// Whether the label is ours and belongs to this product.
    pub genuine: bool,
    /// The gravest of `verdicts`.
    #[schema(value_type = String)]
    pub verdict: Verdict,
    /// All that hold, gravest first.
    #[schema(value_type = Vec<String>)]
    pub verdicts: Vec<Verdict>,
    /// Where the goods are in their life; absent where the code was not issued.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// A sentence for each verdict, and what measures say.
    pub reasons: Vec<String>,
    /// The measures that stand.
    pub measures: Vec<MeasureAnswer<'a>>,
    /// Whether the code was made under a key that is retired since; it verifies all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retired_key: bool,
    /// The trade item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductAnswer<'a>>,
    /// The lot and where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchAnswer<'a>>,
    /// What a portion's split says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portion: Option<PortionAnswer<'a>>,
    /// What the goods were made of, nearest first, at most 20; absent where nobody tells that they were made of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came_from: Option<Vec<CameFromAnswer<'a>>>,
    /// How many inputs more there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came_from_further: Option<usize>,
    /// What happened, latest first, at most 100 lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline<'a>>,
    /// The temperatures that the goods went through; null where nobody reported one.
    pub cold_chain: Option<ColdChainJson>,
    /// Of when the answer is, where the store has been silent since and safety is not confirmed.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_as_of: Option<Timestamp>,
    /// How long that is ago, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconfirmed_s: Option<i64>,
}

/// A hold or recall that stands.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MeasureAnswer<'a> {
    /// Its number, where it has one.
    measure: Option<u64>,
    /// `hold` or `recall`.
    kind: &'static str,
    /// From when on.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// What the public is told, in its author's words.
    notice: Option<&'a str>,
    /// What to do, in its author's words.
    advice: Option<&'a str>,
}

/// A trade item, and how much of it one code stands for.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProductAnswer<'a> {
    #[serde(flatten)]
    product: BatchProduct<'a>,
    level: &'static str,
    content: Option<QuantityAnswer<'a>>,
}

/// A trade item by itself, or as a batch of it is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BatchProduct<'a> {
    gtin: Option<String>,
    name_zh: &'a str,
    name_en: Option<&'a str>,
    brand: Option<&'a str>,
    specification: Option<&'a str>,
    storage_min_celsius: Option<f64>,
    storage_max_celsius: Option<f64>,
    /// Path of its picture on this host.
    picture: Option<String>,
}

impl<'a> BatchProduct<'a> {
    /// By itself.
    pub fn bare(product: &'a Product) -> Self {
        Self {
            gtin: product.gtin.as_ref().map(ToString::to_string),
            name_zh: &product.name_zh,
            name_en: product.name_en.as_deref(),
            brand: product.brand.as_deref(),
            specification: product.specification.as_deref(),
            storage_min_celsius: product.storage.and_then(|storage| storage.min_celsius),
            storage_max_celsius: product.storage.and_then(|storage| storage.max_celsius),
            picture: product.picture.as_ref().map(|_| format!("/v1/products/{}/picture", product.id)),
        }
    }

    /// With what the batch says otherwise.
    pub fn of(facts: &'a BatchFacts) -> Option<Self> {
        let effective = facts.effective();
        Some(Self {
            brand: effective.brand,
            specification: effective.specification,
            storage_min_celsius: effective.storage.and_then(|storage| storage.min_celsius),
            storage_max_celsius: effective.storage.and_then(|storage| storage.max_celsius),
            ..Self::bare(facts.product.as_ref()?)
        })
    }
}

/// A quantity with its UN/ECE Recommendation 20 unit.
#[derive(Serialize, utoipa::ToSchema)]
pub struct QuantityAnswer<'a> {
    value: f64,
    uom: &'a str,
}

/// One lot of one product in one consignment.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BatchAnswer<'a> {
    id: u64,
    lot: Option<&'a str>,
    #[schema(value_type = Option<Object>)]
    production: Option<Days>,
    #[schema(value_type = Option<Object>)]
    expiry: Option<Days>,
    /// ISO 3166-1 alpha-2.
    origin: Option<String>,
    producer: Option<&'a str>,
    producer_registration: Option<&'a str>,
    importer: &'a str,
    port_of_entry: Option<&'a str>,
    #[schema(value_type = Option<String>)]
    entry_date: Option<Date>,
    documents: Vec<DocumentAnswer>,
}

/// Days, both ends named.
#[derive(Serialize)]
struct Days {
    first: Date,
    last: Date,
}

/// What is public of a paper.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DocumentAnswer {
    #[schema(value_type = String)]
    kind: crate::registration::DocumentKind,
    /// With the middle masked.
    number: String,
    issuer: Option<String>,
    #[schema(value_type = Option<String>)]
    date: Option<Date>,
    /// Path of the public rendition, where there is one.
    rendition: Option<String>,
}

impl<'a> Answer<'a> {
    /// Of a code that no more is known of than a verdict.
    pub fn nothing(verdict: Verdict) -> Self {
        Self {
            genuine: false,
            verdict,
            verdicts: vec![verdict],
            state: None,
            reasons: vec![verdict.reason().to_owned()],
            measures: Vec::new(),
            retired_key: false,
            product: None,
            batch: None,
            portion: None,
            came_from: None,
            came_from_further: None,
            timeline: None,
            cold_chain: None,
            data_as_of: None,
            unconfirmed_s: None,
        }
    }

    /// Of an issued code. `verdicts` are the view's, or graver ones that the link adds.
    pub fn issued(view: &'a View, verdicts: Vec<Verdict>, measures: &'a [StandingMeasure], retired_key: bool) -> Self {
        let mut reasons: Vec<_> = verdicts.iter().map(|verdict| verdict.reason().to_owned()).collect();
        reasons.extend(measures.iter().flat_map(MeasureAnswer::sentences).map(str::to_owned));
        if let Some(record) = view.cold_record.as_ref().filter(|record| record.is_broken()) {
            reasons.extend(breach_sentence(&record.chain, Lang::En));
        }
        if retired_key {
            reasons.push("The code was made under a key that has been retired since; it verifies.".to_owned());
        }
        Self {
            genuine: verdicts.iter().all(|verdict| verdict.label_is_ours()),
            verdict: verdicts.first().copied().unwrap_or(Verdict::Unverifiable),
            verdicts,
            state: Some(view.status.state),
            reasons,
            measures: measures.iter().map(MeasureAnswer::of).collect(),
            retired_key,
            product: ProductAnswer::of(view),
            batch: Some(BatchAnswer::of(view.batch())),
            portion: view.made_of.as_ref().and_then(|made| PortionAnswer::of(&made.portion)),
            came_from: view.made_of.as_deref().map(CameFromAnswer::all),
            came_from_further: view.made_of.as_ref().map(|made| made.came_from_further),
            timeline: Some(Timeline::of(view)),
            cold_chain: view.cold_record.as_deref().map(ColdChainJson::from),
            data_as_of: None,
            unconfirmed_s: None,
        }
    }

    /// Everything between the code and its scans, without the outer braces.
    pub fn middle(&self) -> serde_json::Result<Vec<u8>> {
        let mut json = serde_json::to_vec(self)?;
        json.pop();
        if !json.is_empty() {
            json.remove(0);
        }
        Ok(json)
    }
}

impl Answer<'_> {
    /// The whole answer for what is no code of ours: `text` may hold anything.
    pub fn whole(&self, text: &str) -> serde_json::Result<Vec<u8>> {
        #[derive(Serialize)]
        struct Whole<'a> {
            code: &'a str,
            #[serde(flatten)]
            answer: &'a Answer<'a>,
            scans: Scans,
            notices: [&'a str; 0],
        }
        #[derive(Serialize)]
        struct Scans {
            count: u64,
            first: Option<Timestamp>,
        }
        serde_json::to_vec(&Whole { code: text, answer: self, scans: Scans { count: 0, first: None }, notices: [] })
    }
}

impl<'a> MeasureAnswer<'a> {
    /// A measure as the public sees it.
    pub fn of(measure: &'a StandingMeasure) -> Self {
        Self {
            measure: measure.standing.measure.map(|number| number.0),
            kind: measure.kind().word(),
            since: timestamp(measure.standing.since_ms),
            notice: measure.notice(),
            advice: measure.advice(),
        }
    }

    /// What it adds to the reasons.
    pub fn sentences(measure: &'a StandingMeasure) -> impl Iterator<Item = &'a str> {
        measure.notice().into_iter().chain(measure.advice())
    }
}

impl<'a> ProductAnswer<'a> {
    fn of(view: &'a View) -> Option<Self> {
        Some(Self {
            product: BatchProduct::of(view.batch())?,
            level: view.run().level.as_str(),
            content: view.content().map(QuantityAnswer::of),
        })
    }
}

impl<'a> QuantityAnswer<'a> {
    pub(super) fn of(quantity: &'a Quantity) -> Self {
        Self { value: quantity.value.to_number(), uom: quantity.uom.as_str() }
    }
}

impl<'a> BatchAnswer<'a> {
    /// What is public of a batch.
    pub fn of(facts: &'a BatchFacts) -> Self {
        let (batch, effective) = (&facts.batch, facts.effective());
        let days = |range: DateRange| Days { first: range.first, last: range.last };
        Self {
            id: batch.id.0,
            lot: batch.lot.as_deref(),
            production: batch.production.map(days),
            expiry: batch.expiry.map(days),
            origin: effective.origin.map(|country| country.to_string()),
            producer: effective.producer.map(|producer| producer.name.as_str()),
            producer_registration: effective.producer.and_then(|producer| producer.registration.as_deref()),
            importer: facts.importer.public_name.as_deref().unwrap_or(&facts.importer.legal_name),
            port_of_entry: facts.consignment.port_of_entry.as_deref(),
            entry_date: effective.entry_date,
            documents: public_papers(&effective, &facts.documents).into_iter().map(Into::into).collect(),
        }
    }
}

impl From<PublicPaper> for DocumentAnswer {
    fn from(paper: PublicPaper) -> Self {
        Self {
            kind: paper.kind,
            number: paper.number_masked,
            issuer: paper.issuer,
            date: paper.date,
            rendition: paper.rendition.map(|id| format!("/v1/documents/{id}/public")),
        }
    }
}
