//! Goods that become others, traced forward and back, and the mass balance.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Goods, TestApp, both, class, event, number, text, texts};

/// Batches A, B and C of the importer: 500 kg of A became B, and B became C.
struct Processed {
    app: TestApp,
    raw: Goods,
    breaded: u64,
    packed: u64,
}

fn transformation(minutes: i64, fields: Value) -> Value {
    let mut event = event(minutes, both(json!({ "type": "TransformationEvent" }), fields));
    event.as_object_mut().unwrap().remove("action");
    event
}

fn kilos(batch: u64, kilos: f64) -> Value {
    json!([{ "epcClass": class(batch), "quantity": kilos, "uom": "KGM" }])
}

fn made_of(minutes: i64, from: u64, input: f64, to: u64, output: f64) -> Value {
    let fields = json!({ "bizStep": "repackaging", "inputQuantityList": kilos(from, input),
        "outputQuantityList": kilos(to, output) });
    transformation(minutes, fields)
}

impl Processed {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let raw = app.goods().await;
        let breaded = app.batch(&app.keys.importer, raw, json!({ "lot": "B-1", "ai10": "B-1" })).await;
        let packed = app.batch(&app.keys.importer, raw, json!({ "lot": "C-1", "ai10": "C-1" })).await;
        let events = vec![made_of(1, raw.batch, 500.0, breaded, 450.0), made_of(2, breaded, 400.0, packed, 390.0)];
        app.capture(&app.keys.importer, events).await.accepted();
        Self { app, raw, breaded, packed }
    }

    async fn recall(&self, goods: Value) -> u64 {
        let body = both(json!({ "kind": "recall", "notice": "Listeria" }), goods);
        let made = self.app.post("/v1/measures", &self.app.keys.inspector, body).await.expect(StatusCode::CREATED);
        number(&made["measure"])
    }

    async fn whereabouts(&self, batch: u64) -> Value {
        self.app.get(&format!("/v1/batches/{batch}/whereabouts"), &self.app.keys.inspector).await.expect(StatusCode::OK)
    }
}

