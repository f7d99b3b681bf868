//! Alerts: codes whose scans were noticed, told once for each rule.

use serde::{Deserialize, Serialize};

use crate::{
    code::{RunId, Serial},
    registration::Level,
    trace::{BatchId, Notice, OrganizationId},
};

/// A code whose scans were noticed. Its figures are those of the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// From 1, in order of time on one server. Its statement's number is `u64::MAX` less this: so the newest come first in
    /// every list.
    pub number: u64,
    /// Whose goods they are.
    pub organization: OrganizationId,
    /// The batch.
    pub batch: BatchId,
    /// The code's run.
    pub run: RunId,
    /// The code's serial.
    pub serial: Serial,
    /// What the label is on.
    pub level: Level,
    /// What was noticed.
    pub notice: Notice,
    /// When, milliseconds since 1970-01-01 UTC.
    pub noticed_ms: i64,
    /// How often the public had scanned it.
    pub scans: u64,
    /// In how many regions, as far as they were known.
    pub regions: u32,
}

impl Alert {
    /// The number of its statement.
    pub fn statement_id(number: u64) -> u64 {
        u64::MAX - number
    }
}
