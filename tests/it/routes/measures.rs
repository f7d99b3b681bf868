//! Holds and recalls: who may, what they reach, and what is told of them.

use axum::http::StatusCode;
use coldproof::{
    limits::{MEASURE_SPANS_MAX, PAGE_ITEMS_MAX},
    store::Slice,
    trace::{BatchId, MeasureId, Subject},
};
use serde_json::{Value, json};

use super::{Goods, LOT, Reply, Run, TestApp, both, event, measure, number, ring, span, text, texts};

const SSCC: &str = "106141412345678908";
const UNIT: &str = "https://id.gs1.org/00/106141412345678908";
const NOTICE: &str = "抽检检出副溶血性弧菌。A sample held Vibrio.";
const ADVICE: &str = "请勿食用，退回购买处。Do not eat it; bring it back.";

/// A recall with its words, of the goods in `over`.
fn recall(over: Value) -> Value {
    both(json!({ "kind": "recall", "reason": "test report 7", "notice": NOTICE, "advice": ADVICE }), over)
}

fn spans(first: &str, last: &str) -> Value {
    json!({ "spans": [{ "first": first, "last": last }] })
}

impl TestApp {
    async fn make(&self, key: &str, body: Value) -> u64 {
        number(&self.post("/v1/measures", key, body).await.expect(StatusCode::CREATED)["measure"])
    }

    async fn lift(&self, key: &str, measure: u64) -> Reply {
        self.call("POST", &format!("/v1/measures/{measure}/lift")).key(key).send().await
    }

    async fn page(&self, path: &str, lang: &str) -> String {
        let page = self.call("GET", &format!("{path}?lang={lang}")).header("accept", "text/html").send().await;
        page.text().to_owned()
    }

    /// Numbers of the measures that the scan of a code tells.
    async fn told(&self, code: &str) -> Vec<u64> {
        let scan = self.get(&format!("/{code}"), &self.keys.inspector).await.expect(StatusCode::OK);
        scan["measures"].as_array().unwrap().iter().map(|measure| number(&measure["measure"])).collect()
    }

    /// The importer packs a unit that holds nothing of anybody's yet.
    async fn unit(&self) {
        let made = json!({ "action": "ADD", "bizStep": "packing", "epcList": [UNIT] });
        self.capture(&self.keys.importer, vec![event(0, made)]).await.accepted();
    }
}

