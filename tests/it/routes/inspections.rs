//! Inspections and samples, and the timeline as a table.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Run, TestApp, both, text};

const UNIT: &str = "https://id.gs1.org/00/106141412345678908";

async fn lines(app: &TestApp, code: &str) -> Vec<Value> {
    let timeline = app.get(&format!("/v1/codes/{code}/timeline"), &app.keys.inspector).await.expect(StatusCode::OK);
    timeline["lines"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_inspection_stands_in_the_timeline_and_on_the_page() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, last, .. }) = app.run(100).await;
    app.move_clock(60_000);
    let body = json!({ "what": [{ "first": first, "last": app.code(&name, 9) }, last, UNIT], "kind": "inspection",
        "result": "passed", "note": "外观、温度正常" });
    let made = app.post("/v1/inspections", &app.keys.inspector, body).await.expect(StatusCode::CREATED);
    let inspected = lines(&app, &first).await.pop().unwrap();
    assert_eq!(text(&inspected["event"]), text(&made["events"][0]));
    let told = |line: &Value| ["biz_step", "disposition", "bearing", "role"].map(|name| text(&line[name]));
    assert_eq!(told(&inspected), ["inspecting", "conformant", "effective", "inspector"]);
    assert_eq!(told(&lines(&app, &last).await.pop().unwrap()), told(&inspected));
    assert_ne!(told(&lines(&app, &app.code(&name, 50)).await.pop().unwrap()), told(&inspected));
    for (lang, words) in [("en", "Inspected and found in order"), ("zh", "检验检疫合格")] {
        let page = app.call("GET", &format!("/{first}?lang={lang}")).header("accept", "text/html").send().await;
        assert!(page.text().contains(words), "{lang}");
    }

    app.move_clock(60_000);
    let sample =
        json!({ "number": "S-1", "quantity": { "value": 0.5, "uom": "KGM" }, "laboratory": "长沙海关技术中心" });
    let body = json!({ "batch": goods.batch, "kind": "sampling", "result": "failed", "sample": sample,
        "at": "2026-06-01T08:01:30+08:00" });
    app.post("/v1/inspections", &app.keys.importer, body).await.expect(StatusCode::CREATED);
    let sampled = lines(&app, &app.code(&name, 50)).await.pop().unwrap();
    assert_eq!(told(&sampled), ["sampling", "non_conformant", "effective", "importer"]);
    assert_eq!(text(&sampled["event_time"]), "2026-06-01T00:01:30Z");
    assert_eq!(app.status(&first).await.0, "genuine", "a measure decides, not an inspection");
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_inspection_that_cannot_be_is_refused_by_the_field_at_fault() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, .. }) = app.run(100).await;
    let other = app.goods_of(&app.keys.other, json!({})).await;
    let base = json!({ "kind": "inspection", "result": "passed" });
    let mut forged = first.clone();
    forged.replace_range(19.., if first.ends_with('0') { "1" } else { "0" });
    let unissued = app.code(&name, 100);
    for (over, field) in [
        (json!({}), "/what"),
        (json!({ "what": [first], "batch": goods.batch }), "/what"),
        (json!({ "what": [first, "shrimp"] }), "/what/1"),
        (json!({ "what": [UNIT, { "first": first, "last": "x" }] }), "/what/1/last"),
        (json!({ "what": [UNIT, first, forged] }), "/what/2/first"),
        (json!({ "what": [UNIT, { "first": first, "last": unissued }] }), "/what/1/last"),
        (json!({ "what": [7] }), "/what/0"),
        (json!({ "batch": 99 }), "/batch"),
        (json!({ "batch": goods.batch, "result": "fine" }), "/result"),
        (json!({ "batch": goods.batch, "document": 99 }), "/document"),
        (json!({ "batch": goods.batch, "at": "2026-06-03T00:00:00Z" }), "/at"),
        (json!({ "batch": goods.batch, "at": "yesterday" }), "/at"),
        (
            json!({ "batch": goods.batch, "sample": { "quantity": { "value": 0, "uom": "KGM" } } }),
            "/sample/quantity/value",
        ),
    ] {
        let refused = app.post("/v1/inspections", &app.keys.inspector, both(base.clone(), over.clone())).await;
        let problem = refused.refused(StatusCode::BAD_REQUEST);
        assert_eq!(text(&problem["field"]), field, "{over}: {problem}");
    }
    for (key, over, field) in [
        (&app.keys.importer, json!({ "batch": other.batch }), "/batch"),
        (&app.keys.other, json!({ "what": [first] }), "/what/0"),
        (&app.keys.importer, json!({ "what": [first, UNIT] }), "/what/1"),
        (&app.keys.operator, json!({ "batch": goods.batch }), ""),
    ] {
        let refused = app.post("/v1/inspections", key, both(base.clone(), over.clone())).await;
        let problem = refused.refused(StatusCode::FORBIDDEN);
        assert_eq!(text(&problem["field"]), field, "{over}: {problem}");
    }
}

#[tokio::test]
async fn a_timeline_is_a_table_in_which_no_cell_is_a_formula() {
    let app = TestApp::new().await;
    let (_, Run { first, .. }) = app.run(10).await;
    let path = format!("/v1/codes/{first}/timeline?form=csv");
    let table = app.get(&path, &app.keys.importer).await;
    table.expect(StatusCode::OK);
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<_> = table.text().lines().collect();
    assert!(
        lines[0].starts_with("event_time,record_time,event,record,organization,role,action,biz_step,"),
        "{}",
        lines[0]
    );
    assert_eq!(lines.len() - 1, self::lines(&app, &first).await.len());
    assert!(lines.iter().skip(1).flat_map(|line| line.split(',')).all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
    let one = app.get(&format!("{path}&limit=1&from=1"), &app.keys.importer).await;
    assert_eq!(one.text().lines().skip(1).collect::<Vec<_>>(), lines[2..3]);
}
