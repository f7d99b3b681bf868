//! Nodes that are asked and say nothing are asked last.
//!
//! A node that hangs keeps its connections for as long as the keepalive takes to miss it. Until then a third of all requests
//! would wait to be sent to a second node, and a capture, which is five rounds of them, would wait in each.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use scylla::{
    cluster::{ClusterState, NodeRef},
    errors::RequestAttemptError,
    policies::load_balancing::{FallbackPlan, LoadBalancingPolicy, RoutingInfo},
    routing::Shard,
};

use crate::limits::{CQL_SILENT_ASKED_MS, CQL_SPECULATE_MS};

/// A policy that asks those nodes last which say nothing, and otherwise what another one asks.
#[derive(Debug)]
pub struct SilentLast {
    policy: Arc<dyn LoadBalancingPolicy>,
    silences: Silences,
}

impl SilentLast {
    pub fn over(policy: Arc<dyn LoadBalancingPolicy>) -> Arc<Self> {
        Arc::new(Self { policy, silences: Silences::default() })
    }
}

impl LoadBalancingPolicy for SilentLast {
    fn pick<'a>(&'a self, request: &'a RoutingInfo, cluster: &'a ClusterState) -> Option<(NodeRef<'a>, Option<Shard>)> {
        let now = Instant::now();
        let (node, shard) = self.policy.pick(request, cluster)?;
        if self.silences.may_be_asked(node.host_id.as_u128(), now) {
            return Some((node, shard));
        }
        let another = self.fallback(request, cluster).next()?;
        self.silences.may_be_asked(another.0.host_id.as_u128(), now);
        Some(another)
    }

    fn fallback<'a>(&'a self, request: &'a RoutingInfo, cluster: &'a ClusterState) -> FallbackPlan<'a> {
        let now = Instant::now();
        let (silent, others): (Vec<_>, Vec<_>) = self
            .policy
            .fallback(request, cluster)
            .partition(|(node, _)| self.silences.is_silent(node.host_id.as_u128(), now));
        Box::new(others.into_iter().chain(silent))
    }

    fn on_request_success(&self, request: &RoutingInfo, latency: Duration, node: NodeRef<'_>) {
        self.silences.answered(node.host_id.as_u128());
        self.policy.on_request_success(request, latency, node);
    }

    fn on_request_failure(
        &self,
        request: &RoutingInfo,
        latency: Duration,
        node: NodeRef<'_>,
        error: &RequestAttemptError,
    ) {
        if matches!(error, RequestAttemptError::DbError(..)) {
            self.silences.answered(node.host_id.as_u128());
        }
        self.policy.on_request_failure(request, latency, node, error);
    }

    fn name(&self) -> String {
        "SilentLast".to_owned()
    }
}

/// Nodes that were asked and have said nothing since, by their ids.
#[derive(Debug, Default)]
struct Silences(Mutex<HashMap<u128, Silence>>);

#[derive(Clone, Copy, Debug)]
struct Silence {
    /// When it was asked first, and when last, of all the times behind its last answer.
    since: Instant,
    asked: Instant,
}

impl Silence {
    /// It has had as long as any node has before another one is asked.
    fn is_long(self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= Duration::from_millis(CQL_SPECULATE_MS)
    }
}

impl Silences {
    fn nodes(&self) -> MutexGuard<'_, HashMap<u128, Silence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a node may be asked before others, which is noted then. One that is silent may be now and then, so that it
    /// is heard when it answers again: what it was asked before, nobody waits for any more.
    fn may_be_asked(&self, node: u128, now: Instant) -> bool {
        let mut nodes = self.nodes();
        let silence = nodes.entry(node).or_insert(Silence { since: now, asked: now });
        let was_asked = now.saturating_duration_since(silence.asked);
        if silence.is_long(now) && was_asked < Duration::from_millis(CQL_SILENT_ASKED_MS) {
            return false;
        }
        silence.asked = now;
        true
    }

    fn is_silent(&self, node: u128, now: Instant) -> bool {
        self.nodes().get(&node).is_some_and(|silence| silence.is_long(now))
    }

    fn answered(&self, node: u128) {
        self.nodes().remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: u128 = 7;

    #[test]
    fn a_node_that_says_nothing_is_asked_now_and_then_until_it_answers() {
        let (silences, begun) = (Silences::default(), Instant::now());
        let at = |ms| begun + Duration::from_millis(ms);
        assert!(silences.may_be_asked(NODE, at(0)));
        assert!(silences.may_be_asked(NODE, at(CQL_SPECULATE_MS - 1)), "it has had no time to answer");
        assert!(!silences.is_silent(NODE, at(CQL_SPECULATE_MS - 1)));
        assert!(!silences.may_be_asked(NODE, at(CQL_SPECULATE_MS)));
        assert!(silences.is_silent(NODE, at(CQL_SPECULATE_MS)));
        let again = CQL_SPECULATE_MS - 1 + CQL_SILENT_ASKED_MS;
        assert!(!silences.may_be_asked(NODE, at(again - 1)));
        assert!(silences.may_be_asked(NODE, at(again)), "it may have come back");
        assert!(!silences.may_be_asked(NODE, at(again + 1)), "one request finds out");
        assert!(silences.may_be_asked(NODE + 1, at(again + 1)), "another one");
        silences.answered(NODE);
        assert!(silences.may_be_asked(NODE, at(again + 2)));
        assert!(!silences.is_silent(NODE, at(again + 2)));
    }

    #[test]
    fn a_node_that_nobody_asks_is_not_silent() {
        let (silences, begun) = (Silences::default(), Instant::now());
        assert!(silences.may_be_asked(NODE, begun));
        silences.answered(NODE);
        let later = begun + Duration::from_secs(3600);
        assert!(!silences.is_silent(NODE, later) && silences.may_be_asked(NODE, later));
    }
}
