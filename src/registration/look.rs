//! Looks: what an inspector read of somebody's goods.

use serde::{Deserialize, Serialize};

use crate::trace::{KeyId, OrganizationId};

/// One read by an inspector, noted before it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The inspector's organization.
    pub organization: OrganizationId,
    /// The key that proved it.
    pub key: Option<KeyId>,
    /// The route: `/v1/batches/{batch}/whereabouts`.
    pub route: String,
    /// What was asked for, path and query, at most `LOOK_TARGET_BYTES_MAX` bytes.
    pub target: String,
    /// The request's id, as the log has it.
    pub request: String,
    /// When, milliseconds since 1970-01-01 UTC.
    pub looked_ms: i64,
}
