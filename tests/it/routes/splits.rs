//! Splits: a shop opens a case and sells portions.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{DAY_MS, GTIN, Goods, HOUR_MS, Reply, Run, TestApp, both, class, event, number, ring, span, text, texts};

const SHOP: u64 = 3;

/// An event between organization 1 and the shop.
fn hand_over(minutes: i64, step: &str, goods: Value) -> Value {
    let party = |number: u64| format!("https://trace.example/organization/{number}");
    let parties = json!({ "bizStep": step,
        "sourceList": [{ "type": "possessing_party", "source": party(1) }],
        "destinationList": [{ "type": "possessing_party", "destination": party(SHOP) }] });
    event(minutes, both(parties, goods))
}

/// Ten cases of 20 kg, the first five handed over to the shop; the clock is an hour later.
struct Shop {
    app: TestApp,
    goods: Goods,
    cases: Run,
}

impl Shop {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let goods = app.goods().await;
        let content = json!({ "value": 20, "uom": "KGM" });
        let order = json!({ "count": 10, "level": "case", "content": content });
        let cases = app.order(goods.batch, order).await.remove(0);
        let five = span(goods.batch, &cases.first, &app.code(&cases.name, 4), 5);
        app.capture(&app.keys.importer, vec![hand_over(1, "shipping", five.clone())]).await.accepted();
        app.capture(&app.keys.operator, vec![hand_over(2, "receiving", five)]).await.accepted();
        app.move_clock(HOUR_MS);
        Self { app, goods, cases }
    }

    fn case(&self, serial: u32) -> String {
        self.app.code(&self.cases.name, serial)
    }

    /// 40 portions of half a kilogram of a case, with fields laid over.
    async fn split(&self, serial: u32, over: Value) -> Reply {
        let body = json!({ "parent": self.case(serial), "portions": 40, "weight": { "value": 0.5, "uom": "KGM" } });
        self.app.post("/v1/splits", &self.app.keys.operator, both(body, over)).await
    }

    async fn portions(&self, serial: u32, over: Value) -> Run {
        let split = self.split(serial, over).await.expect(StatusCode::CREATED);
        Run {
            name: text(&split["run"]),
            count: number(&split["count"]) as u32,
            first: text(&split["first"]),
            last: text(&split["last"]),
        }
    }

    async fn recall(&self, goods: Value) -> u64 {
        let body = both(json!({ "kind": "recall", "notice": "recalled" }), goods);
        number(
            &self.app.post("/v1/measures", &self.app.keys.inspector, body).await.expect(StatusCode::CREATED)["measure"],
        )
    }

    async fn told(&self, code: &str) -> Vec<u64> {
        let scan = self.app.get(&format!("/{code}"), &self.app.keys.inspector).await.expect(StatusCode::OK);
        scan["measures"].as_array().unwrap().iter().map(|measure| number(&measure["measure"])).collect()
    }
}

