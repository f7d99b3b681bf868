//! Copies of a keyspace that several servers write.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use coldproof::{
    limits::CQL_COPY_PAUSE_MS,
    store::{Claims, Copies, Error, Feed, Intake, Kept, Writer, cql::CqlStore},
};
use futures_util::StreamExt;

use super::{
    contract::{claims_of_one_moment, one_moment},
    keyspace::{Keyspace, patiently},
    sample,
};

/// Two servers on one keyspace.
struct Two {
    one: Arc<CqlStore>,
    other: Arc<CqlStore>,
    keyspace: Keyspace,
}

impl Two {
    async fn open() -> Option<Self> {
        let keyspace = Keyspace::take().await?;
        let open = async || patiently(async || CqlStore::open(&keyspace.access).await).await;
        Some(Self { one: open().await, other: open().await, keyspace })
    }
}

/// Waits for something that comes within a minute.
async fn until(comes: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !comes().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_one_moment_of_what_another_server_writes() {
    let Some(two) = Two::open().await else { return };
    one_moment(&*two.one, &*two.other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_has_claims_as_they_were_before_another_server_swapped_them() {
    let Some(two) = Two::open().await else { return };
    claims_of_one_moment(&*two.one, &*two.other).await;
}

/// Each server counts on, and captures what it counted, again and again: no copy has a capture without its count, or a count of
/// two captures that it does not have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captures_and_claims_of_all_servers_are_of_the_same_moment() {
    let Some(two) = Two::open().await else { return };
    let done = AtomicBool::new(false);
    let count = async |store: &CqlStore, lane: u64| {
        let (name, mut last) = (format!("lane/{lane}"), None);
        let mut number = 0u64;
        while !done.load(Ordering::Relaxed) {
            let next = number.to_be_bytes();
            assert!(store.swap(&name, last.as_ref().map(|last: &[u8; 8]| &last[..]), &next).await.unwrap());
            store.append(sample::load_capture(lane * 100_000 + number), sample::writes(number)).await.unwrap();
            (last, number) = (Some(next), number + 1);
        }
        number
    };
    let copies = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut copies = Vec::new();
        for taker in [&two.one, &two.other, &two.one] {
            let mut snapshot = patiently(async || taker.snapshot().await).await;
            let mut things = Vec::new();
            while let Some(batch) = snapshot.things.next().await {
                things.extend(batch.unwrap());
            }
            copies.push(things);
        }
        done.store(true, Ordering::Relaxed);
        copies
    };
    let (copies, one, other) = tokio::join!(copies, count(&two.one, 1), count(&two.other, 2));
    println!("{one} and {other} captures");
    for things in copies {
        let (mut counts, mut captures) = (BTreeMap::new(), BTreeMap::new());
        for thing in things {
            match thing {
                Kept::Claim { name, value } if name.starts_with("lane/") => {
                    counts.insert(name[5..].parse::<u64>().unwrap(), u64::from_be_bytes(value.try_into().unwrap()));
                }
                Kept::Capture(capture) => {
                    let (_, number, _) = capture.statements[0];
                    captures.insert(capture.id, number);
                }
                _ => {}
            }
        }
        for (lane, many) in [(1, one), (2, other)] {
            let is_there = |number| captures.contains_key(&sample::load_capture(lane * 100_000 + number).id);
            let captured = (0..many).take_while(|number| is_there(*number)).count() as u64;
            assert!((captured..many).all(|number| !is_there(number)), "a capture without the one before it");
            let counted = counts[&lane] + 1;
            assert!([captured, captured + 1].contains(&counted), "{counted} were counted, {captured} captured");
            assert!(captured > 0 && captured < many, "{captured} of {many}: it is no moment in between");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_part_keeps_a_copy_from_being_taken_and_no_write_from_being_made() {
    let Some(two) = Two::open().await else { return };
    let session = two.keyspace.session().await;
    session.use_keyspace(&two.keyspace.access.keyspace, false).await.unwrap();
    // One of an older version: its feed is open, and its lease moves on.
    let feed = "INSERT INTO feeds (list, writer) VALUES (0, 9) IF NOT EXISTS";
    session.query_unpaged(feed, ()).await.unwrap();
    let lives = async {
        for beat in 0.. {
            let lease = format!("held {beat}").into_bytes();
            let held = match beat {
                0 => {
                    session
                        .query_unpaged("INSERT INTO claims (name, value) VALUES ('feed/9', ?) IF NOT EXISTS", (lease,))
                        .await
                }
                _ => {
                    session.query_unpaged("UPDATE claims SET value = ? WHERE name = 'feed/9' IF EXISTS", (lease,)).await
                }
            };
            held.unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    };
    let refused = async {
        // It is heard of when the feeds are looked at.
        until(async || two.one.writers().await.is_ok_and(|writers| writers.contains(&Writer(9)))).await;
        two.one.snapshot().await.err().unwrap().to_string()
    };
    let refused = tokio::select! {
        () = lives => unreachable!(),
        refused = refused => refused,
    };
    assert!(refused.contains("feeds [9]") && refused.contains("older version"), "{refused}");
    for (number, store) in [&two.one, &two.other].into_iter().enumerate() {
        store.append(sample::load_capture(number as u64), sample::writes(number as u64)).await.unwrap();
    }
    let over = async || two.one.claim("copy").await.is_ok_and(|claim| claim == Some(Vec::new()));
    until(over).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_go_on_where_the_server_that_asked_them_to_wait_is_gone() {
    let Some(two) = Two::open().await else { return };
    let session = two.keyspace.session().await;
    session.use_keyspace(&two.keyspace.access.keyspace, false).await.unwrap();
    // A third one asks, and then nothing is heard of it.
    for statement in [
        "INSERT INTO feeds (list, writer) VALUES (0, 9) IF NOT EXISTS",
        "INSERT INTO claims (name, value) VALUES ('feed/9', textAsBlob('held 0')) IF NOT EXISTS",
        "INSERT INTO claims (name, value) VALUES ('copy', textAsBlob('asked 7 9')) IF NOT EXISTS",
    ] {
        session.query_unpaged(statement, ()).await.unwrap();
    }
    let (mut slowest, mut number) = (Duration::ZERO, 0);
    while two.one.claim("copy").await.unwrap() != Some(Vec::new()) {
        let begun = Instant::now();
        two.one.append(sample::load_capture(number), sample::writes(number)).await.unwrap();
        slowest = slowest.max(begun.elapsed());
        number += 1;
    }
    println!("{number} captures meanwhile, the slowest in {slowest:.1?}");
    let pause = Duration::from_millis(CQL_COPY_PAUSE_MS);
    assert!(slowest > pause / 2, "it was asked");
    assert!(slowest < pause * 5, "and ended the copy by itself");
    // And the next copy is taken as ever.
    let mut snapshot = patiently(async || two.other.snapshot().await).await;
    while let Some(batch) = snapshot.things.next().await {
        batch.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_copy_is_taken_at_a_time() {
    let Some(two) = Two::open().await else { return };
    let mut snapshot = patiently(async || two.one.snapshot().await).await;
    for store in [&two.one, &two.other] {
        let refused = store.snapshot().await.err().unwrap().to_string();
        assert!(refused.contains("one at a time"), "{refused}");
    }
    while let Some(batch) = snapshot.things.next().await {
        batch.unwrap();
    }
    patiently(async || two.other.snapshot().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_another_server_ended_is_none() {
    let Some(two) = Two::open().await else { return };
    for number in 0..200 {
        two.one.append(sample::load_capture(number), sample::writes(number)).await.unwrap();
    }
    let mut snapshot = patiently(async || two.one.snapshot().await).await;
    let taken = two.one.claim("copy").await.unwrap().unwrap();
    assert!(two.other.swap("copy", Some(&taken), b"").await.unwrap());
    let mut last = Ok(Vec::new());
    while let Some(batch) = snapshot.things.next().await {
        last = batch;
    }
    assert!(last.unwrap_err().to_string().contains("take it again"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_retired_where_no_other_server_writes() {
    let Some(two) = Two::open().await else { return };
    let refused = two.one.set_intake(Intake::Retired).await.err().unwrap();
    assert!(matches!(&refused, Error::Unavailable(said) if said.contains("stop them first")), "{refused}");
    two.other.close().await;
    // What another one closed is heard of when it is looked for.
    patiently(async || two.one.set_intake(Intake::Retired).await).await;
}
