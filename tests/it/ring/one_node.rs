//! One of three nodes goes away, hangs, or comes back with nothing. The control is what is kept once: there the same fault makes
//! requests fail, or loses something, so that it is a fault, and is seen.

use std::time::{Duration, Instant};

use super::{
    Ring,
    history::History,
    is_long,
    load::{Asked, Goods, Load},
    phase,
};

/// Load on both while something happens to a node; what was answered, of that which is kept three times and of that which is
/// kept once.
async fn under(ring: &mut Ring, fault: impl FnOnce(&mut Ring)) -> (History, History) {
    let control = ring.control().await;
    let goods = Goods::of(ring.servers(1).await, 0).await;
    // The control only has to be seen to fail, and not to keep the nodes busy.
    let (load, single) = (Load::on(&goods), Load::of(&Goods::of(&control, 0).await, 1));
    phase(4, 60);
    let begun = Instant::now();
    fault(ring);
    let single = single.end().await;
    phase(4, 60);
    let history = load.end().await;
    println!("with nothing wrong:\n  captures {}", history.took_before(begun, Asked::Capture));
    ring.single = Some(control);
    ring.is_whole().await;
    history.is_without_failure();
    (history, single)
}

/// Held against the requirement by hand, on machines that do nothing else: for how long nothing may be captured.
fn goes_on(history: &History) {
    assert!(!is_long() || history.longest_silence() <= Duration::from_millis(500), "{history}");
}

/// And what 999 of 1,000 captures and scans may take.
fn is_quick(history: &History) {
    for asked in [Asked::Capture, Asked::Scan].into_iter().filter(|_| is_long()) {
        assert!(history.took(asked).permille(999) <= Duration::from_millis(250), "{history}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run --ring, or see the head of tests/it/ring"]
async fn a_node_is_killed_under_load_and_nothing_fails_and_nothing_is_lost() {
    let mut ring = Ring::take().await;
    let killed = |ring: &mut Ring| {
        ring.kill(&[3]);
        phase(6, 60);
        ring.start_again(&[3], "group");
    };
    let (mut history, single) = under(&mut ring, killed).await;
    assert!(single.failed().count() > 0, "where there is one copy, requests fail");
    history.is_there(ring.triple.as_mut().unwrap()).await;
    goes_on(&history);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run --ring, or see the head of tests/it/ring"]
async fn a_node_hangs_for_15_s_under_load_and_nothing_fails_and_nothing_is_lost() {
    let mut ring = Ring::take().await;
    let hangs = |ring: &mut Ring| {
        ring.pause(3);
        std::thread::sleep(Duration::from_secs(15));
        ring.go_on(3);
    };
    let (mut history, single) = under(&mut ring, hangs).await;
    assert!(single.failed().count() > 0, "where there is one copy, requests fail");
    history.is_there(ring.triple.as_mut().unwrap()).await;
    goes_on(&history);
    is_quick(&history);
}

/// While a node has nothing it counts in quorums all the same, so that the others are made alike before it starts, and it
/// behind that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a ring: tests/run --ring, or see the head of tests/it/ring"]
async fn a_node_that_lost_its_disk_is_repaired_and_holds_everything() {
    let mut ring = Ring::take().await;
    let lost_its_disk = |ring: &mut Ring| {
        ring.kill(&[3]);
        ring.repair(1);
        ring.start_empty(3);
        ring.repair(3);
    };
    let (mut history, single) = under(&mut ring, lost_its_disk).await;
    // No repair brings back what was on the node alone, and nobody keeps that any longer.
    let control = ring.single.take().unwrap();
    let lost = single.lost(&control.servers[0], &control.importer).await.len();
    drop(control);
    println!("where there was one copy: {lost} of {} lost", single.events.len() + single.orders.len());
    assert!(lost > 0, "the test would not see a loss");

    // A second one is emptied and not repaired, and the third one gone: all of it comes from the one that was repaired.
    ring.kill(&[2]);
    ring.start_empty(2);
    ring.kill(&[1]);
    history.is_there(ring.triple.as_mut().unwrap()).await;
    ring.heal();
    ring.is_whole().await;
    ring.repair(2);
}
