//! EPCIS captures: whole or not at all, once, and what they say in timelines.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{GTIN, LOT, Run, TestApp, both, class, document, event, lay_over, ring, silent::Silent, span, text, texts};

fn shipping(over: Value) -> Value {
    both(json!({ "bizStep": "shipping", "disposition": "in_transit" }), over)
}

async fn lines(app: &TestApp, code: &str) -> Vec<Value> {
    let timeline = app.get(&format!("/v1/codes/{code}/timeline"), &app.keys.importer).await.expect(StatusCode::OK);
    timeline["lines"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_document_with_one_wrong_event_takes_no_effect_at_all() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, .. }) = app.run(10).await;
    let beyond = app.code(&name, 10);
    let good = || event(1, shipping(span(goods.batch, &first, &first, 1)));
    let before = (app.stored_keys().await, lines(&app, &first).await);
    for (wrong, pointer) in [
        (event(2, shipping(span(goods.batch, &first, &beyond, 11))), "/epcisBody/eventList/1/cp:spans/0/last"),
        (event(2, shipping(span(goods.batch, &first, &first, 2))), "/epcisBody/eventList/1/quantityList"),
        (
            event(2, shipping(json!({ "epcList": ["https://trace.example/0000000000000000000Z"] }))),
            "/epcisBody/eventList/1/epcList/0",
        ),
        (
            event(2, shipping(json!({ "quantityList": [{ "epcClass": class(99) }] }))),
            "/epcisBody/eventList/1/quantityList",
        ),
        (event(60 * 24 + 1, shipping(span(goods.batch, &first, &first, 1))), "/epcisBody/eventList/1/eventTime"),
        (
            event(2, json!({ "action": "WATCH", "epcList": ["urn:epc:id:sscc:9506000.0123456789"] })),
            "/epcisBody/eventList/1/action",
        ),
    ] {
        let problem = app.capture(&app.keys.importer, vec![good(), wrong]).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(
            (text(&problem["type"]).as_str(), text(&problem["field"]).as_str()),
            ("epcisException:ValidationException", pointer),
            "{problem}"
        );
        assert!(text(&problem["detail"]).contains("expected"), "{problem}");
    }
    let foreign =
        event(2, both(span(goods.batch, &first, &first, 1), json!({ "action": "ADD", "bizStep": "commissioning" })));
    let problem = app.capture(&app.keys.operator, vec![good(), foreign]).await.refused(StatusCode::FORBIDDEN);
    assert_eq!(problem["field"], "/epcisBody/eventList/1");
    assert_eq!((app.stored_keys().await, lines(&app, &first).await), before);
    app.capture(&app.keys.importer, vec![]).await.refused(StatusCode::BAD_REQUEST);
    app.capture(&app.keys.importer, vec![good()]).await.accepted();
    assert_eq!(lines(&app, &first).await.len(), before.1.len() + 1, "and alone it is taken");
}

#[tokio::test]
async fn the_same_capture_again_is_the_same_job_and_changes_nothing() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let events = || {
        let at = |minutes| event(minutes, shipping(span(goods.batch, &first, &first, 1)));
        vec![at(1), at(2)]
    };
    let job = app.capture(&app.keys.operator, events()).await.accepted();
    let keys = app.stored_keys().await;
    app.move_clock(1_000);
    assert_eq!(app.capture(&app.keys.operator, events()).await.accepted(), job);
    let mut written_otherwise = document(events());
    written_otherwise["creationDate"] = json!("2026-06-02T00:00:00Z");
    let again = app.call("POST", "/epcis/capture").key(&app.keys.operator);
    let again =
        again.body("application/ld+json", serde_json::to_string_pretty(&written_otherwise).unwrap()).send().await;
    assert_eq!(again.accepted(), job, "what is said is the same, however it is written");
    assert_eq!(app.stored_keys().await, keys);
    let shown = app.get(&format!("/epcis/capture/{job}"), &app.keys.operator).await.expect(StatusCode::OK);
    assert_eq!(
        (&shown["createdAt"], &shown["captureErrorBehaviour"]),
        (&json!("2026-06-01T00:00:00Z"), &json!("rollback"))
    );
    app.get(&format!("/epcis/capture/{job}"), &app.keys.other).await.refused(StatusCode::NOT_FOUND);
    app.get(&format!("/epcis/capture/{job}"), &app.keys.inspector).await.expect(StatusCode::OK);
    assert_ne!(app.capture(&app.keys.importer, events()).await.accepted(), job, "another's word is another capture");
}

