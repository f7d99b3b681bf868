//! Batches: one lot of one product in one consignment.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Country, FieldError, HsCode, Level, Paper, Producer, Quantity, StorageLimits, ValueError};
use crate::{
    code,
    trace::{BatchId, ConsignmentId, OrganizationId, ProductId, RecordId},
};

/// One lot of one product in one consignment. A field that is `None` follows the consignment or the product:
/// see [`super::EffectiveBatch`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Its number.
    pub id: BatchId,
    /// The importer that registered it.
    pub organization: OrganizationId,
    /// The consignment that it came in.
    pub consignment: ConsignmentId,
    /// The line of the customs declaration (项号), from 1.
    pub line: Option<u16>,
    /// The product; a draft may not know it yet.
    pub product: Option<ProductId>,
    /// The lot as the producer writes it: any text, at most 100 characters.
    pub lot: Option<String>,
    /// The lot as AI 10, where it has one.
    pub ai10: Option<code::Lot>,
    /// The days of production.
    pub production: Option<DateRange>,
    /// The days of expiry; it has expired on the day after the last.
    pub expiry: Option<DateRange>,
    /// How much of it there is, in the declaration's unit.
    pub quantity: Option<Quantity>,
    /// Its net weight.
    pub net_weight: Option<Quantity>,
    /// How many of each level there are.
    pub quantities: LevelCounts,
    /// The specification, at most 200 characters.
    pub specification: Option<String>,
    /// The brand, at most 200 characters.
    pub brand: Option<String>,
    /// At which temperatures it must be kept.
    pub storage: Option<StorageLimits>,
    /// Its HS code.
    pub hs_code: Option<HsCode>,
    /// Where it comes from.
    pub origin: Option<Country>,
    /// Who made it.
    pub producer: Option<Producer>,
    /// The certificate of origin.
    pub origin_certificate: Option<Paper>,
    /// The test report.
    pub test_report: Option<Paper>,
    /// The disinfection certificate.
    pub disinfection_certificate: Option<Paper>,
    /// The record of the Chinese label (中文标签).
    pub chinese_label: Option<Paper>,
    /// A draft may lack anything; it has no registration event and no codes.
    pub draft: bool,
    /// The batch that had this line of the same declaration before, where there is one: a flag, never a refusal.
    pub same_line: Option<BatchId>,
    /// When it was registered, milliseconds since 1970-01-01 UTC.
    pub created_ms: i64,
    /// The record of its registration that stands, the newest correction; `None` for a draft.
    #[serde(default)]
    pub registration: Option<RecordId>,
}

impl Batch {
    /// A batch without any field, and without a number until it gets one.
    pub fn blank(organization: OrganizationId, consignment: ConsignmentId, created_ms: i64) -> Self {
        Self {
            id: BatchId(0),
            organization,
            consignment,
            line: None,
            product: None,
            lot: None,
            ai10: None,
            production: None,
            expiry: None,
            quantity: None,
            net_weight: None,
            quantities: LevelCounts::default(),
            specification: None,
            brand: None,
            storage: None,
            hs_code: None,
            origin: None,
            producer: None,
            origin_certificate: None,
            test_report: None,
            disinfection_certificate: None,
            chinese_label: None,
            draft: false,
            same_line: None,
            created_ms,
            registration: None,
        }
    }

    /// What contradicts itself, and, unless it is a draft, what a registered batch cannot be without.
    pub fn errors(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !self.draft {
            let product = "the number or GTIN of a product, or `draft`";
            let lot = "the lot as the producer writes it, or `draft`";
            for (field, missing, expected) in
                [("product", self.product.is_none(), product), ("lot", self.lot.is_none(), lot)]
            {
                if missing {
                    errors.push(FieldError::new(field, ValueError::Missing { expected }));
                }
            }
        }
        if let (Some(production), Some(expiry)) = (self.production, self.expiry)
            && expiry.last < production.first
        {
            let expected = format!("a day at or after the first of production, {}", production.first);
            errors.push(FieldError::new("expiry", ValueError::out_of_range(expiry.last, expected)));
        }
        errors
    }
}

/// A range of days of which one end may be left out; `None` where both are.
///
/// # Errors
/// Where the last stands before the first.
pub fn date_range(first: Option<Date>, last: Option<Date>) -> Result<Option<DateRange>, ValueError> {
    match (first.or(last), last.or(first)) {
        (Some(first), Some(last)) => DateRange::new(first, last).map(Some),
        _ => Ok(None),
    }
}

/// Days, both ends named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateRange {
    /// The first day.
    pub first: Date,
    /// The last day, at or after `first`.
    pub last: Date,
}

impl DateRange {
    /// The days from `first` to `last`.
    ///
    /// # Errors
    /// Where `last` stands before `first`.
    pub fn new(first: Date, last: Date) -> Result<Self, ValueError> {
        if first > last {
            return Err(ValueError::out_of_range(last, format!("a last day at or after the first, {first}")));
        }
        Ok(Self { first, last })
    }
}

/// How many of each level there are; a level without a count is limited by content against net weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelCounts {
    /// Items.
    pub item: Option<u64>,
    /// Display boxes.
    pub display: Option<u64>,
    /// Cases.
    pub case: Option<u64>,
}

impl LevelCounts {
    /// The count of a level.
    pub fn of(&self, level: Level) -> Option<u64> {
        match level {
            Level::Item => self.item,
            Level::Display => self.display,
            Level::Case => self.case,
        }
    }
}
