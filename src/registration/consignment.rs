//! Consignments: what one customs declaration covers.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{ContainerNumber, Country, DeclarationNumber, Uscc};
use crate::trace::{ConsignmentId, OrganizationId};

/// What one customs declaration covers: the fields and papers that its batches share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consignment {
    /// Its number.
    pub id: ConsignmentId,
    /// The importer that registered it.
    pub organization: OrganizationId,
    /// The customs declaration (报关单).
    pub declaration: Option<DeclarationNumber>,
    /// The bill of lading, at most 50 characters.
    pub bill_of_lading: Option<String>,
    /// The containers.
    pub containers: Vec<ContainerNumber>,
    /// Where the goods come from.
    pub origin: Option<Country>,
    /// Who sent them, at most 200 characters.
    pub consignor: Option<String>,
    /// Who receives them, at most 200 characters.
    pub consignee: Option<String>,
    /// The consignee's credit code.
    pub consignee_uscc: Option<Uscc>,
    /// The port of entry, at most 100 characters.
    pub port_of_entry: Option<String>,
    /// The day on which they entered.
    pub entry_date: Option<Date>,
    /// The inspection and quarantine certificate (入境货物检验检疫证明).
    pub quarantine_certificate: Option<Paper>,
    /// The vehicle that took them from the port, at most 20 characters. Never public, never in an event.
    pub vehicle_plate: Option<String>,
    /// The central supervision warehouse (集中监管仓) and the release from it.
    pub supervision: Option<Supervision>,
    /// The first warehouse (首站), at most 200 characters.
    pub first_warehouse: Option<String>,
    /// Who made the goods, where one producer made them all.
    pub producer: Option<Producer>,
    /// The certificate of origin, where one covers them all.
    pub origin_certificate: Option<Paper>,
    /// The test report, where one covers them all.
    pub test_report: Option<Paper>,
    /// The disinfection certificate, where one covers them all.
    pub disinfection_certificate: Option<Paper>,
}

/// A paper as its number says it; the paper itself may be uploaded as a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// Its number, 1 to 100 characters.
    pub number: String,
    /// Who issued it, at most 200 characters.
    pub issuer: Option<String>,
    /// When it was issued.
    pub date: Option<Date>,
}

/// A stay in a central supervision warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// The warehouse, 1 to 200 characters.
    pub warehouse: String,
    /// The number of the release (出仓证明), at most 100 characters.
    pub release_number: Option<String>,
    /// The day of the release.
    pub release_date: Option<Date>,
}

/// A foreign producer. Always public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Producer {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Its registration with the Chinese customs (境外生产企业注册编号), such as `CECU16011601150001`, or the number
    /// under which its own country lists it; at most 40 characters.
    pub registration: Option<String>,
}
