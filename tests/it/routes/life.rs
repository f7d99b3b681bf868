//! What scans count, and how soon what is written shows on them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{DAY_MS, HOUR_MS, Run, TestApp, both, class, event, measure, ring, span, text, texts};

fn scans(scan: &Value) -> (u64, String) {
    (scan["scans"]["count"].as_u64().unwrap(), text(&scan["scans"]["first"]))
}

#[tokio::test]
async fn scans_by_the_public_are_counted_with_number_and_first_time_and_no_others() {
    let app = TestApp::new().await;
    let (_, Run { name, first, .. }) = app.run(10).await;
    let (path, second) = (format!("/{first}"), app.code(&name, 1));
    assert_eq!(scans(&app.scan(&path).await), (1, "2026-06-01T00:00:00Z".to_owned()));
    app.move_clock(HOUR_MS);
    let page = app.call("GET", &path).header("accept", "text/html").header("accept-language", "en").send().await;
    assert_eq!(page.status, StatusCode::OK);

    app.call("HEAD", &path).send().await.expect(StatusCode::OK);
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let scan = app.call("GET", &path).header(name, value).send().await.expect(StatusCode::OK);
        assert_eq!(scans(&scan).0, 2, "{name}: {value}");
    }
    for key in [&app.keys.operator, &app.keys.inspector, &app.keys.importer] {
        assert_eq!(scans(&app.get(&path, key).await.expect(StatusCode::OK)).0, 2);
    }
    app.call("GET", &path).header("authorization", "Bearer cp_9_nobody").send().await.refused(StatusCode::UNAUTHORIZED);
    app.move_clock(HOUR_MS);
    assert_eq!(
        scans(&app.scan(&format!("/01/{}/21/{first}", super::GTIN)).await),
        (3, "2026-06-01T00:00:00Z".to_owned())
    );
    assert_eq!(scans(&app.scan(&format!("/{second}")).await), (1, "2026-06-01T02:00:00Z".to_owned()));
}

#[tokio::test]
async fn scan_sums_outlast_a_flush_a_write_and_a_restart() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, last, .. }) = app.run(5_000).await;
    for _ in 0..3 {
        app.scan(&format!("/{first}")).await;
    }
    app.scan(&format!("/{last}")).await;
    assert_eq!(app.service.flush_scans().await.unwrap(), 2);
    assert_eq!(app.service.flush_scans().await.unwrap(), 0, "only what changed is written");
    app.scan(&format!("/{first}")).await;
    let shipped = both(span(goods.batch, &first, &first, 1), json!({ "bizStep": "shipping" }));
    app.capture(&app.keys.importer, vec![event(0, shipped)]).await.accepted();
    assert_eq!(scans(&app.scan(&format!("/{first}")).await).0, 5, "a block that is read anew forgets no scan");
    app.service.flush_scans().await.unwrap();
    let app = app.restart(&ring()).await;
    app.move_clock(DAY_MS);
    assert_eq!(scans(&app.scan(&format!("/{first}")).await), (6, "2026-06-01T00:00:00Z".to_owned()));
    assert_eq!(scans(&app.scan(&format!("/{last}")).await).0, 2);
    assert_eq!(scans(&app.scan(&format!("/{}", app.code(&name, 1))).await).0, 1);
}

