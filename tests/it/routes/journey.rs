//! What happens to goods on their way: custody, units, and where a batch is, as scans and inspectors see it at once.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{GTIN, Run, TestApp, both, event, number, span, text, texts};

const PALLET: &str = "https://id.gs1.org/00/095060001234567893";

/// Fields of a hand-over to an organization.
fn to(organization: u64) -> Value {
    let party = format!("https://trace.example/organization/{organization}");
    json!({ "destinationList": [{ "type": "possessing_party", "destination": party }] })
}

fn step(biz_step: &str, disposition: &str) -> Value {
    json!({ "bizStep": biz_step, "disposition": disposition })
}

/// Codes put into the pallet, or taken out of it.
fn packing(action: &str, children: Value) -> Value {
    let biz_step = if action == "ADD" { "packing" } else { "unpacking" };
    both(json!({ "type": "AggregationEvent", "action": action, "bizStep": biz_step, "parentID": PALLET }), children)
}

fn children(codes: &[&String]) -> Value {
    let link = |code: &&String| format!("https://trace.example/01/{GTIN}/21/{code}");
    json!({ "childEPCs": codes.iter().map(link).collect::<Vec<_>>() })
}

/// Fields that name the pallet.
fn pallet() -> Value {
    json!({ "epcList": [PALLET] })
}

async fn whereabouts(app: &TestApp, batch: u64, key: &str) -> Value {
    app.get(&format!("/v1/batches/{batch}/whereabouts"), key).await.expect(StatusCode::OK)
}

#[tokio::test]
async fn codes_follow_their_pallet_to_the_shop_and_a_recall_follows_them_out_of_it() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, .. }) = app.run(10).await;
    let second = app.code(&name, 1);
    let last = app.code(&name, 9);
    for key in [&app.keys.importer, &app.keys.inspector] {
        let found = whereabouts(&app, goods.batch, key).await;
        assert_eq!((number(&found["codes"]), found["holders"][0]["codes"]["active"].as_u64()), (10, Some(10)));
    }
    app.get(&format!("/v1/batches/{}/whereabouts", goods.batch), &app.keys.operator)
        .await
        .refused(StatusCode::FORBIDDEN);

    let importer = vec![
        event(1, packing("ADD", children(&[&first, &second]))),
        event(2, both(both(step("shipping", "in_transit"), to(3)), pallet())),
    ];
    app.capture(&app.keys.importer, importer).await.accepted();
    assert_eq!(app.status(&first).await.1, "in_transit", "what happens to the pallet happens to its codes");
    assert_eq!(app.status(&last).await.1, "active");
    let receipt = vec![event(3, both(step("receiving", "sellable_not_accessible"), pallet()))];
    app.capture(&app.keys.operator, receipt).await.accepted();
    assert_eq!(app.status(&first).await.1, "stored", "and at once, although the view was cached");
    let sale = |minutes, code: &String| {
        let sold = step("retail_selling", "retail_sold");
        event(minutes, both(sold, span(goods.batch, code, code, 1)))
    };
    let shop = vec![event(4, packing("DELETE", children(&[&first]))), sale(5, &first)];
    app.capture(&app.keys.operator, shop).await.accepted();
    assert_eq!(app.status(&first).await, ("genuine".to_owned(), "sold".to_owned()));
    app.capture(&app.keys.operator, vec![sale(5, &last)]).await.accepted();
    assert_eq!(app.status(&last).await.1, "active", "nobody sells what another has");

    app.call("GET", &format!("/{first}")).header("accept", "application/json").send().await.expect(StatusCode::OK);
    let found = whereabouts(&app, goods.batch, &app.keys.importer).await;
    let lines: Vec<_> = found["lines"].as_array().unwrap().iter().map(shown).collect();
    let expected = [
        (first.clone(), 1, 3, "sold".to_owned(), Value::Null),
        (second.clone(), 1, 3, "stored".to_owned(), json!(PALLET)),
        (app.code(&name, 2), 8, 1, "active".to_owned(), Value::Null),
    ];
    assert_eq!(lines, expected);
    assert_eq!(number(&found["scanned"]), 1);
    let csv = app.get(&format!("/v1/batches/{}/whereabouts?form=csv", goods.batch), &app.keys.importer).await;
    assert_eq!((csv.text().lines().count(), csv.header("content-type")), (4, "text/csv; charset=utf-8"));

    let recall = both(super::measure(7, "set", "recalled"), pallet());
    app.capture(&app.keys.inspector, vec![event(6, recall)]).await.accepted();
    for code in [&first, &second] {
        assert_eq!(app.status(code).await.0, "recalled", "it was inside that life of the pallet");
    }
    assert_eq!(app.status(&last).await.0, "genuine");
    let timeline = app.get(&format!("/v1/codes/{first}/timeline"), &app.keys.importer).await.expect(StatusCode::OK);
    let marks: Vec<_> = timeline["lines"].as_array().unwrap().iter().map(|line| text(&line["mark"])).collect();
    assert_eq!(marks.iter().filter(|mark| *mark == "confirmed").count(), 2, "{marks:?}");
    assert_eq!((number(&timeline["holder"]), text(&timeline["stays"][0]["unit"])), (3, PALLET.to_owned()));
    assert_eq!(app.audit().await, Vec::<String>::new());
}

