//! The final backup.

use axum::http::StatusCode;
use serde_json::json;

use super::{checked, lived};
use crate::routes::{Goods, Reply, TestApp, ring};

async fn order(app: &TestApp, goods: Goods) -> Reply {
    app.post(&format!("/v1/batches/{}/runs", goods.batch), &app.keys.importer, json!({ "count": 10 })).await
}

#[tokio::test]
async fn a_final_backup_retires_its_source_once_it_is_said_to_be_durable() {
    let (app, goods, run) = lived().await;
    let reply = app.post("/v1/backup", "", json!({ "final": true })).await;
    let digest = checked(&reply.body).unwrap();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let problem = order(&app, goods).await.refused(StatusCode::SERVICE_UNAVAILABLE);
    assert!(problem["detail"].as_str().unwrap().contains("a final backup is being taken"), "{problem}");
    let other = json!({ "sha256": "0".repeat(64) });
    app.post("/v1/backup/retire", "", other).await.refused(StatusCode::CONFLICT);
    app.post("/v1/backup/retire", "", json!({ "sha256": hex })).await.expect(StatusCode::OK);

    let mut app = app;
    for _ in 0..2 {
        let problem = order(&app, goods).await.refused(StatusCode::SERVICE_UNAVAILABLE);
        assert!(problem["type"].as_str().unwrap().ends_with("/retired"), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("retired by a final backup"), "{problem}");
        app.scan(&format!("/{}", run.first)).await;
        assert_eq!(app.audit().await, Vec::<String>::new());
        app = app.restart(&ring()).await;
    }
    // It can be copied still, and its copy is alive.
    let restored = app.restored(&app.backup().await, &ring()).await.unwrap();
    restored.batch(&app.keys.importer, goods, json!({ "lot": "L-10" })).await;
}

#[tokio::test]
async fn a_final_backup_that_nobody_receives_retires_nothing() {
    let (app, goods, _) = lived().await;
    let call = app.call("POST", "/v1/backup").key("").json(&json!({ "final": true }));
    let response = call.open().await;
    order(&app, goods).await.refused(StatusCode::SERVICE_UNAVAILABLE);
    drop(response);
    while order(&app, goods).await.status != StatusCode::CREATED {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_final_backup_that_was_received_and_not_confirmed_is_over_with_a_restart() {
    let (app, goods, _) = lived().await;
    let reply = app.post("/v1/backup", "", json!({ "final": true })).await;
    checked(&reply.body).unwrap();
    order(&app, goods).await.refused(StatusCode::SERVICE_UNAVAILABLE);
    let app = app.restart(&ring()).await;
    order(&app, goods).await.expect(StatusCode::CREATED);
}