#[tokio::test]
async fn an_importer_measures_its_own_goods_and_an_inspector_any() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(100).await;
    app.unit().await;
    let keys = app.keys.clone();
    let targets = [
        (json!({ "batch": goods.batch }), "/batch"),
        (json!({ "lot": { "gtin": super::GTIN, "lot": LOT } }), "/lot"),
        (spans(&run.first, &app.code(&run.name, 3)), "/spans/0"),
        (json!({ "units": [SSCC] }), "/units/0"),
    ];
    for (target, field) in &targets {
        for path in ["/v1/measures", "/v1/measures/preview"] {
            let made = if path.ends_with("preview") { StatusCode::OK } else { StatusCode::CREATED };
            let before = app.stored_keys().await;
            let stranger = app.post(path, &keys.other, recall(target.clone())).await.refused(StatusCode::FORBIDDEN);
            assert_eq!(stranger["field"], *field, "{stranger}");
            for key in [&keys.operator, ""] {
                app.post(path, key, recall(target.clone())).await.refused(StatusCode::FORBIDDEN);
            }
            assert_eq!(app.stored_keys().await, before, "what is refused writes nothing");
            for key in [&keys.importer, &keys.inspector] {
                app.post(path, key, recall(target.clone())).await.expect(made);
            }
        }
    }
    app.call("POST", "/v1/measures")
        .json(&recall(json!({ "batch": 1 })))
        .send()
        .await
        .refused(StatusCode::UNAUTHORIZED);
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_importers_measure_is_lifted_by_it_or_an_inspector_and_an_inspectors_by_an_inspector_alone() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    // The importer's organization inspects as well: the role counts, not the name.
    let roles = json!({ "roles": ["importer", "inspector"] });
    app.patch("/v1/organizations/1", "", roles).await.expect(StatusCode::OK);
    let keys = app.keys.clone();
    let (own_inspector, anybody) = (app.new_key(1, "inspector").await, [&keys.other, &keys.operator, ""]);
    for (maker, refused, lifters) in [
        (&keys.importer, &anybody[..], [&keys.importer, &keys.inspector]),
        (&keys.inspector, &[&keys.importer[..], &keys.other, &keys.operator, ""], [&keys.inspector, &own_inspector]),
        (&own_inspector, &[&keys.importer[..], &keys.other, &keys.operator, ""], [&keys.inspector, &own_inspector]),
    ] {
        for lifter in lifters {
            let made = app.make(maker, recall(json!({ "batch": goods.batch }))).await;
            for key in refused {
                app.lift(key, made).await.refused(StatusCode::FORBIDDEN);
            }
            assert_eq!(app.told(&run.first).await, [made]);
            assert_eq!(number(&app.lift(lifter, made).await.expect(StatusCode::CREATED)["measure"]), made);
            assert_eq!(app.told(&run.first).await, Vec::<u64>::new());
        }
    }
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn overlapping_measures_stand_apart_and_are_lifted_by_number() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(5_000).await;
    let at = |serial| app.code(&run.name, serial);
    let keys = &app.keys;
    let hold = app.make(&keys.importer, json!({ "kind": "hold", "batch": goods.batch })).await;
    let some = app.make(&keys.inspector, recall(spans(&at(10), &at(4_500)))).await;
    let both_kinds = recall(both(json!({ "batch": goods.batch }), spans(&at(20), &at(20))));
    let all = app.make(&keys.inspector, both_kinds).await;
    assert_eq!((hold, some, all), (1, 2, 3));
    for (serial, told) in [(9, &[1, 3][..]), (10, &[1, 2, 3]), (4_500, &[1, 2, 3]), (4_501, &[1, 3])] {
        assert_eq!(app.told(&at(serial)).await, told, "{serial}");
    }
    let scan = app.scan(&format!("/{}", at(20))).await;
    assert_eq!(texts(&scan["verdicts"]), ["recalled", "on_hold"]);
    app.lift(&keys.inspector, all).await.expect(StatusCode::CREATED);
    assert_eq!((app.told(&at(9)).await, app.told(&at(20)).await), (vec![1], vec![1, 2]));
    app.lift(&keys.inspector, some).await.expect(StatusCode::CREATED);
    app.lift(&keys.importer, hold).await.expect(StatusCode::CREATED);
    assert_eq!(app.status(&at(20)).await.0, "genuine");
    let again = app.lift(&keys.inspector, all).await.refused(StatusCode::CONFLICT);
    assert!(text(&again["type"]).ends_with("/lifted"), "{again}");
    app.lift(&keys.inspector, 99).await.refused(StatusCode::NOT_FOUND);
    app.get("/v1/measures/99", "").await.refused(StatusCode::NOT_FOUND);
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn every_scan_tells_a_measure_at_once_in_its_authors_words() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let lot = format!("/01/{}/10/{LOT}", super::GTIN);
    let paths = [format!("/{}", run.first), format!("/batch/{}", goods.batch), lot];
    for path in &paths {
        for lang in ["zh", "en"] {
            assert!(!app.page(path, lang).await.contains(NOTICE));
        }
    }
    let made = app.make(&app.keys.inspector, recall(json!({ "batch": goods.batch }))).await;
    for path in &paths {
        let scan = app.scan(path).await;
        let told = json!([{ "measure": made, "kind": "recall", "since": "2026-06-01T00:00:00Z", "notice": NOTICE,
            "advice": ADVICE }]);
        assert_eq!(scan["measures"], told, "{path}");
        let reasons = texts(&scan["reasons"]);
        assert!(reasons.contains(&NOTICE.to_owned()) && reasons.contains(&ADVICE.to_owned()), "{reasons:?}");
        for (lang, title) in [("zh", "召回措施 · 编号 1"), ("en", "Recall · No. 1")] {
            let page = app.page(path, lang).await;
            for words in [NOTICE, ADVICE, title, "2026-06-01 08:00"] {
                assert!(page.contains(words), "{words} on {path}: {page}");
            }
            assert!(!page.contains("test report 7"), "the reason is not public");
        }
    }
    let verdicts = app.post("/v1/verify", &app.keys.operator, json!({ "codes": [run.last] })).await.json();
    assert_eq!(verdicts["verdicts"][0]["verdict"], "recalled");
    app.lift(&app.keys.inspector, made).await.expect(StatusCode::CREATED);
    for path in &paths {
        let shown = (app.scan(path).await, app.page(path, "zh").await);
        assert!(shown.0["measures"] == json!([]) && !shown.1.contains(NOTICE), "{path}");
    }
}