fn shown(line: &Value) -> (String, u64, u64, String, Value) {
    let unit = line["unit"].clone();
    (text(&line["first"]), number(&line["codes"]), number(&line["holder"]), text(&line["state"]), unit)
}

#[tokio::test]
async fn a_second_sale_makes_a_code_suspicious_and_a_corrected_report_clears_it() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let codes = || span(goods.batch, &first, &first, 1);
    let hand_over = both(both(step("shipping", "in_transit"), to(3)), codes());
    app.capture(&app.keys.importer, vec![event(1, hand_over)]).await.accepted();
    let sold = |minutes| event(minutes, both(step("retail_selling", "retail_sold"), codes()));
    let received = event(2, both(step("receiving", "sellable_accessible"), codes()));
    app.capture(&app.keys.operator, vec![received, sold(3)]).await.accepted();
    assert_eq!(app.status(&first).await.0, "genuine");
    app.capture(&app.keys.operator, vec![sold(4)]).await.accepted();
    let scanned = app.scan(&format!("/{first}")).await;
    assert_eq!((texts(&scanned["verdicts"]), text(&scanned["state"])), (vec!["suspicious".to_owned()], "sold".into()));
    let mut corrected = sold(4);
    corrected["errorDeclaration"] = json!({ "declarationTime": "2026-06-01T01:00:00Z", "reason": "did_not_occur" });
    app.capture(&app.keys.operator, vec![corrected]).await.accepted();
    assert_eq!(app.status(&first).await.0, "genuine");
}

#[tokio::test]
async fn the_order_in_which_documents_arrive_decides_nothing() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, .. }) = app.run(10).await;
    let second = app.code(&name, 1);
    let said = |code: &String| {
        let codes = || span(goods.batch, code, code, 1);
        vec![
            (app.keys.operator.clone(), event(5, both(step("retail_selling", "retail_sold"), codes()))),
            (app.keys.operator.clone(), event(4, both(step("receiving", "sellable_not_accessible"), codes()))),
            (app.keys.importer.clone(), event(3, both(both(step("shipping", "in_transit"), to(3)), codes()))),
        ]
    };
    for (key, late) in said(&first) {
        app.capture(&key, vec![late]).await.accepted();
    }
    for (key, ordered) in said(&second).into_iter().rev() {
        app.capture(&key, vec![ordered]).await.accepted();
    }
    assert_eq!(app.status(&first).await, ("genuine".to_owned(), "sold".to_owned()));
    assert_eq!(app.status(&second).await, app.status(&first).await);
}
