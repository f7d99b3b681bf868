//! `/v1/consignments`.

pub mod get;
pub mod list;
pub mod patch;
pub mod post;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answer::{Version, other_kind},
    error::Problem,
    given::{Fields, Given},
    goods::{PaperJson, ProducerJson, SupervisionJson},
};
use crate::{
    limits::CONTAINERS_MAX,
    registration::{
        Consignment, ContainerNumber, Content, Country, DeclarationNumber, NAME_CHARS_MAX, NUMBER_CHARS_MAX, Statement,
        Uscc, date,
    },
    service::register,
    trace::{ConsignmentId, OrganizationId},
};

/// A consignment as it is made or changed. Everything may follow later.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsignmentBody {
    /// The customs declaration (报关单), 18 digits.
    #[schema(value_type = Option<String>, example = "223120201000012345")]
    #[serde(default)]
    pub declaration: Given<String>,
    /// The bill of lading.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub bill_of_lading: Given<String>,
    /// Containers, ISO 6346.
    #[schema(value_type = Vec<String>, example = json!(["CSQU3054383"]))]
    #[serde(default)]
    pub containers: Given<Vec<String>>,
    /// Country of origin, ISO 3166: alpha-2, alpha-3 or numeric.
    #[schema(value_type = Option<String>, example = "EC")]
    #[serde(default)]
    pub origin: Given<String>,
    /// Who sent it.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub consignor: Given<String>,
    /// Who receives it.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub consignee: Given<String>,
    /// The consignee's unified social credit code.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub consignee_uscc: Given<String>,
    /// The port of entry.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub port_of_entry: Given<String>,
    /// The day of entry.
    #[schema(value_type = Option<String>, format = Date)]
    #[serde(default)]
    pub entry_date: Given<String>,
    /// The inspection and quarantine certificate (入境货物检验检疫证明).
    #[schema(value_type = Option<PaperJson>)]
    #[serde(default)]
    pub quarantine_certificate: Given<PaperJson>,
    /// The vehicle that took it from the port. Never public.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub vehicle_plate: Given<String>,
    /// The central supervision warehouse (集中监管仓).
    #[schema(value_type = Option<SupervisionJson>)]
    #[serde(default)]
    pub supervision: Given<SupervisionJson>,
    /// The first warehouse (首站).
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub first_warehouse: Given<String>,
    /// The foreign producer of all its batches.
    #[schema(value_type = Option<ProducerJson>)]
    #[serde(default)]
    pub producer: Given<ProducerJson>,
    /// The certificate of origin of all its batches.
    #[schema(value_type = Option<PaperJson>)]
    #[serde(default)]
    pub origin_certificate: Given<PaperJson>,
    /// The test report of all its batches.
    #[schema(value_type = Option<PaperJson>)]
    #[serde(default)]
    pub test_report: Given<PaperJson>,
    /// The disinfection certificate of all its batches.
    #[schema(value_type = Option<PaperJson>)]
    #[serde(default)]
    pub disinfection_certificate: Given<PaperJson>,
}

impl ConsignmentBody {
    /// Lays the given fields over a consignment.
    ///
    /// # Errors
    /// Names every field at fault.
    pub fn merge(self, to: &mut Consignment) -> register::Result<()> {
        let mut fields = Fields::default();
        fields.set_parsed("/declaration", self.declaration, &mut to.declaration, DeclarationNumber::parse);
        fields.set_text("/bill_of_lading", self.bill_of_lading, &mut to.bill_of_lading, NUMBER_CHARS_MAX);
        fields.require("/containers", self.containers, &mut to.containers, |fields, containers| {
            fields.list(containers, CONTAINERS_MAX, |fields, text| fields.keep("", ContainerNumber::parse(&text)))
        });
        fields.set_parsed("/origin", self.origin, &mut to.origin, Country::parse);
        fields.set_text("/consignor", self.consignor, &mut to.consignor, NAME_CHARS_MAX);
        fields.set_text("/consignee", self.consignee, &mut to.consignee, NAME_CHARS_MAX);
        fields.set_parsed("/consignee_uscc", self.consignee_uscc, &mut to.consignee_uscc, Uscc::parse);
        fields.set_text("/port_of_entry", self.port_of_entry, &mut to.port_of_entry, NUMBER_CHARS_MAX);
        fields.set_parsed("/entry_date", self.entry_date, &mut to.entry_date, date);
        fields.set_text("/vehicle_plate", self.vehicle_plate, &mut to.vehicle_plate, 20);
        fields.set("/supervision", self.supervision, &mut to.supervision, |fields, stay| stay.read(fields));
        fields.set_text("/first_warehouse", self.first_warehouse, &mut to.first_warehouse, NAME_CHARS_MAX);
        fields.set("/producer", self.producer, &mut to.producer, |fields, producer| producer.read(fields));
        for (pointer, given, target) in [
            ("/quarantine_certificate", self.quarantine_certificate, &mut to.quarantine_certificate),
            ("/origin_certificate", self.origin_certificate, &mut to.origin_certificate),
            ("/test_report", self.test_report, &mut to.test_report),
            ("/disinfection_certificate", self.disinfection_certificate, &mut to.disinfection_certificate),
        ] {
            fields.set(pointer, given, target, |fields, paper| paper.read(fields));
        }
        fields.finish()
    }
}