#[tokio::test]
async fn one_event_is_201_with_its_place_and_409_with_the_same_place_from_then_on() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let mut given = event(1, shipping(span(goods.batch, &first, &first, 1)));
    given["@context"] = document(vec![])["@context"].clone();
    given["eventID"] = json!("urn:uuid:99e8a4ae-6b4b-4a0b-8d3c-000000000001");
    let post = async |key: &str, body: &Value| app.call("POST", "/epcis/events").key(key).json(body).send().await;
    let made = post(&app.keys.operator, &given).await;
    made.expect(StatusCode::CREATED);
    let location = made.header("location").to_owned();
    assert!(location.starts_with("/epcis/events/ni%3A%2F%2F%2Fsha%2D256%3B"), "{location}");
    let keys = app.stored_keys().await;
    let again = post(&app.keys.operator, &given).await;
    again.refused(StatusCode::CONFLICT);
    assert_eq!((again.header("location"), app.stored_keys().await), (location.as_str(), keys));
    for path in [location.as_str(), "/epcis/events/urn%3Auuid%3A99e8a4ae-6b4b-4a0b-8d3c-000000000001"] {
        let found = app.get(path, &app.keys.operator).await;
        let document = found.expect(StatusCode::OK);
        assert_eq!((&document["type"], found.header("content-type")), (&json!("EPCISDocument"), "application/ld+json"));
        let events = document["epcisBody"]["eventList"].as_array().unwrap();
        assert_eq!((events.len(), &events[0]["eventID"]), (1, &given["eventID"]), "{path}");
    }
    app.get(&location, &app.keys.inspector).await.expect(StatusCode::OK);
    app.get(&location, &app.keys.importer).await.expect(StatusCode::OK);
    app.get(&location, &app.keys.other).await.refused(StatusCode::NOT_FOUND);
    app.call("GET", &location).send().await.refused(StatusCode::UNAUTHORIZED);
    let mut other = given.clone();
    other["eventTime"] = json!("2026-05-31T07:00:00+08:00");
    post(&app.keys.operator, &other).await.expect(StatusCode::CREATED);
    let alias = "/epcis/events/urn%3Auuid%3A99e8a4ae-6b4b-4a0b-8d3c-000000000001";
    let both = app.get(alias, &app.keys.operator).await.expect(StatusCode::OK);
    let both = both["epcisBody"]["eventList"].as_array().unwrap().clone();
    assert_eq!(both.len(), 2, "one id, given to two events, names both");
    assert!(both.iter().all(|event| event["cp:conflicting"] == json!(true)), "{both:?}");
    app.get(alias, &app.keys.inspector).await.refused(StatusCode::NOT_FOUND);

    let two = vec![
        event(5, shipping(span(goods.batch, &first, &first, 1))),
        event(6, shipping(span(goods.batch, &first, &first, 1))),
    ];
    app.capture(&app.keys.operator, two.clone()).await.accepted();
    let mut alone = two[0].clone();
    alone["@context"] = given["@context"].clone();
    let keys = app.stored_keys().await;
    let known = post(&app.keys.operator, &alone).await;
    known.refused(StatusCode::CONFLICT);
    assert_eq!(app.stored_keys().await, keys, "an event that came in a document is known as well");
    assert!(app.get(known.header("location"), &app.keys.operator).await.status.is_success());
}

#[tokio::test]
async fn an_event_stands_in_the_timelines_of_just_the_codes_that_it_names() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let run = app.order(goods.batch, json!({ "count": 20_000 })).await.remove(0);
    let code = |serial| app.code(&run.name, serial);
    let before = lines(&app, &code(0)).await.len();
    let list = json!({ "epcList": [format!("https://id.gs1.org/01/{GTIN}/21/{}", code(1)), format!("HTTPS://TRACE.EXAMPLE/{}", code(2)),
        format!("https://trace.example/01/{GTIN}/10/{LOT}/21/{}?s=x", code(5_000)), "urn:epc:id:sscc:9506000.0123456789"] });
    let spans = json!({ "cp:spans": [{ "first": code(3), "last": code(9_999) }, { "first": code(15_000), "last": code(15_000) }],
        "quantityList": [{ "epcClass": class(goods.batch), "quantity": 9_998 }] });
    let whole = json!({ "quantityList": [{ "epcClass": class(goods.batch) }] });
    let lot = json!({ "quantityList": [{ "epcClass": format!("https://trace.example/01/{GTIN}/10/{LOT}") }] });
    for (at, fields) in [(1, list), (2, spans), (3, whole), (4, lot)] {
        app.capture(&app.keys.operator, vec![event(at, both(fields, json!({ "bizStep": "inspecting" })))])
            .await
            .accepted();
    }
    for (serial, expected) in [
        (0, vec!["00:03", "00:04"]),
        (1, vec!["00:01", "00:03", "00:04"]),
        (2, vec!["00:01", "00:03", "00:04"]),
        (3, vec!["00:02", "00:03", "00:04"]),
        (5_000, vec!["00:01", "00:02", "00:03", "00:04"]),
        (9_999, vec!["00:02", "00:03", "00:04"]),
        (10_000, vec!["00:03", "00:04"]),
        (15_000, vec!["00:02", "00:03", "00:04"]),
        (19_999, vec!["00:03", "00:04"]),
    ] {
        let lines = lines(&app, &code(serial)).await;
        let times: Vec<_> = lines[before..].iter().map(|line| text(&line["event_time"])[11..16].to_owned()).collect();
        assert_eq!(times, expected, "serial {serial}");
    }
}

