//! What goods were made of, in the JSON of a scan.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::json::QuantityAnswer;
use crate::{
    http::answer::timestamp,
    registration::Level,
    service::{
        provenance::Portion,
        scan::{CameFrom, MadeOf},
    },
};

/// Goods of their own since they were split off others.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PortionAnswer<'a> {
    /// What it holds.
    content: Option<QuantityAnswer<'a>>,
    /// The last day on which it may be used.
    #[schema(value_type = Option<String>, format = Date)]
    expiry: Option<Date>,
}

/// Goods that went into others.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CameFromAnswer<'a> {
    /// The batch.
    batch: u64,
    /// The product's GTIN.
    gtin: Option<String>,
    /// The product's Chinese name.
    name_zh: Option<&'a str>,
    /// The product's English name.
    name_en: Option<&'a str>,
    lot: Option<&'a str>,
    /// ISO 3166-1 alpha-2.
    origin: Option<String>,
    producer: Option<&'a str>,
    importer: &'a str,
    /// `item`, `display` or `case`, where it was one by its code.
    package: Option<&'static str>,
    /// What one of these held.
    content: Option<QuantityAnswer<'a>>,
    /// When it was consumed.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// How many transformations lie between, from 1.
    level: usize,
    /// Whether that took effect; otherwise it is a report of somebody who had not the goods.
    confirmed: bool,
}

impl<'a> PortionAnswer<'a> {
    /// `None` of goods that were made as a batch, not as portions.
    pub fn of(portion: &'a Portion) -> Option<Self> {
        let (content, expiry) = (portion.content.as_ref().map(QuantityAnswer::of), portion.expiry);
        (content.is_some() || expiry.is_some()).then_some(Self { content, expiry })
    }
}

impl<'a> CameFromAnswer<'a> {
    /// All that are told.
    pub fn all(made: &'a MadeOf) -> Vec<Self> {
        made.came_from.iter().map(Self::of).collect()
    }

    fn of(source: &'a CameFrom) -> Self {
        let (facts, effective) = (&source.batch, source.batch.effective());
        let product = facts.product.as_ref();
        Self {
            batch: facts.batch.id.0,
            gtin: product.and_then(|product| product.gtin.as_ref()).map(ToString::to_string),
            name_zh: product.map(|product| product.name_zh.as_str()),
            name_en: product.and_then(|product| product.name_en.as_deref()),
            lot: facts.batch.lot.as_deref(),
            origin: effective.origin.map(|country| country.to_string()),
            producer: effective.producer.map(|producer| producer.name.as_str()),
            importer: facts.importer.public_name.as_deref().unwrap_or(&facts.importer.legal_name),
            package: source.level.map(Level::as_str),
            content: source.content.as_ref().map(QuantityAnswer::of),
            time: timestamp(source.at_ms),
            level: source.steps,
            confirmed: source.confirmed,
        }
    }
}