#[tokio::test]
async fn a_capture_shows_on_the_next_scan_of_every_code_that_it_names_and_of_no_other() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let mut runs = app.order(goods.batch, json!({ "count": 5_000 })).await;
    runs.extend(app.order(goods.batch, json!({ "count": 10 })).await);
    let other = app.batch(&app.keys.importer, goods, json!({ "lot": "L-2", "ai10": "L-2" })).await;
    runs.extend(app.order(other, json!({ "count": 10 })).await);
    let codes: Vec<_> = [(0, 0), (0, 4_999), (1, 3), (2, 0)]
        .map(|(run, serial): (usize, u32)| app.code(&runs[run].name, serial))
        .to_vec();
    let told = async || {
        let mut told = Vec::new();
        for code in &codes {
            told.push(text(&app.scan(&format!("/{code}")).await["verdict"]));
        }
        told
    };
    assert_eq!(told().await, ["genuine"; 4]);
    let whole = |fields: Value| both(fields, json!({ "quantityList": [{ "epcClass": class(goods.batch) }] }));
    let hold = event(1, whole(measure(1, "set", "non_sellable_other")));
    app.capture(&app.keys.importer, vec![hold]).await.accepted();
    assert_eq!(told().await, ["on_hold", "on_hold", "on_hold", "genuine"], "a batch is held, with all its runs");
    let lot = json!({ "quantityList": [{ "epcClass": format!("https://id.gs1.org/01/{}/10/L-2", super::GTIN) }] });
    let recall = event(2, both(measure(2, "set", "recalled"), lot));
    app.capture(&app.keys.inspector, vec![recall]).await.accepted();
    assert_eq!(told().await, ["on_hold", "on_hold", "on_hold", "recalled"], "a lot is recalled, with all its batches");
    let lift = event(3, whole(measure(1, "unset", "non_sellable_other")));
    app.capture(&app.keys.importer, vec![lift]).await.accepted();
    assert_eq!(told().await, ["genuine", "genuine", "genuine", "recalled"]);
    let spans = both(span(goods.batch, &app.code(&runs[0].name, 4_990), &codes[1], 10), measure(3, "set", "recalled"));
    app.capture(&app.keys.importer, vec![event(4, spans)]).await.accepted();
    assert_eq!(told().await, ["genuine", "recalled", "genuine", "recalled"], "ten codes are recalled");
}

#[tokio::test]
async fn a_corrected_batch_shows_the_corrected_value_and_an_inspector_sees_both() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let path = format!("/{first}");
    assert_eq!(app.scan(&path).await["batch"]["expiry"]["last"], "2028-07-02");
    app.move_clock(HOUR_MS);
    let expiry = json!({ "expiry": { "first": "2026-05-30", "last": "2026-05-31" }, "lot": "L-2026-07/B" });
    let batch = format!("/v1/batches/{}", goods.batch);
    app.patch(&batch, &app.keys.importer, expiry).await.expect(StatusCode::OK);
    let scan = app.scan(&path).await;
    assert_eq!(
        (&scan["batch"]["expiry"]["last"], &scan["batch"]["lot"]),
        (&json!("2026-05-31"), &json!("L-2026-07/B"))
    );
    assert_eq!(scan["verdict"], "expired", "what follows from the value follows it");
    let page = app.call("GET", &path).header("accept", "text/html").header("accept-language", "zh").send().await;
    assert!(page.text().contains("L-2026-07/B") && !page.text().contains("2028"), "{}", page.text());

    let timeline = app.get(&format!("/v1/codes/{first}/timeline"), &app.keys.inspector).await.expect(StatusCode::OK);
    let mut registered = Vec::new();
    for line in
        timeline["lines"].as_array().unwrap().iter().filter(|line| line["biz_step"] == "creating_class_instance")
    {
        registered.push((text(&line["bearing"]), text(&line["event"])));
    }
    let bearings: Vec<_> = registered.iter().map(|(bearing, _)| bearing.as_str()).collect();
    assert_eq!(bearings.iter().filter(|bearing| **bearing == "effective").count(), 1, "{timeline}");
    assert!(bearings.contains(&"declared_in_error") && bearings.contains(&"error_declaration"), "{bearings:?}");
    let mut expiries = Vec::new();
    for (bearing, event) in registered.iter().filter(|(bearing, _)| bearing != "error_declaration") {
        let event = event.replace(':', "%3A").replace('/', "%2F").replace('?', "%3F");
        let document = app.get(&format!("/epcis/events/{event}"), &app.keys.inspector).await.expect(StatusCode::OK);
        let body = &document["epcisBody"]["eventList"][0]["ilmd"]["https://w3id.org/coldproof/1/expiry"]["last"];
        expiries.push((bearing.as_str(), text(body)));
    }
    expiries.sort();
    assert_eq!(expiries, [("declared_in_error", "2028-07-02".to_owned()), ("effective", "2026-05-31".to_owned())]);
}

