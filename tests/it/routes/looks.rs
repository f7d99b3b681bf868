//! The trail of what inspectors read.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Run, TestApp, number, ring, silent::Silent, text};

async fn looks(app: &TestApp, query: &str, key: &str) -> Vec<Value> {
    let page = app.get(&format!("/v1/looks{query}"), key).await.expect(StatusCode::OK);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_an_inspector_reads_is_noted_and_what_others_read_is_not() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let whereabouts = format!("/v1/batches/{}/whereabouts?limit=5", goods.batch);
    app.get(&whereabouts, &app.keys.importer).await.expect(StatusCode::OK);
    assert_eq!(looks(&app, "", "").await, Vec::<Value>::new());
    app.get(&whereabouts, &app.keys.inspector).await.expect(StatusCode::OK);
    app.get(&format!("/v1/codes/{first}/timeline"), &app.keys.inspector).await.expect(StatusCode::OK);
    let seen = looks(&app, "", "").await;
    assert_eq!(looks(&app, "", &app.keys.inspector).await, seen);
    let told = |look: &Value| (number(&look["organization"]), text(&look["route"]), text(&look["target"]));
    assert_eq!(told(&seen[0]), (4, "/v1/batches/{batch}/whereabouts".to_owned(), whereabouts));
    assert_eq!(text(&seen[1]["route"]), "/v1/codes/{code}/timeline");
    assert_eq!(seen.len(), 2, "nobody's look at the looks is one at goods: {seen:?}");
    assert!(seen.iter().all(|look| look["key"].is_u64() && text(&look["request"]).len() == 16), "{seen:?}");
    assert_eq!(looks(&app, "?after=1&limit=1", "").await, seen[1..]);
    for key in [&app.keys.importer, &app.keys.operator] {
        app.get("/v1/looks", key).await.refused(StatusCode::FORBIDDEN);
    }
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn every_read_of_the_interface_is_noted() {
    let app = TestApp::new().await;
    let (_, Run { name, first, .. }) = app.run(10).await;
    let description = serde_json::to_value(coldproof::http::openapi::description()).unwrap();
    // Those of the service itself, not of goods.
    let apart = ["/v1/looks"];
    let paths = description["paths"].as_object().unwrap();
    let reads = paths.iter().filter(|(path, of)| of.get("get").is_some() && !apart.contains(&path.as_str()));
    let mut noted = 0;
    for (path, _) in reads.filter(|(path, _)| path.starts_with("/v1/") || path.starts_with("/epcis/")) {
        let filled = path.replace("{run}", &name).replace("{code}", &first);
        let filled: String =
            filled.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/");
        app.get(&filled, &app.keys.inspector).await;
        noted += 1;
        let newest = looks(&app, &format!("?after={}", noted - 1), "").await;
        assert_eq!(newest.iter().map(|look| text(&look["target"])).collect::<Vec<_>>(), [filled], "{path}");
    }
    assert!(noted > 20, "{noted}");
}

#[tokio::test]
async fn a_look_that_cannot_be_noted_is_refused() {
    let app = TestApp::new().await;
    let (goods, _) = app.run(10).await;
    let silent = Silent::default();
    let app = app.restart_over(&ring(), |store| std::sync::Arc::new(silent.clone().over(store))).await;
    silent.fail_writes(true);
    let path = format!("/v1/batches/{}", goods.batch);
    app.get(&path, &app.keys.inspector).await.refused(StatusCode::SERVICE_UNAVAILABLE);
    let preview = json!({ "kind": "hold", "batch": goods.batch });
    let preview = app.post("/v1/measures/preview", &app.keys.inspector, preview).await;
    preview.refused(StatusCode::SERVICE_UNAVAILABLE);
    app.get(&path, &app.keys.importer).await.expect(StatusCode::OK);
    silent.fail_writes(false);
    app.get(&path, &app.keys.inspector).await.expect(StatusCode::OK);
    assert_eq!(looks(&app, "", "").await.len(), 1);
}
