//! Wire types that products, consignments and batches share.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::given::Fields;
use crate::registration::{
    DateRange, Decimal, LevelCounts, NAME_CHARS_MAX, NUMBER_CHARS_MAX, Paper, Producer, Quantity, StorageLimits,
    Supervision, Uom, ValueError, date, date_range, text,
};

/// An amount with its unit.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuantityJson {
    /// 0 to 10^12, at most six digits after the point.
    #[schema(example = 0.4)]
    pub value: f64,
    /// UN/CEFACT Recommendation 20.
    #[schema(example = "KGM")]
    pub uom: String,
}

impl QuantityJson {
    /// The amount; nothing at all is none.
    pub fn read(self, fields: &mut Fields) -> Option<Quantity> {
        let value = Decimal::from_number(self.value);
        let value = value.and_then(|value| match value.millionths() {
            0 => Err(ValueError::out_of_range(0, "an amount above 0")),
            _ => Ok(value),
        });
        let value = fields.keep("/value", value);
        let uom = fields.keep("/uom", Uom::parse(&self.uom));
        Some(Quantity { value: value?, uom: uom? })
    }
}

impl From<&Quantity> for QuantityJson {
    fn from(quantity: &Quantity) -> Self {
        Self { value: quantity.value.to_number(), uom: quantity.uom.to_string() }
    }
}

/// Days, both ends named; one may be left out where they are the same.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DaysJson {
    /// The first day.
    #[schema(format = Date, example = "2024-05-02")]
    pub first: Option<String>,
    /// The last day.
    #[schema(format = Date, example = "2024-05-04")]
    pub last: Option<String>,
}

impl DaysJson {
    /// The days.
    pub fn read(self, fields: &mut Fields) -> Option<DateRange> {
        let mut day = |pointer, text: Option<String>| match text {
            None => Some(None),
            Some(text) => fields.keep(pointer, date(&text)).map(Some),
        };
        let (first, last) = (day("/first", self.first), day("/last", self.last));
        let range = fields.keep("/last", date_range(first?, last?))?;
        if range.is_none() {
            fields.refuse("/first", ValueError::Missing { expected: "a date that exists, as YYYY-MM-DD" });
        }
        range
    }
}

impl From<DateRange> for DaysJson {
    fn from(days: DateRange) -> Self {
        Self { first: Some(days.first.to_string()), last: Some(days.last.to_string()) }
    }
}

/// A paper by its number.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperJson {
    /// Its number.
    pub number: String,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When.
    #[schema(format = Date)]
    pub date: Option<String>,
}

impl PaperJson {
    /// The paper.
    pub fn read(self, fields: &mut Fields) -> Option<Paper> {
        let number = fields.keep("/number", text(&self.number, NUMBER_CHARS_MAX));
        let issuer = optional(fields, "/issuer", self.issuer, |value| text(value, NAME_CHARS_MAX));
        let date: Option<Option<Date>> = optional(fields, "/date", self.date, date);
        Some(Paper { number: number?, issuer: issuer?, date: date? })
    }
}

impl From<&Paper> for PaperJson {
    fn from(paper: &Paper) -> Self {
        Self {
            number: paper.number.clone(),
            issuer: paper.issuer.clone(),
            date: paper.date.map(|date| date.to_string()),
        }
    }
}

/// A foreign producer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProducerJson {
    /// Its name.
    pub name: String,
    /// Its registration number.
    pub registration: Option<String>,
}

impl ProducerJson {
    /// The producer.
    pub fn read(self, fields: &mut Fields) -> Option<Producer> {
        let name = fields.keep("/name", text(&self.name, NAME_CHARS_MAX));
        let registration = optional(fields, "/registration", self.registration, |value| text(value, 40));
        Some(Producer { name: name?, registration: registration? })
    }
}

impl From<&Producer> for ProducerJson {
    fn from(producer: &Producer) -> Self {
        Self { name: producer.name.clone(), registration: producer.registration.clone() }
    }
}

/// A stay in a central supervision warehouse.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupervisionJson {
    /// The warehouse.
    pub warehouse: String,
    /// The number of the release.
    pub release_number: Option<String>,
    /// The day of the release.
    #[schema(format = Date)]
    pub release_date: Option<String>,
}

impl SupervisionJson {
    /// The stay.
    pub fn read(self, fields: &mut Fields) -> Option<Supervision> {
        let warehouse = fields.keep("/warehouse", text(&self.warehouse, NAME_CHARS_MAX));
        let number = optional(fields, "/release_number", self.release_number, |value| text(value, NUMBER_CHARS_MAX));
        let day = optional(fields, "/release_date", self.release_date, date);
        Some(Supervision { warehouse: warehouse?, release_number: number?, release_date: day? })
    }
}

impl From<&Supervision> for SupervisionJson {
    fn from(stay: &Supervision) -> Self {
        Self {
            warehouse: stay.warehouse.clone(),
            release_number: stay.release_number.clone(),
            release_date: stay.release_date.map(|date| date.to_string()),
        }
    }
}

/// At which temperatures goods must be kept; at least one limit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageJson {
    /// Not colder than this, °C.
    pub min_celsius: Option<f64>,
    /// Not warmer than this, °C.
    #[schema(example = -18.0)]
    pub max_celsius: Option<f64>,
}

impl StorageJson {
    /// The limits.
    pub fn read(self, fields: &mut Fields) -> Option<StorageLimits> {
        let limits = fields.keep("", StorageLimits::new(self.min_celsius, self.max_celsius))?;
        if limits.is_none() {
            fields.refuse("/max_celsius", ValueError::Missing { expected: "at least one limit, in °C" });
        }
        limits
    }
}

impl From<StorageLimits> for StorageJson {
    fn from(limits: StorageLimits) -> Self {
        Self { min_celsius: limits.min_celsius, max_celsius: limits.max_celsius }
    }
}

/// How many of each level there are.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelCountsJson {
    /// Items.
    pub item: Option<u64>,
    /// Display boxes.
    pub display: Option<u64>,
    /// Cases.
    pub case: Option<u64>,
}

impl From<LevelCountsJson> for LevelCounts {
    fn from(counts: LevelCountsJson) -> Self {
        Self { item: counts.item, display: counts.display, case: counts.case }
    }
}

impl From<LevelCounts> for LevelCountsJson {
    fn from(counts: LevelCounts) -> Self {
        Self { item: counts.item, display: counts.display, case: counts.case }
    }
}

/// A text that may be absent; `None` where it is there and wrong.
fn optional<T>(
    fields: &mut Fields,
    pointer: &str,
    value: Option<String>,
    parse: impl FnOnce(&str) -> Result<T, ValueError>,
) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(value) => fields.keep(pointer, parse(&value)).map(Some),
    }
}