#[tokio::test]
async fn a_portion_shows_its_own_weight_and_day_and_the_history_of_its_case() {
    let shop = Shop::new().await;
    let split = shop.split(0, json!({ "expiry": "2027-01-31" })).await;
    assert!(split.header("location").starts_with("/v1/runs/"), "{}", split.header("location"));
    let split = split.expect(StatusCode::CREATED);
    assert_eq!((&split["count"], &split["from"]), (&json!(40), &json!(0)));
    assert_eq!(split["events"].as_array().unwrap().len(), 3, "the codes are issued, the case is split, and open");
    let path = format!("/{}", text(&split["last"]));
    let scan = shop.app.scan(&path).await;
    assert_eq!((&scan["verdict"], &scan["state"]), (&json!("genuine"), &json!("active")), "{scan}");
    assert_eq!(scan["product"]["content"], json!({ "value": 0.5, "uom": "KGM" }));
    assert_eq!(scan["portion"], json!({ "content": { "value": 0.5, "uom": "KGM" }, "expiry": "2027-01-31" }));
    assert_eq!(scan["batch"]["id"], shop.goods.batch);
    let source = &scan["came_from"][0];
    assert_eq!(
        (&source["package"], &source["content"], &source["origin"], &source["confirmed"]),
        (&json!("case"), &json!({ "value": 20.0, "uom": "KGM" }), &json!("EC"), &json!(true))
    );
    assert_eq!((scan["came_from"].as_array().unwrap().len(), &scan["came_from_further"]), (1, &json!(0)));
    assert!(!scan.to_string().contains(&shop.case(0)), "the code on the case is not given away");
    let lines = scan["timeline"]["lines"].as_array().unwrap();
    let steps = |before: bool| -> Vec<String> {
        let of = lines.iter().filter(|line| line["before"].as_bool().unwrap_or_default() == before);
        of.map(|line| text(&line["biz_step"])).collect()
    };
    assert_eq!(
        (&steps(true)[..2], steps(true).len()),
        (&["receiving", "shipping"].map(str::to_owned)[..], 4),
        "{lines:?}"
    );
    assert_eq!(steps(false), ["repackaging", "reserving", "creating_class_instance"].map(str::to_owned), "{lines:?}");
    assert!(lines.iter().all(|line| line["report"] == false), "{lines:?}");
    let reserved = shop.app.code(&text(&split["run"]), 40);
    assert_eq!(shop.app.status(&reserved).await, ("not_activated".to_owned(), "reserved".to_owned()));
    assert_eq!(shop.app.status(&shop.case(0)).await, ("genuine".to_owned(), "opened".to_owned()));

    for (lang, words) in [
        ("zh", ["拆零分装", "来源商品", "整箱 20 kg", "0.5 kg", "2027-01-31", "分装、加工前"]),
        (
            "en",
            ["Portion of an opened package", "Comes from", "Case 20 kg", "0.5 kg", "2027-01-31", "before the split"],
        ),
    ] {
        let page = shop.app.call("GET", &format!("{path}?lang={lang}")).header("accept", "text/html").send().await;
        for word in words {
            assert!(page.text().contains(word), "{word}: {}", page.text());
        }
    }
    shop.app.move_clock(300 * DAY_MS);
    assert_eq!(shop.app.scan(&path).await["verdict"], "expired", "by its own day, long before the batch's");
    assert_eq!(shop.app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_second_split_goes_on_where_the_first_ended_and_the_shop_alone_prints_the_codes() {
    let shop = Shop::new().await;
    let first = shop.portions(0, json!({ "portions": 10 })).await;
    let second = shop.portions(1, json!({ "portions": 5, "remainder": "destroyed" })).await;
    assert_eq!(first.name, second.name, "one open run");
    assert_eq!((&second.first, &second.last), (&shop.app.code(&first.name, 10), &shop.app.code(&first.name, 14)));
    let destroyed = ("destroyed".to_owned(), "destroyed".to_owned());
    assert_eq!(shop.app.status(&shop.case(1)).await, destroyed);
    assert_eq!(shop.app.status(&second.last).await.0, "genuine", "what was split off before is not destroyed");

    let keys = shop.app.keys.clone();
    let codes = format!("/v1/runs/{}/codes?from=10&count=5&form=code", first.name);
    let printed = shop.app.get(&codes, &keys.operator).await;
    assert_eq!(printed.status, StatusCode::OK);
    let lines: Vec<_> = printed.text().lines().map(str::to_owned).collect();
    assert_eq!((lines.first(), lines.last(), lines.len()), (Some(&second.first), Some(&second.last), 5));
    let symbol = format!("/v1/codes/{}/qr.svg", second.first);
    assert_eq!(shop.app.get(&symbol, &keys.operator).await.status, StatusCode::OK);
    for key in [&keys.importer, &keys.other] {
        shop.app.get(&codes, key).await.refused(StatusCode::NOT_FOUND);
        shop.app.get(&symbol, key).await.refused(StatusCode::NOT_FOUND);
    }
    let ordered = format!("/v1/runs/{}/codes", shop.cases.name);
    shop.app.get(&ordered, &keys.operator).await.refused(StatusCode::FORBIDDEN);
    let of_batch = shop.app.get(&format!("/v1/batches/{}/codes?form=code", shop.goods.batch), &keys.importer).await;
    assert_eq!(of_batch.text().lines().count(), 10, "the batch's ordered codes alone");

    let third_case = shop.case(2);
    let app = shop.app.restart(&ring()).await;
    let third = json!({ "parent": third_case, "portions": 1, "weight": "content" });
    let third = app.post("/v1/splits", &keys.operator, third).await.expect(StatusCode::CREATED);
    assert_eq!((text(&third["run"]), number(&third["from"])), (first.name, 15));
    assert_eq!(app.scan(&format!("/{}", text(&third["first"]))).await["product"]["content"]["value"], 0.4);
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn no_more_is_split_off_than_a_case_holds_in_all() {
    let shop = Shop::new().await;
    let over = shop.split(0, json!({ "portions": 41 })).await.refused(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(over["field"], "/portions");
    assert!(text(&over["detail"]).contains("at most 40"), "{over}");
    shop.portions(0, json!({ "portions": 30 })).await;
    shop.portions(0, json!({ "portions": 4, "weight": { "value": 500, "uom": "GRM" } })).await;
    let over = shop.split(0, json!({ "portions": 7 })).await.refused(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&over["detail"]).contains("at most 6") && text(&over["detail"]).contains("17 KGM"), "{over}");
    shop.portions(0, json!({ "portions": 6 })).await;
    shop.split(0, json!({ "portions": 1 })).await.refused(StatusCode::UNPROCESSABLE_ENTITY);
    let litres = json!({ "weight": { "value": 1, "uom": "LTR" } });
    let other = shop.split(1, litres).await.refused(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other["field"], "/weight/uom");
    assert_eq!(shop.app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_may_not_be_split_is_refused_with_its_reason_and_writes_nothing() {
    let shop = Shop::new().await;
    let keys = shop.app.keys.clone();
    let mut forged = shop.case(0);
    forged.replace_range(19.., if forged.ends_with('0') { "1" } else { "0" });
    let before = shop.app.stored_keys().await;
    for (over, field) in [
        (json!({ "parent": forged }), "/parent"),
        (json!({ "parent": shop.case(10) }), "/parent"),
        (json!({ "parent": "x" }), "/parent"),
        (json!({ "portions": 0 }), "/portions"),
        (json!({ "portions": 10_001 }), "/portions"),
        (json!({ "weight": { "value": 0, "uom": "KGM" } }), "/weight/value"),
        (json!({ "weight": "much" }), "/weight"),
        (json!({ "weight": [0.5, "KGM"] }), "/weight"),
        (json!({ "expiry": "2027-02-30" }), "/expiry"),
        (json!({ "at": "today" }), "/at"),
        (json!({ "at": "2026-06-03T00:00:00Z" }), "/at"),
        (json!({ "at": "2026-06-01T00:02:00Z" }), "/at"),
        (json!({ "remainder": "eaten" }), "/remainder"),
    ] {
        let problem = shop.split(0, over).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], field, "{problem}");
    }
    let later = shop.split(0, json!({ "expiry": "2028-07-03" })).await.refused(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(later["field"], "/expiry");
    let not_held = shop.split(5, json!({})).await.refused(StatusCode::CONFLICT);
    assert!(text(&not_held["type"]).ends_with("/not-held"), "{not_held}");
    let body = json!({ "parent": shop.case(0), "portions": 1, "weight": { "value": 0.5, "uom": "KGM" } });
    for key in [&keys.importer, &keys.other] {
        shop.app.post("/v1/splits", key, body.clone()).await.refused(StatusCode::CONFLICT);
    }
    shop.app.post("/v1/splits", &keys.inspector, body.clone()).await.refused(StatusCode::FORBIDDEN);
    shop.app.post("/v1/splits", "", body).await.refused(StatusCode::FORBIDDEN);
    assert_eq!(shop.app.stored_keys().await, before);

    let measure = shop.recall(json!({ "spans": [{ "first": shop.case(1), "last": shop.case(1) }] })).await;
    let recalled = shop.split(1, json!({})).await.refused(StatusCode::CONFLICT);
    assert!(text(&recalled["type"]).ends_with("/measured"), "{recalled}");
    let lift = format!("/v1/measures/{measure}/lift");
    shop.app.call("POST", &lift).key(&keys.inspector).send().await.expect(StatusCode::CREATED);
    let say = async |serial: u32, fields: Value| {
        let one = span(shop.goods.batch, &shop.case(serial), &shop.case(serial), 1);
        shop.app.capture(&keys.operator, vec![event(30, both(fields, one))]).await.accepted();
    };
    say(2, json!({ "bizStep": "destroying", "disposition": "destroyed" })).await;
    say(3, json!({ "bizStep": "retail_selling", "disposition": "retail_sold" })).await;
    say(4, json!({ "bizStep": "shipping", "disposition": "in_transit" })).await;
    for serial in [2, 3, 4] {
        let state = shop.split(serial, json!({})).await.refused(StatusCode::CONFLICT);
        assert!(text(&state["type"]).ends_with("/state"), "{state}");
    }
    shop.portions(1, json!({ "expiry": "2028-07-02", "at": "2026-06-01T00:02:01Z" })).await;
    assert_eq!(shop.app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_recall_of_batch_or_case_is_on_the_portions_at_once_and_goes_with_its_lift() {
    let shop = Shop::new().await;
    let portion = shop.portions(0, json!({})).await.first;
    let other = shop.portions(1, json!({})).await.first;
    assert_eq!((shop.told(&portion).await, shop.told(&other).await), (vec![], vec![]));
    let case = shop.recall(json!({ "spans": [{ "first": shop.case(0), "last": shop.case(0) }] })).await;
    assert_eq!((shop.told(&portion).await, shop.told(&other).await), (vec![case], vec![]));
    let scan = shop.app.scan(&format!("/{portion}")).await;
    assert_eq!((&scan["verdict"], &scan["measures"][0]["notice"]), (&json!("recalled"), &json!("recalled")));
    let verdicts = shop.app.post("/v1/verify", &shop.app.keys.operator, json!({ "codes": [portion, other] })).await;
    let verdicts = verdicts.json();
    assert_eq!(
        (&verdicts["verdicts"][0]["verdict"], &verdicts["verdicts"][1]["verdict"]),
        (&json!("recalled"), &json!("genuine"))
    );
    let batch = shop.recall(json!({ "batch": shop.goods.batch })).await;
    assert_eq!((shop.told(&portion).await, shop.told(&other).await), (vec![case, batch], vec![batch]));
    let reach = json!({ "kind": "recall", "batch": shop.goods.batch });
    let reach = shop.app.post("/v1/measures/preview", &shop.app.keys.inspector, reach).await.expect(StatusCode::OK);
    assert_eq!(reach["codes"], 10 + 80, "cases and portions");
    let reach = json!({ "kind": "recall", "spans": [{ "first": shop.case(1), "last": shop.case(2) }] });
    let reach = shop.app.post("/v1/measures/preview", &shop.app.keys.inspector, reach).await.expect(StatusCode::OK);
    assert_eq!(reach["codes"], 2 + 40, "two cases, and the portions of the one that was split: {reach}");
    for measure in [case, batch] {
        let lift = format!("/v1/measures/{measure}/lift");
        shop.app.call("POST", &lift).key(&shop.app.keys.inspector).send().await.expect(StatusCode::CREATED);
    }
    assert_eq!(shop.told(&portion).await, Vec::<u64>::new());
}

#[tokio::test]
async fn an_opened_case_that_is_moved_on_is_suspicious_and_so_is_what_was_split_off_it() {
    let shop = Shop::new().await;
    let portion = shop.portions(0, json!({})).await.first;
    let moved = span(shop.goods.batch, &shop.case(0), &shop.case(0), 1);
    let moved = event(120, both(json!({ "bizStep": "shipping", "disposition": "in_transit" }), moved));
    shop.app.capture(&shop.app.keys.operator, vec![moved]).await.accepted();
    assert_eq!(shop.app.status(&shop.case(0)).await.0, "suspicious");
    assert_eq!(shop.app.status(&portion).await.0, "suspicious");
}

#[tokio::test]
async fn a_case_that_was_too_warm_before_the_split_makes_portions_whose_cold_chain_is_broken() {
    let shop = Shop::new().await;
    let (cold, warm) = (shop.portions(0, json!({})).await.first, shop.case(1));
    let unit = "https://id.gs1.org/00/106141412345678908";
    let link = format!("https://trace.example/01/{GTIN}/21/{warm}");
    let packed = json!({ "type": "AggregationEvent", "action": "ADD", "bizStep": "packing", "parentID": unit, "childEPCs": [link] });
    shop.app.capture(&shop.app.keys.operator, vec![event(3, packed)]).await.accepted();
    let report =
        |celsius: f64| json!({ "type": "Temperature", "minValue": celsius, "maxValue": celsius, "uom": "CEL" });
    let sensor = |celsius: f64, from: &str, to: &str| {
        json!({ "bizStep": "sensor_reporting", "epcList": [unit], "sensorElementList": [{
            "sensorMetadata": { "startTime": from, "endTime": to }, "sensorReport": [report(celsius)] }] })
    };
    let warm_time = sensor(5.0, "2026-06-01T00:04:00Z", "2026-06-01T05:00:00Z");
    shop.app.move_clock(4 * HOUR_MS);
    shop.app.capture(&shop.app.keys.operator, vec![event(300, warm_time)]).await.accepted();
    let portion = shop.portions(1, json!({})).await.first;
    let after = sensor(30.0, "2026-06-01T06:00:00Z", "2026-06-01T07:00:00Z");
    shop.app.move_clock(2 * HOUR_MS);
    shop.app.capture(&shop.app.keys.operator, vec![event(420, after)]).await.accepted();
    let scan = shop.app.scan(&format!("/{portion}")).await;
    assert!(texts(&scan["verdicts"]).contains(&"cold_chain_broken".to_owned()), "{scan}");
    assert_eq!(scan["cold_chain"]["max"], 5.0, "what the case met after the split is not the portion's: {scan}");
    let scan = shop.app.scan(&format!("/{cold}")).await;
    assert_eq!((&scan["verdict"], &scan["cold_chain"]), (&json!("genuine"), &Value::Null));
}

#[tokio::test]
async fn codes_of_a_split_run_come_into_being_by_splits_alone() {
    let shop = Shop::new().await;
    // The importer splits a case of its own: its split run would else be codes without goods.
    let keys = shop.app.keys.clone();
    let body = json!({ "parent": shop.case(7), "portions": 1, "weight": { "value": 0.5, "uom": "KGM" } });
    let split = shop.app.post("/v1/splits", &keys.importer, body).await.expect(StatusCode::CREATED);
    let run = text(&split["run"]);
    let fresh = shop.app.code(&run, 1);
    let spans = json!({ "spans": [{ "first": fresh, "last": fresh }] });
    shop.app.post(&format!("/v1/runs/{run}/applied"), &keys.importer, spans).await.refused(StatusCode::FORBIDDEN);
    let made = json!({ "type": "TransformationEvent", "bizStep": "repackaging",
        "inputQuantityList": [{ "epcClass": class(shop.goods.batch), "quantity": 1, "uom": "KGM" }],
        "cp:outputSpans": [{ "first": fresh, "last": fresh }],
        "outputQuantityList": [{ "epcClass": class(shop.goods.batch), "quantity": 1 }] });
    let mut made = event(90, made);
    made.as_object_mut().unwrap().remove("action");
    shop.app.capture(&keys.importer, vec![made]).await.refused(StatusCode::FORBIDDEN);
    assert_eq!(shop.app.status(&fresh).await.0, "not_activated");
    let order = json!({ "count": 390, "level": "case", "content": { "value": 20, "uom": "KGM" } });
    shop.app.order(shop.goods.batch, order).await;
    assert_eq!(shop.app.audit().await, Vec::<String>::new(), "portions do not count against the batch");
}

#[tokio::test]
async fn a_split_declared_in_error_takes_its_portions_back_and_frees_the_weight() {
    let shop = Shop::new().await;
    let split = shop.split(0, json!({})).await.expect(StatusCode::CREATED);
    let id = text(&split["events"][1]).replace(':', "%3A").replace('/', "%2F").replace('?', "%3F");
    let document = shop.app.get(&format!("/epcis/events/{id}"), &shop.app.keys.operator).await.expect(StatusCode::OK);
    let mut wrong = document["epcisBody"]["eventList"][0].clone();
    wrong.as_object_mut().unwrap().remove("recordTime");
    wrong["errorDeclaration"] = json!({ "declarationTime": "2026-06-01T01:00:00Z", "reason": "did_not_occur" });
    shop.app.capture(&shop.app.keys.operator, vec![wrong]).await.accepted();
    assert_eq!(shop.app.status(&text(&split["first"])).await.0, "not_activated");
    let again = shop.portions(0, json!({})).await;
    assert_eq!(again.first, shop.app.code(&text(&split["run"]), 40), "serials are never taken twice");
}

#[tokio::test]
async fn a_portion_is_split_again_and_the_same_request_once() {
    let shop = Shop::new().await;
    let portion = shop
        .portions(0, json!({ "expiry": "2027-01-31", "weight": { "value": 2, "uom": "KGM" }, "portions": 10 }))
        .await;
    let body = json!({ "parent": portion.first, "portions": 4, "weight": { "value": 500, "uom": "GRM" } });
    let call = async || {
        let call = shop.app.call("POST", "/v1/splits").key(&shop.app.keys.operator).header("idempotency-key", "a");
        call.json(&body).send().await.expect(StatusCode::CREATED)
    };
    let (small, again) = (call().await, call().await);
    assert_eq!(small, again);
    let over = shop.app.post("/v1/splits", &shop.app.keys.operator, body.clone()).await;
    assert!(text(&over.refused(StatusCode::UNPROCESSABLE_ENTITY)["detail"]).contains("2 KGM"));
    let case = shop.recall(json!({ "spans": [{ "first": shop.case(0), "last": shop.case(0) }] })).await;
    let code = text(&small["first"]);
    assert_eq!(shop.told(&code).await, [case], "two splits away");
    let scan = shop.app.scan(&format!("/{code}")).await;
    assert_eq!(scan["portion"]["expiry"], "2027-01-31");
    let levels: Vec<_> = scan["came_from"]
        .as_array()
        .unwrap()
        .iter()
        .map(|from| (text(&from["package"]), number(&from["level"])))
        .collect();
    assert_eq!(levels, [("item".to_owned(), 1), ("case".to_owned(), 2)]);
    let timeline =
        shop.app.get(&format!("/v1/codes/{code}/timeline"), &shop.app.keys.operator).await.expect(StatusCode::OK);
    let parents: Vec<_> = timeline["came_from"].as_array().unwrap().iter().map(|from| text(&from["first"])).collect();
    assert_eq!(parents, [portion.first, shop.case(0)]);
    assert_eq!(shop.app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_restored_store_opens_another_split_run_once_it_may_issue() {
    let shop = Shop::new().await;
    let first = shop.portions(0, json!({ "portions": 10 })).await;
    let backup = shop.app.backup().await;
    shop.portions(0, json!({ "portions": 10 })).await;
    let restored = shop.app.restored(&backup, &ring()).await.unwrap();
    let body = json!({ "parent": shop.case(1), "portions": 1, "weight": { "value": 0.5, "uom": "KGM" } });
    let split = async || restored.post("/v1/splits", &shop.app.keys.operator, body.clone()).await;
    assert!(text(&split().await.refused(StatusCode::CONFLICT)["type"]).ends_with("/quarantine"));
    restored.post("/v1/quarantine/release", "", json!({ "past_run": first.name })).await.expect(StatusCode::OK);
    let after = split().await.expect(StatusCode::CREATED);
    assert_ne!(text(&after["run"]), first.name, "the lost server took serials that the backup does not know");
    assert_eq!(after["from"], 0);
}
