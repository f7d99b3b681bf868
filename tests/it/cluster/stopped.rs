//! A server that stands still in the middle of its work, and goes on: what it had under way lands late.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Cluster, now};
use crate::routes::{both, document, span, text};

/// Its writes carry older timestamps than what others have read, and written, since; some land twice, because another
/// server has finished what it left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lands_late_from_a_server_that_stood_still_is_shown_alike_by_all() {
    let Some(mut cluster) = Cluster::start(2).await else { return };
    let [a, b] = &cluster.servers[..] else { panic!() };
    let batch = cluster.batch(a).await;
    let run = cluster.run(a, batch, 100).await;
    let codes: Vec<_> = (0..100).map(|serial| cluster.code(&run, serial)).collect();
    for code in &codes {
        b.scan_until(code, |scan| scan["verdict"] == "genuine").await;
    }
    let captures: Vec<_> = codes
        .iter()
        .map(|code| {
            let gone = both(span(batch, code, code, 1), json!({ "bizStep": "destroying", "disposition": "destroyed" }));
            let request = a.client.post(format!("{}/epcis/capture", a.base_url)).bearer_auth(&cluster.importer);
            let body = document(vec![now(gone)]).to_string();
            let request = request.header("Content-Type", "application/json").body(body);
            tokio::spawn(async move { request.send().await.map(|answer| answer.status()) })
        })
        .collect();
    while captures.iter().filter(|capture| capture.is_finished()).count() < 5 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    a.signal("STOP");
    let answered = captures.iter().filter(|capture| capture.is_finished()).count();
    println!("stopped with {answered} answered");
    // Read meanwhile, again and again.
    tokio::select! {
        () = b.has_closed_feed_of(a) => {}
        () = async { loop { for code in &codes { b.scan(code).await; } } } => {}
    }
    a.signal("CONT");
    let mut acknowledged = Vec::new();
    for (code, capture) in codes.iter().zip(captures) {
        if capture.await.unwrap().is_ok_and(|status| status == StatusCode::ACCEPTED) {
            acknowledged.push(code);
        }
    }
    println!("{} of {} were acknowledged in the end", acknowledged.len(), codes.len());
    for code in &acknowledged {
        for server in [a, b] {
            server.scan_until(code, |scan| scan["verdict"] == "destroyed").await;
        }
    }
    // It goes on, in a feed of its own, and is heard.
    let recall = json!({ "kind": "recall", "batch": batch, "reason": "r" });
    let made = a.post("/v1/measures", &cluster.inspector, recall).await.expect(StatusCode::CREATED);
    b.scan_until(&codes[0], |scan| scan["verdicts"][0] == "recalled").await;
    let lift = format!("/v1/measures/{}/lift", made["measure"]);
    a.post(&lift, &cluster.inspector, json!({ "reason": "r" })).await;
    assert!(a.said().contains("goes on in a new one"), "{}", a.said());
    b.scan_until(&codes[0], |scan| scan["verdicts"][0] != "recalled").await;

    // One that has nothing in memory says the same.
    cluster.add(2).await;
    let [a, b, fresh] = &cluster.servers[..] else { panic!() };
    let told = |scan: &Value| (text(&scan["verdict"]), scan["timeline"].clone());
    for code in &codes {
        let truth = told(&fresh.scan(code).await);
        for server in [a, b] {
            server.scan_until(code, |scan| told(scan) == truth).await;
        }
    }
    println!("{}", cluster.coldproof(1, &["audit"]));
}
