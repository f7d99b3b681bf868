//! All nodes go away at once, or all but one.

use std::time::Duration;

use reqwest::StatusCode;

use super::{
    Ring,
    history::History,
    is_long,
    load::{Asked, Goods, Load},
    phase,
};
use crate::{cluster::Cluster, store::keyspace::Keyspace};

/// Kills all nodes under load and starts them again.
async fn killed_and_started(ring: &mut Ring, goods: &Goods) -> History {
    let load = Load::on(goods);
    phase(5, 20);
    ring.kill(&[1, 2, 3]);
    let history = load.end().await;
    assert!(!history.events.is_empty(), "{history}");
    ring.start_again(&[1, 2, 3], "group");
    ring.is_whole().await;
    history
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run --ring, or see the head of tests/it/ring"]
async fn all_nodes_are_killed_at_once_and_nothing_acknowledged_is_lost() {
    let mut ring = Ring::take().await;
    for _ in 0..if is_long() { 10 } else { 1 } {
        let goods = Goods::of(ring.servers(1).await, 0).await;
        let mut history = killed_and_started(&mut ring, &goods).await;
        history.is_there(ring.triple.as_mut().unwrap()).await;
    }
}

/// The control: with Cassandra's own default some is lost. It is not where every node has happened to sync just before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run --ring, or see the head of tests/it/ring"]
async fn with_commit_logs_that_are_synced_periodically_some_is_lost() {
    let mut ring = Ring::take().await;
    ring.servers(1).await.servers.clear();
    for round in 1..=3 {
        ring.kill(&[1, 2, 3]);
        ring.start_again(&[1, 2, 3], "periodic");
        ring.is_whole().await;
        // Of its own: what others keep is on disk since the start, and stays.
        let mut keyspace = Keyspace::on(ring.nodes.clone(), 3).await;
        keyspace.access.accept_data_loss = true;
        let cluster = Cluster::on(keyspace, 1).await;
        let goods = Goods::of(&cluster, 0).await;
        // Longer than the period: what the load stands on is on disk by then, so that only what it does is lost.
        std::thread::sleep(Duration::from_secs(12));
        let history = killed_and_started(&mut ring, &goods).await;
        cluster.servers[0].scan_until(goods.cold(), |scan| scan["verdict"] == "genuine").await;
        let lost = history.lost(&cluster.servers[0], &cluster.importer).await.len();
        println!("round {round}: {lost} of {} lost", history.events.len() + history.orders.len());
        if lost > 0 {
            return;
        }
    }
    panic!("nothing was lost: the test would not see it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run --ring, or see the head of tests/it/ring"]
async fn with_two_of_three_nodes_gone_writes_are_refused_scans_go_on_and_nothing_is_lost() {
    let mut ring = Ring::take().await;
    let goods = Goods::of(ring.servers(1).await, 0).await;
    let load = Load::on(&goods);
    phase(4, 20);
    let mut history = load.end().await;
    history.is_without_failure();

    ring.kill(&[2, 3]);
    let load = Load::on(&goods);
    phase(15, 60);
    let away = load.end().await;
    let scans = away.answers.iter().filter(|answer| answer.asked == Asked::Scan);
    assert!(scans.clone().count() > 0 && scans.clone().all(|scan| scan.is_success()), "{away}");
    for answer in away.failed() {
        assert_eq!((answer.status, answer.says_when), (Some(StatusCode::SERVICE_UNAVAILABLE), true), "{answer:?}");
        assert!(!is_long() || answer.took <= Duration::from_secs(2), "{answer:?}");
    }
    assert!(away.failed().count() > 0, "{away}");
    // The control: what is not in memory is not told, so that the store was away indeed.
    let cold = ring.triple.as_ref().unwrap().servers[0].get(&format!("/{}", goods.cold()), "").await;
    assert!(!cold.status.is_success() || cold.body["genuine"] == false, "{}", cold.body);
    history.add(away);

    ring.start_again(&[2, 3], "group");
    ring.is_whole().await;
    ring.triple.as_ref().unwrap().servers[0].scan_until(goods.cold(), |scan| scan["verdict"] == "genuine").await;
    let load = Load::on(&goods);
    phase(4, 20);
    let healed = load.end().await;
    healed.is_without_failure();
    history.add(healed);
    history.is_there(ring.triple.as_mut().unwrap()).await;
}
