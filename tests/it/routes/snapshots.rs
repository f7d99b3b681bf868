//! The JSON that programs rely on. Clock, keys and numbers are the test's own, so that every byte is fixed.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Run, TestApp, both, event, span};

fn shown(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[tokio::test]
async fn the_json_of_scans_orders_captures_and_timelines_is_as_it_was() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let path = format!("/v1/batches/{}/runs", goods.batch);
    let order = app.post(&path, &app.keys.importer, json!({ "count": 100 })).await.expect(StatusCode::CREATED);
    insta::assert_snapshot!("order", shown(&order));
    let run = order["runs"][0]["run"].as_str().unwrap();
    let Run { first, .. } = Run { name: run.to_owned(), count: 100, first: app.code(run, 0), last: app.code(run, 99) };
    app.move_clock(60_000);
    let shipped = both(
        span(goods.batch, &first, &app.code(run, 49), 50),
        json!({ "bizStep": "shipping", "disposition": "in_transit",
        "readPoint": { "id": "https://id.gs1.org/414/9506000000019" } }),
    );
    let received = both(span(goods.batch, &first, &first, 1), json!({ "bizStep": "receiving" }));
    let capture = app.capture(&app.keys.importer, vec![event(1, shipped)]).await;
    insta::assert_snapshot!("capture_job", shown(&capture.expect(StatusCode::ACCEPTED)));
    app.capture(&app.keys.operator, vec![event(2, received)]).await.accepted();
    app.move_clock(60_000);
    insta::assert_snapshot!("scan_genuine", shown(&app.scan(&format!("/{first}")).await));
    let mut forged = first.clone();
    forged.replace_range(19.., if first.ends_with('0') { "1" } else { "0" });
    insta::assert_snapshot!("scan_forged", shown(&app.scan(&format!("/{forged}")).await));
    let timeline = app.get(&format!("/v1/codes/{first}/timeline"), &app.keys.importer).await.expect(StatusCode::OK);
    insta::assert_snapshot!("timeline", shown(&timeline));
}
