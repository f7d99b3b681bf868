//! `/v1/batches` and `/v1/consignments/{id}/batches`.

pub mod csv;
pub mod get;
pub mod list;
pub mod patch;
pub mod post;
pub mod trace;
pub mod whereabouts;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    App,
    answer::{Version, other_kind},
    error::Problem,
    given::{Fields, Given},
    goods::{DaysJson, LevelCountsJson, PaperJson, ProducerJson, QuantityJson, StorageJson},
};
use crate::{
    registration::{Batch, Content, Country, HsCode, Kind, NAME_CHARS_MAX, NUMBER_CHARS_MAX, Statement, ValueError},
    service::{
        Caller,
        register::{self, BatchInput},
    },
    trace::{BatchId, ProductId},
};

/// A batch as it is made or changed. What is left out follows the consignment or the product.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// The line of the customs declaration, from 1.
    #[schema(value_type = Option<u16>)]
    #[serde(default)]
    pub line: Given<u16>,
    /// The number of the product; this or `gtin` is required unless it is a draft.
    #[schema(value_type = Option<u64>)]
    #[serde(default)]
    pub product: Given<u64>,
    /// The GTIN of a product of yours.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub gtin: Given<String>,
    /// The lot as the producer writes it; required unless it is a draft.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub lot: Given<String>,
    /// The lot as GS1 AI 10, where it has one.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub ai10: Given<String>,
    /// The days of production.
    #[schema(value_type = Option<DaysJson>)]
    #[serde(default)]
    pub production: Given<DaysJson>,
    /// The days of expiry.
    #[schema(value_type = Option<DaysJson>)]
    #[serde(default)]
    pub expiry: Given<DaysJson>,
    /// How much there is, in the declaration's unit.
    #[schema(value_type = Option<QuantityJson>)]
    #[serde(default)]
    pub quantity: Given<QuantityJson>,
    /// Its net weight.
    #[schema(value_type = Option<QuantityJson>)]
    #[serde(default)]
    pub net_weight: Given<QuantityJson>,
    /// How many of each level there are: no more codes are issued for it.
    #[schema(value_type = Option<LevelCountsJson>)]
    #[serde(default)]
    pub quantities: Given<LevelCountsJson>,
    /// The specification.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub specification: Given<String>,
    /// The brand.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub brand: Given<String>,
    /// At which temperatures it must be kept.
    #[schema(value_type = Option<StorageJson>)]
    #[serde(default)]
    pub storage: Given<StorageJson>,
    /// Its HS code.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub hs_code: Given<String>,
    /// Country of origin, ISO 3166.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub origin: Given<String>,
    /// The foreign producer.
    #[schema(value_type = Option<ProducerJson>)]
    #[serde(default)]
    pub producer: Given<ProducerJson>,
    /// The certificate of origin.
    #[schema(value_type = Option<PaperJson>)]
    #[serde(default)]
    pub origin_certificate: Given<PaperJson>,
    /// The test report.
    #[schema(value_type = Option<PaperJson>)]
    #[serde(default)]
    pub test_report: Given<PaperJson>,
    /// The disinfection certificate.
    #[schema(value_type = Option<PaperJson>)]
    #[serde(default)]
    pub disinfection_certificate: Given<PaperJson>,
    /// The record of the Chinese label (中文标签).
    #[schema(value_type = Option<PaperJson>)]
    #[serde(default)]
    pub chinese_label: Given<PaperJson>,
    /// A draft may lack anything, and gets no codes; false where left out.
    #[schema(value_type = bool)]
    #[serde(default)]
    pub draft: Given<bool>,
}

impl BatchBody {
    /// Lays the given fields over a batch.
    ///
    /// # Errors
    /// Names every field at fault.
    pub fn merge(self, input: &mut BatchInput) -> register::Result<()> {
        let mut fields = Fields::default();
        let batch = &mut input.batch;
        fields.set("/line", self.line, &mut batch.line, |fields, line| {
            if line == 0 {
                fields.refuse("", ValueError::out_of_range(0, "the line of a declaration, a number from 1"));
            }
            Some(line)
        });
        // A GTIN names another product than the one before, unless that is given beside it.
        if matches!(self.gtin, Given::Value(_)) {
            batch.product = None;
        }
        fields.set("/product", self.product, &mut batch.product, |_, id| Some(ProductId(id)));
        fields.set_parsed("/gtin", self.gtin, &mut input.gtin, |text| Ok(text.parse()?));
        fields.set_text("/lot", self.lot, &mut batch.lot, NUMBER_CHARS_MAX);
        fields.set_parsed("/ai10", self.ai10, &mut batch.ai10, |text| Ok(text.parse()?));
        fields.set("/production", self.production, &mut batch.production, |fields, days| days.read(fields));
        fields.set("/expiry", self.expiry, &mut batch.expiry, |fields, days| days.read(fields));
        fields.set("/quantity", self.quantity, &mut batch.quantity, |fields, quantity| quantity.read(fields));
        fields.set("/net_weight", self.net_weight, &mut batch.net_weight, |fields, weight| weight.read(fields));
        let mut quantities = Some(batch.quantities);
        fields.set("/quantities", self.quantities, &mut quantities, |_, counts| Some(counts.into()));
        batch.quantities = quantities.unwrap_or_default();
        fields.set_text("/specification", self.specification, &mut batch.specification, NAME_CHARS_MAX);
        fields.set_text("/brand", self.brand, &mut batch.brand, NAME_CHARS_MAX);
        fields.set("/storage", self.storage, &mut batch.storage, |fields, storage| storage.read(fields));
        fields.set_parsed("/hs_code", self.hs_code, &mut batch.hs_code, HsCode::parse);
        fields.set_parsed("/origin", self.origin, &mut batch.origin, Country::parse);
        fields.set("/producer", self.producer, &mut batch.producer, |fields, producer| producer.read(fields));
        for (pointer, given, target) in [
            ("/origin_certificate", self.origin_certificate, &mut batch.origin_certificate),
            ("/test_report", self.test_report, &mut batch.test_report),
            ("/disinfection_certificate", self.disinfection_certificate, &mut batch.disinfection_certificate),
            ("/chinese_label", self.chinese_label, &mut batch.chinese_label),
        ] {
            fields.set(pointer, given, target, |fields, paper| paper.read(fields));
        }
        fields.require("/draft", self.draft, &mut batch.draft, |_, draft| Some(draft));
        fields.finish()
    }
}

