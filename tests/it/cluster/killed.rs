//! A server that is killed in the middle of its work.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Cluster, PATIENCE, now};
use crate::routes::{both, document, number, span};

/// How many events the document has that is under way when its server is killed.
fn events() -> u32 {
    let given = std::env::var("CLUSTER_TEST_EVENTS").ok().and_then(|given| given.parse().ok());
    given.unwrap_or(20_000)
}

/// Small captures are answered while a large one is under way; then their server is killed. The other one finishes what was
/// committed; sent again, the large one has taken effect once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_server_acknowledged_is_applied_once_by_another() {
    let Some(mut cluster) = Cluster::start(2).await else { return };
    let batch = cluster.batch(&cluster.servers[0]).await;
    let run = cluster.run(&cluster.servers[0], batch, 2_000).await;
    let observed = |serial: u32, second: u32| {
        let code = cluster.code(&run, serial);
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1_000_000 - i64::from(second));
        now(both(span(batch, &code, &code, 1), json!({ "bizStep": "inspecting", "eventTime": at.to_string() })))
    };
    let large: Vec<Value> = (0..events()).map(|at| observed(at % 1_000, at)).collect();
    let large = document(large).to_string();
    let sold: Vec<_> = (1_000..1_040).map(|serial| (cluster.code(&run, serial), serial)).collect();

    let victim = &cluster.servers[0];
    let (base, key, body) = (victim.base_url.clone(), cluster.importer.clone(), large.clone());
    let under_way = tokio::spawn(async move {
        let request = reqwest::Client::new().post(format!("{base}/epcis/capture")).bearer_auth(key);
        request.header("Content-Type", "application/json").body(body).send().await.map(|answer| answer.status())
    });
    let mut acknowledged = Vec::new();
    for (code, _) in &sold {
        let gone = both(span(batch, code, code, 1), json!({ "bizStep": "destroying", "disposition": "destroyed" }));
        cluster.capture(victim, vec![now(gone)]).await.expect(StatusCode::ACCEPTED);
        acknowledged.push(code.clone());
    }
    // Into its applying, where the large one has begun that.
    let begun = Instant::now();
    let name = cluster.keyspace.access.keyspace.clone();
    let session = cluster.keyspace.session().await;
    let committed = format!("SELECT COUNT(*) FROM {name}.applied");
    let applied = async || {
        let rows = session.query_unpaged(committed.clone(), ()).await.unwrap().into_rows_result().unwrap();
        rows.single_row::<(i64,)>().unwrap().0
    };
    let small = applied().await;
    while applied().await < small + 2 && !under_way.is_finished() && begun.elapsed() < PATIENCE * (5 + events() / 4_000) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("killed {:?} behind the last answer; under way: {}", begun.elapsed(), !under_way.is_finished());
    cluster.servers[0].kill();
    let _ = under_way.await;

    let other = &cluster.servers[1];
    for code in &acknowledged {
        other.scan_until(code, |scan| scan["verdict"] == "destroyed").await;
    }
    let log = || other.said();
    let begun = Instant::now();
    while !log().contains("is not heard of any more") {
        assert!(begun.elapsed() < PATIENCE, "its feed was not closed: {}", log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("its feed was closed after {:?}", begun.elapsed());
    // The same document: it is finished by now, or nothing of it is there.
    let again = other.client.post(format!("{}/epcis/capture", other.base_url)).bearer_auth(&cluster.importer);
    let again = again.header("Content-Type", "application/json").body(large).send().await.unwrap();
    let (status, job) = (again.status(), again.text().await.unwrap());
    assert_eq!(status, StatusCode::ACCEPTED, "{job}");
    let job: Value = serde_json::from_str(&job).unwrap();
    let path = format!("/epcis/capture/{}", job["captureID"].as_str().unwrap());
    loop {
        let job = other.get(&path, &cluster.importer).await.expect(StatusCode::OK);
        if job["running"] == false {
            break assert_eq!(job["success"], true, "{job}");
        }
        assert!(begun.elapsed() < PATIENCE * (5 + events() / 4_000), "it is not finished: {job} {}", other.said());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("finished {:?} behind the kill", begun.elapsed());
    let records = session.query_unpaged(format!("SELECT COUNT(*) FROM {name}.records"), ()).await.unwrap();
    let records = records.into_rows_result().unwrap().single_row::<(i64,)>().unwrap().0;
    // With the registration of the batch, and the two events that issued and applied its codes.
    assert_eq!(records, i64::from(events()) + sold.len() as i64 + 3);
    println!("{}", cluster.coldproof(1, &["audit"]));

    // And started again.
    cluster.add(0).await;
    let again = cluster.servers.last().unwrap();
    for code in &acknowledged {
        assert_eq!(again.scan(code).await["verdict"], "destroyed");
    }
    assert_eq!(number(&again.scan(&cluster.code(&run, 1_500)).await["scans"]["count"]), 1);
}
