//! What is in a backup.

use std::{
    collections::BTreeSet,
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use axum::http::StatusCode;
use serde_json::json;

use super::{checked, lived};
use crate::routes::{TestApp, both, event, on_cluster, restore_into, ring, span};

#[tokio::test]
async fn a_restored_store_answers_every_scan_as_before_and_is_sound() {
    let (app, goods, run) = lived().await;
    let backup = app.backup().await;
    let restored = app.restored(&backup, &ring()).await.unwrap();
    let picture = format!("/v1/products/{}/picture", goods.product);
    let serials = (0..10).chain(95..105).chain(4_090..4_100).chain([8_999, 9_000, 9_001, 9_989, 9_990, 9_999, 10_000]);
    let codes = serials.map(|serial| format!("/{}", app.code(&run.name, serial)));
    for path in codes.chain([picture, format!("/batch/{}", goods.batch), "/01/09506000134352".to_owned()]) {
        // The inspector's do not count.
        let (before, after) =
            (app.get(&path, &app.keys.inspector).await, restored.get(&path, &app.keys.inspector).await);
        assert_eq!(before.status, after.status, "{path}");
        assert!(before.body == after.body, "{path}: {:?} {:?}", before.json(), after.json());
    }
    let scanned = restored.get(&format!("/{}", app.code(&run.name, 100)), &app.keys.inspector).await.json();
    assert_eq!(scanned["scans"]["count"], 2, "{scanned}");
    assert_eq!(restored.audit().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_a_load_of_writes_is_a_cut_and_has_all_that_was_acknowledged_before() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10_000).await;
    let capture = async |number: u32| {
        let code = app.code(&run.name, number);
        let fields = both(span(goods.batch, &code, &code, 1), json!({ "bizStep": "receiving" }));
        app.capture(&app.keys.operator, vec![event(-i64::from(number), fields)]).await.accepted()
    };
    let mut before = BTreeSet::new();
    for number in 0..50 {
        before.insert(capture(number).await);
    }
    let done = AtomicBool::new(false);
    let load = async |first: u32| {
        let mut ids = Vec::new();
        for number in first..first + 2_000 {
            // The last one begins behind the backup's end.
            let is_last = done.load(Ordering::Relaxed);
            ids.push(capture(number).await);
            if is_last {
                break;
            }
        }
        ids
    };
    let backup = async {
        // Begins once the load does, ends before it does.
        tokio::task::yield_now().await;
        let backup = app.backup().await;
        done.store(true, Ordering::Relaxed);
        backup
    };
    let (backup, one, other) = tokio::join!(backup, load(1_000), load(5_000));
    let restored = app.restored(&backup, &ring()).await.unwrap();
    assert_eq!(restored.audit().await, Vec::<String>::new());
    let is_there = async |id: &str| {
        restored.get(&format!("/epcis/capture/{id}"), &app.keys.operator).await.status == StatusCode::OK
    };
    for id in &before {
        assert!(is_there(id).await, "{id}");
    }
    // What was captured one after the other is there up to some point and not beyond.
    for ids in [one, other] {
        let mut last = true;
        for id in &ids {
            let there = is_there(id).await;
            assert!(last || !there, "{id} is there, and the one before it is not");
            last = there;
        }
        assert!(!last, "the last came behind the backup");
    }
}

#[tokio::test]
async fn no_two_numbers_are_given_out_by_the_lost_server_and_the_restored_one() {
    let (app, goods, _) = lived().await;
    let backup = app.backup().await;
    let restored = app.restored(&backup, &ring()).await.unwrap();
    let organization = json!({ "legal_name": "宁波冷链", "roles": ["importer"], "country": "CN" });
    let mut numbers = Vec::new();
    for app in [&app, &restored] {
        let batch = app.batch(&app.keys.importer, goods, json!({ "lot": "L-9" })).await;
        let organization = app.post("/v1/organizations", "", organization.clone()).await.expect(StatusCode::CREATED);
        let other = app.goods_of(&app.keys.other, json!({})).await;
        numbers.push([batch, organization["id"].as_u64().unwrap(), other.consignment, other.product, other.batch]);
    }
    let [lost, new] = &numbers[..] else { panic!("{numbers:?}") };
    assert!(lost.iter().zip(new).all(|(lost, new)| *new >= lost + 900_000), "{numbers:?}");
    assert_eq!(restored.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_is_damaged_breaks_the_backup_off_and_is_named() {
    let (app, ..) = lived().await;
    checked(&app.backup().await).unwrap();
    let files = app.store_folder().with_file_name("files");
    let folder = fs::read_dir(&files).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = checked(&app.backup().await).unwrap_err().to_string();
    assert!(error.contains("broken off") && error.contains(file.file_name().unwrap().to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_damaged_backup_leaves_no_store() {
    let (app, ..) = lived().await;
    let backup = app.backup().await;
    for at in [0, 30, backup.len() / 2, backup.len() - 1] {
        let mut flipped = backup.clone();
        flipped[at] ^= 4;
        for damaged in [&flipped[..], &backup[..at]] {
            let folder = tempfile::tempdir().unwrap();
            restore_into(folder.path(), damaged).await.unwrap_err();
            if on_cluster() {
                continue;
            }
            let opened = coldproof::store::local::LocalStore::open(&folder.path().join("store"));
            assert!(opened.is_err_and(|error| error.to_string().contains("was not finished")), "{at}");
        }
    }
}

#[tokio::test]
async fn a_backup_is_for_the_admin_socket_alone() {
    let app = TestApp::new().await;
    let admin = app.post("/v1/keys", "", json!({ "role": "admin" })).await.expect(StatusCode::CREATED);
    for key in [admin["key"].as_str().unwrap(), &app.keys.importer, &app.keys.inspector] {
        for (path, body) in [
            ("/v1/backup", json!({})),
            ("/v1/backup/retire", json!({ "sha256": "0".repeat(64) })),
            ("/v1/quarantine/release", json!({ "fresh_key": true })),
        ] {
            app.post(path, key, body).await.refused(StatusCode::FORBIDDEN);
        }
    }
}
