//! Rates, printed and never asserted:
//! `cargo test --release --test it store::measure -- --ignored --nocapture --test-threads=1`.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use coldproof::{
    store::{Feed, Writes, local::LocalStore},
    trace::{BatchId, Entry, Place, Scope, Subject},
};

use super::{load::rounds, sample};

/// A capture of `records` records of 600 bytes, each with an entry in a batch's and in a block's ledger.
fn writes(first: u64, records: u64) -> Writes {
    let records: Vec<_> = (first..first + records).map(|number| sample::record_of(number, 600)).collect();
    let entries = records.iter().zip(first..).flat_map(|(record, number)| {
        let entry = sample::entry(number, record.event_time_ms, Scope::All);
        let entry = Entry { place: Place { record: record.id, ..entry.place }, ..entry };
        let serial = (number % (1 << 22)) as u32;
        let code = Entry { scope: sample::single(1, serial), ..entry.clone() };
        let block = sample::block(1, (serial >> 12) as u16);
        [(Subject::Batch(BatchId(number % 1000)), entry), (Subject::Block(block), code)]
    });
    Writes { entries: entries.collect(), records, statements: Vec::new() }
}

async fn run(store: &Arc<LocalStore>, base: u64, writers: u64, each: u64, records: u64) -> (f64, Duration) {
    let start = Instant::now();
    let tasks = (0..writers).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut waits = Vec::new();
            for i in 0..each {
                let number = base + writer * each + i;
                let writes = writes(number * records, records);
                let begun = Instant::now();
                store.append(sample::capture(number, records as u32), writes).await.unwrap();
                waits.push(begun.elapsed());
            }
            waits
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.unwrap());
    }
    waits.sort();
    ((writers * each) as f64 / start.elapsed().as_secs_f64(), waits[waits.len() * 99 / 100])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn durable_captures_a_second() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    let mut base = 0;
    for (writers, each) in [(1, 5_000), (16, 2_000), (256, 400)] {
        let (rate, p99) = run(&store, base, writers, each, 1).await;
        base += writers * each;
        println!("{writers:4} writers, 1 record a capture: {rate:9.0} captures/s, p99 {p99:?}");
    }
    for writers in [1, 4] {
        let (rate, p99) = run(&store, base, writers, 100, 1000).await;
        base += writers * 100;
        println!("{writers:4} writers, 1,000 records a capture: {:9.0} records/s, p99 {p99:?}", rate * 1000.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement; COLDPROOF_RECORDS says how many records, 10 million if nothing"]
async fn seconds_to_open() {
    let records = rounds("COLDPROOF_RECORDS", 10_000_000);
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    let begun = Instant::now();
    run(&store, 0, 4, records / 4000, 1000).await;
    println!("{records} records written in {:?}", begun.elapsed());
    let begun = Instant::now();
    drop(store);
    println!("dropped in {:?}", begun.elapsed());
    for round in 0..3 {
        let store = opened(folder.path(), "after an unclean stop");
        // Small writes leave a journal that is as full of groups as it gets.
        run(&store, (1 << 40) + round * 100_000, 64, 400, 1).await;
        drop(store);
    }
    let store = opened(folder.path(), "after an unclean stop");
    let begun = Instant::now();
    store.close().await.unwrap();
    println!("closed in {:?}", begun.elapsed());
    drop(store);
    opened(folder.path(), "after a clean stop");
}

fn opened(folder: &Path, how: &str) -> Arc<LocalStore> {
    let begun = Instant::now();
    let store = LocalStore::open(folder).unwrap();
    println!("opened {how} in {:?}", begun.elapsed());
    store
}
