//! Servers that do the same things at the same time.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::StatusCode;

use super::Cluster;
use crate::routes::{number, text};

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
