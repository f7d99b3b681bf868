//! Issuing: how many codes there may be, what an order costs, and what repeating one does.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Goods, Run, TestApp, number, on_cluster, text};

async fn refused(app: &TestApp, batch: u64, order: Value, status: StatusCode) -> Value {
    let keys = app.stored_keys().await;
    let reply = app.post(&format!("/v1/batches/{batch}/runs"), &app.keys.importer, order).await;
    let problem = reply.refused(status);
    let runs = app.get(&format!("/v1/batches/{batch}/runs"), &app.keys.importer).await.expect(StatusCode::OK);
    // A refused order may leave the batch's total counted anew: one key at most, and no run.
    assert!(app.stored_keys().await <= keys + 1, "{problem}: {runs}");
    problem
}

#[tokio::test]
async fn the_codes_of_a_level_can_not_pass_its_quantity_by_more_than_the_tolerance() {
    let app = TestApp::new().await;
    let goods = app.goods_of(&app.keys.importer, json!({ "quantities": { "item": 20_000, "case": 2_000 } })).await;
    let fraud =
        refused(&app, goods.batch, json!({ "count": 50_000, "level": "case" }), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(text(&fraud["type"]).ends_with("/quantity") && text(&fraud["detail"]).contains("2040"), "{fraud}");
    assert_eq!(fraud["field"], "/count");
    app.order(goods.batch, json!({ "count": 2_040, "level": "case" })).await;
    refused(&app, goods.batch, json!({ "count": 1, "level": "case" }), StatusCode::UNPROCESSABLE_ENTITY).await;
    app.order(goods.batch, json!({ "count": 20_000 })).await;
    app.order(goods.batch, json!({ "count": 400 })).await;
    refused(&app, goods.batch, json!({ "count": 1 }), StatusCode::UNPROCESSABLE_ENTITY).await;
    let strict = TestApp::with(&["issuing.tolerance_permille=0"]).await;
    let goods = strict.goods().await;
    refused(&strict, goods.batch, json!({ "count": 20_001 }), StatusCode::UNPROCESSABLE_ENTITY).await;
    strict.order(goods.batch, json!({ "count": 20_000 })).await;
}

#[tokio::test]
async fn a_level_without_a_quantity_is_limited_by_content_against_net_weight() {
    let app = TestApp::new().await;
    let goods = app.goods_of(&app.keys.importer, json!({ "quantities": {} })).await;
    refused(&app, goods.batch, json!({ "count": 20_401 }), StatusCode::UNPROCESSABLE_ENTITY).await;
    let nothing =
        refused(&app, goods.batch, json!({ "count": 1, "level": "case" }), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(text(&nothing["detail"]).contains("case"), "{nothing}");
    let cases = |count: u32| json!({ "count": count, "level": "case", "content": { "value": 10, "uom": "KGM" } });
    refused(&app, goods.batch, cases(817), StatusCode::UNPROCESSABLE_ENTITY).await;
    app.order(goods.batch, cases(816)).await;
    let heavy = json!({ "count": 400, "content": { "value": 10_000, "uom": "GRM" } });
    app.order(goods.batch, heavy).await;
    refused(&app, goods.batch, json!({ "count": 10_401 }), StatusCode::UNPROCESSABLE_ENTITY).await;
    app.order(goods.batch, json!({ "count": 10_400 })).await;
    let litres = json!({ "count": 1, "content": { "value": 1, "uom": "LTR" } });
    refused(&app, goods.batch, litres, StatusCode::UNPROCESSABLE_ENTITY).await;
}

#[tokio::test]
async fn void_labels_make_room_for_others_and_those_declared_in_error_take_it_back() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let Run { name, .. } = app.order(goods.batch, json!({ "count": 20_400 })).await.remove(0);
    let (first, last) = (app.code(&name, 100), app.code(&name, 199));
    for spans in [json!([{ "first": first, "last": last }]), json!([{ "first": app.code(&name, 150), "last": last }])] {
        let void = app.post(&format!("/v1/runs/{name}/void"), &app.keys.importer, json!({ "spans": spans })).await;
        void.expect(StatusCode::CREATED);
        app.move_clock(1_000);
    }
    refused(&app, goods.batch, json!({ "count": 101 }), StatusCode::UNPROCESSABLE_ENTITY).await;
    app.order(goods.batch, json!({ "count": 100 })).await;
    refused(&app, goods.batch, json!({ "count": 1 }), StatusCode::UNPROCESSABLE_ENTITY).await;
    let stranger = super::both(
        super::span(goods.batch, &app.code(&name, 0), &app.code(&name, 49), 50),
        json!({ "action": "DELETE", "bizStep": "decommissioning", "disposition": "inactive" }),
    );
    app.capture(&app.keys.operator, vec![super::event(0, stranger)]).await.accepted();
    refused(&app, goods.batch, json!({ "count": 1 }), StatusCode::UNPROCESSABLE_ENTITY).await;
}

#[tokio::test]
async fn drafts_and_batches_without_their_papers_get_no_codes_and_are_told_what_is_missing() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let draft = app.batch(&app.keys.importer, goods, json!({ "draft": true })).await;
    let problem = refused(&app, draft, json!({ "count": 1 }), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(text(&problem["type"]).ends_with("/draft"), "{problem}");
    let key = &app.keys.importer;
    let bare = app.post("/v1/consignments", key, json!({ "origin": "EC" })).await.expect(StatusCode::CREATED);
    let bare = Goods { consignment: number(&bare["id"]), ..goods };
    let batch = app.batch(key, bare, json!({})).await;
    let problem = refused(&app, batch, json!({ "count": 1 }), StatusCode::UNPROCESSABLE_ENTITY).await;
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect();
    assert_eq!(fields, ["entry_date", "customs_declaration", "quarantine_certificate", "producer_registration"]);
    let papers = json!({ "declaration": "222920261000123457", "entry_date": "2023-01-07",
        "quarantine_certificate": { "number": "1" }, "producer": { "name": "X", "registration": "EC-1" } });
    app.patch(&format!("/v1/consignments/{}", bare.consignment), key, papers).await.expect(StatusCode::OK);
    let problem = refused(&app, batch, json!({ "count": 1 }), StatusCode::UNPROCESSABLE_ENTITY).await;
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect();
    assert_eq!(fields, ["test_report", "disinfection_certificate"], "it entered while the port tested");
    let entered = json!({ "entry_date": "2026-05-20" });
    app.patch(&format!("/v1/consignments/{}", bare.consignment), key, entered).await.expect(StatusCode::OK);
    app.order(batch, json!({ "count": 1 })).await;
}

#[tokio::test]
async fn a_count_out_of_range_and_anothers_batch_are_refused() {
    let app = TestApp::new().await;
    let goods = app.goods_of(&app.keys.importer, json!({ "quantities": { "item": 60_000_000 } })).await;
    for count in [json!(0), json!(50_000_001), json!(-1), json!(4_294_967_296_u64), json!(1.5), json!("10")] {
        let problem = refused(&app, goods.batch, json!({ "count": count }), StatusCode::BAD_REQUEST).await;
        assert_eq!(problem["field"], "/count", "{count}: {problem}");
    }
    let path = format!("/v1/batches/{}/runs", goods.batch);
    app.post(&path, &app.keys.other, json!({ "count": 1 })).await.refused(StatusCode::NOT_FOUND);
    app.post(&path, &app.keys.inspector, json!({ "count": 1 })).await.refused(StatusCode::FORBIDDEN);
    app.post(&path, &app.keys.operator, json!({ "count": 1 })).await.refused(StatusCode::FORBIDDEN);
    app.post("/v1/batches/77/runs", &app.keys.importer, json!({ "count": 1 })).await.refused(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_large_order_becomes_several_runs_and_costs_one_row_each_whatever_their_count() {
    let app = TestApp::new().await;
    let goods = app.goods_of(&app.keys.importer, json!({ "quantities": { "item": 60_000_000 } })).await;
    // The first order takes a lease of run numbers and makes the batch's total.
    app.order(goods.batch, json!({ "count": 1 })).await;
    let mut costs = Vec::new();
    for count in [1, 10, 4_096, 131_072, 4_194_304] {
        let before = app.stored_keys().await;
        let runs = app.order(goods.batch, json!({ "count": count })).await;
        costs.push(app.stored_keys().await - before);
        assert_eq!((runs.len(), runs[0].count), (1, count));
    }
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
    let runs = app.order(goods.batch, json!({ "count": 9_000_000 })).await;
    let counts: Vec<_> = runs.iter().map(|run| run.count).collect();
    assert_eq!(counts, [4_194_304, 4_194_304, 611_392]);
    for run in &runs {
        assert_eq!((&run.first, &run.last), (&app.code(&run.name, 0), &app.code(&run.name, run.count - 1)));
        assert_eq!(&run.first[..6], run.name);
        for code in [&run.first, &run.last] {
            assert_eq!(app.status(code).await, ("genuine".to_owned(), "active".to_owned()));
        }
    }
    assert_eq!(app.status(&app.code(&runs[2].name, 611_392)).await.0, "not_issued");
    let names: Vec<_> = runs.iter().map(|run| run.name.clone()).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn orders_of_one_batch_at_the_same_time_can_not_pass_its_quantity_together() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let path = format!("/v1/batches/{}/runs", goods.batch);
    let order = async |_| app.post(&path, &app.keys.importer, json!({ "count": 2_000 })).await;
    let replies = futures_util::future::join_all((0..16).map(order)).await;
    let issued = replies.iter().filter(|reply| reply.status == StatusCode::CREATED).count();
    assert_eq!(issued, 10, "20,400 codes are granted");
    let mut runs: Vec<_> =
        replies.iter().filter_map(|reply| reply.json()["runs"][0]["run"].as_str().map(String::from)).collect();
    runs.sort();
    runs.dedup();
    assert_eq!(runs.len(), 10, "no run number is given twice");
}

#[tokio::test]
async fn an_idempotency_key_makes_a_repeated_request_take_effect_once() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let path = format!("/v1/batches/{}/runs", goods.batch);
    let order = async |key: &str, body: Value| {
        app.call("POST", &path).key(&app.keys.importer).header("idempotency-key", key).json(&body).send().await
    };
    let made = order("order-1", json!({ "count": 10 })).await;
    made.expect(StatusCode::CREATED);
    let keys = app.stored_keys().await;
    app.move_clock(super::HOUR_MS);
    let again = order("order-1", json!({ "count": 10 })).await;
    assert_eq!((again.status, &again.body, again.header("idempotency-replayed")), (made.status, &made.body, "true"));
    let other = order("order-1", json!({ "count": 11 })).await.refused(StatusCode::CONFLICT);
    assert_eq!(other["field"], "Idempotency-Key");
    assert_eq!(app.stored_keys().await, keys);
    order("order-2", json!({ "count": 10 })).await.expect(StatusCode::CREATED);
    let elsewhere = app.call("POST", "/v1/products").key(&app.keys.importer).header("idempotency-key", "order-1");
    elsewhere.json(&json!({ "name_zh": "三文鱼" })).send().await.expect(StatusCode::CREATED);

    order("order-3", json!({ "count": 0 })).await.refused(StatusCode::BAD_REQUEST);
    order("order-3", json!({ "count": 5 })).await.expect(StatusCode::CREATED);
    for wrong in ["", "with space", &"x".repeat(256)] {
        let problem = order(wrong, json!({ "count": 1 })).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], "Idempotency-Key");
    }
    app.move_clock(31 * super::DAY_MS);
    order("order-1", json!({ "count": 11 })).await.expect(StatusCode::CREATED);
    let runs = app.get(&path, &app.keys.importer).await.expect(StatusCode::OK);
    let counts: Vec<_> = runs["items"].as_array().unwrap().iter().map(|run| number(&run["count"])).collect();
    assert_eq!(counts, [10, 10, 5, 11]);
}

#[tokio::test]
async fn a_replayed_answer_does_not_show_the_secret_of_a_key_again() {
    let app = TestApp::new().await;
    let make = async || {
        let call = app.call("POST", "/v1/keys").key("").header("idempotency-key", "key-1");
        call.json(&json!({ "organization": 3, "role": "operator" })).send().await.expect(StatusCode::CREATED)
    };
    let (made, again) = (make().await, make().await);
    assert!(text(&made["key"]).starts_with("cp_"), "{made}");
    assert_eq!((again.get("key"), &again["id"]), (None, &made["id"]));
    app.get("/v1/products", &text(&made["key"])).await.expect(StatusCode::OK);
    if on_cluster() {
        return;
    }
    let mut stored = Vec::new();
    for file in walk(&app.store_folder()) {
        let bytes = std::fs::read(file).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        stored.extend_from_slice(&bytes[..used]);
    }
    let secret = made["key"].as_str().unwrap().splitn(3, '_').last().unwrap().as_bytes();
    assert!(!stored.windows(secret.len()).any(|window| window == secret), "the secret is nowhere on the disk");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
