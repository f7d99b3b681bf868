//! Runs: numbered series of codes.

use serde::{Deserialize, Serialize};

use super::{Level, Quantity};
use crate::{
    code::RunId,
    trace::{BatchId, OrganizationId},
};

/// A numbered series of codes for one batch. Its codes are derived from its number, never kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its number; the first six characters of its codes.
    pub id: RunId,
    /// Who issued it.
    pub organization: OrganizationId,
    /// The batch.
    pub batch: BatchId,
    /// What bears a code.
    pub level: Level,
    /// What is in one of them.
    pub content: Option<Quantity>,
    /// How many codes it has, 1 to 2^22.
    pub count: u32,
    /// When its codes become active.
    pub activate: Activation,
    /// Whether its links carry a signature.
    pub signed: bool,
    /// When it was issued, milliseconds since 1970-01-01 UTC.
    pub created_ms: i64,
    /// Whether it is a shop's open split run: its codes are for portions of the batch's opened packages, are taken from 0
    /// upward and come into being by splits alone. They count against what they were split from, not against the batch.
    #[serde(default)]
    pub split: bool,
}

/// When codes become active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// With the order itself.
    #[default]
    OnIssue,
    /// When their application is reported.
    OnReport,
}
