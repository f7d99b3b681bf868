//! A process that is killed at any moment loses nothing that it acknowledged and leaves nothing half applied.

use std::{thread, time::Duration};

use coldproof::store::local::LocalStore;

use super::load::{self, Chance, Task};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_acknowledged_and_leaves_nothing_half_applied() {
    let mut chance = Chance::new();
    let mut folder = tempfile::tempdir().unwrap();
    let (mut all, mut acknowledged) = (Vec::new(), 0);
    for round in 0..load::rounds("COLDPROOF_KILLS", 30) {
        if round % 10 == 0 {
            (folder, all) = (tempfile::tempdir().unwrap(), Vec::new());
        }
        let first = round % 10 * 1_000_000;
        let task = Task { first, count: 100_000, writers: [1, 4, 32][chance.below(3) as usize], close: false };
        let mut child = load::start(folder.path(), task);
        if chance.below(4) > 0 {
            // Most are killed at work, the others at any moment from their start on, recovery included.
            child.wait_for("finished");
        }
        thread::sleep(Duration::from_millis(chance.below(400)));
        let said = child.kill();
        assert!(!said.iter().any(|line| line.starts_with("failed")), "{said:?}");
        acknowledged += load::acknowledged(&said, "committed").len();

        let store = LocalStore::open(folder.path()).unwrap();
        let (committed, finished) = (load::acknowledged(&said, "committed"), load::acknowledged(&said, "finished"));
        let highest = committed.iter().max().map_or(first, |highest| highest + 1);
        for number in first..highest + 2 * task.writers {
            let there = load::check(&*store, number, committed.contains(&number), finished.contains(&number)).await;
            if there.unwrap_or_else(|found| panic!("round {round}: {found:?}")) {
                all.push(number);
            }
        }
        load::check_feed(&*store, all.clone()).await.unwrap();
        check_claims(&*store, &said, task).await;
        let report = store.verify();
        assert!(report.is_clean(), "round {round}: {report:?}");
    }
    println!("{acknowledged} captures were acknowledged before a kill");
    assert!(acknowledged > 0, "no round got as far as to be asked anything");
}

/// A claim holds what its writer was last told, or the one thing that it was waiting for.
async fn check_claims(store: &dyn coldproof::store::Store, said: &[String], task: Task) {
    for writer in 0..task.writers {
        let claimed = load::acknowledged(said, "claimed");
        let Some(told) =
            claimed.into_iter().filter(|number| number % task.writers == (task.first + writer) % task.writers).max()
        else {
            continue;
        };
        let found = store.claim(&format!("writer/{writer}")).await.unwrap().unwrap();
        let found = u64::from_be_bytes(found.try_into().unwrap());
        assert!(
            found == told || found == told + task.writers,
            "writer {writer} was told {told}; its claim says {found}"
        );
    }
}
