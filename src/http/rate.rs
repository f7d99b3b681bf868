//! How many codes an address or an organization may ask about.
//!
//! A generic cell rate algorithm with one number a caller: until when it has used up its budget. Unlike a ready-made
//! limiter it can go into debt: a code is paid for before it is looked at, and what a wrong tag costs beyond that is
//! booked afterwards, whether it fits or not. Were the whole price asked for beforehand, a refusal would tell a
//! forged code from a genuine one for nothing; were it booked only where it fits, an empty budget would guess at the
//! price of genuine codes.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use moka::{policy::EvictionPolicy, sync::Cache};

use super::{client_address::ClientAddress, error::Problem};
use crate::{config, limits, trace::OrganizationId};

/// Who asks, and which budget it therefore has.
#[derive(Clone, Copy, Debug)]
pub enum Asker {
    /// Anyone, by address.
    Address(ClientAddress),
    /// An organization with an API key.
    Organization(OrganizationId),
}

/// Budgets of all callers seen lately.
pub struct RateLimiter {
    address: Quota,
    organization: Quota,
    failed_tag_cost: u64,
    loopback_exempt: bool,
    /// Nanoseconds since `epoch` until which a caller's budget is used up, by a hash of the caller under a key that
    /// lives as long as the process: addresses themselves are kept nowhere.
    spent_until: Cache<u64, Arc<AtomicU64>>,
    hasher: RandomState,
    epoch: Instant,
}

#[derive(Clone, Copy)]
struct Quota {
    code_ns: u64,
    burst_ns: u64,
}

impl Quota {
    fn new(codes_per_second: u32, burst_codes: u32) -> Quota {
        let code_ns = 1_000_000_000 / u64::from(codes_per_second.max(1));
        Quota { code_ns, burst_ns: code_ns * u64::from(burst_codes) }
    }
}

impl RateLimiter {
    /// Budgets as configured, all of them full.
    pub fn new(rate: &config::Rate) -> RateLimiter {
        let address = Quota::new(rate.address_codes_per_second, rate.address_codes_burst);
        let organization = Quota::new(rate.key_codes_per_second, rate.key_codes_burst);
        // A budget may be forgotten once it is full again: after the largest request, or the largest penalty.
        let largest_ns = address.code_ns.max(organization.code_ns) * limits::VERIFY_CODES_MAX as u64;
        let full_again = Duration::from_nanos(largest_ns + address.burst_ns.max(organization.burst_ns))
            + Duration::from_millis(limits::RATE_PENALTY_MS_MAX);
        let spent_until = Cache::builder()
            .max_capacity(rate.addresses_max)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(full_again)
            .build();
        RateLimiter {
            address,
            organization,
            failed_tag_cost: u64::from(rate.failed_tag_cost),
            loopback_exempt: rate.loopback_exempt,
            spent_until,
            hasher: RandomState::new(),
            epoch: Instant::now(),
        }
    }

