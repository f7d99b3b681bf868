//! `/v1/measures`: holds and recalls by number.

pub mod get;
pub mod lift;
pub mod list;
pub mod post;
pub mod preview;

use std::{collections::BTreeSet, time::Instant};

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    App,
    answer::timestamp,
    client_address::ClientAddress,
    error::Problem,
    given::{Fields, problem_of_fields},
    rate::Asker,
    runs::spans::SpanBody,
    text_or::{self, TextOr},
};
use crate::{
    code::{Code, Gtin, Link, Lot},
    epcis::{Hosts, canonical_epc, shapes::MeasureKind},
    limits::{MEASURE_GOODS_SHOWN_MAX, MEASURE_SPANS_MAX, MEASURE_TEXT_CHARS_MAX, MEASURE_UNITS_MAX},
    registration::{Content, Kind, Measure, ValueError, text, unit_epc},
    service::{
        Caller, Service,
        measure::{MeasureError, MeasureOrder, NamedTargets},
    },
    store,
    trace::{BatchId, ProductId, Role},
};

/// A hold or recall: of a batch, a lot, codes, units, or several of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureBody {
    /// `hold`: not to be sold for now; `recall`: to be taken back.
    #[schema(value_type = String, example = "recall")]
    pub kind: MeasureKind,
    /// Number of a batch: all of it.
    pub batch: Option<u64>,
    /// A lot, as a GS1 link or as `{"gtin", "lot"}`: all batches that it has or will have; an importer's own alone,
    /// where it is an importer's measure.
    #[schema(value_type = Option<Object>)]
    pub lot: Option<TextOr<LotJson>>,
    /// Codes, at most 10,000 spans, of any runs.
    #[serde(default)]
    pub spans: Vec<SpanBody>,
    /// Logistic units, at most 1,000: an SSCC of 18 digits, a container number, or the link or EPC URI of an SSCC, a
    /// container, a GRAI or a GIAI. All that was ever inside this life of it.
    #[serde(default)]
    pub units: Vec<String>,
    /// Why; for its author and inspectors, at most 1,000 characters.
    pub reason: Option<String>,
    /// What the public is told, as long.
    pub notice: Option<String>,
    /// What a holder of the goods should do, as long.
    pub advice: Option<String>,
}

/// A lot by its parts.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LotJson {
    /// AI 01, 8, 12, 13 or 14 digits.
    pub gtin: String,
    /// AI 10, 1 to 20 characters.
    pub lot: String,
}

impl MeasureBody {
    /// The measure, with every field well formed.
    ///
    /// # Errors
    /// Every field at fault.
    fn read(self, hosts: &Hosts) -> Result<MeasureOrder, Problem> {
        let mut fields = Fields::default();
        let mut words = |pointer: &str, given: Option<String>| {
            let read = |value: String| fields.keep(pointer, text(&value, MEASURE_TEXT_CHARS_MAX));
            given.and_then(read)
        };
        let (reason, notice) = (words("/reason", self.reason), words("/notice", self.notice));
        let advice = words("/advice", self.advice);
        let lot = self.lot.and_then(|lot| fields.inside("/lot", |fields| read_lot(lot, fields, hosts)));
        let span = |fields: &mut Fields, span: SpanBody| {
            let code = |text: &str| Code::parse(text).map_err(|error| ValueError::out_of_range(text, error));
            let (first, last) = (fields.keep("/first", code(&span.first)), fields.keep("/last", code(&span.last)));
            Some((first?, last?))
        };
        let spans = fields.inside("/spans", |fields| fields.list(self.spans, MEASURE_SPANS_MAX, span));
        let unit = |fields: &mut Fields, unit: String| fields.keep("", unit_epc(&unit, hosts));
        let units = fields.inside("/units", |fields| fields.list(self.units, MEASURE_UNITS_MAX, unit));
        fields.finish()?;
        Ok(MeasureOrder {
            kind: self.kind,
            targets: NamedTargets {
                batch: self.batch.map(BatchId),
                lot,
                spans: spans.unwrap_or_default(),
                units: units.unwrap_or_default(),
            },
            reason,
            notice,
            advice,
        })
    }
}

