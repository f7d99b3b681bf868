//! `[rate]`.

use serde::Deserialize;

use super::{Error, Result};
use crate::limits;

/// How much one address or organization may ask. Every figure counts codes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Codes per second that one address may ask about, on average.
    pub address_codes_per_second: u32,
    /// Codes that it may ask about at once after a pause.
    pub address_codes_burst: u32,
    /// Codes per second that one organization may ask about with its API keys, on average.
    pub key_codes_per_second: u32,
    /// Codes that it may ask about at once after a pause.
    pub key_codes_burst: u32,
    /// What a code with a wrong tag costs.
    pub failed_tag_cost: u32,
    /// Addresses remembered at once.
    pub addresses_max: u64,
    /// Whether addresses of this machine itself are free of limits.
    pub loopback_exempt: bool,
}

impl Rate {
    pub(super) fn check(&self) -> Result<()> {
        for (key, value) in [
            ("rate.address_codes_per_second", self.address_codes_per_second),
            ("rate.key_codes_per_second", self.key_codes_per_second),
        ] {
            if !(1..=limits::RATE_CODES_PER_SECOND_MAX).contains(&value) {
                let expected = format!("expected 1 to {}", limits::RATE_CODES_PER_SECOND_MAX);
                return Err(Error::range(key, value, expected));
            }
        }
        if !(1..=limits::RATE_FAILED_TAG_COST_MAX).contains(&self.failed_tag_cost) {
            let expected = format!("expected 1 to {}", limits::RATE_FAILED_TAG_COST_MAX);
            return Err(Error::range("rate.failed_tag_cost", self.failed_tag_cost, expected));
        }
        for (key, value) in
            [("rate.address_codes_burst", self.address_codes_burst), ("rate.key_codes_burst", self.key_codes_burst)]
        {
            if !(self.failed_tag_cost..=limits::RATE_CODES_BURST_MAX).contains(&value) {
                let (least, most) = (self.failed_tag_cost, limits::RATE_CODES_BURST_MAX);
                let expected =
                    format!("expected rate.failed_tag_cost ({least}) to {most}, or one slip locks a person out");
                return Err(Error::range(key, value, expected));
            }
        }
        if !(1..=limits::RATE_ADDRESSES_MAX).contains(&self.addresses_max) {
            let expected = format!("expected 1 to {}", limits::RATE_ADDRESSES_MAX);
            return Err(Error::range("rate.addresses_max", self.addresses_max, expected));
        }
        Ok(())
    }
}
