//! The store on a cluster while what lies between it and the server fails: what was answered is there, and counted once.
//! A proxy stands between the two and does to some frames what networks and nodes do.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use coldproof::{
    store::{Claims, Error, Feed, Records, Verify, cql::CqlStore},
    trace::CaptureId,
};
use futures_util::future::join_all;
use scylla_proxy::{
    Condition, Node, Proxy, Reaction, RequestOpcode, RequestReaction, RequestRule, ResponseFrame, ResponseOpcode,
    ResponseReaction, ResponseRule, RunningProxy, ShardAwareness, example_db_errors,
};

use super::{
    keyspace::{Keyspace, patiently},
    sample,
};

/// Callers at the same time, and what each of them does.
const CALLERS: u64 = 4;
const CAPTURES: u64 = 10;
/// A count for each so many captures.
const COUNT_EVERY: u64 = 3;
/// The claim that all of them count up.
const COUNTER: &str = "counted";

/// A store whose connections go through a proxy, and the same keyspace without one.
struct Between {
    store: Arc<CqlStore>,
    proxy: RunningProxy,
    keyspace: Keyspace,
}

impl Between {
    async fn open() -> Option<Self> {
        let keyspace = Keyspace::take().await?;
        // The driver asks every node at the port at which it asked the first.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let real: Vec<SocketAddr> = keyspace.access.nodes.iter().map(|node| node.parse().unwrap()).collect();
        let near = |real: &SocketAddr| SocketAddr::new(real.ip(), port);
        let nodes = real.iter().map(|node| Node::new(*node, near(node), ShardAwareness::Unaware, None, None));
        let proxy = Proxy::new(nodes).run().await.unwrap();
        let mut access = keyspace.access.clone();
        access.nodes = real.iter().map(|node| near(node).to_string()).collect();
        let store = patiently(async || CqlStore::open(&access).await).await;
        Some(Self { store, proxy, keyspace })
    }

    fn fail(&mut self, requests: &[RequestRule], responses: &[ResponseRule]) {
        for node in &mut self.proxy.running_nodes {
            node.change_request_rules(Some(requests.to_vec()));
            node.change_response_rules(Some(responses.to_vec()));
        }
    }