#[tokio::test]
async fn words_outlast_a_restart_and_go_with_the_lift() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let first = app.make(&app.keys.inspector, recall(json!({ "batch": goods.batch }))).await;
    let second = app.make(&app.keys.inspector, recall(json!({ "batch": goods.batch }))).await;
    app.lift(&app.keys.inspector, first).await.expect(StatusCode::CREATED);
    let app = app.restart(&ring()).await;
    let scan = app.scan(&format!("/{}", run.first)).await;
    assert_eq!(
        (number(&scan["measures"][0]["measure"]), text(&scan["measures"][0]["notice"])),
        (second, NOTICE.to_owned())
    );
    assert!(app.service.measures.words(MeasureId(first)).is_none());
}

#[tokio::test]
async fn a_recall_of_a_lot_reaches_its_batches_those_to_come_and_not_those_of_others() {
    let app = TestApp::new().await;
    let lot = json!({ "lot": format!("https://id.gs1.org/01/{}/10/{LOT}", super::GTIN) });
    let early = app.make(&app.keys.inspector, recall(lot.clone())).await;
    let (goods, run) = app.run(10).await;
    let second = app.batch(&app.keys.importer, goods, json!({})).await;
    let second_run = app.order(second, json!({ "count": 10 })).await.remove(0);
    let elsewhere = app.batch(&app.keys.importer, goods, json!({ "ai10": "L2", "lot": "L2" })).await;
    let elsewhere = app.order(elsewhere, json!({ "count": 10 })).await.remove(0);
    let told = async |run: &Run| app.told(&run.first).await;
    assert_eq!((told(&run).await, told(&second_run).await, told(&elsewhere).await), (vec![early], vec![early], vec![]));
    app.lift(&app.keys.inspector, early).await.expect(StatusCode::CREATED);

    let others = app.goods_of(&app.keys.other, json!({})).await;
    let runs = app.post(&format!("/v1/batches/{}/runs", others.batch), &app.keys.other, json!({ "count": 10 })).await;
    let theirs = text(&runs.expect(StatusCode::CREATED)["runs"][0]["first"]);
    let own = app.make(&app.keys.importer, recall(lot.clone())).await;
    assert_eq!((told(&run).await, told(&second_run).await, app.told(&theirs).await), (vec![own], vec![own], vec![]));
    let reach = app.post("/v1/measures/preview", &app.keys.importer, recall(lot.clone())).await.expect(StatusCode::OK);
    assert_eq!((number(&reach["codes"]), reach["batches"].as_array().unwrap().len()), (20, 2));
    let reach = app.post("/v1/measures/preview", &app.keys.inspector, recall(lot)).await.expect(StatusCode::OK);
    assert_eq!((number(&reach["codes"]), reach["batches"].as_array().unwrap().len()), (30, 3));
}

