//! The links of a whole batch and of a lot: kept in memory, and current all the same.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{GTIN, LOT, TestApp, both, class, event, measure, ring, silent::Silent, text, texts};

/// What the links of a batch and of its lot say, as JSON; their pages must say the same.
async fn told(app: &TestApp, batch: u64) -> (Value, Value) {
    let links = [format!("/batch/{batch}"), format!("/01/{GTIN}/10/{LOT}")];
    let mut answers = Vec::new();
    for link in &links {
        let json = app.call("GET", link).send().await.expect(StatusCode::OK);
        let page = app.call("GET", link).header("accept", "text/html").header("accept-language", "en").send().await;
        page.expect(StatusCode::OK);
        let recalled = texts(&json["verdicts"]).contains(&"recalled".to_owned());
        assert_eq!(page.text().contains("Recalled"), recalled, "{link}: {}", page.text());
        for batch in json["batches"].as_array().unwrap() {
            let producer = text(&batch["producer"]);
            assert!(page.text().contains(&producer), "{link}: no {producer} in {}", page.text());
        }
        answers.push(json);
    }
    let lot = answers.remove(1);
    (answers.remove(0), lot)
}

#[tokio::test]
async fn batches_and_lots_are_told_again_without_the_store() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let silent = Silent::default();
    let switch = silent.clone();
    let app = app.restart_over(&ring(), move |store| Arc::new(silent.over(store))).await;
    let before = told(&app, goods.batch).await;
    switch.fail_reads(true);
    assert_eq!(told(&app, goods.batch).await, before);
    app.call("GET", "/batch/999").send().await.refused(StatusCode::SERVICE_UNAVAILABLE);
    switch.fail_reads(false);
    app.call("GET", "/batch/999").send().await.refused(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whatever_changes_a_batch_shows_at_once_on_its_link_and_its_lots() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let key = &app.keys.importer;
    let (batch, lot) = told(&app, goods.batch).await;
    assert_eq!((texts(&batch["verdicts"]).len(), lot["batches"].as_array().unwrap().len()), (0, 1));

    let second = app.batch(key, goods, json!({})).await;
    let (_, lot) = told(&app, goods.batch).await;
    assert_eq!((&lot["batches"][0]["id"], lot["batches"].as_array().unwrap().len()), (&json!(second), 2));

    let path = format!("/v1/consignments/{}", goods.consignment);
    let change = json!({ "producer": { "name": "Mar del Norte" } });
    app.call("PATCH", &path).key(key).json(&change).send().await.expect(StatusCode::OK);
    let (batch, lot) = told(&app, goods.batch).await;
    assert_eq!(
        (&batch["batches"][0]["producer"], &lot["batches"][1]["producer"]),
        (&json!("Mar del Norte"), &json!("Mar del Norte"))
    );

    let path = format!("/v1/batches/{second}");
    app.call("PATCH", &path).key(key).json(&json!({ "expiry": null })).send().await.expect(StatusCode::OK);
    assert_eq!(told(&app, goods.batch).await.1["batches"][0]["expiry"], Value::Null);

    let of_batch = json!({ "quantityList": [{ "epcClass": class(goods.batch) }] });
    let recall = event(1, both(measure(7, "set", "recalled"), of_batch));
    app.move_clock(120_000);
    app.capture(key, vec![recall]).await.accepted();
    let (batch, lot) = told(&app, goods.batch).await;
    assert_eq!(
        (texts(&batch["verdicts"]), texts(&lot["verdicts"])),
        (vec!["recalled".into()], vec!["recalled".into()])
    );
    assert_eq!(texts(&told(&app, second).await.0["verdicts"]).len(), 0, "of another batch nothing was said");

    app.set_clock("2030-01-01T00:00:00Z");
    let (batch, lot) = told(&app, goods.batch).await;
    assert_eq!(texts(&batch["verdicts"]), ["recalled", "expired"]);
    assert_eq!(texts(&lot["verdicts"]), ["recalled"], "the other batch has no date");
}