impl text_or::Parts for LotJson {
    const EXPECTED: &str = "a GS1 link of a lot, or an object with gtin and lot";
}

/// A lot by its parts, or by a link on any known host or its EPC class URI.
fn read_lot(lot: TextOr<LotJson>, fields: &mut Fields, hosts: &Hosts) -> Option<(Gtin, Lot)> {
    match lot {
        TextOr::Parts(LotJson { gtin, lot }) => {
            let gtin = fields.keep("/gtin", gtin.parse().map_err(ValueError::from));
            let lot = fields.keep("/lot", lot.parse().map_err(ValueError::from));
            Some((gtin?, lot?))
        }
        TextOr::Text(link) => {
            let canonical = canonical_epc(&link, hosts);
            let named = Link::parse_uri(canonical.as_deref().unwrap_or(&link), hosts.all());
            match named {
                Ok(Link::Lot { gtin, lot }) => Some((gtin, lot)),
                Err(crate::code::LinkError::Value(error)) => {
                    fields.refuse("", error.into());
                    None
                }
                _ => {
                    fields.refuse("", ValueError::malformed(&link, "a link of a lot, /01/{gtin}/10/{lot}"));
                    None
                }
            }
        }
    }
}

/// The number of a measure.
#[derive(Debug, Serialize, ToSchema)]
pub struct NumberJson {
    /// From 1.
    pub measure: u64,
}

/// What anyone may know of a measure.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeasureJson {
    /// Its number.
    pub measure: u64,
    /// `hold` or `recall`.
    #[schema(value_type = String)]
    pub kind: MeasureKind,
    /// What it is about, at most 20 of them; units are not told.
    pub goods: Vec<GoodsJson>,
    /// How many more there are.
    pub goods_further: usize,
    /// What the public is told.
    pub notice: Option<String>,
    /// What a holder of the goods should do.
    pub advice: Option<String>,
    /// From when on.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it was lifted; `null` while it stands.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lifted: Option<Timestamp>,
}

/// Goods by their names.
#[derive(Debug, Serialize, ToSchema)]
pub struct GoodsJson {
    /// Number of the batch; `null` where a whole lot is meant.
    pub batch: Option<u64>,
    /// The product's GTIN.
    pub gtin: Option<String>,
    /// The product's Chinese name.
    pub name_zh: Option<String>,
    /// The product's English name.
    pub name_en: Option<String>,
    /// The lot.
    pub lot: Option<String>,
    /// Whether all of it is meant; otherwise some codes of it.
    pub whole: bool,
}

impl App {
    /// What anyone may know of a measure.
    async fn public_measure(&self, measure: &Measure) -> Result<MeasureJson, Problem> {
        let (targets, mut goods) = (&measure.targets, Vec::new());
        if let Some((gtin, lot)) = &targets.lot {
            goods.push(lot_goods(&self.service, *gtin, lot).await?);
        }
        let batches: BTreeSet<BatchId> = targets.batches();
        let further = (goods.len() + batches.len()).saturating_sub(MEASURE_GOODS_SHOWN_MAX);
        for batch in batches.into_iter().take(MEASURE_GOODS_SHOWN_MAX - goods.len()) {
            goods.push(batch_goods(&self.service, batch, targets.batch == Some(batch)).await?);
        }
        Ok(MeasureJson {
            measure: measure.id.0,
            kind: measure.kind,
            goods,
            goods_further: further,
            notice: measure.notice.clone(),
            advice: measure.advice.clone(),
            since: timestamp(measure.made_ms),
            lifted: measure.lifted.as_ref().map(|lift| timestamp(lift.lifted_ms)),
        })
    }
}