    /// The store as another server finds it, once it has finished what this one left.
    async fn opened_again(&self) -> Arc<CqlStore> {
        let other = patiently(async || CqlStore::open(&self.keyspace.access).await).await;
        let begun = Instant::now();
        loop {
            patiently(async || other.unfinished(1_000).await).await;
            let mut all = true;
            for id in named(&other).await {
                all &= patiently(async || other.capture(id).await).await.is_some();
            }
            if all {
                return other;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "what a feed names is not finished");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// What was answered.
#[derive(Default)]
struct History {
    /// Captures that were acknowledged.
    captures: Vec<u64>,
    /// Swaps that were acknowledged, and those of which nothing is known.
    counted: u64,
    unknown: u64,
    /// Calls that were answered with an error.
    refused: u64,
}

/// One caller: captures of its own, and counts.
async fn call(store: &CqlStore, caller: u64) -> History {
    let mut history = History::default();
    for number in (0..CAPTURES).map(|number| caller * 1_000 + number) {
        // As a client does that was told to come again.
        for _ in 0..3 {
            match store.append(sample::load_capture(number), sample::writes(number)).await {
                Ok(_) => {
                    history.captures.push(number);
                    break;
                }
                Err(_) => history.refused += 1,
            }
        }
        if number.is_multiple_of(COUNT_EVERY) {
            count(store, &mut history).await;
        }
    }
    history
}

/// Counts up once, whoever else does.
async fn count(store: &CqlStore, history: &mut History) {
    for _ in 0..20 {
        let Ok(before) = store.claim(COUNTER).await else {
            history.refused += 1;
            continue;
        };
        let next = before.as_deref().map_or(0, number) + 1;
        match store.swap(COUNTER, before.as_deref(), &next.to_be_bytes()).await {
            Ok(true) => {
                history.counted += 1;
                return;
            }
            Ok(false) => {}
            Err(Error::Ambiguous(_)) => {
                history.unknown += 1;
                return;
            }
            Err(_) => history.refused += 1,
        }
    }
}

fn number(value: &[u8]) -> u64 {
    u64::from_be_bytes(value.try_into().unwrap())
}

/// Acknowledged captures that are not there whole.
async fn missing(store: &CqlStore, acknowledged: &[u64]) -> Vec<u64> {
    let mut missing = Vec::new();
    for number in acknowledged {
        let id = sample::load_capture(*number).id;
        let is_there = patiently(async || store.capture(id).await).await.is_some();
        let mut whole = is_there;
        for record in sample::writes(*number).records {
            whole &= patiently(async || store.record(record.id).await).await == Some(record);
        }
        if !whole {
            missing.push(*number);
        }
    }
    missing
}

/// The captures that the rows of all feeds name.
async fn named(store: &CqlStore) -> HashSet<CaptureId> {
    let mut named = HashSet::new();
    for writer in patiently(async || store.writers().await).await {
        let rows = patiently(async || store.rows(writer, 0, 100_000).await).await;
        named.extend(rows.into_iter().flat_map(|row| row.captures).map(|(capture, _)| capture));
    }
    named
}

fn execute() -> Condition {
    Condition::RequestOpcode(RequestOpcode::Execute)
}

/// One in `of` of the results that the server sends.
fn result(of: f64) -> Condition {
    Condition::ResponseOpcode(ResponseOpcode::Result)
        .and(Condition::RandomWithProbability(1.0 / of))
        .and(Condition::not(Condition::ConnectionRegisteredAnyEvent))
}

/// Each fault with its name.
fn faults() -> Vec<(&'static str, Vec<RequestRule>, Vec<ResponseRule>)> {
    let sometimes = |of: f64| execute().and(Condition::RandomWithProbability(1.0 / of));
    // A frame that is lost costs a timeout, of which one in so many is enough.
    let request = |of, reaction| vec![RequestRule(sometimes(of), reaction)];
    let response = |of, reaction| vec![ResponseRule(result(of), reaction)];
    let landed = |frame: ResponseFrame| {
        ResponseFrame::forged_error(frame.params, example_db_errors::write_timeout(), None).unwrap()
    };
    vec![
        ("timeouts of what did not land", request(10.0, RequestReaction::forge().write_timeout()), Vec::new()),
        ("timeouts of what did land", Vec::new(), response(10.0, ResponseReaction::transform_frame(Arc::new(landed)))),
        ("answers that never come", Vec::new(), response(60.0, ResponseReaction::drop_frame())),
        ("requests that never arrive", request(60.0, RequestReaction::drop_frame()), Vec::new()),
        ("too few replicas", request(10.0, RequestReaction::forge().unavailable()), Vec::new()),
        ("overloaded", request(10.0, RequestReaction::forge().overloaded()), Vec::new()),
        ("connections that break", Vec::new(), response(100.0, ResponseReaction::drop_connection())),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_between_faults_of_every_kind_is_there_and_counted_once() {
    let Some(mut between) = Between::open().await else { return };
    let mut all = History::default();
    for (round, (name, requests, responses)) in (0..).zip(faults()) {
        between.fail(&requests, &responses);
        let store = Arc::clone(&between.store);
        let callers = (0..CALLERS).map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { call(&store, round * 100 + caller).await })
        });
        let histories: Vec<_> = join_all(callers).await.into_iter().map(Result::unwrap).collect();
        let sum = |of: fn(&History) -> u64| histories.iter().map(of).sum::<u64>();
        println!(
            "{name}: {} captures acknowledged, {} counts, {} unknown, {} refused",
            sum(|history| history.captures.len() as u64),
            sum(|history| history.counted),
            sum(|history| history.unknown),
            sum(|history| history.refused)
        );
        for history in histories {
            all.captures.extend(history.captures);
            all.counted += history.counted;
            all.unknown += history.unknown;
        }
    }
    between.fail(&[], &[]);
    assert!(all.captures.len() as u64 > CALLERS * CAPTURES, "hardly anything was acknowledged");

    let other = between.opened_again().await;
    assert_eq!(missing(&other, &all.captures).await, [] as [u64; 0], "of {}", all.captures.len());
    let counted = patiently(async || other.claim(COUNTER).await).await.as_deref().map_or(0, number);
    assert!((all.counted..=all.counted + all.unknown).contains(&counted), "{counted}: {} {}", all.counted, all.unknown);
    let named = named(&other).await;
    let unnamed = all.captures.iter().filter(|number| !named.contains(&sample::load_capture(**number).id));
    assert_eq!(unnamed.count(), 0, "a row names every capture that was acknowledged");
    let report = patiently(async || other.verify().await).await;
    assert!(report.is_clean(), "{report:?}");
}

/// The history finds what is lost: a server that answers before it writes loses something here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_and_does_not_write_is_found_out() {
    let Some(mut between) = Between::open().await else { return };
    // The kind of a result that has no rows.
    let void = |request: scylla_proxy::RequestFrame| {
        ResponseFrame::new(request.params.for_response(), ResponseOpcode::Result, [0, 0, 0, 1].to_vec().into())
    };
    let body = format!("{{\"n\":{},", 7 * 4);
    let of_one = execute().and(Condition::BodyContainsCaseSensitive(body.into_bytes().into()));
    between.fail(&[RequestRule(of_one, RequestReaction::forge_response(Arc::new(void)))], &[]);
    for number in 6..9 {
        let store = &between.store;
        patiently(async || store.append(sample::load_capture(number), sample::writes(number)).await).await;
    }
    between.fail(&[], &[]);
    assert_eq!(missing(&*between.opened_again().await, &[6, 7, 8]).await, [7]);
}
