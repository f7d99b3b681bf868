//! Products: trade items.

use serde::{Deserialize, Serialize};

use super::{HsCode, Quantity, StoredFile, ValueError};
use crate::{
    code::Gtin,
    trace::{OrganizationId, ProductId},
};

/// A trade item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Its number.
    pub id: ProductId,
    /// Who registered it.
    pub organization: OrganizationId,
    /// Its GTIN; much frozen meat has none.
    pub gtin: Option<Gtin>,
    /// Its name in Chinese, 1 to 200 characters.
    pub name_zh: String,
    /// Its name in English, 1 to 200 characters.
    pub name_en: Option<String>,
    /// What kind of food it is.
    pub category: Category,
    /// The brand, at most 200 characters.
    pub brand: Option<String>,
    /// The specification (规格), such as `30/40, 10 x 2 kg`; at most 200 characters.
    pub specification: Option<String>,
    /// Its packaging, from the smallest level up; each level at most once.
    pub packaging: Vec<PackagingLevel>,
    /// At which temperatures it must be kept.
    pub storage: Option<StorageLimits>,
    /// Its HS code.
    pub hs_code: Option<HsCode>,
    /// A picture of it.
    pub picture: Option<StoredFile>,
}

/// What kind of food; document profiles are chosen by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Beef, pork, lamb and other meat.
    Meat,
    /// Chicken, duck and other poultry.
    Poultry,
    /// Fish, crustaceans, molluscs.
    Seafood,
    /// Fruit, fresh or frozen.
    Fruit,
    /// Vegetables.
    Vegetable,
    /// Milk, butter, cheese.
    Dairy,
    /// Eggs.
    Egg,
    /// Ice cream and frozen desserts.
    IceCream,
    /// Ready meals, dough, soups.
    Prepared,
    /// Anything else.
    Other,
}

/// A level of packaging that can bear a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// What a consumer buys.
    Item,
    /// An inner box on a shop's shelf.
    Display,
    /// A carton.
    Case,
}

impl Level {
    /// Its word in the API and in CSV.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Display => "display",
            Self::Case => "case",
        }
    }
}

/// One level of a product's packaging.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackagingLevel {
    /// Which level.
    pub level: Level,
    /// How many items it holds, from 1; 1 for the item itself.
    pub items: u32,
    /// The net weight or volume of its contents.
    pub net: Option<Quantity>,
}

/// At which temperatures goods must be kept. At least one limit is given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorageLimits {
    /// Not colder than this, -100 to 100.
    pub min_celsius: Option<f64>,
    /// Not warmer than this, -100 to 100.
    pub max_celsius: Option<f64>,
}

impl StorageLimits {
    /// `None` where no limit is given.
    ///
    /// # Errors
    /// Where a limit lies outside -100 to 100 °C, or the lower above the upper.
    pub fn new(min_celsius: Option<f64>, max_celsius: Option<f64>) -> Result<Option<Self>, ValueError> {
        for celsius in [min_celsius, max_celsius].into_iter().flatten() {
            if !(-100.0..=100.0).contains(&celsius) {
                return Err(ValueError::out_of_range(celsius, "-100 to 100 °C"));
            }
        }
        if let (Some(min), Some(max)) = (min_celsius, max_celsius)
            && min > max
        {
            return Err(ValueError::out_of_range(min, format!("a lower limit of at most {max} °C")));
        }
        Ok((min_celsius.is_some() || max_celsius.is_some()).then_some(Self { min_celsius, max_celsius }))
    }
}
