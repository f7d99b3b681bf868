//! A server that is killed in the middle of its work.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use scylla::client::session::Session;
use serde_json::{Value, json};

use super::{Cluster, PATIENCE, Server, now};
use crate::routes::{both, document, number, span};

/// How many events the document has that is under way when its server is killed.
fn events() -> u32 {
    let given = std::env::var("CLUSTER_TEST_EVENTS").ok().and_then(|given| given.parse().ok());
    given.unwrap_or(10_000)
}

/// How long so many may take.
fn patience(events: u32) -> Duration {
    PATIENCE * (5 + events / 4_000)
}

/// The rows of a table of the session's keyspace.
async fn rows(session: &Session, table: &str) -> i64 {
    let count = format!("SELECT COUNT(*) FROM {table}");
    let rows = session.query_unpaged(count, ()).await.unwrap().into_rows_result().unwrap();
    rows.single_row::<(i64,)>().unwrap().0
}

/// Sends a document as it is.
fn send(server: &Server, key: &str, document: String) -> reqwest::RequestBuilder {
    let request = server.client.post(format!("{}/epcis/capture", server.base_url)).bearer_auth(key);
    request.header("Content-Type", "application/json").body(document)
}

/// Waits until the job of a document is done.
async fn finished(cluster: &Cluster, server: &Server, job: &Value, patience: Duration) {
    let begun = Instant::now();
    let path = format!("/epcis/capture/{}", job["captureID"].as_str().unwrap());
    loop {
        let reply = server.get(&path, &cluster.importer).await;
        let job = &reply.body;
        // The cluster may have too much to do to say.
        if reply.status != StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(reply.status, StatusCode::OK, "{job}");
            if job["running"] == false {
                return assert_eq!(job["success"], true, "{job}");
            }
        }
        assert!(begun.elapsed() < patience, "it is not finished: {job} {}", server.said());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Small captures are answered while a large one is under way; then their server is killed. The other one finishes what was
/// committed; sent again, the large one has taken effect once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_server_acknowledged_is_applied_once_by_another() {
    let Some(mut cluster) = Cluster::start(2).await else { return };
    in_mid_capture(&mut cluster, events()).await;
}

/// The same on any two servers, with a document of so many events.
pub async fn in_mid_capture(cluster: &mut Cluster, events: u32) {
    // One session, so that the rows are counted while what they count goes on.
    let session = &cluster.keyspace.session().await;
    session.use_keyspace(&cluster.keyspace.access.keyspace, false).await.unwrap();
    let before = rows(session, "records").await;
    let batch = cluster.batch(&cluster.servers[0]).await;
    let run = cluster.run(&cluster.servers[0], batch, 2_000).await;
    let observed = |at: u32| {
        let (code, ago_s) = (cluster.code(&run, at % 1_000), 1_000_000 - i64::from(at));
        let time = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(ago_s);
        now(both(span(batch, &code, &code, 1), json!({ "bizStep": "inspecting", "eventTime": time.to_string() })))
    };
    let large = document((0..events).map(observed).collect()).to_string();
    let gone: Vec<_> = (1_000..1_040).map(|serial| cluster.code(&run, serial)).collect();

    let victim = &cluster.servers[0];
    let under_way = tokio::spawn(send(victim, &cluster.importer, large.clone()).send());
    for code in &gone {
        let event = both(span(batch, code, code, 1), json!({ "bizStep": "destroying", "disposition": "destroyed" }));
        cluster.capture(victim, vec![now(event)]).await.expect(StatusCode::ACCEPTED);
    }
    // Until the large one is committed and some of it is applied, if it is slow enough.
    let (begun, small) = (Instant::now(), rows(session, "applied").await);
    while rows(session, "applied").await < small + 2 && !under_way.is_finished() && begun.elapsed() < patience(events) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("killed {:?} behind the last answer; under way: {}", begun.elapsed(), !under_way.is_finished());
    cluster.servers[0].kill();
    let _ = under_way.await;
    // With the registration of the batch, and the two events that issued and applied its codes.
    let all = before + i64::from(events) + gone.len() as i64 + 3;
    // The control: what is looked for in the end is not there yet.
    assert!(rows(session, "records").await < all, "it was not killed in the middle: CLUSTER_TEST_EVENTS");

    let (other, begun) = (&cluster.servers[1], Instant::now());
    for code in &gone {
        other.scan_until(code, |scan| scan["verdict"] == "destroyed").await;
    }
    other.has_closed_feed_of(&cluster.servers[0]).await;
    // The same document: it is finished by now, or being finished, or nothing of it is there.
    let again = send(other, &cluster.importer, large).send().await.unwrap();
    let (status, job) = (again.status(), again.text().await.unwrap());
    assert_eq!(status, StatusCode::ACCEPTED, "{job}");
    finished(cluster, other, &serde_json::from_str(&job).unwrap(), patience(events)).await;
    println!("finished {:?} behind the kill", begun.elapsed());
    assert_eq!(rows(session, "records").await, all);
    println!("{}", cluster.coldproof(1, &["audit"]));

    // And started again.
    cluster.add(0).await;
    let again = cluster.servers.last().unwrap();
    for code in &gone {
        assert_eq!(again.scan(code).await["verdict"], "destroyed");
    }
    assert_eq!(number(&again.scan(&cluster.code(&run, 1_500)).await["scans"]["count"]), 1);
}
