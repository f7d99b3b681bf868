//! `/v1/organizations`.

pub mod get;
pub mod list;
pub mod patch;
pub mod post;
pub mod stock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answer::{Version, other_kind},
    error::Problem,
    given::{Fields, Given},
};
use crate::{
    registration::{Content, Country, NAME_CHARS_MAX, Organization, Statement, Uscc, ValueError, text},
    service::register,
    trace::{OrganizationId, Role},
};

/// An organization as it is made or changed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationBody {
    /// The name in the register; required.
    #[schema(value_type = String)]
    #[serde(default)]
    pub legal_name: Given<String>,
    /// The name that the public may see; without one the organization is not public.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub public_name: Given<String>,
    /// What its keys may do: `importer`, `operator`, `inspector`, `admin`; required.
    #[schema(value_type = Vec<String>)]
    #[serde(default)]
    pub roles: Given<Vec<Role>>,
    /// Its unified social credit code.
    #[schema(value_type = Option<String>, example = "91350100M000100Y43")]
    #[serde(default)]
    pub uscc: Given<String>,
    /// Where it is registered, ISO 3166; `CN` where left out.
    #[schema(value_type = Option<String>, example = "CN")]
    #[serde(default)]
    pub country: Given<String>,
    /// Its GS1 Company Prefix, 4 to 12 digits: units are numbered from it.
    #[schema(value_type = Option<String>, example = "9506000")]
    #[serde(default)]
    pub gs1_prefix: Given<String>,
    /// Its GLN as a party, 13 digits. It stays once it is there.
    #[schema(value_type = Option<String>, example = "9506000000015")]
    #[serde(default)]
    pub gln: Given<String>,
}

impl OrganizationBody {
    /// Lays the given fields over an organization.
    ///
    /// # Errors
    /// Names every field at fault.
    pub fn merge(self, organization: &mut Organization) -> register::Result<()> {
        let mut fields = Fields::default();
        fields.require("/legal_name", self.legal_name, &mut organization.legal_name, |fields, name| {
            fields.keep("", text(&name, NAME_CHARS_MAX))
        });
        fields.set_text("/public_name", self.public_name, &mut organization.public_name, NAME_CHARS_MAX);
        fields.require("/roles", self.roles, &mut organization.roles, |fields, roles| {
            let repeated = roles.iter().enumerate().find(|(at, role)| roles.iter().take(*at).any(|it| it == *role));
            if let Some((at, role)) = repeated {
                let found = format!("{role:?}").to_lowercase();
                fields.refuse(&format!("/{at}"), ValueError::out_of_range(found, "each role once"));
            }
            Some(roles)
        });
        fields.set_parsed("/uscc", self.uscc, &mut organization.uscc, Uscc::parse);
        fields.require("/country", self.country, &mut organization.country, |fields, country| {
            fields.keep("", Country::parse(&country))
        });
        fields.set_parsed("/gs1_prefix", self.gs1_prefix, &mut organization.gs1_prefix, |text| Ok(text.parse()?));
        let standing = organization.gln;
        fields.set_parsed("/gln", self.gln, &mut organization.gln, |text| Ok(text.parse()?));
        if let Some(standing) = standing.filter(|standing| organization.gln != Some(*standing)) {
            let found = organization.gln.map_or_else(|| "null".to_owned(), |gln| gln.to_string());
            fields.refuse("/gln", ValueError::out_of_range(found, format!("{standing}, which stays: events name it")));
        }
        if organization.legal_name.is_empty() {
            fields.refuse("/legal_name", ValueError::Missing { expected: "the name in the register" });
        }
        if organization.roles.is_empty() {
            let expected = "at least one of importer, operator, inspector, admin";
            fields.refuse("/roles", ValueError::Missing { expected });
        }
        fields.finish()
    }
}

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationJson {
    /// Its number.
    pub id: u64,
    /// The name in the register.
    pub legal_name: String,
    /// The name that the public may see.
    pub public_name: Option<String>,
    /// What its keys may do.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
    /// Its unified social credit code.
    pub uscc: Option<String>,
    /// Where it is registered, ISO 3166 alpha-2.
    pub country: String,
    /// Its GS1 Company Prefix.
    pub gs1_prefix: Option<String>,
    /// Its GLN as a party.
    pub gln: Option<String>,
    /// The version shown.
    #[serde(flatten)]
    pub version: Version,
}

impl OrganizationJson {
    /// A version of an organization.
    ///
    /// # Errors
    /// Where the statement is of another kind.
    pub fn new(statement: &Statement) -> Result<Self, Problem> {
        let Content::Organization(organization) = &statement.content else { return Err(other_kind(statement)) };
        Ok(Self {
            id: organization.id.0,
            legal_name: organization.legal_name.clone(),
            public_name: organization.public_name.clone(),
            roles: organization.roles.clone(),
            uscc: organization.uscc.as_ref().map(ToString::to_string),
            country: organization.country.to_string(),
            gs1_prefix: organization.gs1_prefix.map(|prefix| prefix.to_string()),
            gln: organization.gln.map(|gln| gln.to_string()),
            version: statement.into(),
        })
    }
}

/// An organization before its fields are read.
fn blank() -> Result<Organization, Problem> {
    let country = Country::parse("CN").map_err(|_| Problem::internal())?;
    Ok(Organization {
        id: OrganizationId(0),
        legal_name: String::new(),
        public_name: None,
        roles: Vec::new(),
        uscc: None,
        country,
        gs1_prefix: None,
        gln: None,
    })
}
