//! Registration over HTTP, on the embedded store.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::routes::TestApp;

/// The one app, and what it is asked in words of registration.
struct World {
    app: TestApp,
    importer: String,
    other: String,
    inspector: String,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let keys = app.keys.clone();
        Self { app, importer: keys.importer, other: keys.other, inspector: keys.inspector }
    }

    /// Calls with JSON; without a key as the admin socket does.
    async fn call(&self, method: &str, path: &str, key: &str, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, key, "application/json", body.into()).await
    }

    async fn send(&self, method: &str, path: &str, key: &str, kind: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let reply = self.app.call(method, path).key(key).body(kind, body).send().await;
        (reply.status, reply.json())
    }

    async fn goods(&self, key: &str, entry_date: &str) -> (u64, u64) {
        let product = json!({"name_zh": "冷冻南美白虾", "gtin": "09506000134352", "category": "seafood",
            "packaging": [{"level": "item", "items": 1, "net": {"value": 0.4, "uom": "KGM"}}]});
        let (status, product) = self.call("POST", "/v1/products", key, product).await;
        assert_eq!(status, StatusCode::CREATED, "{product}");
        let consignment = json!({"declaration": "223120201000012345", "origin": "ECU", "entry_date": entry_date,
            "containers": ["CSQU3054383"], "producer": {"name": "Camarones SA", "registration": "CECU16011601150001"},
            "quarantine_certificate": {"number": "I20260001"}, "consignee_uscc": "91350100M000100Y43"});
        let (status, consignment) = self.call("POST", "/v1/consignments", key, consignment).await;
        assert_eq!(status, StatusCode::CREATED, "{consignment}");
        assert_eq!(consignment["origin"], "EC");
        (product["id"].as_u64().unwrap(), consignment["id"].as_u64().unwrap())
    }
}

#[tokio::test]
async fn a_batch_is_registered_corrected_and_readable_in_all_versions() {
    let world = World::new().await;
    let (product, consignment) = world.goods(&world.importer, "2026-05-01").await;
    let path = format!("/v1/consignments/{consignment}/batches");
    let body = json!({"product": product, "lot": "L-1", "line": 1, "net_weight": {"value": 1000, "uom": "KGM"}});
    let (status, batch) = world.call("POST", &path, &world.importer, body).await;
    assert_eq!(status, StatusCode::CREATED, "{batch}");
    assert_eq!((&batch["missing"], &batch["line_registered_before"]), (&json!([]), &json!(false)));
    let path = format!("/v1/batches/{}", batch["id"]);
    let (status, changed) = world.call("PATCH", &path, &world.importer, json!({"lot": "L-2"})).await;
    assert_eq!((status, &changed["lot"], &changed["version"]), (StatusCode::OK, &json!("L-2"), &json!(2)));
    let (_, same) = world.call("PATCH", &path, &world.importer, json!({"lot": "L-2"})).await;
    assert_eq!(same["version"], 2, "what changes nothing makes no version");
    let (_, back) = world.call("PATCH", &path, &world.importer, json!({"lot": "L-1"})).await;
    assert_eq!(back["version"], 3);
    let (_, versions) = world.call("GET", &format!("{path}/versions"), &world.inspector, Value::Null).await;
    let lots: Vec<_> = versions["items"].as_array().unwrap().iter().map(|it| it["lot"].as_str().unwrap()).collect();
    assert_eq!(lots, ["L-1", "L-2", "L-1"]);
    let rows = world.app.store.rows(world.app.service.writer, 0, 100).await.unwrap();
    let records: u32 = rows.iter().flat_map(|row| &row.captures).map(|(_, records)| records).sum();
    assert_eq!(records, 5, "one registration, and twice a declaration with the event in its place");
}