#[tokio::test]
async fn a_measure_on_a_unit_stands_in_the_units_ledger_under_one_uri() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let units = json!({ "batch": goods.batch, "units": [SSCC, UNIT, "urn:epc:id:sscc:0614141.1234567890"] });
    let made = app.make(&app.keys.inspector, recall(units)).await;
    app.lift(&app.keys.inspector, made).await.expect(StatusCode::CREATED);
    let entries = app.store.entries(&Subject::Epc(UNIT.to_owned()), Slice::Shared, None, 10).await.unwrap();
    let said: Vec<_> = entries.iter().map(|entry| (entry.measure, entry.set.len(), entry.unset.len())).collect();
    assert_eq!(said, [(Some(MeasureId(made)), 1, 0), (Some(MeasureId(made)), 0, 1)]);
    let whole = app.get(&format!("/v1/measures/{made}"), &app.keys.inspector).await.expect(StatusCode::OK);
    assert_eq!(whole["units"], json!([UNIT]));
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lift_said_by_an_event_counts_in_either_order() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let lift = |at| both(measure(at, "unset", "recalled"), span(goods.batch, &run.first, &run.first, 1));
    app.capture(&app.keys.inspector, vec![event(-5, lift(1))]).await.accepted();
    for made in [1, 2] {
        assert_eq!(app.make(&app.keys.inspector, recall(spans(&run.first, &run.last))).await, made);
        app.capture(&app.keys.inspector, vec![event(made as i64, lift(made))]).await.accepted();
        assert_eq!((app.told(&run.first).await, app.told(&run.last).await.len()), (vec![], made as usize));
    }
}

#[tokio::test]
async fn the_public_sees_goods_and_words_and_its_author_and_inspectors_the_rest() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let lot = json!({ "lot": { "gtin": super::GTIN, "lot": LOT } });
    let body = recall(both(both(lot, spans(&run.first, &run.last)), json!({ "units": ["CSQU3054383"] })));
    let made = app.make(&app.keys.inspector, body).await;
    app.make(&app.keys.importer, json!({ "kind": "hold", "batch": goods.batch })).await;
    app.move_clock(60_000);
    let why = json!({ "reason": "second test clean" });
    app.post(&format!("/v1/measures/{made}/lift"), &app.keys.inspector, why).await.expect(StatusCode::CREATED);

    let list = app.scan("/v1/measures").await;
    insta::assert_snapshot!("measures", serde_json::to_string_pretty(&list).unwrap());
    let path = format!("/v1/measures/{made}");
    for key in [&app.keys.importer, &app.keys.other, &app.keys.operator] {
        assert_eq!(app.get(&path, key).await.expect(StatusCode::OK), list["items"][0]);
    }
    assert_eq!(app.scan(&path).await, list["items"][0]);
    let whole = app.get(&path, &app.keys.inspector).await.expect(StatusCode::OK);
    insta::assert_snapshot!("measure_whole", serde_json::to_string_pretty(&whole).unwrap());
    assert_eq!(app.get("/v1/measures/2", &app.keys.importer).await.json()["author"], 1);
    let page = app.scan("/v1/measures?after=1&limit=1").await;
    assert_eq!((number(&page["items"][0]["measure"]), number(&page["next"])), (2, 2));
    app.get(&format!("/v1/measures?limit={}", PAGE_ITEMS_MAX + 1), "").await.refused(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_preview_counts_each_code_once_and_writes_nothing() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(100).await;
    app.order(goods.batch, json!({ "count": 50 })).await;
    let other = app.batch(&app.keys.importer, goods, json!({ "ai10": "L2", "lot": "L2" })).await;
    let other_run = app.order(other, json!({ "count": 30 })).await.remove(0);
    let of_both = json!({ "batch": goods.batch, "units": [SSCC], "spans": [{ "first": run.first, "last": run.last },
        { "first": other_run.first, "last": app.code(&other_run.name, 4) }] });
    let sell = json!({ "bizStep": "retail_selling", "disposition": "retail_sold" });
    for (batch, first, last) in [
        (goods.batch, run.first.clone(), run.first.clone()),
        (other, app.code(&other_run.name, 3), app.code(&other_run.name, 9)),
    ] {
        let codes = if first == last { 1 } else { 7 };
        let sold = both(sell.clone(), span(batch, &first, &last, codes));
        app.capture(&app.keys.importer, vec![event(1, sold)]).await.accepted();
    }
    for serial in [4, 5] {
        app.scan(&format!("/{}", app.code(&other_run.name, serial))).await;
    }
    app.service.flush_scans().await.unwrap();
    // Each look of an inspector leaves its line; the first takes numbers for others too.
    let mut look = [0; 2];
    for keys in &mut look {
        app.get("/v1/batches", &app.keys.inspector).await.expect(StatusCode::OK);
        *keys = app.stored_keys().await;
    }
    let (before, a_look) = (look[1], look[1] - look[0]);
    let reach = app.post("/v1/measures/preview", &app.keys.inspector, recall(of_both)).await.expect(StatusCode::OK);
    let batches = json!([{ "batch": goods.batch, "codes": 150, "whole": true, "made": false },
        { "batch": other, "codes": 5, "whole": false, "made": false }]);
    let holders =
        json!([{ "organization": 1, "name": "湖南冷链进出口有限公司", "codes": { "active": 152, "sold": 3 } }]);
    assert_eq!(
        reach,
        json!({ "codes": 155, "batches": batches, "units": 1, "sold": 3, "destroyed": 0, "scanned": 1,
        "holders": holders, "unplaced": 0, "further": 0 })
    );
    assert_eq!(app.stored_keys().await, before + a_look);
    assert_eq!(app.make(&app.keys.inspector, recall(json!({ "batch": other }))).await, 1, "no number was taken");
}