#[tokio::test]
async fn partial_shipments_and_a_partial_destruction_of_a_lot_change_no_codes_state() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let some = |class: String, kilograms: u32| json!({ "quantityList": [{ "epcClass": class, "quantity": kilograms, "uom": "KGM" }] });
    let lot = format!("https://id.gs1.org/01/{GTIN}/10/{LOT}");
    for (at, key, fields) in [
        (1, &app.keys.importer, shipping(some(lot.clone(), 500))),
        (2, &app.keys.importer, shipping(some(class(goods.batch), 700))),
        (
            3,
            &app.keys.importer,
            both(some(lot.clone(), 20), json!({ "bizStep": "destroying", "disposition": "destroyed" })),
        ),
        (4, &app.keys.inspector, both(some(lot, 20), json!({ "bizStep": "destroying", "disposition": "destroyed" }))),
    ] {
        app.capture(key, vec![event(at, fields)]).await.accepted();
        assert_eq!(app.status(&first).await, ("genuine".to_owned(), "active".to_owned()), "{at}");
    }
    let scopes: Vec<_> =
        lines(&app, &first).await.iter().map(|line| (text(&line["scope"]), text(&line["bearing"]))).collect();
    assert_eq!(
        scopes.iter().filter(|(scope, bearing)| scope == "some" && bearing == "report").count(),
        4,
        "{scopes:?}"
    );
    let public = app.scan(&format!("/{first}")).await;
    let steps: Vec<_> =
        public["timeline"]["lines"].as_array().unwrap().iter().map(|line| text(&line["biz_step"])).collect();
    assert!(!steps.contains(&"destroying".to_owned()), "of the goods in hand it says nothing: {steps:?}");
    let whole = json!({ "quantityList": [{ "epcClass": class(goods.batch) }], "bizStep": "destroying", "disposition": "destroyed" });
    app.capture(&app.keys.importer, vec![event(5, whole)]).await.accepted();
    assert_eq!(app.status(&first).await, ("destroyed".to_owned(), "destroyed".to_owned()), "all of it is all of it");
}

#[tokio::test]
async fn an_operators_word_stands_in_the_timeline_as_a_report_and_changes_no_state() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let on = |fields: Value| both(fields, span(goods.batch, &first, &first, 1));
    for (at, fields) in [
        (1, shipping(json!({}))),
        (2, json!({ "bizStep": "retail_selling", "disposition": "retail_sold" })),
        (3, json!({ "bizStep": "destroying", "disposition": "destroyed" })),
        (4, super::measure(9, "set", "recalled")),
        (5, json!({ "action": "DELETE", "bizStep": "decommissioning", "disposition": "inactive" })),
    ] {
        app.capture(&app.keys.operator, vec![event(at, on(fields))]).await.accepted();
        assert_eq!(app.status(&first).await, ("genuine".to_owned(), "active".to_owned()), "{at}");
    }
    let by_operator: Vec<_> = lines(&app, &first).await.into_iter().filter(|line| line["organization"] == 3).collect();
    assert_eq!(by_operator.len(), 5);
    assert!(
        by_operator.iter().all(|line| line["bearing"] == "report" && line["role"] == "operator"),
        "{by_operator:?}"
    );
    let public = app.scan(&format!("/{first}")).await;
    let reports = public["timeline"]["lines"].as_array().unwrap().iter().filter(|line| line["report"] == true).count();
    assert_eq!(reports, 5, "the public sees them, marked");
    app.capture(&app.keys.importer, vec![event(6, on(shipping(json!({}))))]).await.accepted();
    assert_eq!(app.status(&first).await.1, "in_transit", "the issuer's word is another");
}

#[tokio::test]
async fn void_is_final_unless_declared_in_error_and_measures_stand_until_lifted() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let on = |fields: Value| both(fields, span(goods.batch, &first, &first, 1));
    let void = event(10, on(json!({ "action": "DELETE", "bizStep": "decommissioning", "disposition": "inactive" })));
    app.capture(&app.keys.importer, vec![void.clone()]).await.accepted();
    let again = event(20, on(json!({ "action": "ADD", "bizStep": "commissioning", "disposition": "active" })));
    app.capture(&app.keys.importer, vec![again]).await.accepted();
    assert_eq!(app.status(&first).await, ("void".to_owned(), "void".to_owned()));
    let mut declared = void.clone();
    let declaration = json!({ "declarationTime": "2026-06-01T00:30:00Z", "reason": "did_not_occur" });
    lay_over(&mut declared, json!({ "errorDeclaration": declaration }));
    app.capture(&app.keys.other, vec![declared.clone()]).await.refused(StatusCode::FORBIDDEN);
    app.capture(&app.keys.operator, vec![declared.clone()]).await.refused(StatusCode::FORBIDDEN);
    assert_eq!(app.status(&first).await.0, "void");
    app.capture(&app.keys.importer, vec![declared]).await.accepted();
    assert_eq!(app.status(&first).await, ("genuine".to_owned(), "active".to_owned()));
    app.capture(&app.keys.importer, vec![void]).await.accepted();
    assert_eq!(app.status(&first).await.0, "genuine", "the same words again are the same record, still in error");
}

