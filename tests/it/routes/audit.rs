//! The audit: clean after everything, and what was taken away or changed behind the service's back is named.

use std::path::Path;

use serde_json::json;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::{Run, TestApp, both, event, measure, on_cluster, span};

/// A store with runs, reports, measures, corrections and declarations.
async fn lived() -> (TestApp, Run) {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10_000).await;
    let code = |serial| app.code(&run.name, serial);
    let on = |minutes, first, last: u32, fields| {
        event(minutes, both(span(goods.batch, &code(first), &code(last), last - first + 1), fields))
    };
    let shipped = on(1, 3, 9_000, json!({ "bizStep": "shipping", "disposition": "in_transit" }));
    let received = on(2, 7, 7, json!({ "bizStep": "receiving" }));
    app.capture(&app.keys.importer, vec![shipped, on(3, 0, 5, measure(1, "set", "non_sellable_other"))])
        .await
        .accepted();
    app.capture(&app.keys.operator, vec![received.clone(), received]).await.accepted();
    let name = &run.name;
    let spans = json!({ "spans": [{ "first": code(9_990), "last": code(9_999) }] });
    app.post(&format!("/v1/runs/{name}/void"), &app.keys.importer, spans).await.expect(axum::http::StatusCode::CREATED);
    let lot = json!({ "lot": "L-3" });
    app.patch(&format!("/v1/batches/{}", goods.batch), &app.keys.importer, lot)
        .await
        .expect(axum::http::StatusCode::OK);
    app.scan(&format!("/{}", run.first)).await;
    app.service.flush_scans().await.unwrap();
    (app, run)
}

#[tokio::test]
async fn an_audit_is_clean_after_everything_and_says_how_much_it_looked_at() {
    let (app, _) = lived().await;
    let report = app.service.audit().await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    assert!(report.checked > 50, "{}", report.checked);
    let answer = app.post("/v1/audit", "", json!({})).await.expect(axum::http::StatusCode::OK);
    assert_eq!(answer["findings"], json!([]), "{answer}");
}

/// Opens the engine's own files, as nobody may while the service runs, and changes what stands in one table.
fn tamper(folder: &Path, table: u8, change: impl Fn(&fjall::Keyspace, &[u8], &[u8])) {
    let database = fjall::Database::builder(folder.join("engine")).open().unwrap();
    let keyspace = database.keyspace("coldproof", fjall::KeyspaceCreateOptions::default).unwrap();
    let (key, value) = keyspace.prefix([table]).next_back().unwrap().into_inner().unwrap();
    change(&keyspace, &key, &value);
    database.persist(fjall::PersistMode::SyncAll).unwrap();
}

/// A value under a key with its right hash, as somebody would write it who knows the format.
fn sealed(key: &[u8], payload: &[u8]) -> Vec<u8> {
    [payload, &xxh3_64_with_seed(payload, xxh3_64(key)).to_be_bytes()].concat()
}

#[tokio::test]
async fn a_record_or_entry_that_is_taken_away_is_named() {
    if on_cluster() {
        return;
    }
    for (table, expected) in [(b'r', ["record", "is not there"]), (b'l', ["entry", "is missing or another"])] {
        let (app, _) = lived().await;
        let app =
            app.tampered(async |folder| tamper(folder, table, |keyspace, key, _| keyspace.remove(key).unwrap())).await;
        let findings = app.audit().await;
        assert!(findings.iter().any(|finding| expected.iter().all(|word| finding.contains(word))), "{findings:#?}");
        assert!(
            findings.iter().any(|finding| finding.contains("keys are there")),
            "the count tells too: {findings:#?}"
        );
    }
}

#[tokio::test]
async fn a_record_that_is_changed_is_named_even_where_its_hash_was_made_anew() {
    if on_cluster() {
        return;
    }
    let change = |payload: &[u8]| {
        let text = String::from_utf8_lossy(payload).into_owned();
        let at = text.find("+08:00").map(|_| payload.windows(6).position(|window| window == b"+08:00").unwrap());
        let mut changed = payload.to_vec();
        changed[at.unwrap() + 2] = b'9';
        changed
    };
    for resealed in [false, true] {
        let (app, _) = lived().await;
        let app = app
            .tampered(async |folder| {
                tamper(folder, b'r', |keyspace, key, value| {
                    let (payload, hash) = value.split_at(value.len() - 8);
                    let changed = change(payload);
                    let value = if resealed { sealed(key, &changed) } else { [&changed, hash].concat() };
                    keyspace.insert(key, value).unwrap();
                });
            })
            .await;
        let findings = app.audit().await;
        let expected = if resealed { "it is not the digest of its body" } else { "the value hashes to" };
        assert!(findings.iter().any(|finding| finding.contains(expected)), "{findings:#?}");
    }
}