async fn lot_goods(service: &Service, gtin: Gtin, lot: &Lot) -> store::Result<GoodsJson> {
    let product = match service.product_of_gtin(gtin).await? {
        Some(id) => product_names(service, id).await?,
        None => ProductNames::default(),
    };
    let (name_zh, name_en, _) = product;
    let (gtin, lot) = (Some(gtin.to_string()), Some(lot.to_string()));
    Ok(GoodsJson { batch: None, gtin, name_zh, name_en, lot, whole: true })
}

async fn batch_goods(service: &Service, id: BatchId, whole: bool) -> store::Result<GoodsJson> {
    let statement = service.statement(Kind::Batch, id.0).await?;
    let Some(Content::Batch(batch)) = statement.map(|statement| statement.content) else {
        return Ok(GoodsJson { batch: Some(id.0), gtin: None, name_zh: None, name_en: None, lot: None, whole });
    };
    let product = match batch.product {
        Some(product) => product_names(service, product).await?,
        None => ProductNames::default(),
    };
    let (name_zh, name_en, gtin) = product;
    Ok(GoodsJson { batch: Some(id.0), gtin, name_zh, name_en, lot: batch.lot, whole })
}

/// A product's Chinese and English name, and its GTIN.
type ProductNames = (Option<String>, Option<String>, Option<String>);

async fn product_names(service: &Service, id: ProductId) -> store::Result<ProductNames> {
    Ok(match service.statement(Kind::Product, id.0).await?.map(|statement| statement.content) {
        Some(Content::Product(product)) => {
            (Some(product.name_zh), product.name_en, product.gtin.map(|gtin| gtin.to_string()))
        }
        _ => ProductNames::default(),
    })
}

/// Anyone: with a key that proves who it is, or by address.
pub struct Anyone {
    caller: Option<Caller>,
    asker: Asker,
}

impl FromRequestParts<App> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if parts.headers.contains_key(header::AUTHORIZATION) || parts.extensions.get::<Caller>().is_some() {
            let caller = Caller::from_request_parts(parts, app).await?;
            return Ok(Self { caller: Some(caller), asker: Asker::Organization(caller.organization) });
        }
        Ok(Self { caller: None, asker: Asker::Address(ClientAddress::from_request_parts(parts, app).await?) })
    }
}

impl Anyone {
    /// Pays for a look at what costs as much as so many scans.
    fn pay(&self, app: &App, codes: u32) -> Result<(), Problem> {
        app.rate.admit(self.asker, codes, Instant::now())
    }

    /// Whether a measure may be seen whole: its author's and inspectors'.
    fn sees_all_of(&self, measure: &Measure) -> bool {
        self.caller.is_some_and(|caller| {
            caller.role == Role::Inspector
                || (caller.organization == measure.organization && caller.role == measure.role)
        })
    }
}

impl From<MeasureError> for Problem {
    fn from(error: MeasureError) -> Self {
        let detail = error.to_string();
        match error {
            MeasureError::NotFound(_) => Self::not_found(detail),
            MeasureError::Invalid(errors) => problem_of_fields(errors),
            MeasureError::Forbidden { field, .. } => match field {
                Some(field) => Self::forbidden(detail).at(format!("/{field}")),
                None => Self::forbidden(detail),
            },
            MeasureError::Lifted { lifted_ms, .. } => {
                Self::conflict("lifted", format!("{detail}, at {}", timestamp(lifted_ms)))
            }
            MeasureError::Full => Self::conflict("full", detail),
            MeasureError::Changed(_) => Self::conflict("changed", detail),
            MeasureError::KeyAbsent(_) => Self::conflict("key-absent", detail),
            MeasureError::Event(error) => {
                tracing::error!(%error, "the event of a measure could not be made");
                Self::internal()
            }
            MeasureError::Store(error) => error.into(),
        }
    }
}