/// Over 4 MiB of records in several chunks: too much for memory, and for one atomic write.
fn large(goods: u64, first: &str) -> Vec<Value> {
    let note = "x".repeat(3_500);
    let at = |second: u32| {
        let time = format!("2026-06-01T00:{:02}:{:02}Z", second / 60, second % 60);
        both(
            event(0, shipping(span(goods, first, first, 1))),
            json!({ "eventTime": time, "https://example.com/ns/note": note }),
        )
    };
    (0..1_300).map(at).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_too_large_for_one_write_is_staged_and_takes_effect_whole() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let before = lines(&app, &first).await.len();
    let mut wrong = large(goods.batch, &first);
    wrong.push(event(1, shipping(span(goods.batch, &first, &first, 7))));
    let keys = app.stored_keys().await;
    app.capture(&app.keys.operator, wrong).await.refused(StatusCode::BAD_REQUEST);
    assert_eq!(app.stored_keys().await, keys);
    let job = app.capture(&app.keys.operator, large(goods.batch, &first)).await.accepted();
    let timeline = app.get(&format!("/v1/codes/{first}/timeline"), &app.keys.inspector).await.expect(StatusCode::OK);
    assert_eq!(timeline["lines_total"], before + 1_300);
    let keys = app.stored_keys().await;
    assert_eq!(app.capture(&app.keys.operator, large(goods.batch, &first)).await.accepted(), job);
    assert_eq!(app.stored_keys().await, keys);
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_capture_that_a_stop_cut_behind_its_commit_is_finished_at_the_next_start() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let before = lines(&app, &first).await.len();
    let silent = Silent::default();
    let switch = silent.clone();
    let app = app.restart_over(&ring(), move |store| std::sync::Arc::new(silent.over(store))).await;
    switch.fail_applying(true);
    app.capture(&app.keys.operator, large(goods.batch, &first)).await.refused(StatusCode::SERVICE_UNAVAILABLE);
    let app = app.restart(&ring()).await;
    assert!(!app.audit().await.is_empty(), "an audit says that a capture is not applied");
    assert_eq!(app.service.finish_captures().await.unwrap(), 1);
    let timeline = app.get(&format!("/v1/codes/{first}/timeline"), &app.keys.inspector).await.expect(StatusCode::OK);
    assert_eq!(timeline["lines_total"], before + 1_300);
    assert_eq!(app.audit().await, Vec::<String>::new());
    let keys = app.stored_keys().await;
    app.capture(&app.keys.operator, large(goods.batch, &first)).await.accepted();
    assert_eq!((app.stored_keys().await, app.service.finish_captures().await.unwrap()), (keys, 0));
}

#[tokio::test]
async fn nothing_is_taken_while_the_store_takes_no_writes_and_scans_go_on() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let silent = Silent::default();
    let switch = silent.clone();
    let app = app.restart_over(&ring(), move |store| std::sync::Arc::new(silent.over(store))).await;
    switch.fail_writes(true);
    let shipped = vec![event(1, shipping(span(goods.batch, &first, &first, 1)))];
    let refused = app.capture(&app.keys.operator, shipped.clone()).await;
    refused.refused(StatusCode::SERVICE_UNAVAILABLE);
    assert!(!refused.header("retry-after").is_empty());
    let order = app.post(&format!("/v1/batches/{}/runs", goods.batch), &app.keys.importer, json!({ "count": 1 })).await;
    order.refused(StatusCode::SERVICE_UNAVAILABLE);
    for count in 1..=3 {
        let scan = app.scan(&format!("/{first}")).await;
        assert_eq!((texts(&scan["verdicts"]), &scan["scans"]["count"]), (vec!["genuine".to_owned()], &json!(count)));
    }
    assert!(app.service.flush_scans().await.is_err());
    switch.fail_writes(false);
    app.capture(&app.keys.operator, shipped).await.accepted();
    assert_eq!(app.service.flush_scans().await.unwrap(), 1, "what could not be written was kept");
    assert_eq!(app.scan(&format!("/{first}")).await["scans"]["count"], 4);
}