#[tokio::test]
async fn another_partners_name_is_public_only_if_that_partner_made_it_so() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, .. }) = app.run(5_000).await;
    let last = app.code(&name, 4_999);
    let all = both(span(goods.batch, &first, &last, 5_000), json!({ "bizStep": "receiving" }));
    app.capture(&app.keys.operator, vec![event(1, all.clone())]).await.accepted();
    app.capture(&app.keys.inspector, vec![event(2, both(all, json!({ "bizStep": "inspecting" })))]).await.accepted();
    let told = async |code: &str| {
        let json = app.scan(&format!("/{code}")).await;
        let page = app.call("GET", &format!("/{code}")).header("accept", "text/html").send().await.text().to_owned();
        let parties: Vec<_> =
            json["timeline"]["lines"].as_array().unwrap().iter().map(|line| text(&line["party"])).collect();
        (parties, page)
    };
    for code in [&first, &last] {
        let (parties, page) = told(code).await;
        assert_eq!(parties[..2], ["长沙海关", ""], "an authority acts in public, an operator does not");
        assert_eq!(parties[2..], ["湖南冷链进出口有限公司"; 3], "the importer answers for the goods");
        assert!(!page.contains("长沙北站冷库有限公司") && page.contains("长沙海关"), "{page}");
    }
    let name = json!({ "public_name": "北站冷库" });
    app.patch("/v1/organizations/3", &app.keys.operator, name).await.expect(StatusCode::OK);
    for code in [&first, &last, &first] {
        let (parties, page) = told(code).await;
        assert_eq!(parties[..2], ["长沙海关", "北站冷库"]);
        assert!(page.contains("北站冷库") && !page.contains("长沙北站冷库有限公司"));
    }
    let name = json!({ "public_name": null });
    app.patch("/v1/organizations/3", &app.keys.operator, name).await.expect(StatusCode::OK);
    assert_eq!(told(&first).await.0[..2], ["长沙海关", ""], "and it may be private again");
}

#[tokio::test]
async fn codes_of_several_blocks_expire_on_the_same_day() {
    let app = TestApp::new().await;
    let (_, Run { name, .. }) = app.run(9_000).await;
    let codes = [0, 4_096, 8_999].map(|serial| app.code(&name, serial));
    app.set_clock("2028-07-02T15:59:59Z");
    for code in &codes {
        assert_eq!(app.scan(&format!("/{code}")).await["verdict"], "genuine");
    }
    app.set_clock("2028-07-02T16:00:00Z");
    for code in codes.iter().rev() {
        assert_eq!(
            app.scan(&format!("/{code}")).await["verdict"],
            "expired",
            "what another block shows is of yesterday"
        );
    }
}

#[tokio::test]
async fn an_address_has_its_budget_and_a_failed_tag_counts_tenfold() {
    let limits = ["rate.address_codes_per_second=1", "rate.address_codes_burst=100", "rate.failed_tag_cost=10"];
    let app = TestApp::with(&limits).await;
    let (_, Run { first, .. }) = app.run(10).await;
    let verify = async |address: &str, codes: Vec<&str>| {
        app.call("POST", "/v1/verify").from(address).json(&json!({ "codes": codes })).send().await
    };
    let scan = async |address: &str| app.call("GET", &format!("/{first}")).from(address).send().await;
    verify("203.0.113.9", vec![&first; 50]).await.expect(StatusCode::OK);
    scan("203.0.113.9").await.expect(StatusCode::OK);

    verify("203.0.113.8", vec!["0000000000000000000Z"; 50]).await.expect(StatusCode::OK);
    let refused = scan("203.0.113.8").await;
    refused.refused(StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((300..=401).contains(&wait), "fifty wrong tags cost 500 codes, of which 100 are granted at once: {wait}");
    let page = app.call("GET", &format!("/{first}")).from("203.0.113.8").header("accept", "text/html").send().await;
    assert_eq!((page.status, page.header("retry-after").is_empty()), (StatusCode::TOO_MANY_REQUESTS, false));
    scan("203.0.113.7").await.expect(StatusCode::OK);
    app.call("GET", &format!("/{first}"))
        .from("203.0.113.8")
        .key(&app.keys.operator)
        .send()
        .await
        .expect(StatusCode::OK);

    verify("203.0.113.6", vec![&first; 100]).await.expect(StatusCode::OK);
    verify("203.0.113.6", vec![&first; 100]).await.refused(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        texts(&app.scan(&format!("/{first}")).await["verdicts"]),
        ["genuine"],
        "this machine is another address"
    );
}
