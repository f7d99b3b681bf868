//! One of three nodes goes away, or hangs. The control is a keyspace that keeps one copy of everything: there the same
//! fault makes requests fail, so that it is a fault, and a request that fails is seen.

use std::time::Duration;

use super::{
    Ring, is_long,
    load::{Asked, Goods, Load},
    phase,
};

/// What happens to the node, from the moment at which it begins to that at which the node is back.
async fn under(fault: impl FnOnce(&mut Ring), silence: Duration, permille: Duration) {
    let mut ring = Ring::take().await;
    let mut cluster = ring.cluster(3, 1).await;
    let control = ring.cluster(1, 1).await;
    let goods = Goods::of(&cluster, 0).await;
    let load = Load::on(&goods);
    let single = Load::on(&Goods::of(&control, 0).await);
    phase(4, 60);
    fault(&mut ring);
    // One copy is enough to show it; the rest is for the three.
    let single = single.end().await;
    phase(6, 60);
    let mut history = load.end().await;
    ring.is_whole(&cluster.keyspace).await;

    assert!(single.failed().count() > 0, "where there is one copy, requests fail");
    history.is_without_failure();
    history.is_there(&mut cluster).await;
    if is_long() {
        assert!(history.longest_silence() <= silence, "{history}");
        assert!(history.took(Asked::Capture).permille(999) <= permille, "{history}");
        assert!(history.took(Asked::Scan).permille(999) <= permille, "{history}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run, or see the head of tests/it/ring"]
async fn a_node_is_killed_under_load_and_nothing_fails_and_nothing_is_lost() {
    let killed = |ring: &mut Ring| {
        ring.kill(&[3]);
        phase(6, 60);
        ring.start_again(&[3], "group");
    };
    under(killed, Duration::from_millis(500), Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run, or see the head of tests/it/ring"]
async fn a_node_hangs_for_15_s_under_load_and_nothing_fails_and_nothing_is_lost() {
    let hangs = |ring: &mut Ring| {
        ring.pause(3);
        std::thread::sleep(Duration::from_secs(15));
        ring.go_on(3);
    };
    under(hangs, Duration::from_secs(1), Duration::from_millis(250)).await;
}
