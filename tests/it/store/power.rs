//! A power cut, simulated by an ext4 that stops without writing what it still holds, loses nothing acknowledged.

use std::{thread, time::Duration};

use coldproof::store::local::LocalStore;
use fjall::{Database, KeyspaceCreateOptions, PersistMode};

use super::{
    load::{self, Chance, Task},
    loop_fs,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_loses_nothing_acknowledged() {
    let mut chance = Chance::new();
    let Some(mut fs) = loop_fs::available(512) else { return };
    let (mut all, mut acknowledged) = (Vec::new(), 0);
    for round in 0..load::rounds("COLDPROOF_POWER_CUTS", 8) {
        if round > 0 && round % 8 == 0 {
            (fs, all) = (loop_fs::LoopFs::new(512).unwrap(), Vec::new());
        }
        let first = round % 8 * 1_000_000;
        let writers = [1, 4, 32][chance.below(3) as usize];
        let folder = fs.path().join("store");
        let mut child = load::start(&folder, Task { first, count: 100_000, writers, close: false });
        child.wait_for("finished");
        thread::sleep(Duration::from_millis(chance.below(400)));
        // What is heard after this moment may have raced the cut.
        let heard = child.heard();
        fs.cut_power().unwrap();
        child.kill();
        fs.restart();

        let store = LocalStore::open(&folder).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let (committed, finished) = (load::acknowledged(&heard, "committed"), load::acknowledged(&heard, "finished"));
        acknowledged += committed.len();
        let highest = committed.iter().max().copied().unwrap_or(first);
        for number in first..highest + 1000 {
            let there = load::check(&*store, number, committed.contains(&number), finished.contains(&number)).await;
            if there.unwrap_or_else(|found| panic!("round {round}: {found:?}")) {
                all.push(number);
            }
        }
        load::check_feed(&*store, all.clone()).await.unwrap();
        assert!(store.verify().is_clean(), "round {round}: {:?}", store.verify());
    }
    println!("{acknowledged} captures were acknowledged before a cut");
}

#[test]
fn the_same_cut_loses_what_the_engine_wrote_without_waiting_for_the_disk() {
    let Some(fs) = loop_fs::available(512) else { return };
    let open = || {
        let database = Database::builder(fs.path().join("control")).open().unwrap();
        let keyspace = database.keyspace("control", KeyspaceCreateOptions::default).unwrap();
        (database, keyspace)
    };
    let (database, keyspace) = open();
    for number in 0..1000u32 {
        let mut batch = database.batch().durability(Some(PersistMode::Buffer));
        batch.insert(&keyspace, number.to_be_bytes(), [7; 200]);
        batch.commit().unwrap();
    }
    fs.cut_power().unwrap();
    drop((database, keyspace));
    fs.restart();
    let (_database, keyspace) = open();
    let kept = keyspace.len().unwrap();
    println!("{kept} of 1,000 unsynced writes survived");
    assert!(kept < 1000, "the cut must lose something, or it proves nothing");
}
