//! Bad input: every refusal is a problem that names the field, and nothing has changed.

use axum::http::StatusCode;
use coldproof::limits::{
    BODY_BYTES_MAX, CAPTURE_MEMORY_BYTES_MAX, DOCUMENT_BYTES_MAX, RECORD_BYTES_MAX, SPANS_BYTES_MAX, UPLOAD_BYTES_MAX,
};
use serde_json::json;

use super::{GTIN, Reply, TestApp, both, class, document, event, span, text};

const JSON: &str = "application/json";

/// Who asks, what, and what must be answered.
struct Case {
    method: &'static str,
    path: String,
    /// Whose key: `importer`, `other`, `operator`, `inspector` or nobody's.
    who: &'static str,
    media_type: &'static str,
    body: Vec<u8>,
    status: u16,
    field: &'static str,
}

fn case(
    request: (&'static str, &str),
    who: &'static str,
    media_type: &'static str,
    body: impl Into<Vec<u8>>,
    expected: (u16, &'static str),
) -> Case {
    let (method, path) = request;
    Case { method, path: path.to_owned(), who, media_type, body: body.into(), status: expected.0, field: expected.1 }
}

/// A JSON body of the importer's.
fn posted(path: &str, body: serde_json::Value, expected: (u16, &'static str)) -> Case {
    case(("POST", path), "importer", JSON, body.to_string(), expected)
}

fn asked(path: &str, who: &'static str, expected: (u16, &'static str)) -> Case {
    case(("GET", path), who, JSON, "", expected)
}

/// Sends every case and tells of all that are not answered as they must be.
async fn sweep(app: &TestApp, cases: Vec<Case>) {
    let keys = app.stored_keys().await;
    let mut wrong = Vec::new();
    for case in cases {
        let call = app.call(case.method, &case.path);
        let call = match case.who {
            "importer" => call.key(&app.keys.importer),
            "other" => call.key(&app.keys.other),
            "operator" => call.key(&app.keys.operator),
            "inspector" => call.key(&app.keys.inspector),
            _ => call,
        };
        let call = if case.body.is_empty() { call } else { call.body(case.media_type, case.body.clone()) };
        let reply = call.send().await;
        let changed = app.stored_keys().await != keys;
        if changed || !refuses(&reply, case.status, case.field) {
            let sent = String::from_utf8_lossy(&case.body[..case.body.len().min(200)]).into_owned();
            let path = &case.path[..case.path.len().min(100)];
            let expected = format!("expected {} at {:?}", case.status, case.field);
            let found = format!("found {}, changed: {changed}, {}", reply.status, String::from_utf8_lossy(&reply.body));
            wrong.push(format!("{} {path} {sent}\n  {expected}\n  {found}", case.method));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether it is a problem with this status and field that says what is wrong, quoting at most part of what was sent.
fn refuses(reply: &Reply, status: u16, field: &str) -> bool {
    const SAYS: [&str; 11] = [
        "expected",
        "found",
        "not JSON",
        "missing",
        "no such",
        "there is no",
        "not known",
        "UTF-8",
        "Invalid",
        "stands twice",
        "none of",
    ];
    let (problem, detail) = (reply.json(), text(&reply.json()["detail"]));
    reply.status.as_u16() == status
        && reply.header("content-type") == "application/problem+json"
        && problem["type"].is_string()
        && problem["status"] == status
        && problem["field"].as_str().unwrap_or_default() == field
        && SAYS.iter().any(|word| detail.contains(word))
        && detail.len() < 2_000
}

#[tokio::test]
async fn json_that_is_wrong_is_refused_where_it_is_wrong() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let batches = format!("/v1/consignments/{}/batches", goods.consignment);
    let runs = format!("/v1/batches/{}/runs", goods.batch);
    let void = format!("/v1/runs/{}/void", run.name);
    let deep = format!("{{\"name_zh\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    let mut cases = vec![
        case(("POST", "/v1/products"), "importer", JSON, "{\"name_zh\":", (400, "")),
        case(("POST", "/v1/products"), "importer", JSON, "{} {}", (400, "")),
        case(("POST", "/v1/products"), "importer", JSON, b"{\"name_zh\":\"\xff\"}".to_vec(), (400, "")),
        case(("POST", "/v1/products"), "importer", JSON, deep, (400, "/name_zh")),
        case(("POST", "/v1/products"), "importer", "text/plain", "{}", (415, "Content-Type")),
        case(("POST", "/v1/products"), "importer", "application/xml", "<a/>", (415, "Content-Type")),
        case(("POST", "/v1/products"), "importer", JSON, vec![b' '; BODY_BYTES_MAX + 1], (413, "")),
        case(("POST", "/v1/verify"), "", "text/plain", "{}", (415, "Content-Type")),
        case(("PATCH", "/v1/batches/1"), "importer", JSON, "[]", (400, "")),
        case(("DELETE", "/v1/products"), "importer", JSON, "", (405, "")),
        case(("PUT", "/v1/verify"), "importer", JSON, "", (405, "")),
    ];
    for (path, body, field) in [
        ("/v1/products", json!({ "name_zh": "虾", "colour": "red" }), "/colour"),
        ("/v1/products", json!({ "name_zh": "虾", "gtin": "09506000134353" }), "/gtin"),
        ("/v1/products", json!({ "name_zh": "虾", "gtin": 9506000134352_u64 }), "/gtin"),
        ("/v1/products", json!({ "name_zh": "虾".repeat(201) }), "/name_zh"),
        ("/v1/products", json!({ "name_zh": "虾", "storage": { "min_celsius": 5, "max_celsius": -18 } }), "/storage"),
        ("/v1/products", json!({ "name_zh": "虾", "hs_code": "03O6" }), "/hs_code"),
        ("/v1/consignments", json!({ "entry_date": "2026-02-30" }), "/entry_date"),
        ("/v1/consignments", json!({ "entry_date": "20260230" }), "/entry_date"),
        ("/v1/consignments", json!({ "containers": ["CSQU3054384"] }), "/containers/0"),
        ("/v1/consignments", json!({ "consignee_uscc": "91350100M000100Y44" }), "/consignee_uscc"),
        ("/v1/consignments", json!({ "origin": "XX" }), "/origin"),
        (&batches, json!({ "product": goods.product, "lot": "L", "ai10": "批号1" }), "/ai10"),
        (&batches, json!({ "product": goods.product, "lot": "L", "ai10": "123456789012345678901" }), "/ai10"),
        (
            &batches,
            json!({ "product": goods.product, "lot": "L", "expiry": { "first": "2026-07-02", "last": "2026-07-01" } }),
            "/expiry/last",
        ),
        (&batches, json!({ "product": 77, "lot": "L" }), "/product"),
        (
            &batches,
            json!({ "product": goods.product, "lot": "L", "net_weight": { "value": -1, "uom": "KGM" } }),
            "/net_weight/value",
        ),
        (&batches, json!({ "product": goods.product, "lot": "L", "line": 0 }), "/line"),
        (&runs, json!({ "count": 1, "level": "pallet" }), "/level"),
        (&runs, json!({ "count": 1, "signed": true }), "/signed"),
        (&runs, json!({ "count": 1, "colour": 1 }), "/colour"),
        (&runs, json!({ "count": 1, "activate": "never" }), "/activate"),
        (&runs, json!({ "count": 1, "content": { "value": 0, "uom": "KGM" } }), "/content/value"),
        (&runs, json!({}), "/count"),
        (&runs, json!({ "count": 1, "level": "x".repeat(100_000) }), "/level"),
        (&void, json!({ "spans": [{ "first": run.first }] }), "/spans/0/last"),
        (&void, json!({ "spans": [{ "first": "abc", "last": run.last }] }), "/spans/0/first"),
        (&void, json!({ "spans": [{ "first": run.first, "last": "0000000000000000000Z" }] }), "/spans/0/last"),
        (&void, json!({ "spans": [{ "first": run.last, "last": run.first }] }), "/spans/0/last"),
        (
            &void,
            json!({ "spans": [{ "first": app.code(&run.name, 10), "last": app.code(&run.name, 11) }] }),
            "/spans/0/first",
        ),
        (&void, json!({ "spans": [] }), "/spans"),
        ("/v1/verify", json!({ "codes": "x" }), "/codes"),
        ("/v1/verify", json!({ "codes": [1] }), "/codes/0"),
    ] {
        cases.push(posted(path, body, (400, field)));
    }
    sweep(&app, cases).await;
}

#[tokio::test]
async fn an_array_of_values_is_no_object_wherever_it_stands() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let batches = format!("/v1/consignments/{}/batches", goods.consignment);
    let runs = format!("/v1/batches/{}/runs", goods.batch);
    let void = format!("/v1/runs/{}/void", run.name);
    let cases = [
        (&*runs, json!([10]), ""),
        (&runs, json!({ "count": 1, "content": [0.4, "KGM"] }), "/content"),
        (&void, json!({ "spans": [[run.first, run.last]] }), "/spans/0"),
        ("/v1/products", json!({ "name_zh": "虾", "storage": [null, -18] }), "/storage"),
        ("/v1/products", json!({ "name_zh": "虾", "packaging": [["item", 1, null]] }), "/packaging/0"),
        (
            "/v1/products",
            json!({ "name_zh": "虾", "packaging": [{ "level": "item", "items": 1, "net": [0.4, "KGM"] }] }),
            "/packaging/0/net",
        ),
        ("/v1/consignments", json!({ "producer": ["Camarones SA", null] }), "/producer"),
        ("/v1/consignments", json!({ "quarantine_certificate": ["I20260001", null, null] }), "/quarantine_certificate"),
        (&batches, json!({ "product": goods.product, "lot": "L", "expiry": ["2028-01-01", null] }), "/expiry"),
        (&batches, json!({ "product": goods.product, "lot": "L", "quantities": [1, 2, 3] }), "/quantities"),
    ];
    let cases = cases.into_iter().map(|(path, body, field)| posted(path, body, (400, field)));
    sweep(&app, cases.collect()).await;
}

#[tokio::test]
async fn captures_that_are_wrong_are_refused_where_they_are_wrong() {
    let limit = format!("capture.document_bytes_max={CAPTURE_MEMORY_BYTES_MAX}");
    let app = TestApp::with(&[&limit]).await;
    let (goods, run) = app.run(10).await;
    let on = |fields| event(1, both(span(goods.batch, &run.first, &run.first, 1), fields));
    let mut cases = vec![
        case(("POST", "/epcis/capture"), "importer", "text/xml", "<a/>", (415, "Content-Type")),
        case(("POST", "/epcis/capture"), "importer", JSON, "{", (400, "")),
        case(("POST", "/epcis/capture"), "importer", JSON, vec![b' '; CAPTURE_MEMORY_BYTES_MAX + 1], (413, "")),
        case(("POST", "/epcis/capture"), "", JSON, document(vec![on(json!({}))]).to_string(), (401, "Authorization")),
        case(("POST", "/epcis/capture"), "importer", JSON, "{\"a\":1,\"a\":1}", (400, "")),
    ];
    for (fields, field) in [
        (json!({ "eventTime": "2026-02-30T00:00:00Z" }), "/eventTime"),
        (json!({ "eventTimeZoneOffset": "8" }), "/eventTimeZoneOffset"),
        (json!({ "bizStep": "selling" }), "/bizStep"),
        (json!({ "colour": "red" }), ""),
        (json!({ "type": "PackingEvent" }), "/type"),
        (json!({ "epcList": ["not a uri"] }), "/epcList/0"),
        (json!({ "quantityList": [{ "epcClass": class(goods.batch), "quantity": -1 }] }), "/quantityList/0/quantity"),
        (json!({ "ilmd": {} }), "/ilmd"),
    ] {
        let field = Box::leak(format!("/epcisBody/eventList/0{field}").into_boxed_str());
        cases.push(posted("/epcis/capture", document(vec![on(fields)]), (400, field)));
    }
    sweep(&app, cases).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_told_its_length_and_the_limit_of_its_route() {
    let app = TestApp::with(&[&format!("capture.document_bytes_max={CAPTURE_MEMORY_BYTES_MAX}")]).await;
    let (goods, run) = app.run(10).await;
    let keys = app.stored_keys().await;
    let key = &app.keys.importer;
    let form = "multipart/form-data; boundary=b";
    let part = |name: &str, bytes: usize| {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        [head.as_bytes(), &vec![b'x'; bytes], b"\r\n--b--\r\n"].concat()
    };
    let documents = format!("/v1/batches/{}/documents", goods.batch);
    for (method, path, media_type, limit) in [
        ("POST", "/v1/products".to_owned(), JSON, BODY_BYTES_MAX),
        ("POST", "/v1/verify".to_owned(), JSON, BODY_BYTES_MAX),
        ("PATCH", format!("/v1/batches/{}", goods.batch), JSON, BODY_BYTES_MAX),
        ("POST", format!("/v1/consignments/{}/batches", goods.consignment), "text/csv", BODY_BYTES_MAX),
        ("POST", format!("/v1/runs/{}/void", run.name), JSON, SPANS_BYTES_MAX),
        ("POST", "/epcis/capture".to_owned(), JSON, CAPTURE_MEMORY_BYTES_MAX),
        ("POST", "/epcis/events".to_owned(), JSON, RECORD_BYTES_MAX),
        ("PUT", format!("/v1/products/{}/picture", goods.product), "image/png", DOCUMENT_BYTES_MAX),
    ] {
        let large = vec![b' '; limit + 1];
        let (told, untold) = (app.call(method, &path).key(key), app.call(method, &path).key(key));
        let told = told.body(media_type, large.clone()).header("content-length", &large.len().to_string());
        let problem = told.send().await.refused(StatusCode::PAYLOAD_TOO_LARGE);
        let detail = format!("found a body of {} bytes, expected at most {limit}", limit + 1);
        assert_eq!((&problem["detail"], &problem["field"]), (&json!(detail), &json!("")), "{path}");
        let problem = untold.body(media_type, large).send().await.refused(StatusCode::PAYLOAD_TOO_LARGE);
        let detail = format!("found a body of more than {limit} bytes, expected at most {limit}");
        assert_eq!(problem["detail"], detail, "{path}");
    }
    for (body, field, limit) in [
        (part("original", DOCUMENT_BYTES_MAX + 1), "/original", DOCUMENT_BYTES_MAX),
        (part("number", 2_000), "/number", 1_024),
        ([part("public", 1), vec![b' '; UPLOAD_BYTES_MAX]].concat(), "", UPLOAD_BYTES_MAX),
    ] {
        let reply = app.call("POST", &documents).key(key).body(form, body).send().await;
        let problem = reply.refused(StatusCode::PAYLOAD_TOO_LARGE);
        assert!(problem["field"] == field && text(&problem["detail"]).contains(&limit.to_string()), "{problem}");
    }
    assert_eq!(app.stored_keys().await, keys);
}

#[tokio::test]
async fn stray_bytes_in_a_path_and_unknown_parameters_are_refused() {
    let app = TestApp::new().await;
    let (_, run) = app.run(10).await;
    let long = "A".repeat(60_000);
    let cases = vec![
        asked("/%FF", "", (404, "path")),
        asked("/..", "", (404, "path")),
        asked("/../../etc/passwd", "", (404, "path")),
        asked("/%2e%2e/%2e%2e/etc/passwd", "", (404, "path")),
        asked("/assets/..%2fkeyring.toml", "", (404, "")),
        asked(&format!("/{long}"), "", (404, "path")),
        asked("/assets/%FF", "", (400, "path")),
        asked(&format!("/01/{GTIN}/21/%FF{long}"), "", (400, "path")),
        asked(&format!("/v1/batches/{long}"), "importer", (400, "path")),
        case(("POST", &format!("/{}", run.first)), "", JSON, "{}", (405, "")),
        case(("POST", "/v1/nothing"), "", JSON, "{}", (404, "path")),
        asked(&format!("/01/{GTIN}/21/%FF"), "", (400, "path")),
        asked(&format!("/01/{GTIN}/21/{long}"), "", (400, "path")),
        asked(&format!("/01/{long}"), "", (400, "path")),
        asked(&format!("/01/{GTIN}/21/%00"), "", (400, "path")),
        asked("/v1/batches/%FF", "importer", (400, "path")),
        asked("/v1/batches/..", "importer", (400, "path")),
        asked("/v1/batches/18446744073709551616", "importer", (400, "path")),
        asked("/v1/batches/99", "importer", (404, "")),
        asked(&format!("/v1/runs/{long}/codes"), "importer", (400, "run")),
        asked("/v1/runs/00000U/codes", "importer", (400, "run")),
        asked("/v1/runs/00003Z/codes", "importer", (404, "")),
        asked("/v1/runs/%FF/codes", "importer", (400, "path")),
        asked(&format!("/v1/codes/{}/timeline?limit=0", run.first), "importer", (400, "limit")),
        asked("/v1/codes/0000000000000000000Z/timeline", "importer", (404, "")),
        asked("/v1/codes/xyz/timeline", "importer", (400, "code")),
        asked(&format!("/v1/codes/{}/qr.png?size=100000", run.first), "importer", (400, "size")),
        asked(&format!("/v1/codes/{}/qr.png?size=0", run.first), "importer", (400, "size")),
        asked("/v1/products?limit=0", "importer", (400, "limit")),
        asked("/v1/products?page=3", "importer", (400, "page")),
        asked("/v1/products?limit=x", "importer", (400, "limit")),
        asked("/v1/products?limit=%FF", "importer", (400, "limit")),
        asked("/epcis/events/nothing", "importer", (404, "")),
        asked("/epcis/events/%FF", "importer", (400, "path")),
        asked("/epcis/capture/zz", "importer", (404, "")),
    ];
    sweep(&app, cases).await;
}

#[tokio::test]
async fn what_is_anothers_or_for_another_role_is_refused_and_a_picture_that_is_none() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let batch = format!("/v1/batches/{}", goods.batch);
    let cases = vec![
        asked(&batch, "other", (404, "")),
        asked(&format!("{batch}/codes"), "other", (404, "")),
        asked(&format!("{batch}/runs"), "other", (404, "")),
        asked(&format!("/v1/runs/{}/codes", run.name), "operator", (403, "")),
        asked(&format!("/v1/codes/{}/timeline", run.first), "other", (404, "")),
        asked(&format!("/v1/codes/{}/qr.svg", run.first), "operator", (403, "")),
        asked(&batch, "", (401, "Authorization")),
        case(("PATCH", &batch), "other", JSON, "{\"lot\":\"X\"}", (404, "")),
        case(("POST", &format!("{batch}/runs")), "other", JSON, "{\"count\":1}", (404, "")),
        case(
            ("POST", "/v1/organizations"),
            "importer",
            JSON,
            "{\"legal_name\":\"X\",\"roles\":[\"admin\"]}",
            (403, ""),
        ),
        case(("POST", "/v1/keys"), "inspector", JSON, "{\"organization\":1,\"role\":\"importer\"}", (403, "")),
        case(("POST", "/v1/audit"), "importer", JSON, "{}", (403, "")),
        case(
            ("PUT", &format!("/v1/products/{}/picture", goods.product)),
            "importer",
            "image/png",
            "\u{89}PNG no such",
            (400, "/body"),
        ),
        case(
            ("PUT", &format!("/v1/products/{}/picture", goods.product)),
            "importer",
            "image/png",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            (400, "/body"),
        ),
        case(("PUT", &format!("/v1/products/{}/picture", goods.product)), "other", "image/png", "x", (404, "")),
    ];
    sweep(&app, cases).await;
}

#[tokio::test]
async fn headers_that_are_junk_are_refused_or_ignored() {
    let app = TestApp::new().await;
    let (_, run) = app.run(10).await;
    let keys = app.stored_keys().await;
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer cp_1_",
        "Bearer cp_1_x_y",
        "bearer \u{7f}",
        "Bearer cp_99999999999999999999_x",
    ] {
        let reply = app.call("GET", "/v1/products").header("authorization", value.trim_matches('\u{7f}')).send().await;
        let problem = reply.refused(StatusCode::UNAUTHORIZED);
        assert_eq!(
            (&problem["field"], reply.header("www-authenticate")),
            (&json!("Authorization"), "Bearer"),
            "{value:?}"
        );
    }
    let secret = app.keys.importer.clone();
    let wrong = format!("Bearer {}x", secret);
    let problem = app.call("GET", "/v1/products").header("authorization", &wrong).send().await;
    let problem = problem.refused(StatusCode::UNAUTHORIZED);
    assert!(!problem.to_string().contains(secret.splitn(3, '_').last().unwrap()), "a refusal shows no key");
    for (name, value) in [
        ("accept-language", "\"';<script>"),
        ("accept-language", "zh;q=nan,,,;;;"),
        ("x-forwarded-for", "not an address, ::::"),
        ("forwarded", "for=\"[::1\""),
        ("range", "bytes=0-1"),
        ("if-none-match", "\"x\""),
        ("sec-purpose", "\u{1}".trim_matches('\u{1}')),
    ] {
        let scan = app.call("GET", &format!("/{}", run.first)).header(name, value).send().await.expect(StatusCode::OK);
        assert_eq!(scan["verdict"], "genuine", "{name}: {value}");
    }
    for accept in ["", ";;;", "text/html;q=zz", "image/*", "a/b;q=1,c/d"] {
        let reply = app.call("GET", &format!("/{}", run.first)).header("accept", accept).send().await;
        assert_eq!(reply.refused(StatusCode::NOT_ACCEPTABLE)["field"], "Accept", "{accept:?}");
    }
    assert_eq!(app.stored_keys().await, keys);
}