#[tokio::test]
async fn fields_at_fault_are_named() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let draft = app.batch(&app.keys.importer, goods, json!({ "draft": true })).await;
    let mut forged = run.first.clone();
    forged.replace_range(19.., if forged.ends_with('0') { "1" } else { "0" });
    let beyond = app.code(&run.name, 10);
    let code = |serial| app.code(&run.name, serial);
    let twice = json!({ "spans": [{ "first": code(4), "last": code(9) }, { "first": code(0), "last": code(4) }] });
    let many = vec![json!({ "first": run.first, "last": run.first }); MEASURE_SPANS_MAX + 1];
    for (body, field) in [
        (json!({}), "/batch"),
        (json!({ "batch": 99 }), "/batch"),
        (json!({ "batch": draft }), "/batch"),
        (json!({ "lot": { "gtin": "09506000134353", "lot": "L" } }), "/lot/gtin"),
        (json!({ "lot": "https://id.gs1.org/01/09506000134352" }), "/lot"),
        (json!({ "lot": 7 }), "/lot"),
        (json!({ "lot": [super::GTIN, LOT] }), "/lot"),
        (json!({ "lot": { "gtin": super::GTIN } }), "/lot/lot"),
        (spans(&forged, &run.last), "/spans/0/first"),
        (spans(&run.first, &forged), "/spans/0/last"),
        (spans(&run.first, &beyond), "/spans/0/last"),
        (spans(&run.last, &run.first), "/spans/0/last"),
        (spans("x", &run.first), "/spans/0/first"),
        (twice, "/spans/0"),
        (json!({ "spans": many }), "/spans"),
        (json!({ "units": [SSCC, "106141412345678909"] }), "/units/1"),
        (json!({ "units": [format!("https://trace.example/{}", run.first)] }), "/units/0"),
        (json!({ "batch": goods.batch, "notice": "x".repeat(1_001) }), "/notice"),
        (json!({ "batch": goods.batch, "kind": "ban" }), "/kind"),
        (json!({ "batch": goods.batch, "colour": "red" }), "/colour"),
    ] {
        let problem =
            app.post("/v1/measures", &app.keys.inspector, recall(body)).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], field, "{problem}");
    }
    assert_eq!(app.scan("/v1/measures").await["items"], json!([]));
}

