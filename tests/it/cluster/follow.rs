//! What one server writes, another shows.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use coldproof::limits::SCAN_FLUSH_INTERVAL_MS;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Cluster, PATIENCE, Server, now};
use crate::routes::{both, number, span, text};

/// Records that are captured, over what is applied at once.
const RECORDS: u32 = 3_000;

/// Ten codes that were scanned on the second server, so that it has them in memory, are destroyed on the first one; then
/// their batch is recalled there, and the recall lifted on the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_captured_and_recalled_on_one_server_shows_on_another() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let [a, b] = &cluster.servers[..] else { panic!() };
    let batch = cluster.batch(a).await;
    let run = cluster.run(a, batch, 100).await;
    let (mut captured, mut last) = (Vec::new(), String::new());
    for serial in 0..10 {
        let code = cluster.code(&run, serial);
        b.scan_until(&code, |scan| scan["verdict"] == "genuine").await;
        let gone = both(span(batch, &code, &code, 1), json!({ "bizStep": "destroying", "disposition": "destroyed" }));
        cluster.capture(a, vec![now(gone)]).await.expect(StatusCode::ACCEPTED);
        captured.push(b.scan_until(&code, |scan| scan["verdict"] == "destroyed").await.1);
        last = code;
    }
    captured.sort();
    println!("captured on one server, shown on another: {captured:?}");

    // Of another code of the same batch, which was not touched.
    let code = cluster.code(&run, 50);
    b.scan_until(&code, |scan| scan["verdict"] == "genuine").await;
    let recall = json!({ "kind": "recall", "batch": batch, "reason": "test report 7", "notice": "请勿食用" });
    let made = a.post("/v1/measures", &cluster.inspector, recall).await.expect(StatusCode::CREATED);
    let (scan, recalled) = b.scan_until(&code, |scan| scan["verdict"] == "recalled").await;
    assert_eq!(scan["measures"][0]["notice"], "请勿食用", "with its words");
    a.scan_until(&code, |scan| scan["verdict"] == "recalled").await;
    let lift = format!("/v1/measures/{}/lift", made["measure"]);
    let lifted = b.post(&lift, &cluster.inspector, json!({ "reason": "test report 8" })).await;
    assert!(lifted.status.is_success(), "{}", lifted.body);
    let (_, lifted) = a.scan_until(&code, |scan| scan["verdict"] == "genuine").await;
    println!("a recall shown: {recalled:?}, its lift: {lifted:?}");
    assert_eq!(text(&a.scan(&last).await["verdict"]), "destroyed");
}

/// Two servers have a code in memory; what the second counts of it from then on is added by the first one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scans_that_another_server_counts_are_heard_while_a_code_is_in_memory() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let [a, b] = &cluster.servers[..] else { panic!() };
    let batch = cluster.batch(a).await;
    let run = cluster.run(a, batch, 100).await;
    let code = cluster.code(&run, 3);
    a.scan(&code).await;
    for _ in 0..5 {
        b.scan(&code).await;
    }
    let own = Cell::new(1);
    let heard = |scan: &Value| {
        own.set(own.get() + 1);
        number(&scan["scans"]["count"]) == own.get() + 5
    };
    let (_, took) = a.scan_until(&code, heard).await;
    println!("scans on one server, counted by another: {took:?}");
}

/// Reads that a server has made of some tables.
async fn reads(server: &Server, tables: &[&str]) -> f64 {
    let metrics = server.get("/metrics", "").await.expect(StatusCode::OK);
    let is_of_them = |line: &&str| {
        line.starts_with("coldproof_store_requests_total{")
            && line.contains("kind=\"read\"")
            && tables.iter().any(|table| line.contains(&format!("\"{table}\"")))
    };
    let lines = metrics.as_str().unwrap().lines().filter(is_of_them);
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// What scans are made from.
const OF_SCANS: [&str; 5] = ["ledgers", "records", "statements", "children", "scans"];

/// A server that has applied a capture has touched what it changed, and follows itself without reading it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_has_applied_is_read_again_by_others_alone() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let [a, b] = &cluster.servers[..] else { panic!() };
    let batch = cluster.batch(a).await;
    let run = cluster.run(a, batch, RECORDS).await;
    let inspected = |serial| {
        let code = cluster.code(&run, serial);
        now(both(span(batch, &code, &code, 1), json!({ "bizStep": "inspecting" })))
    };
    let before = (reads(a, &["records"]).await, reads(b, &["records"]).await);
    // Chunks that take longer than the polls of a feed, and documents that are applied at once.
    cluster.capture(a, (0..RECORDS - 20).map(inspected).collect()).await.expect(StatusCode::ACCEPTED);
    for serial in RECORDS - 20..RECORDS {
        cluster.capture(a, vec![inspected(serial)]).await.expect(StatusCode::ACCEPTED);
    }
    let begun = Instant::now();
    while reads(b, &["records"]).await - before.1 < f64::from(RECORDS) {
        assert!(begun.elapsed() < PATIENCE, "the other server reads what was captured");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(reads(a, &["records"]).await, before.0, "its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_the_store_follow_what_changes_and_not_what_is_scanned() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let [a, b] = &cluster.servers[..] else { panic!() };
    let batch = cluster.batch(a).await;
    let run = cluster.run(a, batch, 10).await;
    let code = cluster.code(&run, 0);
    b.scan_until(&code, |scan| scan["verdict"] == "genuine").await;
    // So many scans of one code raise an alert, which is read and written with the sums.
    for _ in 0..50 {
        b.scan(&code).await;
    }
    // That is done by now, and what was written before is followed.
    tokio::time::sleep(Duration::from_millis(SCAN_FLUSH_INTERVAL_MS * 3 / 2)).await;
    b.scan(&code).await;
    let before = reads(b, &OF_SCANS).await;
    for _ in 0..500 {
        b.scan(&code).await;
    }
    let scanned = reads(b, &OF_SCANS).await;
    assert!(before > 0.0 && scanned == before, "{before} reads, and {scanned} behind 500 scans");
    let other = cluster.code(&run, 1);
    let gone = both(span(batch, &code, &code, 1), json!({ "bizStep": "destroying", "disposition": "destroyed" }));
    cluster.capture(a, vec![now(gone)]).await.expect(StatusCode::ACCEPTED);
    b.scan_until(&code, |scan| scan["verdict"] == "destroyed").await;
    let changed = reads(b, &OF_SCANS).await;
    assert!(changed > scanned, "a change is read");
    println!("reads: {before} at first, {scanned} behind 500 scans, {changed} behind a capture of {code}, not {other}");
}