#[tokio::test]
async fn a_recall_follows_processing_from_batch_to_batch() {
    let made = Processed::new().await;
    let code = made.app.order(made.packed, json!({ "count": 10 })).await.remove(0).first;
    let raw = made.app.order(made.raw.batch, json!({ "count": 10 })).await.remove(0).first;
    assert_eq!(made.app.status(&code).await.0, "genuine");
    let scan = made.app.scan(&format!("/{code}")).await;
    let from: Vec<_> = scan["came_from"]
        .as_array()
        .unwrap()
        .iter()
        .map(|from| (number(&from["batch"]), number(&from["level"])))
        .collect();
    assert_eq!(from, [(made.breaded, 1), (made.raw.batch, 2)]);
    let before = scan["timeline"]["lines"].as_array().unwrap().iter().filter(|line| line["before"] == true).count();
    assert_eq!(before, 2, "two batches were registered before: {scan}");

    let breaded = made.recall(json!({ "batch": made.breaded })).await;
    for path in [format!("/{code}"), format!("/batch/{}", made.packed)] {
        let scan = made.app.scan(&path).await;
        assert_eq!(number(&scan["measures"][0]["measure"]), breaded, "{path}");
        assert_eq!(
            (text(&scan["measures"][0]["notice"]), texts(&scan["verdicts"])),
            ("Listeria".to_owned(), vec!["recalled".to_owned()])
        );
    }
    assert_eq!(made.app.status(&raw).await.0, "genuine", "nothing follows for what it was made of");
    let lift = format!("/v1/measures/{breaded}/lift");
    made.app.call("POST", &lift).key(&made.app.keys.inspector).send().await.expect(StatusCode::CREATED);
    assert_eq!(made.app.status(&code).await.0, "genuine");
    // Two transformations away, by the lot.
    made.recall(json!({ "lot": { "gtin": super::GTIN, "lot": super::LOT } })).await;
    assert_eq!(made.app.status(&code).await.0, "recalled");
    assert_eq!(made.app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_preview_goes_on_to_what_is_inside_and_to_what_was_made() {
    let made = Processed::new().await;
    let (keys, unit) = (&made.app.keys, "https://id.gs1.org/00/106141412345678908");
    let raw = made.app.order(made.raw.batch, json!({ "count": 10 })).await.remove(0);
    made.app.order(made.packed, json!({ "count": 7 })).await;
    let theirs = made.app.goods_of(&keys.other, json!({})).await;
    let their_codes = made.app.order_as(&keys.other, theirs.batch, json!({ "count": 5 })).await.remove(0);
    let packed = |minutes: i64, run: &super::Run| {
        let link = |serial| format!("https://trace.example/01/{}/21/{}", super::GTIN, made.app.code(&run.name, serial));
        event(
            minutes,
            json!({ "type": "AggregationEvent", "action": "ADD", "bizStep": "packing", "parentID": unit,
            "childEPCs": [link(0), link(1)] }),
        )
    };
    made.app.capture(&keys.importer, vec![packed(3, &raw)]).await.accepted();
    made.app.capture(&keys.other, vec![packed(4, &their_codes)]).await.accepted();
    // Somebody else's word makes nobody's goods of these.
    let slander = made_of(5, made.packed, 1.0, theirs.batch, 1.0);
    made.app.capture(&keys.importer, vec![slander]).await.accepted();
    let preview = async |key: &str, goods: Value| {
        let body = both(json!({ "kind": "recall" }), goods);
        let reach = made.app.post("/v1/measures/preview", key, body).await.expect(StatusCode::OK);
        (reach["codes"].clone(), reach["batches"].clone(), reach["units"].clone(), reach["unplaced"].clone())
    };
    let reached = |batch: u64, codes: u64, whole: bool, is_made: bool| json!({ "batch": batch, "codes": codes, "whole": whole, "made": is_made });
    let whole = json!([
        reached(made.raw.batch, 10, true, false),
        reached(made.breaded, 0, true, true),
        reached(made.packed, 7, true, true)
    ]);
    let found = preview(&keys.importer, json!({ "batch": made.raw.batch })).await;
    assert_eq!(found, (json!(17), whole, json!(0), json!(0)));
    let inside = json!([reached(made.raw.batch, 2, false, false), reached(theirs.batch, 2, false, false)]);
    let found = preview(&keys.inspector, json!({ "units": [unit] })).await;
    assert_eq!(found, (json!(4), inside, json!(1), json!(0)));
    // An importer's word is not on others' goods, and says nothing of where they are.
    let found = preview(&keys.importer, json!({ "units": [unit] })).await;
    assert_eq!(found, (json!(2), json!([reached(made.raw.batch, 2, false, false)]), json!(1), json!(0)));
}

#[tokio::test]
async fn nobody_else_makes_an_importers_batch_of_recalled_goods() {
    let made = Processed::new().await;
    let theirs = made.app.goods_of(&made.app.keys.other, json!({})).await;
    let code = made.app.order(made.raw.batch, json!({ "count": 10 })).await.remove(0).first;
    let slander = made_of(3, theirs.batch, 1.0, made.raw.batch, 1.0);
    made.app.capture(&made.app.keys.other, vec![slander]).await.accepted();
    made.recall(json!({ "batch": theirs.batch })).await;
    assert_eq!(made.app.status(&code).await.0, "genuine");
    let found = made.whereabouts(made.raw.batch).await;
    assert_eq!(found["came_from"], json!([]));
    // What it says of goods of its own stands, and tells that it had not what it names.
    let own = made_of(4, made.raw.batch, 1.0, theirs.batch, 1.0);
    made.app.capture(&made.app.keys.other, vec![own]).await.accepted();
    made.recall(json!({ "batch": made.raw.batch })).await;
    let scan = made.app.scan(&format!("/batch/{}", theirs.batch)).await;
    assert_eq!(scan["measures"].as_array().unwrap().len(), 2, "{scan}");
    let of_raw = scan["came_from"].as_array().unwrap().iter().find(|from| from["batch"] == made.raw.batch);
    assert_eq!(of_raw.unwrap()["confirmed"], false);
    assert!(scan["timeline"].as_array().unwrap().iter().all(|line| line["before"].is_null()), "{scan}");
}

#[tokio::test]
async fn batches_made_of_each_other_end_the_search() {
    let made = Processed::new().await;
    let back = made_of(5, made.packed, 1.0, made.raw.batch, 1.0);
    made.app.capture(&made.app.keys.importer, vec![back]).await.accepted();
    let measure = made.recall(json!({ "batch": made.packed })).await;
    for batch in [made.raw.batch, made.breaded, made.packed] {
        let scan = made.app.scan(&format!("/batch/{batch}")).await;
        let told: Vec<_> = scan["measures"].as_array().unwrap().iter().map(|told| number(&told["measure"])).collect();
        assert_eq!(told, [measure], "{batch}");
        assert_eq!(made.whereabouts(batch).await["went_into"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_batch_is_traced_forward_and_back_and_its_masses_add_up() {
    let made = Processed::new().await;
    let keys = &made.app.keys;
    let order = json!({ "count": 3, "level": "case", "content": { "value": 20, "uom": "KGM" } });
    let cases = made.app.order(made.raw.batch, order).await.remove(0);
    let body = json!({ "parent": cases.first, "portions": 30, "weight": { "value": 500, "uom": "GRM" } });
    let split = made.app.post("/v1/splits", &keys.importer, body).await.expect(StatusCode::CREATED);
    let shipped = json!({ "bizStep": "shipping", "quantityList": kilos(made.raw.batch, 0.5) });
    let tonnes = json!([{ "epcClass": class(made.raw.batch), "quantity": 0.25, "uom": "TNE" }]);
    let destroyed = json!({ "bizStep": "destroying", "disposition": "destroyed", "quantityList": tonnes });
    let events = vec![event(6, shipped.clone()), event(7, shipped), event(8, destroyed)];
    made.app.capture(&keys.importer, events).await.accepted();

    let found = made.whereabouts(made.raw.batch).await;
    let into: Vec<_> = found["went_into"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (number(&line["level"]), number(&line["batch"]), text(&line["first"]), line["confirmed"] == true))
        .collect();
    let portions = (1, made.raw.batch, text(&split["first"]), true);
    assert!(
        into.contains(&(1, made.breaded, String::new(), true)) && into.contains(&(2, made.packed, String::new(), true)),
        "{into:?}"
    );
    assert!(into.contains(&portions) && into.len() == 3, "{into:?}");
    let balance = &found["balance"];
    assert_eq!(balance["net_weight"], json!({ "value": 8000.0, "uom": "KGM" }));
    let case = json!({ "level": "case", "content": { "value": 20.0, "uom": "KGM" }, "portions": false, "registered": null,
        "issued": 3, "applied": 3, "void": 0, "sold": 0, "destroyed": 0, "opened": 1 });
    assert_eq!(balance["levels"][0], case, "{balance}");
    assert_eq!((&balance["levels"][1]["portions"], &balance["levels"][1]["applied"]), (&json!(true), &json!(30)));
    assert_eq!(balance["split_out"], json!([{ "value": 15.0, "uom": "KGM" }]));
    let steps: Vec<_> = balance["reports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(&it["step"]), number(&it["reports"]), it["amounts"][0]["value"].as_f64().unwrap()))
        .collect();
    assert_eq!(
        steps,
        [("consumed".to_owned(), 1, 500.0), ("destroying".to_owned(), 1, 250.0), ("shipping".to_owned(), 2, 1.0)]
    );
    assert_eq!((&balance["conflicts"], &balance["reports_further"]), (&json!([]), &json!(0)));

    let found = made.whereabouts(made.packed).await;
    let from: Vec<_> = found["came_from"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (number(&line["batch"]), line["quantity"].as_f64().unwrap()))
        .collect();
    assert_eq!(from, [(made.breaded, 400.0), (made.raw.batch, 500.0)]);
    assert_eq!(found["balance"]["reports"][0]["step"], "made");

    let csv = async |part: &str| {
        let path = format!("/v1/batches/{}/whereabouts?form=csv&part={part}", made.raw.batch);
        made.app.get(&path, &keys.inspector).await.text().to_owned()
    };
    let (trace, balance) = (csv("trace").await, csv("balance").await);
    assert_eq!(trace.lines().count(), 4, "{trace}");
    assert!(
        trace.lines().any(|line| line.starts_with("went_into,1,ni:///") && line.contains(&text(&split["last"]))),
        "{trace}"
    );
    for row in [
        "registered,,net_weight,8000,KGM",
        "codes,case,opened,1,",
        "split_out,,amount,15,KGM",
        "reports,destroying,by_right,250,KGM",
    ] {
        assert!(balance.lines().any(|line| line == row), "{row}: {balance}");
    }
    assert!(csv("lines").await.starts_with("first,last,codes"));
}

#[tokio::test]
async fn more_out_than_in_is_told_with_both_figures() {
    let made = Processed::new().await;
    let destroyed = |kilos: f64| {
        json!({ "bizStep": "destroying", "disposition": "destroyed",
        "quantityList": [{ "epcClass": class(made.raw.batch), "quantity": kilos, "uom": "KGM" }] })
    };
    let keys = &made.app.keys;
    made.app.capture(&keys.operator, vec![event(6, destroyed(9_000.0))]).await.accepted();
    let conflicts = async || made.whereabouts(made.raw.batch).await["balance"]["conflicts"].clone();
    assert_eq!(conflicts().await, json!([]), "somebody's word is no conflict");
    made.app.capture(&keys.importer, vec![event(6, destroyed(7_000.0))]).await.accepted();
    assert_eq!(conflicts().await, json!([]));
    made.app.capture(&keys.importer, vec![event(7, destroyed(1_000.5))]).await.accepted();
    let told = json!([{ "what": "destroying", "out": { "value": 8000.5, "uom": "KGM" }, "whole": { "value": 8000.0, "uom": "KGM" } }]);
    assert_eq!(conflicts().await, told);
    let path = format!("/v1/batches/{}/whereabouts?form=csv&part=balance", made.raw.batch);
    let csv = made.app.get(&path, &keys.importer).await;
    assert!(csv.text().contains("more_out_than_in,destroying,out,8000.5,KGM"), "{}", csv.text());
}

#[tokio::test]
async fn codes_consumed_by_a_recalled_one_among_them_are_followed() {
    let made = Processed::new().await;
    let keys = &made.app.keys;
    let items = made.app.order(made.raw.batch, json!({ "count": 5_000 })).await.remove(0);
    let out = made.app.order(made.packed, json!({ "count": 10, "activate": "on_report" })).await.remove(0);
    let fields = json!({ "bizStep": "repackaging",
        "cp:inputSpans": [{ "first": items.first, "last": items.last }],
        "inputQuantityList": [{ "epcClass": class(made.raw.batch), "quantity": 5_000 }],
        "cp:outputSpans": [{ "first": out.first, "last": out.last }],
        "outputQuantityList": [{ "epcClass": class(made.packed), "quantity": 10 }] });
    made.app.capture(&keys.importer, vec![transformation(9, fields)]).await.accepted();
    assert_eq!(made.app.status(&out.first).await, ("genuine".to_owned(), "active".to_owned()));
    let one = made.app.code(&items.name, 4_321);
    made.recall(json!({ "spans": [{ "first": one, "last": one }] })).await;
    assert_eq!(made.app.status(&out.first).await.0, "recalled");
    let some = [made.app.code(&items.name, 10), made.app.code(&items.name, 4_200)];
    let second = made.recall(json!({ "spans": [{ "first": some[0], "last": some[1] }] })).await;
    let scan = made.app.scan(&format!("/{}", out.last)).await;
    let told: Vec<_> = scan["measures"].as_array().unwrap().iter().map(|told| number(&told["measure"])).collect();
    assert_eq!(told, [1, second]);
}

#[tokio::test]
async fn inputs_and_outputs_in_events_of_their_own_are_one_transformation_by_its_id() {
    let made = Processed::new().await;
    let keys = &made.app.keys;
    let late = made.app.batch(&keys.importer, made.raw, json!({ "lot": "D-1", "ai10": "D-1" })).await;
    let id = json!({ "transformationID": "https://example.com/transformations/7", "bizStep": "repackaging" });
    let input = |batch: u64| both(id.clone(), json!({ "inputQuantityList": kilos(batch, 10.0) }));
    let output = both(id.clone(), json!({ "outputQuantityList": kilos(late, 18.0) }));
    made.app.capture(&keys.importer, vec![transformation(3, output)]).await.accepted();
    let measure = made.recall(json!({ "batch": made.packed })).await;
    let verdicts = async || texts(&made.app.scan(&format!("/batch/{late}")).await["verdicts"]);
    assert_eq!(verdicts().await, Vec::<String>::new());
    let theirs = transformation(4, input(made.packed));
    made.app.capture(&keys.other, vec![theirs]).await.accepted();
    assert_eq!(verdicts().await, Vec::<String>::new(), "somebody else's event of that id is another transformation");
    made.app.capture(&keys.importer, vec![transformation(5, input(made.packed))]).await.accepted();
    assert_eq!(verdicts().await, ["recalled"], "it came later and counts at once");
    let found = made.whereabouts(made.packed).await;
    let into: Vec<_> = found["went_into"].as_array().unwrap().iter().map(|line| number(&line["batch"])).collect();
    assert_eq!((into, measure), (vec![late], 1));
    assert_eq!(made.app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_recall_of_what_goods_were_made_of_stands_on_them_in_stock_and_whereabouts() {
    let made = Processed::new().await;
    made.app.order(made.packed, json!({ "count": 10 })).await;
    let measured = |found: &Value| found["lines"][0]["measured"].clone();
    for (kind, expected) in [(None, false), (Some("recall"), true)] {
        if kind.is_some() {
            made.recall(json!({ "batch": made.raw.batch })).await;
        }
        let whereabouts = made.whereabouts(made.packed).await;
        let holder = &whereabouts["lines"][0]["holder"];
        let path = format!("/v1/organizations/{holder}/stock");
        let stock = made.app.get(&path, &made.app.keys.importer).await.expect(StatusCode::OK);
        let of_packed = stock["batches"].as_array().unwrap().iter().find(|found| found["batch"] == made.packed);
        assert_eq!(measured(&whereabouts), expected);
        assert_eq!(measured(of_packed.unwrap()), expected, "{stock}");
    }
}