#[tokio::test]
async fn another_importer_neither_sees_nor_changes_what_is_not_its_own() {
    let world = World::new().await;
    let (product, consignment) = world.goods(&world.importer, "2026-05-01").await;
    let (path, of_it) = (format!("/v1/consignments/{consignment}"), format!("/v1/consignments/{consignment}/batches"));
    for (method, path, body) in [
        ("GET", &path, Value::Null),
        ("PATCH", &path, json!({"consignor": "X"})),
        ("GET", &of_it, Value::Null),
        ("POST", &of_it, json!({"product": product, "lot": "L"})),
    ] {
        let (status, problem) = world.call(method, path, &world.other, body).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}: {problem}");
        let (_, nothing) = world.call("GET", "/v1/consignments/999999", &world.other, Value::Null).await;
        assert_eq!(problem["type"], nothing["type"]);
    }
    let (status, _) = world.call("GET", &path, &world.inspector, Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = world.call("POST", "/v1/products", &world.inspector, json!({"name_zh": "虾"})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_missing_follows_the_entry_date_and_drafts_may_lack_anything() {
    let world = World::new().await;
    let (product, consignment) = world.goods(&world.importer, "2023-01-07").await;
    let path = format!("/v1/consignments/{consignment}/batches");
    let (_, batch) = world.call("POST", &path, &world.importer, json!({"product": product, "lot": "L"})).await;
    assert_eq!(batch["missing"], json!(["test_report", "disinfection_certificate"]));
    let consignment = format!("/v1/consignments/{consignment}");
    world.call("PATCH", &consignment, &world.importer, json!({"entry_date": "2023-01-08"})).await;
    let (_, batch) = world.call("GET", &format!("/v1/batches/{}", batch["id"]), &world.importer, Value::Null).await;
    assert_eq!(batch["missing"], json!([]));
    let (status, draft) = world.call("POST", &path, &world.importer, json!({"draft": true})).await;
    assert_eq!((status, &draft["missing"]), (StatusCode::CREATED, &json!(["product", "lot"])));
    let (status, problem) = world.call("POST", &path, &world.importer, json!({})).await;
    assert_eq!((status, problem["errors"].as_array().map(Vec::len)), (StatusCode::BAD_REQUEST, Some(2)));
}

#[tokio::test]
async fn the_same_line_of_a_declaration_is_flagged_the_second_time() {
    let world = World::new().await;
    let mut batches = Vec::new();
    for key in [&world.importer, &world.other] {
        let (product, consignment) = world.goods(key, "2026-05-01").await;
        let path = format!("/v1/consignments/{consignment}/batches");
        batches.push(world.call("POST", &path, key, json!({"product": product, "lot": "L", "line": 3})).await.1);
    }
    assert_eq!(batches[0]["line_registered_before"], false);
    assert_eq!((&batches[1]["line_registered_before"], &batches[1]["same_line"]), (&json!(true), &Value::Null));
    let path = format!("/v1/batches/{}", batches[1]["id"]);
    let (_, seen) = world.call("GET", &path, &world.inspector, Value::Null).await;
    assert_eq!(seen["same_line"], batches[0]["id"]);
}

#[tokio::test]
async fn a_csv_is_reported_row_by_row_and_written_whole_or_not_at_all() {
    let world = World::new().await;
    let (_, consignment) = world.goods(&world.importer, "2026-05-01").await;
    let path = format!("/v1/consignments/{consignment}/batches");
    let wrong = "gtin,lot,production_first,net_weight\n09506000134352,A,2026-02-30,1\n09506000134353,,2026-02-01,x\n";
    let (status, problem) = world.send("POST", &path, &world.importer, "text/csv", wrong.into()).await;
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(fields, ["row 2, production_first", "row 3, gtin", "row 3, net_weight", "row 3, product", "row 3, lot"]);
    let right = "gtin,lot,line,net_weight\n09506000134352,A,1,1\n09506000134352,B,2,2\n";
    let dry = format!("{path}?dry_run=true");
    let (status, report) = world.send("POST", &dry, &world.importer, "text/csv", right.into()).await;
    assert_eq!((status, &report["written"]), (StatusCode::OK, &json!(false)));
    let (_, list) = world.call("GET", &path, &world.importer, Value::Null).await;
    assert_eq!(list["items"], json!([]), "nothing is written before all rows are right and meant");
    let (status, report) = world.send("POST", &path, &world.importer, "text/csv; charset=utf-8", right.into()).await;
    assert_eq!((status, report["rows"][1]["batch"]["lot"].as_str()), (StatusCode::CREATED, Some("B")), "{report}");
}

#[tokio::test]
async fn documents_are_sniffed_kept_by_hash_and_private() {
    let world = World::new().await;
    let (_, consignment) = world.goods(&world.importer, "2026-05-01").await;
    let path = format!("/v1/consignments/{consignment}/documents");
    let form = |file: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\ntest_report\r\n\
             --b\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\nT-1\r\n\
             --b\r\nContent-Disposition: form-data; name=\"original\"; filename=\"a.pdf\"\r\n\r\n{file}\r\n--b--\r\n"
        )
    };
    let kind = "multipart/form-data; boundary=b";
    let (status, problem) = world.send("POST", &path, &world.importer, kind, form("GIF89a").into()).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("/original")));
    let (status, document) = world.send("POST", &path, &world.importer, kind, form("%PDF-1.7 x\n%%EOF").into()).await;
    assert_eq!(status, StatusCode::CREATED, "{document}");
    assert_eq!(document["sha256"], "21d969a0073145da1309eb10bbba95d3e906d2fb8469bf8adde51e2e372f4d79");
    let original = format!("/v1/documents/{}/original", document["id"]);
    for (key, expected) in
        [(&world.importer, StatusCode::OK), (&world.inspector, StatusCode::OK), (&world.other, StatusCode::NOT_FOUND)]
    {
        assert_eq!(world.call("GET", &original, key, Value::Null).await.0, expected);
    }
    let public = format!("/v1/documents/{}/public", document["id"]);
    assert_eq!(world.call("GET", &public, &world.importer, Value::Null).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_refusal_names_its_field_and_what_was_expected() {
    let world = World::new().await;
    for (path, body, field) in [
        ("/v1/products", json!({"name_zh": "虾", "gtin": "09506000134353"}), "/gtin"),
        ("/v1/products", json!({"name_zh": "虾", "colour": "red"}), "/colour"),
        ("/v1/consignments", json!({"containers": ["CSQU3054383", "CSQU3054384"]}), "/containers/1"),
        ("/v1/consignments", json!({"consignee_uscc": "91350100M000100Y44"}), "/consignee_uscc"),
        ("/v1/consignments", json!({"entry_date": "2026-02-30"}), "/entry_date"),
        ("/v1/consignments", json!({"quarantine_certificate": {"number": ""}}), "/quarantine_certificate/number"),
    ] {
        let (status, problem) = world.call("POST", path, &world.importer, body).await;
        assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("expected"), "{problem}");
    }
    let (status, _) = world.call("GET", "/v1/products", "cp_1_wrong", Value::Null).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_revoked_key_proves_nobody() {
    let world = World::new().await;
    let id = world.importer.split('_').nth(1).unwrap().to_owned();
    assert_eq!(world.call("GET", "/v1/products", &world.importer, Value::Null).await.0, StatusCode::OK);
    assert_eq!(world.call("DELETE", &format!("/v1/keys/{id}"), "", Value::Null).await.0, StatusCode::OK);
    assert_eq!(world.call("GET", "/v1/products", &world.importer, Value::Null).await.0, StatusCode::UNAUTHORIZED);
}