#[tokio::test]
async fn the_same_request_with_one_key_makes_one_measure_and_lifts_it_once() {
    let app = TestApp::new().await;
    let goods: Goods = app.goods().await;
    let (body, path) = (recall(json!({ "batch": goods.batch })), "/v1/measures");
    let repeated = async |path: &str, body: &Value, key: &'static str| {
        app.call("POST", path).key(&app.keys.inspector).header("idempotency-key", key).json(body).send().await
    };
    for _ in 0..2 {
        assert_eq!(repeated(path, &body, "a").await.expect(StatusCode::CREATED), json!({ "measure": 1 }));
    }
    for _ in 0..2 {
        repeated("/v1/measures/1/lift", &json!({}), "b").await.expect(StatusCode::CREATED);
    }
    assert_eq!(app.scan(path).await["items"].as_array().unwrap().len(), 1);
    let whole = app.service.ledger(&Subject::Batch(BatchId(goods.batch)), Slice::Shared, &mut Default::default()).await;
    assert_eq!(whole.unwrap().iter().filter(|entry| entry.measure.is_some()).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_spans_as_may_be_named_are_taken_in_one_measure() {
    let app = TestApp::new().await;
    let (_, run) = app.run(20_000).await;
    let named: Vec<_> = (0..MEASURE_SPANS_MAX as u32)
        .map(|at| app.code(&run.name, 2 * at))
        .map(|code| json!({ "first": code, "last": code }))
        .collect();
    let made = app.make(&app.keys.inspector, recall(json!({ "spans": named }))).await;
    let (on, off) = (app.code(&run.name, 19_998), app.code(&run.name, 19_999));
    assert_eq!((app.told(&on).await, app.told(&off).await), (vec![made], vec![]));
    app.lift(&app.keys.inspector, made).await.expect(StatusCode::CREATED);
    assert_eq!(app.told(&on).await, Vec::<u64>::new());
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_recall_of_a_unit_is_told_of_what_was_ever_inside_and_of_nobody_elses_goods_where_an_importer_makes_it() {
    let app = TestApp::new().await;
    let (_, run) = app.run(10).await;
    let others = app.goods_of(&app.keys.other, json!({})).await;
    let order = json!({ "count": 10 });
    let runs = app.post(&format!("/v1/batches/{}/runs", others.batch), &app.keys.other, order).await;
    let theirs = text(&runs.expect(StatusCode::CREATED)["runs"][0]["first"]);
    let packed = |minutes, action: &str, code: &str| {
        let link = format!("https://trace.example/{code}");
        let step = if action == "ADD" { "packing" } else { "unpacking" };
        let over = json!({ "type": "AggregationEvent", "action": action, "bizStep": step, "parentID": UNIT,
            "childEPCs": [link] });
        event(minutes, over)
    };
    let keys = &app.keys;
    let inside = app.code(&run.name, 3);
    app.capture(&keys.importer, vec![packed(-9, "ADD", &run.first), packed(-9, "ADD", &inside)]).await.accepted();
    app.capture(&keys.other, vec![packed(-8, "ADD", &theirs)]).await.accepted();
    app.capture(&keys.importer, vec![packed(-5, "DELETE", &run.first)]).await.accepted();
    let recalled = async |code: &str| {
        let timeline = app.get(&format!("/v1/codes/{code}/timeline"), &keys.inspector).await.expect(StatusCode::OK);
        texts(&timeline["verdicts"]).contains(&"recalled".to_owned())
    };
    let all = async || {
        [recalled(&run.first).await, recalled(&inside).await, recalled(&theirs).await, recalled(&run.last).await]
    };
    assert_eq!(all().await, [false; 4]);
    let own = app.make(&keys.importer, recall(json!({ "units": [SSCC] }))).await;
    assert_eq!(all().await, [true, true, false, false]);
    let any = app.make(&keys.inspector, recall(json!({ "units": [SSCC] }))).await;
    assert_eq!(all().await, [true, true, true, false]);
    app.lift(&keys.inspector, any).await.expect(StatusCode::CREATED);
    assert_eq!(all().await, [true, true, false, false]);
    app.lift(&keys.importer, own).await.expect(StatusCode::CREATED);
    assert_eq!(all().await, [false; 4]);
    assert_eq!(app.audit().await, Vec::<String>::new());
}
