//! A node comes back with an empty disk. While it has nothing it counts in quorums all the same, so that the others are made
//! alike before it starts, and it behind that. The control is a keyspace that keeps one copy: no repair brings back what was
//! on the node alone.

use super::{
    Ring,
    load::{Goods, Load},
    phase,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run, or see the head of tests/it/ring"]
async fn a_node_that_lost_its_disk_is_repaired_and_holds_everything() {
    let mut ring = Ring::take().await;
    let mut cluster = ring.cluster(3, 1).await;
    let control = ring.cluster(1, 1).await;
    let goods = Goods::of(&cluster, 0).await;
    let single = Load::on(&Goods::of(&control, 0).await);
    let load = Load::on(&goods);
    phase(4, 30);
    let single = single.end().await;

    ring.kill(&[3]);
    ring.repair(1, &cluster.keyspace);
    ring.start_empty(3);
    ring.repair(3, &cluster.keyspace);
    phase(2, 30);
    let mut history = load.end().await;
    ring.is_whole(&cluster.keyspace).await;
    history.is_without_failure();
    let lost = single.lost(&control.servers[0], &control.importer).await;
    println!("where there was one copy: {} of {} lost", lost.len(), single.events.len() + single.orders.len());
    assert!(!lost.is_empty(), "the test would not see a loss");

    // A second one is emptied and not repaired, and the third one gone: all of it comes from the one that was.
    ring.kill(&[2]);
    ring.start_empty(2);
    ring.kill(&[1]);
    history.is_there(&mut cluster).await;
    ring.heal();
    ring.is_whole(&cluster.keyspace).await;
    ring.repair(2, &cluster.keyspace);
}
