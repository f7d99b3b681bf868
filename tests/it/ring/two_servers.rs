//! Servers that die or stand still over a ring.

use std::collections::HashMap;

use reqwest::StatusCode;
use scylla::client::session::Session;

use super::{
    Ring, is_long,
    load::{Goods, Load},
    phase,
};
use crate::{cluster::killed, routes::text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run --ring, or see the head of tests/it/ring"]
async fn a_server_is_killed_in_mid_capture_and_another_finishes_once() {
    let mut ring = Ring::take().await;
    killed::in_mid_capture(ring.servers(2).await, if is_long() { 100_000 } else { 20_000 }).await;
}

/// A server stands still in the middle of its work, with numbers leased and a feed that it holds; another takes it for dead,
/// closes the feed and goes on. Then both do, and each believes that it holds what it held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run --ring, or see the head of tests/it/ring"]
async fn two_servers_that_both_hold_leases_give_no_number_twice_and_lose_nothing() {
    let mut ring = Ring::take().await;
    let cluster = ring.servers(2).await;
    let session = &cluster.keyspace.session().await;
    session.use_keyspace(&cluster.keyspace.access.keyspace, false).await.unwrap();
    let before = counters(session).await;
    // A batch for each, so that neither waits for the other's turn at an order.
    let (one, other) = (Goods::of(cluster, 0).await, Goods::of(cluster, 1).await);
    let (one, other) = (Load::on(&one), Load::on(&other));
    phase(3, 20);
    cluster.servers[0].signal("STOP");
    cluster.servers[1].has_closed_feed_of(&cluster.servers[0]).await;
    phase(2, 10);
    cluster.servers[0].signal("CONT");
    phase(5, 20);
    let (mut history, other) = (one.end().await, other.end().await);
    other.is_without_failure();
    history.add(other);
    assert!(cluster.servers[0].said().contains("goes on in a new one"), "{}", cluster.servers[0].said());
    history.is_there(cluster).await;

    // The control: where leases do overlap, because somebody set the counter back to where it was, it is seen.
    set_back(session, &before).await;
    cluster.add(3).await;
    let last = cluster.servers.last().unwrap();
    let batch = cluster.batch(last).await;
    for _ in 0..20 {
        let made = cluster.order(last, batch, 1).await.expect(StatusCode::CREATED);
        history.orders.push((text(&made["runs"][0]["run"]), text(&made["runs"][0]["first"])));
    }
    assert!(!history.doubled().is_empty(), "a number that was given twice would not be seen");
    ring.triple = None;
}

/// What the counters of runs say.
async fn counters(session: &Session) -> HashMap<String, Vec<u8>> {
    let claims = session.query_unpaged("SELECT name, value FROM claims", ()).await.unwrap();
    let claims = claims.into_rows_result().unwrap();
    let claims = claims.rows::<(String, Vec<u8>)>().unwrap().map(Result::unwrap);
    claims.filter(|(name, _)| name.starts_with("counter/runs/")).collect()
}

/// Has the counters of runs say what they said before.
async fn set_back(session: &Session, before: &HashMap<String, Vec<u8>>) {
    for name in counters(session).await.into_keys() {
        let value = before.get(&name).cloned().unwrap_or_else(|| vec![0; 8]);
        let update = "UPDATE claims SET value = ? WHERE name = ? IF EXISTS";
        session.query_unpaged(update, (value, name)).await.unwrap();
    }
}