/// A batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchJson {
    /// Its number; its EPC class is `https://HOST/batch/{id}`.
    pub id: u64,
    /// The importer that registered it.
    pub organization: u64,
    /// Its consignment.
    pub consignment: u64,
    /// The line of the customs declaration.
    pub line: Option<u16>,
    /// The number of the product.
    pub product: Option<u64>,
    /// The lot as the producer writes it.
    pub lot: Option<String>,
    /// The lot as GS1 AI 10.
    pub ai10: Option<String>,
    /// The days of production.
    pub production: Option<DaysJson>,
    /// The days of expiry.
    pub expiry: Option<DaysJson>,
    /// How much there is.
    pub quantity: Option<QuantityJson>,
    /// Its net weight.
    pub net_weight: Option<QuantityJson>,
    /// How many of each level there are.
    pub quantities: LevelCountsJson,
    /// The specification.
    pub specification: Option<String>,
    /// The brand.
    pub brand: Option<String>,
    /// At which temperatures it must be kept.
    pub storage: Option<StorageJson>,
    /// Its HS code.
    pub hs_code: Option<String>,
    /// Country of origin, ISO 3166 alpha-2.
    pub origin: Option<String>,
    /// The foreign producer.
    pub producer: Option<ProducerJson>,
    /// The certificate of origin.
    pub origin_certificate: Option<PaperJson>,
    /// The test report.
    pub test_report: Option<PaperJson>,
    /// The disinfection certificate.
    pub disinfection_certificate: Option<PaperJson>,
    /// The record of the Chinese label.
    pub chinese_label: Option<PaperJson>,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether this line of the same declaration had been registered before: a warning.
    pub line_registered_before: bool,
    /// The batch that had it, where the caller may see that one.
    pub same_line: Option<u64>,
    /// What it lacks before codes can be issued: fields, and kinds of papers. Not told of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<String>>,
    /// The version shown.
    #[serde(flatten)]
    pub version: Version,
}

impl BatchJson {
    /// A version of a batch.
    ///
    /// # Errors
    /// Where the statement is of another kind.
    pub fn new(statement: &Statement) -> Result<Self, Problem> {
        let Content::Batch(batch) = &statement.content else { return Err(other_kind(statement)) };
        Ok(Self::of(batch, statement))
    }

    fn of(batch: &Batch, statement: &Statement) -> Self {
        Self {
            id: batch.id.0,
            organization: batch.organization.0,
            consignment: batch.consignment.0,
            line: batch.line,
            product: batch.product.map(|id| id.0),
            lot: batch.lot.clone(),
            ai10: batch.ai10.as_ref().map(ToString::to_string),
            production: batch.production.map(Into::into),
            expiry: batch.expiry.map(Into::into),
            quantity: batch.quantity.as_ref().map(Into::into),
            net_weight: batch.net_weight.as_ref().map(Into::into),
            quantities: batch.quantities.into(),
            specification: batch.specification.clone(),
            brand: batch.brand.clone(),
            storage: batch.storage.map(Into::into),
            hs_code: batch.hs_code.as_ref().map(ToString::to_string),
            origin: batch.origin.map(|country| country.to_string()),
            producer: batch.producer.as_ref().map(Into::into),
            origin_certificate: batch.origin_certificate.as_ref().map(Into::into),
            test_report: batch.test_report.as_ref().map(Into::into),
            disinfection_certificate: batch.disinfection_certificate.as_ref().map(Into::into),
            chinese_label: batch.chinese_label.as_ref().map(Into::into),
            draft: batch.draft,
            line_registered_before: batch.same_line.is_some(),
            same_line: batch.same_line.map(|id| id.0),
            missing: None,
            version: statement.into(),
        }
    }
}

/// The newest version of a batch as this caller may see it, with what it lacks. Another importer's batch on the same
/// line is not named.
async fn show(app: &App, caller: &Caller, statement: &Statement) -> Result<BatchJson, Problem> {
    let mut json = BatchJson::new(statement)?;
    let missing = app.service.missing_of_batch(BatchId(json.id)).await?;
    json.missing = missing.map(|missing| missing.iter().map(|it| it.field().to_owned()).collect());
    json.same_line = seen(app, caller, json.same_line).await;
    Ok(json)
}

async fn seen(app: &App, caller: &Caller, batch: Option<u64>) -> Option<u64> {
    let batch = batch?;
    app.service.readable(caller, Kind::Batch, batch).await.ok().map(|_| batch)
}
