//! `/v1/keys`.

pub mod delete;
pub mod list;
pub mod post;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answer::{Version, other_kind},
    error::Problem,
};
use crate::{
    registration::{Content, Statement},
    trace::Role,
};

/// A key as it is ordered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyBody {
    /// The organization's number; an admin's key may do without one.
    pub organization: Option<u64>,
    /// One of the organization's roles.
    #[schema(value_type = String, example = "importer")]
    pub role: Role,
    /// What its owner calls it.
    pub label: Option<String>,
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyJson {
    /// Its number.
    pub id: u64,
    /// The organization's number.
    pub organization: u64,
    /// What it may do.
    #[schema(value_type = String)]
    pub role: Role,
    /// What its owner calls it.
    pub label: Option<String>,
    /// Whether it is revoked.
    pub revoked: bool,
    /// The version shown.
    #[serde(flatten)]
    pub version: Version,
}

impl KeyJson {
    /// A version of a key.
    ///
    /// # Errors
    /// Where the statement is of another kind.
    pub fn new(statement: &Statement) -> Result<Self, Problem> {
        let Content::Key(key) = &statement.content else { return Err(other_kind(statement)) };
        Ok(Self {
            id: key.id.0,
            organization: key.organization.0,
            role: key.role,
            label: key.label.clone(),
            revoked: key.revoked_ms.is_some(),
            version: statement.into(),
        })
    }
}

/// A new key with its text. A repeated request with the same `Idempotency-Key` is answered without it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewKeyJson {
    /// The text to send as `Authorization: Bearer`; it is not kept and not shown again.
    #[schema(example = "cp_7_...")]
    pub key: String,
    /// The key itself.
    #[serde(flatten)]
    pub kept: KeyJson,
}
