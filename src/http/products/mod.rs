//! `/v1/products`.

pub mod get;
pub mod list;
pub mod patch;
pub mod picture;
pub mod post;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answer::{Version, other_kind},
    error::Problem,
    given::{Fields, Given},
    goods::{QuantityJson, StorageJson},
};
use crate::{
    registration::{
        Category, Content, HsCode, Level, NAME_CHARS_MAX, PackagingLevel, Product, Statement, ValueError, text,
    },
    service::register,
    trace::{OrganizationId, ProductId},
};

/// A product as it is made or changed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductBody {
    /// Its GTIN of 8, 12, 13 or 14 digits; fixed once it is registered.
    #[schema(value_type = Option<String>, example = "09506000134352")]
    #[serde(default)]
    pub gtin: Given<String>,
    /// Its name in Chinese; required.
    #[schema(value_type = String)]
    #[serde(default)]
    pub name_zh: Given<String>,
    /// Its name in English.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub name_en: Given<String>,
    /// `meat`, `poultry`, `seafood`, `fruit`, `vegetable`, `dairy`, `egg`, `ice_cream`, `prepared` or `other`, which
    /// it is where left out.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub category: Given<Category>,
    /// The brand.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub brand: Given<String>,
    /// The specification.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub specification: Given<String>,
    /// Its levels of packaging, each once.
    #[schema(value_type = Vec<PackagingJson>)]
    #[serde(default)]
    pub packaging: Given<Vec<PackagingJson>>,
    /// At which temperatures it must be kept.
    #[schema(value_type = Option<StorageJson>)]
    #[serde(default)]
    pub storage: Given<StorageJson>,
    /// Its HS code.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub hs_code: Given<String>,
}

/// A level of packaging.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackagingJson {
    /// `item`, `display` or `case`.
    #[schema(value_type = String)]
    pub level: Level,
    /// How many items it holds, from 1.
    pub items: u32,
    /// The net weight or volume of its contents.
    pub net: Option<QuantityJson>,
}

impl PackagingJson {
    fn read(self, fields: &mut Fields) -> Option<PackagingLevel> {
        if self.items == 0 {
            fields.refuse("/items", ValueError::out_of_range(0, "a number from 1"));
        }
        let net = match self.net {
            None => Some(None),
            Some(net) => fields.inside("/net", |fields| net.read(fields)).map(Some),
        };
        Some(PackagingLevel { level: self.level, items: self.items, net: net? })
    }
}

impl ProductBody {
    /// Lays the given fields over a product.
    ///
    /// # Errors
    /// Names every field at fault.
    pub fn merge(self, product: &mut Product) -> register::Result<()> {
        let mut fields = Fields::default();
        fields.set_parsed("/gtin", self.gtin, &mut product.gtin, |text| Ok(text.parse()?));
        fields.require("/name_zh", self.name_zh, &mut product.name_zh, |fields, name| {
            fields.keep("", text(&name, NAME_CHARS_MAX))
        });
        if product.name_zh.is_empty() {
            fields.refuse("/name_zh", ValueError::Missing { expected: "its name in Chinese" });
        }
        fields.set_text("/name_en", self.name_en, &mut product.name_en, NAME_CHARS_MAX);
        fields.require("/category", self.category, &mut product.category, |_, category| Some(category));
        fields.set_text("/brand", self.brand, &mut product.brand, NAME_CHARS_MAX);
        fields.set_text("/specification", self.specification, &mut product.specification, NAME_CHARS_MAX);
        fields.require("/packaging", self.packaging, &mut product.packaging, |fields, levels| {
            let levels = fields.list(levels, 3, |fields, level| level.read(fields))?;
            let repeated =
                levels.iter().enumerate().find(|(at, it)| levels.iter().take(*at).any(|i| i.level == it.level));
            if let Some((at, level)) = repeated {
                let error = ValueError::out_of_range(level.level.as_str(), "each level once");
                fields.refuse(&format!("/{at}/level"), error);
            }
            Some(levels)
        });
        fields.set("/storage", self.storage, &mut product.storage, |fields, storage| storage.read(fields));
        fields.set_parsed("/hs_code", self.hs_code, &mut product.hs_code, HsCode::parse);
        fields.finish()
    }
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductJson {
    /// Its number.
    pub id: u64,
    /// The organization that registered it.
    pub organization: u64,
    /// Its GTIN, 14 digits.
    pub gtin: Option<String>,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: Option<String>,
    /// What kind of food it is.
    #[schema(value_type = String)]
    pub category: Category,
    /// The brand.
    pub brand: Option<String>,
    /// The specification.
    pub specification: Option<String>,
    /// Its levels of packaging.
    pub packaging: Vec<PackagingJson>,
    /// At which temperatures it must be kept.
    pub storage: Option<StorageJson>,
    /// Its HS code.
    pub hs_code: Option<String>,
    /// Where its picture is.
    pub picture: Option<String>,
    /// The version shown.
    #[serde(flatten)]
    pub version: Version,
}

impl ProductJson {
    /// A version of a product.
    ///
    /// # Errors
    /// Where the statement is of another kind.
    pub fn new(statement: &Statement) -> Result<Self, Problem> {
        let Content::Product(product) = &statement.content else { return Err(other_kind(statement)) };
        let packaging = |level: &PackagingLevel| PackagingJson {
            level: level.level,
            items: level.items,
            net: level.net.as_ref().map(Into::into),
        };
        Ok(Self {
            id: product.id.0,
            organization: product.organization.0,
            gtin: product.gtin.map(|gtin| gtin.to_string()),
            name_zh: product.name_zh.clone(),
            name_en: product.name_en.clone(),
            category: product.category,
            brand: product.brand.clone(),
            specification: product.specification.clone(),
            packaging: product.packaging.iter().map(packaging).collect(),
            storage: product.storage.map(Into::into),
            hs_code: product.hs_code.as_ref().map(ToString::to_string),
            picture: product.picture.as_ref().map(|_| format!("/v1/products/{}/picture", product.id)),
            version: statement.into(),
        })
    }
}

/// A product before its fields are read.
fn blank() -> Product {
    Product {
        id: ProductId(0),
        organization: OrganizationId(0),
        gtin: None,
        name_zh: String::new(),
        name_en: None,
        category: Category::Other,
        brand: None,
        specification: None,
        packaging: Vec::new(),
        storage: None,
        hs_code: None,
        picture: None,
    }
}
