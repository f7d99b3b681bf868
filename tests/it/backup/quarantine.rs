//! No code is issued twice.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use coldproof::service::quarantine::Restored;
use serde_json::{Value, json};

use super::lived;
use crate::routes::{Goods, TestApp, both, event, ring, rotated_ring, span};

async fn refused(app: &TestApp, goods: Goods) {
    let path = format!("/v1/batches/{}/runs", goods.batch);
    let problem = app.post(&path, &app.keys.importer, json!({ "count": 10 })).await.refused(StatusCode::CONFLICT);
    assert!(problem["type"].as_str().unwrap().ends_with("/quarantine"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("coldproof restore --release"), "{problem}");
}

async fn release(app: &TestApp, how: Value) -> Result<Value, String> {
    let reply = app.post("/v1/quarantine/release", "", how).await;
    match reply.status {
        StatusCode::OK => Ok(reply.json()),
        _ => Err(reply.refused(StatusCode::CONFLICT)["detail"].as_str().unwrap().to_owned()),
    }
}

/// A lost server that issued two runs after its backup, and what was restored from that.
async fn lost() -> (TestApp, TestApp, Goods, BTreeSet<String>) {
    let (app, goods, run) = lived().await;
    let backup = app.backup().await;
    let mut runs = BTreeSet::from([run.name]);
    for _ in 0..2 {
        runs.insert(app.order(goods.batch, json!({ "count": 10 })).await.remove(0).name);
    }
    let restored = app.restored(&backup, &ring()).await.unwrap();
    // As whoever opens a store does.
    restored.service.note_ring().await.unwrap();
    (app, restored, goods, runs)
}

#[tokio::test]
async fn a_restored_store_does_all_but_issue_and_a_restart_changes_nothing() {
    let (_lost, mut app, goods, runs) = lost().await;
    let run = runs.first().unwrap().clone();
    for _ in 0..2 {
        refused(&app, goods).await;
        let code = app.code(&run, 50);
        app.scan(&format!("/{code}")).await;
        let fields = both(span(goods.batch, &code, &code, 1), json!({ "bizStep": "receiving" }));
        app.capture(&app.keys.operator, vec![event(70, fields)]).await.accepted();
        app.batch(&app.keys.importer, goods, json!({ "lot": "L-10" })).await;
        assert_eq!(app.audit().await, Vec::<String>::new());
        app = app.restart(&ring()).await;
    }
}

#[tokio::test]
async fn only_a_key_that_the_lost_server_cannot_have_had_is_fresh() {
    let (_lost, app, goods, runs) = lost().await;
    let error = release(&app, json!({ "fresh_key": true })).await.unwrap_err();
    assert!(error.contains("slot 0 is not fresh"), "{error}");
    refused(&app, goods).await;
    let app = app.restart(&rotated_ring()).await;
    refused(&app, goods).await;
    let released = release(&app, json!({ "fresh_key": true })).await.unwrap();
    assert_eq!(released, json!({ "slot": 1, "first_run": "100000" }));
    let again = release(&app, json!({ "fresh_key": true })).await.unwrap_err();
    assert!(again.contains("not in quarantine"), "{again}");
    let new = app.order(goods.batch, json!({ "count": 10 })).await.remove(0).name;
    assert!(!runs.contains(&new) && new.starts_with('1'), "{new}");
    assert_eq!(app.audit().await, Vec::<String>::new());

    // Whoever goes back to the old key finds it closed.
    let app = app.restart(&ring()).await;
    let path = format!("/v1/batches/{}/runs", goods.batch);
    let problem = app.post(&path, &app.keys.importer, json!({ "count": 10 })).await.refused(StatusCode::CONFLICT);
    assert!(problem["type"].as_str().unwrap().ends_with("/no-key"), "{problem}");
}

#[tokio::test]
async fn a_key_that_was_in_the_ring_when_the_store_was_first_opened_is_not_fresh() {
    let (app, goods, _) = lived().await;
    let backup = app.backup().await;
    // The lost server rotated after its backup, and issued with the new key.
    let app = app.restart(&rotated_ring()).await;
    let lost = app.order(goods.batch, json!({ "count": 10 })).await.remove(0).name;
    assert!(lost.starts_with('1'));
    let restored = app.restored(&backup, &rotated_ring()).await.unwrap();
    let error = release(&restored, json!({ "fresh_key": true })).await.unwrap_err();
    assert!(error.contains("slot 1 is not fresh"), "{error}");
    refused(&restored, goods).await;
}

#[tokio::test]
async fn past_the_last_run_of_the_lost_server_codes_are_issued_again() {
    let (_lost, app, goods, runs) = lost().await;
    let first = runs.first().unwrap();
    let last = runs.last().unwrap();
    let other = release(&app, json!({ "past_run": "100002" })).await.unwrap_err();
    assert!(other.contains("slot 1"), "{other}");
    refused(&app, goods).await;
    let released = release(&app, json!({ "past_run": last })).await.unwrap();
    assert_eq!(released["slot"], 0);
    let new = app.order(goods.batch, json!({ "count": 10 })).await.remove(0).name;
    assert!(new > *last && !runs.contains(&new), "{new} after {runs:?}, the first {first}");
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_run_far_ahead_moves_the_counter_there_and_one_behind_the_backups_own_is_refused() {
    let (app, goods, run) = lived().await;
    let second = app.order(goods.batch, json!({ "count": 10 })).await.remove(0).name;
    let restored = app.restored(&app.backup().await, &ring()).await.unwrap();
    let error = release(&restored, json!({ "past_run": run.name })).await.unwrap_err();
    assert!(error.contains(&format!("the backup itself has run {second}")), "{error}");
    let released = release(&restored, json!({ "past_run": "000ZZZ" })).await.unwrap();
    assert_eq!(released["first_run"], "001000");
    assert_eq!(restored.order(goods.batch, json!({ "count": 10 })).await.remove(0).name, "001000");
    assert_eq!(restored.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_audit_names_what_would_let_a_code_be_issued_twice() {
    let (_lost, app, ..) = lost().await;
    let change = async |app: &TestApp, change: &dyn Fn(&mut Restored)| {
        let before = app.store.claim("restored").await.unwrap().unwrap();
        let mut restored: Restored = rmp_serde::from_slice(&before).unwrap();
        change(&mut restored);
        let after = rmp_serde::to_vec(&restored).unwrap();
        assert!(app.store.swap("restored", Some(&before), &after).await.unwrap());
        let findings = app.audit().await;
        assert!(app.store.swap("restored", Some(&after), &before).await.unwrap());
        findings
    };
    let findings = change(&app, &|restored| restored.runs.clear()).await;
    assert_eq!(findings, ["restored: run 0 of key slot 0 was issued in quarantine"]);
    let findings = change(&app, &|restored| restored.heads[0].2.0[0] ^= 1).await;
    assert!(findings.len() == 1 && findings[0].contains("is not the last one of the backup"), "{findings:?}");

    let app = app.restart(&rotated_ring()).await;
    release(&app, json!({ "fresh_key": true })).await.unwrap();
    let closed = app.store.claim("counter/runs/0").await.unwrap().unwrap();
    assert!(app.store.swap("counter/runs/0", Some(&closed), &64u64.to_be_bytes()).await.unwrap());
    let findings = app.audit().await;
    let expected = "restored: key slot 0 would issue run 64, which the lost server may have issued";
    assert_eq!(findings, [expected]);
    assert!(app.store.statement(coldproof::registration::Kind::Run, 64).await.unwrap().is_none());
}