    /// Pays for `codes` before they are looked at. More codes than the burst need a full budget and leave a debt.
    ///
    /// # Errors
    /// 429 with the time after which the same request is admitted; nothing is paid then.
    pub fn admit(&self, asker: Asker, codes: u32, now: Instant) -> Result<(), Problem> {
        let Some((quota, spent_until)) = self.budget(asker) else { return Ok(()) };
        let now_ns = self.since_epoch_ns(now);
        let cost_ns = quota.code_ns.saturating_mul(u64::from(codes));
        let room_ns = quota.burst_ns.saturating_sub(cost_ns);
        let paid = spent_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |until_ns| {
            let until_ns = until_ns.max(now_ns);
            (until_ns <= now_ns.saturating_add(room_ns)).then(|| until_ns.saturating_add(cost_ns))
        });
        paid.map(drop).map_err(|until_ns| {
            metrics::counter!("coldproof_rate_refusals_total").increment(1);
            let wait_ns = until_ns.saturating_sub(now_ns.saturating_add(room_ns));
            let wait_s = u32::try_from(wait_ns.div_ceil(1_000_000_000)).unwrap_or(u32::MAX);
            let detail = format!("asked about {codes} more codes than are granted now; try again in {wait_s} s");
            Problem::too_many(detail, wait_s)
        })
    }

    /// Books what `failed` wrong tags cost beyond what was paid for them, in debt if need be.
    pub fn failed_tags(&self, asker: Asker, failed: u32, now: Instant) {
        if failed == 0 {
            return;
        }
        metrics::counter!("coldproof_failed_tags_total").increment(u64::from(failed));
        let Some((quota, spent_until)) = self.budget(asker) else { return };
        let now_ns = self.since_epoch_ns(now);
        let cost_ns = quota.code_ns.saturating_mul(u64::from(failed) * self.failed_tag_cost.saturating_sub(1));
        let latest_ns = now_ns + quota.burst_ns + limits::RATE_PENALTY_MS_MAX * 1_000_000;
        let book = |until_ns: u64| {
            let until_ns = until_ns.max(now_ns);
            Some(until_ns.saturating_add(cost_ns).min(latest_ns.max(until_ns)))
        };
        // The closure always answers, so that there is nothing to handle.
        let _ = spent_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, book);
    }

    /// The budget of a caller; `None` where it is not limited.
    fn budget(&self, asker: Asker) -> Option<(Quota, Arc<AtomicU64>)> {
        let (quota, key) = match asker {
            Asker::Address(address) if self.loopback_exempt && address.is_loopback() => return None,
            Asker::Address(address) => (self.address, self.hasher.hash_one::<IpAddr>(address.limited_as())),
            Asker::Organization(id) => (self.organization, self.hasher.hash_one(("organization", id.0))),
        };
        Some((quota, self.spent_until.get_with(key, Arc::default)))
    }

    fn since_epoch_ns(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;
    use crate::config::{Config, parse_setting};

    /// 10 codes a second, 100 at once, a wrong tag counts 10.
    fn limiter(more: &[&str]) -> RateLimiter {
        let settings = ["rate.address_codes_per_second=10", "rate.address_codes_burst=100", "rate.failed_tag_cost=10"];
        let settings: Vec<_> = settings.iter().chain(more).map(|setting| parse_setting(setting).unwrap()).collect();
        RateLimiter::new(&Config::load(None, [], &settings).unwrap().rate)
    }

    fn asker(peer: &str) -> Asker {
        let server = Config::default_values().unwrap().server;
        Asker::Address(ClientAddress::of(peer.parse().unwrap(), &HeaderMap::new(), &server))
    }

    fn admitted(limiter: &RateLimiter, asker: Asker, now: Instant) -> u32 {
        (0..1_000_000).take_while(|_| limiter.admit(asker, 1, now).is_ok()).count().try_into().unwrap()
    }

    #[test]
    fn a_caller_has_its_burst_then_its_rate() {
        let (limiter, asker, start) = (limiter(&[]), asker("203.0.113.9"), Instant::now());
        assert_eq!(admitted(&limiter, asker, start), 100);
        assert_eq!(admitted(&limiter, asker, start + Duration::from_secs(3)), 30);
        assert_eq!(admitted(&limiter, asker, start + Duration::from_secs(3600)), 100);
    }

    #[test]
    fn a_failed_tag_counts_ten_even_when_the_budget_is_empty() {
        let (limiter, asker, start) = (limiter(&[]), asker("203.0.113.9"), Instant::now());
        let guesses = |now: Instant| {
            let guess = || limiter.admit(asker, 1, now).map(|()| limiter.failed_tags(asker, 1, now));
            (0..1_000).take_while(|_| guess().is_ok()).count()
        };
        assert_eq!(guesses(start), 10);
        // Ten more codes' worth has come back: one guess, not ten.
        assert_eq!(guesses(start + Duration::from_secs(1)), 1);
        assert_eq!(guesses(start + Duration::from_secs(2)), 1);
    }

    #[test]
    fn a_refusal_says_when_to_come_back_and_costs_nothing() {
        let (limiter, asker, start) = (limiter(&[]), asker("203.0.113.9"), Instant::now());
        limiter.admit(asker, 100, start).unwrap();
        for _ in 0..50 {
            let problem = limiter.admit(asker, 25, start).unwrap_err();
            assert_eq!((problem.status, problem.retry_after_s), (429, Some(3)));
        }
        assert!(limiter.admit(asker, 25, start + Duration::from_secs(3)).is_ok());
    }

    #[test]
    fn a_request_larger_than_the_burst_needs_a_full_budget_and_is_paid_off() {
        let (limiter, asker, start) = (limiter(&[]), asker("203.0.113.9"), Instant::now());
        limiter.admit(asker, 1_000, start).unwrap();
        let problem = limiter.admit(asker, 1, start).unwrap_err();
        assert_eq!(problem.retry_after_s, Some(91));
        assert!(limiter.admit(asker, 1_000, start + Duration::from_secs(99)).is_err());
        assert!(limiter.admit(asker, 1_000, start + Duration::from_secs(101)).is_ok());
    }

    #[test]
    fn penalties_end_after_ten_minutes() {
        let (limiter, asker, start) = (limiter(&[]), asker("203.0.113.9"), Instant::now());
        limiter.failed_tags(asker, 1_000_000, start);
        assert!(limiter.admit(asker, 1, start + Duration::from_secs(599)).is_err());
        assert!(limiter.admit(asker, 1, start + Duration::from_secs(601)).is_ok());
    }

    #[test]
    fn one_callers_guesses_are_not_anothers() {
        let (limiter, start) = (limiter(&[]), Instant::now());
        limiter.failed_tags(asker("203.0.113.9"), 1_000, start);
        for other in ["203.0.113.8", "2001:db8:0:1::1"] {
            assert_eq!(admitted(&limiter, asker(other), start), 100, "{other}");
        }
        assert_eq!(admitted(&limiter, asker("2001:db8:0:1::2"), start), 0, "the same /64");
        assert!(limiter.admit(Asker::Organization(OrganizationId(7)), 1_000, start).is_ok());
    }

    #[test]
    fn this_machine_is_free_only_where_the_configuration_says_so() {
        let start = Instant::now();
        assert_eq!(admitted(&limiter(&[]), asker("127.0.0.1"), start), 100);
        let free = limiter(&["rate.loopback_exempt=true"]);
        assert_eq!(admitted(&free, asker("::1"), start), 1_000_000);
        assert_eq!(admitted(&free, asker("203.0.113.9"), start), 100);
    }

    #[test]
    fn the_table_of_callers_is_bounded() {
        let (limiter, start) = (limiter(&["rate.addresses_max=50"]), Instant::now());
        for host in 0..200 {
            limiter.admit(asker(&format!("203.0.113.{host}")), 1, start).unwrap();
        }
        limiter.spent_until.run_pending_tasks();
        assert!(limiter.spent_until.entry_count() <= 50);
    }
}
