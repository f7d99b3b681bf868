//! Servers that do the same things at the same time.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Cluster, now};
use crate::routes::{both, number, span, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_and_registrations_on_two_servers_give_no_number_twice() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let cluster = &cluster;
    let batches = join_all((0..8).map(|i| cluster.batch(&cluster.servers[i % 2]))).await;
    assert_eq!(batches.iter().collect::<BTreeSet<_>>().len(), batches.len(), "{batches:?}");
    let orders = (0..40).map(|i| {
        let (server, batch) = (&cluster.servers[i % 2], batches[i % 4]);
        async move { cluster.order(server, batch, 10).await }
    });
    let mut runs = Vec::new();
    for reply in join_all(orders).await {
        runs.extend(reply.expect(StatusCode::CREATED)["runs"].as_array().unwrap().iter().map(|run| text(&run["run"])));
    }
    assert_eq!(runs.iter().collect::<BTreeSet<_>>().len(), 40, "{runs:?}");
    for server in &cluster.servers {
        let listed = server.get("/v1/batches?limit=100", &cluster.importer).await.expect(StatusCode::OK);
        let listed: BTreeSet<_> = listed["items"].as_array().unwrap().iter().map(|it| number(&it["id"])).collect();
        assert_eq!(listed, batches.iter().copied().collect());
    }
    println!("{}", cluster.coldproof(0, &["audit"]));
}

/// Each of many orders is for a third of what the batch has: three of them fit, whoever takes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_on_two_servers_never_pass_the_quantity_of_a_batch() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let cluster = &cluster;
    let batch = cluster.batch(&cluster.servers[0]).await;
    let orders = (0..8).map(|i| async move { cluster.order(&cluster.servers[i % 2], batch, 6_600).await.status });
    let made = join_all(orders).await;
    let many = |status| made.iter().filter(|made| **made == status).count();
    // One that waits too long for its turn is told so, and may come again.
    assert!(many(StatusCode::CREATED) <= 3 && many(StatusCode::CREATED) > 0, "{made:?}");
    let refused = many(StatusCode::UNPROCESSABLE_ENTITY) + many(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(many(StatusCode::CREATED) + refused, 8, "{made:?}");
    let codes = cluster.servers[1].get(&format!("/v1/batches/{batch}"), &cluster.importer).await.expect(StatusCode::OK);
    println!("{made:?} {}", codes["issued"]);
    cluster.coldproof(0, &["audit"]);
}

/// Every change that was answered with success stands in the history; the others were told that they do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_changes_on_two_servers_none_is_lost_in_silence() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let cluster = &cluster;
    let batch = cluster.batch(&cluster.servers[0]).await;
    let path = &format!("/v1/batches/{batch}");
    let changes = (0..12).map(|i| async move {
        let body = json!({ "lot": format!("L-{i}") });
        let reply = cluster.servers[i % 2].call(Method::PATCH, path, &cluster.importer, Some(body)).await;
        (i, reply.status, reply.body)
    });
    let changed = join_all(changes).await;
    let history = cluster.servers[0].get(&format!("{path}/versions"), &cluster.importer).await.expect(StatusCode::OK);
    let said = history.to_string();
    let made: Vec<_> = changed.iter().filter(|(_, status, _)| status.is_success()).collect();
    for (i, ..) in &made {
        assert!(said.contains(&format!("\"L-{i}\"")), "change {i} is not in {history}");
    }
    for (i, status, body) in changed.iter().filter(|(_, status, _)| !status.is_success()) {
        assert!([StatusCode::CONFLICT, StatusCode::SERVICE_UNAVAILABLE].contains(status), "{i}: {body}");
    }
    println!("{} of {} changes took effect", made.len(), changed.len());
    assert!(!made.is_empty());
    cluster.coldproof(0, &["audit"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_comes_to_two_servers_at_once_is_one_capture() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let cluster = &cluster;
    let batch = cluster.batch(&cluster.servers[0]).await;
    let run = cluster.run(&cluster.servers[0], batch, 20).await;
    for serial in 0..10 {
        let code = cluster.code(&run, serial);
        let gone = both(span(batch, &code, &code, 1), json!({ "bizStep": "destroying", "disposition": "destroyed" }));
        let event = now(gone);
        let captured = cluster.servers.iter().map(|server| cluster.capture(server, vec![event.clone()]));
        let jobs =
            join_all(captured).await.into_iter().map(|reply| text(&reply.expect(StatusCode::ACCEPTED)["captureID"]));
        assert_eq!(jobs.collect::<BTreeSet<_>>().len(), 1);
        for server in &cluster.servers {
            let (scan, _) = server.scan_until(&code, |scan| scan["verdict"] == "destroyed").await;
            let lines = scan["timeline"].to_string();
            assert_eq!(lines.matches("destroying").count(), 1, "{lines}");
        }
    }
    println!("{}", cluster.coldproof(0, &["audit"]));
}
