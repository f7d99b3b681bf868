//! A batch of shrimp, for tests.

use jiff::civil::date;

use super::{
    Batch, Category, Consignment, Country, DeclarationNumber, HsCode, Level, PackagingLevel, Paper, Producer, Product,
    Quantity, Uom,
};
use crate::trace::{ConsignmentId, OrganizationId, ProductId};

pub(crate) fn kilograms(value: &str) -> Quantity {
    Quantity { value: value.parse().unwrap(), uom: Uom::kilogram() }
}

pub(crate) fn product() -> Product {
    Product {
        id: ProductId(1),
        organization: OrganizationId(1),
        gtin: "09506000134352".parse().ok(),
        name_zh: "冷冻南美白虾".to_owned(),
        name_en: Some("Frozen whiteleg shrimp".to_owned()),
        category: Category::Seafood,
        brand: Some("Pacífico".to_owned()),
        specification: None,
        packaging: vec![PackagingLevel { level: Level::Item, items: 1, net: Some(kilograms("0.4")) }],
        storage: None,
        hs_code: HsCode::parse("0306179090").ok(),
        picture: None,
    }
}

pub(crate) fn consignment() -> Consignment {
    Consignment {
        id: ConsignmentId(1),
        organization: OrganizationId(1),
        declaration: DeclarationNumber::parse("223120201000012345").ok(),
        bill_of_lading: None,
        containers: Vec::new(),
        origin: Country::parse("EC").ok(),
        consignor: None,
        consignee: None,
        consignee_uscc: None,
        port_of_entry: None,
        entry_date: Some(date(2026, 5, 1)),
        quarantine_certificate: Some(Paper { number: "I2026".to_owned(), issuer: None, date: None }),
        vehicle_plate: None,
        supervision: None,
        first_warehouse: None,
        producer: Some(Producer {
            name: "Camarones SA".to_owned(),
            registration: Some("CECU16011601150001".to_owned()),
        }),
        origin_certificate: None,
        test_report: None,
        disinfection_certificate: None,
    }
}

pub(crate) fn batch() -> Batch {
    let blank = Batch::blank(OrganizationId(1), ConsignmentId(1), 0);
    Batch { product: Some(ProductId(1)), lot: Some("L-1".to_owned()), net_weight: Some(kilograms("1000")), ..blank }
}
