//! Subjects: what a ledger is about.

use serde::{Deserialize, Serialize};

use super::{BatchId, OrganizationId};
use crate::code::{RunId, Serial};

/// 2^17 neighbouring serials of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// The run.
    pub run: RunId,
    /// Serial divided by 2^17, 0 to 31.
    pub index: u8,
}

/// 2^12 neighbouring serials of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Block {
    /// The run.
    pub run: RunId,
    /// Serial divided by 2^12, 0 to 1023.
    pub index: u16,
}

/// One thing: an own code, or what another EPC names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Instance {
    /// An own code.
    Code {
        /// Its run.
        run: RunId,
        /// Its serial.
        serial: Serial,
    },
    /// A unit (SSCC, container, returnable asset) or somebody else's EPC, as its canonical URI.
    Epc(String),
}

/// What a ledger is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// A registered batch.
    Batch(BatchId),
    /// A lot: GTIN (14 digits) and AI 10.
    Lot {
        /// 14 digits.
        gtin: String,
        /// AI 10, unescaped.
        lot: String,
    },
    /// A whole run: entries whose spans cover whole groups.
    Run(RunId),
    /// A group: entries whose spans cover whole blocks of it.
    Group(Group),
    /// A block: ragged ends and single codes.
    Block(Block),
    /// Any other EPC or EPC class, as its canonical URI.
    Epc(String),
    /// An organization: what it received. Nobody has goods in custody that are neither its own nor named here.
    Party(OrganizationId),
}
