//! A backup that one of two servers takes while both write.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use reqwest::StatusCode;
use serde_json::json;

use super::{Cluster, Server, now};
use crate::{
    routes::{Run, both, span, text},
    store::keyspace::Keyspace,
};

/// Codes that are written about.
const CODES: u32 = 10_000;

/// What is written, one after the other, at one server.
struct Written<'c> {
    cluster: &'c Cluster,
    batch: u64,
    run: &'c Run,
    next: &'c AtomicU32,
}

impl Written<'_> {
    /// Captures an event, and orders a code; what can be asked for behind it.
    async fn write(&self, server: &Server) -> [String; 2] {
        let code = self.cluster.code(self.run, self.next.fetch_add(1, Ordering::Relaxed) % CODES);
        let event = now(both(span(self.batch, &code, &code, 1), json!({ "bizStep": "inspecting" })));
        let job = self.cluster.capture(server, vec![event]).await.expect(StatusCode::ACCEPTED);
        let run = self.cluster.run(server, self.batch, 1).await;
        [format!("/epcis/capture/{}", text(&job["captureID"])), format!("/v1/runs/{}", run.name)]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_two_servers_that_write_is_a_cut_and_sound() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let [a, b] = &cluster.servers[..] else { panic!() };
    // Of each server its own, so that neither waits for the other's turn.
    let (batches, next) = ([cluster.batch(a).await, cluster.batch(b).await], AtomicU32::new(0));
    let runs = [cluster.run(a, batches[0], CODES).await, cluster.run(b, batches[1], CODES).await];
    let at = |lane: usize| Written { cluster: &cluster, batch: batches[lane], run: &runs[lane], next: &next };
    let file = cluster.folder.path().join("backup");
    let last = cluster.command(0, &["backup", "--final", "--to", file.to_str().unwrap()]).output().unwrap();
    let refused = String::from_utf8_lossy(&last.stderr);
    assert!(refused.contains("1 other servers write to this keyspace: stop them first"), "{refused}");
    let backup = cluster.command(0, &["backup", "--to", file.to_str().unwrap()]);

    let (begun, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let load = async |lane: usize| {
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        while !done.load(Ordering::Relaxed) {
            let is_before = !begun.load(Ordering::Relaxed);
            let written = at(lane).write(&cluster.servers[lane]).await;
            // What is not known to have been acknowledged before the beginning may be there or not.
            let is_before = is_before && !begun.load(Ordering::Relaxed);
            if is_before { &mut before } else { &mut behind }.push(written);
        }
        (before, behind)
    };
    let taken = async {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        begun.store(true, Ordering::Relaxed);
        let mut backup = backup;
        let taken = tokio::task::spawn_blocking(move || backup.output().unwrap()).await.unwrap();
        // Something that comes behind it on both.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        done.store(true, Ordering::Relaxed);
        taken
    };
    let (taken, one, other) = tokio::join!(taken, load(0), load(1));
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));

    let (keyspace, folder) = (Keyspace::take().await.unwrap(), tempfile::tempdir().unwrap());
    let (importer, inspector) = (cluster.importer.clone(), cluster.inspector.clone());
    let mut restored = Cluster { keyspace, servers: Vec::new(), folder, importer, inspector };
    fs::create_dir_all(restored.folder_of(0)).unwrap();
    let ring = cluster.folder_of(0).join("keyring.toml");
    restored.coldproof(0, &["restore", "--from", file.to_str().unwrap(), "--keyring", ring.to_str().unwrap()]);
    fs::copy(&ring, restored.folder_of(0).join("keyring.toml")).unwrap();
    restored.add(0).await;
    println!("{}", restored.coldproof(0, &["audit"]));
    for (before, behind) in [one, other] {
        let mut there = Vec::new();
        for path in before.iter().chain(&behind).flatten() {
            let status = restored.servers[0].get(path, &restored.importer).await.status;
            assert!([StatusCode::OK, StatusCode::NOT_FOUND].contains(&status), "{path}: {status}");
            there.push(status == StatusCode::OK);
        }
        println!(
            "{} written before, {} of {} are there",
            before.len() * 2,
            there.iter().filter(|is| **is).count(),
            there.len()
        );
        assert!(there[..before.len() * 2].iter().all(|is| *is), "what was acknowledged before");
        assert!(there.is_sorted_by(|one, next| one >= next), "up to some point and not beyond: {there:?}");
        assert!(!before.is_empty() && there.contains(&false), "some came behind it");
    }
}