/// A consignment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsignmentJson {
    /// Its number.
    pub id: u64,
    /// The importer that registered it.
    pub organization: u64,
    /// The customs declaration.
    pub declaration: Option<String>,
    /// The bill of lading.
    pub bill_of_lading: Option<String>,
    /// Containers.
    pub containers: Vec<String>,
    /// Country of origin, ISO 3166 alpha-2.
    pub origin: Option<String>,
    /// Who sent it.
    pub consignor: Option<String>,
    /// Who receives it.
    pub consignee: Option<String>,
    /// The consignee's unified social credit code.
    pub consignee_uscc: Option<String>,
    /// The port of entry.
    pub port_of_entry: Option<String>,
    /// The day of entry.
    pub entry_date: Option<String>,
    /// The inspection and quarantine certificate.
    pub quarantine_certificate: Option<PaperJson>,
    /// The vehicle that took it from the port.
    pub vehicle_plate: Option<String>,
    /// The central supervision warehouse.
    pub supervision: Option<SupervisionJson>,
    /// The first warehouse.
    pub first_warehouse: Option<String>,
    /// The foreign producer.
    pub producer: Option<ProducerJson>,
    /// The certificate of origin.
    pub origin_certificate: Option<PaperJson>,
    /// The test report.
    pub test_report: Option<PaperJson>,
    /// The disinfection certificate.
    pub disinfection_certificate: Option<PaperJson>,
    /// The version shown.
    #[serde(flatten)]
    pub version: Version,
}

impl ConsignmentJson {
    /// A version of a consignment.
    ///
    /// # Errors
    /// Where the statement is of another kind.
    pub fn new(statement: &Statement) -> Result<Self, Problem> {
        let Content::Consignment(it) = &statement.content else { return Err(other_kind(statement)) };
        Ok(Self {
            id: it.id.0,
            organization: it.organization.0,
            declaration: it.declaration.as_ref().map(ToString::to_string),
            bill_of_lading: it.bill_of_lading.clone(),
            containers: it.containers.iter().map(ToString::to_string).collect(),
            origin: it.origin.map(|country| country.to_string()),
            consignor: it.consignor.clone(),
            consignee: it.consignee.clone(),
            consignee_uscc: it.consignee_uscc.as_ref().map(ToString::to_string),
            port_of_entry: it.port_of_entry.clone(),
            entry_date: it.entry_date.map(|date| date.to_string()),
            quarantine_certificate: it.quarantine_certificate.as_ref().map(Into::into),
            vehicle_plate: it.vehicle_plate.clone(),
            supervision: it.supervision.as_ref().map(Into::into),
            first_warehouse: it.first_warehouse.clone(),
            producer: it.producer.as_ref().map(Into::into),
            origin_certificate: it.origin_certificate.as_ref().map(Into::into),
            test_report: it.test_report.as_ref().map(Into::into),
            disinfection_certificate: it.disinfection_certificate.as_ref().map(Into::into),
            version: statement.into(),
        })
    }
}

/// A consignment before its fields are read.
fn blank() -> Consignment {
    Consignment {
        id: ConsignmentId(0),
        organization: OrganizationId(0),
        declaration: None,
        bill_of_lading: None,
        containers: Vec::new(),
        origin: None,
        consignor: None,
        consignee: None,
        consignee_uscc: None,
        port_of_entry: None,
        entry_date: None,
        quarantine_certificate: None,
        vehicle_plate: None,
        supervision: None,
        first_warehouse: None,
        producer: None,
        origin_certificate: None,
        test_report: None,
        disinfection_certificate: None,
    }
}
