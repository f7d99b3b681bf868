//! Moving house: from a folder to a cluster and back, over a real server.

use std::{fs, path::Path};

use coldproof::{
    service::backup::{
        BackupReader, Restoration,
        payload::{Piece, encode},
    },
    store::{
        Copies, Kept, Verify,
        cql::{CqlStore, Restoring, migrate},
    },
};
use serde_json::Value;

use super::{
    command::{answers, assert_same, codes, fails, store, succeeds},
    lived,
};
use crate::{
    demo::{Demo, demo_json},
    routes::START_MS,
    store::keyspace::Keyspace,
};

/// Links of codes and batches, and the timelines and whereabouts of some.
fn paths(backup: &Path, ring: &Path, named: &Value) -> Vec<String> {
    let mut codes: Vec<_> = codes(backup, ring).into_iter().step_by(3).collect();
    assert!(codes.len() > 50, "{}", codes.len());
    codes.extend(named["codes"].as_object().unwrap().values().map(|code| code.as_str().unwrap().to_owned()));
    let timelines = codes.iter().rev().step_by(5).map(|code| format!("/v1/codes/{code}/timeline"));
    let batches = (1..=20).map(|batch| format!("/batch/{batch}"));
    let whereabouts = (1..=20).map(|batch| format!("/v1/batches/{batch}/whereabouts"));
    codes.iter().map(|code| format!("/{code}")).chain(timelines).chain(batches).chain(whereabouts).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_moves_from_a_folder_to_a_cluster_and_back_answers_as_before() {
    let Some(keyspace) = Keyspace::absent() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).to_str().unwrap().to_owned();
    let demo = Demo::start(&at("old")).await;
    let named = demo_json(&at("old"));
    let (batch, inspector) = (named["batch"].to_string(), named["keys"]["inspector"].as_str().unwrap());
    let issue = ["issue", "--batch", &batch, "--count", "10", "--form", "code"];

    // Out of the folder, which is retired for good.
    let (old, new) = (store(&at("old")), keyspace.access.to_string());
    succeeds(&["backup", "--store", &old, "--to", &text("0.cpb")]);
    let paths = paths(&at("0.cpb"), &at("old").join("keyring.toml"), &named);
    let before = answers(&demo, inspector, &paths).await;
    let said = succeeds(&["backup", "--store", &old, "--to", &text("1.cpb"), "--final"]);
    assert!(said.contains("is retired"), "{said}");
    let refused = fails(&[&issue[..], &["--store", &old]].concat());
    assert!(refused.contains("retired by a final backup"), "{refused}");
    drop(demo);

    // Into the cluster.
    let ring = at("old").join("keyring.toml");
    let house = format!("store.folder={}", text("house"));
    let cluster = ["--store", &new, "--set", &house, "--set", "rate.loopback_exempt=true"];
    let file = text("1.cpb");
    let restore = [&["restore", "--from", &file], &cluster[..], &["--keyring", ring.to_str().unwrap()]].concat();
    let refused = fails(&restore);
    assert!(refused.contains("coldproof migrate"), "{refused}");
    succeeds(&["migrate", "--store", &new]);
    let said = succeeds(&restore);
    assert!(said.contains("compared") && said.contains("quarantine"), "{said}");
    let refused = fails(&restore);
    assert!(refused.contains("has a store already"), "{refused}");
    fs::copy(&ring, at("house").join("keyring.toml")).unwrap();
    let server = Demo::run(&[&["serve"], &cluster[..]].concat()).await;
    assert_same(&before, &answers(&server, inspector, &paths).await);
    succeeds(&[&["audit"], &cluster[..]].concat());
    let refused = fails(&[&issue[..], &cluster].concat());
    assert!(refused.contains("--release"), "{refused}");
    let release = [&["restore", "--release", "--fresh-key"], &cluster[..]].concat();
    assert!(fails(&release).contains("is not fresh"));
    drop(server);
    succeeds(&[&["keygen", "--rotate"], &cluster[..]].concat());
    succeeds(&release);
    let server = Demo::run(&[&["serve"], &cluster[..]].concat()).await;
    let issued = succeeds(&[&issue[..], &cluster].concat());
    assert!(issued.lines().next().unwrap().starts_with('1'), "{issued}");

    // And back into a folder: its feed and the cluster's come along.
    let before = answers(&server, inspector, &paths).await;
    let said = succeeds(&[&["backup", "--to", &text("2.cpb"), "--final"], &cluster[..]].concat());
    assert!(said.contains("is retired"), "{said}");
    let refused = fails(&[&issue[..], &cluster].concat());
    assert!(refused.contains("retired by a final backup"), "{refused}");
    drop(server);
    let back = store(&at("back"));
    succeeds(&["restore", "--from", &text("2.cpb"), "--store", &back]);
    fs::copy(at("house").join("keyring.toml"), at("back").join("keyring.toml")).unwrap();
    let server = Demo::run(&["serve", "--store", &back, "--set", "rate.loopback_exempt=true"]).await;
    assert_same(&before, &answers(&server, inspector, &paths).await);
    succeeds(&["audit", "--store", &back]);
    let refused = fails(&[&issue[..], &["--store", &back]].concat());
    assert!(refused.contains("--release"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_into_a_cluster_that_was_stopped_goes_on_and_leaves_no_store_before_its_end() {
    let Some(keyspace) = Keyspace::absent() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (file, other) = (folder.path().join("file"), folder.path().join("other"));
    let (app, goods, _) = lived().await;
    let backup = app.backup().await;
    fs::write(&file, &backup).unwrap();
    app.batch(&app.keys.importer, goods, serde_json::json!({ "lot": "L-9" })).await;
    fs::write(&other, app.backup().await).unwrap();

    // Stopped halfway: what stands on its own is there, some of it to be put again.
    migrate(&keyspace.access, &[]).await.unwrap();
    let note = encode(&Restoration { ring: None, begun_ms: START_MS }).unwrap();
    let mut reader = BackupReader::new(&backup[..]).unwrap();
    let digest = reader.header().digest().unwrap();
    let (restoring, _) = Restoring::begin(&keyspace.access, digest, &note).await.unwrap();
    let mut rows = 0;
    while let Some(piece) = reader.piece().unwrap() {
        match piece {
            Piece::Kept(Kept::Claim { .. }) => {}
            Piece::Kept(kept) if rows < 5 => {
                rows += u32::from(matches!(kept, Kept::Row(..)));
                restoring.store().load(vec![kept]).await.unwrap();
            }
            _ => {}
        }
    }
    assert_eq!(rows, 5);
    drop(restoring);

    let refused = CqlStore::open(&keyspace.access).await.err().unwrap().to_string();
    assert!(refused.contains("goes on where it was stopped"), "{refused}");
    let (location, house) = (keyspace.access.to_string(), format!("store.folder={}", folder.path().display()));
    let restore = |file: &Path| {
        ["restore", "--store", &location, "--set", &house, "--from", file.to_str().unwrap()].map(str::to_owned)
    };
    let run = |args: [String; 7], run: fn(&[&str]) -> String| run(&args.each_ref().map(String::as_str));
    let refused = run(restore(&other), fails);
    assert!(refused.contains("another backup") && refused.contains("drop the keyspace"), "{refused}");
    let said = run(restore(&file), succeeds);
    assert!(said.contains("it goes on"), "{said}");
    let restored = CqlStore::open(&keyspace.access).await.unwrap();
    let report = restored.verify().await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert!(run(restore(&file), fails).contains("has a store already"));
}
