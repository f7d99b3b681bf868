//! What holds for a batch: its own fields over its consignment's over its product's.

use jiff::civil::Date;

use super::{Batch, Category, Consignment, Country, HsCode, Paper, Producer, Product, StorageLimits};

/// A batch with what it takes from its consignment and its product.
#[derive(Clone, Copy, Debug)]
pub struct EffectiveBatch<'a> {
    /// The batch itself.
    pub batch: &'a Batch,
    /// Its consignment.
    pub consignment: &'a Consignment,
    /// Its product; `None` only for a draft.
    pub product: Option<&'a Product>,
    /// What kind of food it is.
    pub category: Option<Category>,
    /// The brand.
    pub brand: Option<&'a str>,
    /// The specification.
    pub specification: Option<&'a str>,
    /// At which temperatures it must be kept.
    pub storage: Option<StorageLimits>,
    /// The HS code.
    pub hs_code: Option<&'a HsCode>,
    /// Where it comes from.
    pub origin: Option<Country>,
    /// The day on which it entered.
    pub entry_date: Option<Date>,
    /// Who made it.
    pub producer: Option<&'a Producer>,
    /// The inspection and quarantine certificate.
    pub quarantine_certificate: Option<&'a Paper>,
    /// The certificate of origin.
    pub origin_certificate: Option<&'a Paper>,
    /// The test report.
    pub test_report: Option<&'a Paper>,
    /// The disinfection certificate.
    pub disinfection_certificate: Option<&'a Paper>,
}

impl<'a> EffectiveBatch<'a> {
    /// The view of a batch. `consignment` and `product` are the ones that it names.
    pub fn new(batch: &'a Batch, consignment: &'a Consignment, product: Option<&'a Product>) -> Self {
        let of_product = |own: &'a Option<String>, theirs: fn(&Product) -> &Option<String>| {
            own.as_deref().or_else(|| product.and_then(|product| theirs(product).as_deref()))
        };
        Self {
            batch,
            consignment,
            product,
            category: product.map(|product| product.category),
            brand: of_product(&batch.brand, |product| &product.brand),
            specification: of_product(&batch.specification, |product| &product.specification),
            storage: batch.storage.or_else(|| product.and_then(|product| product.storage)),
            hs_code: batch.hs_code.as_ref().or_else(|| product.and_then(|product| product.hs_code.as_ref())),
            origin: batch.origin.or(consignment.origin),
            entry_date: consignment.entry_date,
            producer: batch.producer.as_ref().or(consignment.producer.as_ref()),
            quarantine_certificate: consignment.quarantine_certificate.as_ref(),
            origin_certificate: batch.origin_certificate.as_ref().or(consignment.origin_certificate.as_ref()),
            test_report: batch.test_report.as_ref().or(consignment.test_report.as_ref()),
            disinfection_certificate: batch
                .disinfection_certificate
                .as_ref()
                .or(consignment.disinfection_certificate.as_ref()),
        }
    }
}
