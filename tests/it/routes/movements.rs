//! Moving goods without writing EPCIS: units, movements and stock, from the importer to the customer.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{GTIN, HOUR_MS, Reply, Run, TestApp, both, event, number, span, text, texts};

/// The GLN of the operator, organization 3.
const GLN: &str = "9506000000015";

/// An importer with a prefix, an operator with a GLN, and a shop (organization 5); 100 items and 4 cases of one batch.
struct Trade {
    app: TestApp,
    batch: u64,
    items: Run,
    cases: Run,
    shop: String,
}

impl Trade {
    async fn new() -> Self {
        let app = TestApp::new().await;
        app.patch("/v1/organizations/1", "", json!({ "gs1_prefix": "9506000" })).await.expect(StatusCode::OK);
        app.patch("/v1/organizations/3", "", json!({ "gln": GLN })).await.expect(StatusCode::OK);
        let body = json!({ "legal_name": "家鲜超市有限公司", "roles": ["operator"] });
        let shop = app.post("/v1/organizations", "", body).await.expect(StatusCode::CREATED);
        assert_eq!(number(&shop["id"]), 5);
        let shop = app.new_key(5, "operator").await;
        let goods = app.goods_of(&app.keys.importer, json!({ "quantities": { "item": 20_000, "case": 100 } })).await;
        let items = app.order(goods.batch, json!({ "count": 100 })).await.remove(0);
        let cases = app.order(goods.batch, json!({ "count": 4, "level": "case" })).await.remove(0);
        app.move_clock(HOUR_MS);
        Self { app, batch: goods.batch, items, cases, shop }
    }

    fn item(&self, serial: u32) -> String {
        self.app.code(&self.items.name, serial)
    }

    fn case(&self, serial: u32) -> String {
        self.app.code(&self.cases.name, serial)
    }

    fn items(&self, first: u32, last: u32) -> Value {
        json!({ "first": self.item(first), "last": self.item(last) })
    }

    async fn try_move(&self, key: &str, action: &str, fields: Value) -> Reply {
        self.app.move_clock(60_000);
        self.app.post("/v1/movements", key, both(json!({ "action": action }), fields)).await
    }

    /// A movement that is taken: what it counts for, of each of the goods.
    async fn moved(&self, key: &str, action: &str, fields: Value) -> Vec<(String, String)> {
        let body = self.try_move(key, action, fields).await.expect(StatusCode::CREATED);
        assert_eq!(body["events"].as_array().map(Vec::len), Some(1), "{body}");
        let job = self.app.get(&format!("/epcis/capture/{}", text(&body["capture"])), key).await;
        assert_eq!(job.expect(StatusCode::OK)["success"], true);
        let marks = body["marks"].as_array().unwrap();
        marks.iter().map(|mark| (text(&mark["bearing"]), text(&mark["mark"]))).collect()
    }

    async fn pallet(&self) -> String {
        let made = self.app.post("/v1/units", &self.app.keys.importer, json!({ "count": 1, "kind": "sscc" })).await;
        text(&made.expect(StatusCode::CREATED)["units"][0]["sscc"])
    }

    async fn state(&self, code: &str) -> String {
        self.app.status(code).await.1
    }

    /// How many codes an organization has of the batch, by state.
    async fn stock(&self, organization: u64) -> Value {
        let path = format!("/v1/organizations/{organization}/stock");
        let stock = self.app.get(&path, &self.app.keys.inspector).await.expect(StatusCode::OK);
        stock["batches"].get(0).map_or(json!({}), |batch| batch["codes"].clone())
    }
}

fn marked(bearing: &str, mark: &str) -> Vec<(String, String)> {
    vec![(bearing.to_owned(), mark.to_owned())]
}

#[tokio::test]
async fn goods_go_from_the_importer_over_a_distributor_and_a_shop_to_a_customer_in_cases_on_a_pallet() {
    let trade = Trade::new().await;
    let (importer, distributor, shop) = (&trade.app.keys.importer, &trade.app.keys.operator, &trade.shop);
    let pallet = trade.pallet().await;
    assert_eq!(pallet, "095060000000000008");
    for case in 0..3 {
        let what = json!([trade.items(10 * case, 10 * case + 9)]);
        let packed = json!({ "what": what, "parent": trade.case(case) });
        assert_eq!(trade.moved(importer, "pack", packed).await, marked("effective", ""));
    }
    let cases = json!([{ "first": trade.case(0), "last": trade.case(2) }]);
    trade.moved(importer, "pack", json!({ "what": cases, "parent": pallet })).await;
    let shipped = json!({ "what": [pallet], "to": GLN, "place": "9506000134376" });
    assert_eq!(trade.moved(importer, "ship", shipped).await, marked("effective", "unconfirmed"));
    assert_eq!(trade.state(&trade.item(25)).await, "in_transit");
    assert_eq!(trade.stock(3).await, json!({}), "what is on the way is still the shipper's");

    let link = format!("https://trace.example/00/{pallet}");
    assert_eq!(
        trade.moved(distributor, "receive", json!({ "what": [link], "from": 1 })).await,
        marked("effective", "confirmed")
    );
    assert_eq!(trade.state(&trade.item(25)).await, "stored");
    assert_eq!(trade.stock(3).await, json!({ "stored": 33 }), "thirty items in three cases");
    assert_eq!(trade.stock(1).await, json!({ "active": 71 }));
    let inside = trade.app.get(&format!("/v1/units/{pallet}"), distributor).await.expect(StatusCode::OK);
    assert_eq!((&inside["owner"], &inside["holder"], &inside["state"]), (&json!(1), &json!(3), &json!("stored")));
    let codes = inside["codes"].as_array().unwrap();
    assert_eq!(codes.iter().map(|line| number(&line["codes"])).sum::<u64>(), 33, "{inside}");
    assert!(codes.iter().all(|line| line["holder"] == 3 && number(&line["batch"]) == trade.batch), "{inside}");

    trade.moved(distributor, "unpack", json!({ "parent": pallet })).await;
    assert_eq!(trade.app.get(&format!("/v1/units/{pallet}"), distributor).await.json()["codes"], json!([]));
    let to_shop = json!({ "what": [trade.case(0), trade.case(1)], "to": 5 });
    assert_eq!(trade.moved(distributor, "ship", to_shop.clone()).await, marked("effective", "unconfirmed"));
    let received = json!({ "what": [trade.case(1), trade.case(0)], "from": GLN });
    assert_eq!(trade.moved(shop, "receive", received).await, marked("effective", "confirmed"));
    assert_eq!((trade.stock(3).await, trade.stock(5).await), (json!({ "stored": 11 }), json!({ "stored": 22 })));
    let case = trade.app.get(&format!("/v1/units/{}", trade.case(0)), shop).await.expect(StatusCode::OK);
    assert_eq!((&case["codes"][0]["first"], &case["codes"][0]["codes"]), (&json!(trade.item(0)), &json!(10)));

    trade.moved(shop, "unpack", json!({ "parent": trade.case(0), "what": [trade.items(0, 8)] })).await;
    let sold = json!({ "what": [format!("HTTPS://TRACE.EXAMPLE/01/{GTIN}/21/{}", trade.item(3)), trade.item(4)] });
    assert_eq!(trade.moved(shop, "sell", sold).await, marked("effective", ""));
    assert_eq!(
        (trade.state(&trade.item(3)).await, trade.state(&trade.item(2)).await),
        ("sold".into(), "stored".into())
    );
    trade.moved(shop, "return", json!({ "what": [trade.item(3)] })).await;
    trade.moved(shop, "destroy", json!({ "what": [trade.item(3)] })).await;
    assert_eq!(trade.state(&trade.item(3)).await, "destroyed");
    assert_eq!(trade.stock(5).await, json!({ "stored": 20 }), "one was sold, one destroyed");
    let stock = trade.app.get("/v1/organizations/5/stock", shop).await.expect(StatusCode::OK);
    let lines = stock["batches"][0]["lines"].as_array().unwrap();
    assert!(lines.iter().all(|line| line["holder"] == 5), "{stock}");
    let units: Vec<_> =
        stock["units"].as_array().unwrap().iter().map(|unit| (text(&unit["unit"]), number(&unit["codes"]))).collect();
    let mut expected = vec![(trade.case(0), 1), (trade.case(1), 10)];
    expected.sort();
    assert_eq!(units, expected);
    assert_eq!(trade.app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn each_action_is_the_event_that_the_vocabulary_has_for_it() {
    let trade = Trade::new().await;
    let key = &trade.app.keys.importer;
    let case = trade.case(0);
    for (action, fields, expected) in [
        ("pack", json!({ "parent": case }), ["AggregationEvent", "ADD", "packing", "null"]),
        ("unpack", json!({ "parent": case }), ["AggregationEvent", "DELETE", "unpacking", "null"]),
        ("ship", json!({ "to": 3 }), ["ObjectEvent", "OBSERVE", "shipping", "in_transit"]),
        ("receive", json!({ "from": 3 }), ["ObjectEvent", "OBSERVE", "receiving", "in_progress"]),
        ("sell", json!({}), ["ObjectEvent", "OBSERVE", "retail_selling", "retail_sold"]),
        ("return", json!({}), ["ObjectEvent", "OBSERVE", "receiving", "returned"]),
        ("destroy", json!({}), ["ObjectEvent", "OBSERVE", "destroying", "destroyed"]),
    ] {
        let at = "2026-06-01T09:00:00+08:00";
        let goods = json!({ "what": [trade.item(7), trade.item(5), trade.item(6)], "at": at, "place": GLN });
        let made = trade.try_move(key, action, both(goods, fields)).await.expect(StatusCode::CREATED);
        let id = text(&made["events"][0]).replace(':', "%3A").replace('/', "%2F").replace('?', "%3F");
        let document = trade.app.get(&format!("/epcis/events/{id}"), key).await.expect(StatusCode::OK);
        let event = &document["epcisBody"]["eventList"][0];
        let words = ["type", "action", "bizStep", "disposition"].map(|name| event[name].as_str().unwrap_or("null"));
        assert_eq!(words, expected, "{event}");
        assert_eq!(event["eventTime"], "2026-06-01T01:00:00.000Z");
        assert_eq!(event["readPoint"]["id"], format!("https://id.gs1.org/414/{GLN}"));
        let spans = &event["https://w3id.org/coldproof/1/spans"];
        assert_eq!(*spans, json!([trade.items(5, 7)]), "codes that follow each other are one span");
    }
}

#[tokio::test]
async fn a_hand_over_by_gln_counts_however_the_gln_is_written_and_whenever_it_is_registered() {
    let trade = Trade::new().await;
    let other = "9506000134376";
    for (at, uri) in [
        (0, format!("https://id.gs1.org/417/{GLN}")),
        (1, "urn:epc:id:pgln:9506000.00001".to_owned()),
        (2, "urn:epc:id:pgln:950600.000001".to_owned()),
        (3, format!("https://dl.example/417/{GLN}")),
        (4, "urn:epc:id:sgln:9506000.00001.0".to_owned()),
        (5, format!("https://id.gs1.org/417/{other}")),
    ] {
        let code = trade.item(at);
        let to = json!([{ "type": "possessing_party", "destination": uri }]);
        let fields = json!({ "bizStep": "shipping", "disposition": "in_transit", "destinationList": to });
        let shipped = event(1, both(span(trade.batch, &code, &code, 1), fields));
        trade.app.capture(&trade.app.keys.importer, vec![shipped]).await.accepted();
        let receiver = if at == 5 { &trade.shop } else { &trade.app.keys.operator };
        let mark = if at == 5 { ("report", "hand_over_disagrees") } else { ("effective", "confirmed") };
        let marks = trade.moved(receiver, "receive", json!({ "what": [code] })).await;
        assert_eq!(marks, marked(mark.0, mark.1), "{uri}");
    }
    let code = trade.item(5);
    assert_eq!(trade.state(&code).await, "in_transit");
    trade.app.patch("/v1/organizations/5", "", json!({ "gln": other })).await.expect(StatusCode::OK);
    assert_eq!(trade.state(&code).await, "stored", "the receiver is known by the GLN from now on");
    let app = trade.app.restart(&super::ring()).await;
    assert_eq!(app.status(&code).await.1, "stored");
}

#[tokio::test]
async fn a_movement_at_fault_is_refused_by_the_place_of_each_fault_and_writes_nothing() {
    let trade = Trade::new().await;
    let keys = trade.app.stored_keys().await;
    let (first, second) = (trade.item(0), trade.item(1));
    let mut forged = first.clone();
    forged.replace_range(19.., if first.ends_with('0') { "1" } else { "0" });
    let beyond = trade.item(100);
    let unit = "106141412345678908";
    let wrong_product = format!("https://trace.example/01/09506000149301/21/{first}");
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("sell", json!({ "what": [first, second, unit, forged] }), "/what/3", "forged"),
        ("sell", json!({ "what": [beyond] }), "/what/0", "the run has 100"),
        ("sell", json!({ "what": [{ "first": first, "last": beyond }] }), "/what/0/last", "the run has 100"),
        ("sell", json!({ "what": [{ "first": second, "last": first }] }), "/what/0/last", "at or behind"),
        ("sell", json!({ "what": [{ "first": first, "last": trade.case(0) }] }), "/what/0/last", "as the first"),
        ("sell", json!({ "what": ["106141412345678909"] }), "/what/0", "check digit"),
        ("sell", json!({ "what": ["pallet 7"] }), "/what/0", "a unit"),
        ("sell", json!({ "what": [first, { "first": first, "last": second }] }), "/what/1", "once"),
        ("sell", json!({ "what": [unit, first, unit] }), "/what/2", "once"),
        ("sell", json!({ "what": [wrong_product] }), "/what/0", "own product"),
        ("sell", json!({ "what": [] }), "/what", "codes, spans or units"),
        ("sell", json!({ "what": [first], "parent": unit }), "/parent", "none beside sell"),
        ("sell", json!({ "what": [first], "to": 3 }), "/to", "none beside sell"),
        ("sell", json!({ "what": [first], "from": 3 }), "/from", "none beside sell"),
        ("sell", json!({ "what": [first], "at": "2026-06-03T00:00:00Z" }), "/at", "at most one day"),
        ("sell", json!({ "what": [first], "at": "yesterday" }), "/at", "a time like"),
        ("sell", json!({ "what": [first], "place": "9506000134350" }), "/place", "check digit"),
        ("sell", json!({ "what": [first], "place": "a shop" }), "/place", "a GLN"),
        ("sell", json!({ "what": [first], "place": "urn: x" }), "/place", "URI"),
        ("ship", json!({ "what": [first] }), "/to", "the organization that takes them"),
        ("ship", json!({ "what": [first], "to": 77 }), "/to", "the number of an organization"),
        ("ship", json!({ "what": [first], "to": 1 }), "/to", "another"),
        ("ship", json!({ "what": [first], "to": "9506000134350" }), "/to", "check digit"),
        ("pack", json!({ "what": [first] }), "/parent", "needs one"),
        ("pack", json!({ "what": [first], "parent": first }), "/parent", "none of `what`"),
        ("pack", json!({ "what": [unit], "parent": unit }), "/parent", "none of `what`"),
        ("pack", json!({ "what": [first], "parent": forged }), "/parent", "forged"),
        ("pack", json!({ "parent": unit }), "/what", "codes, spans or units"),
        ("steal", json!({ "what": [first] }), "/action", "pack, unpack, ship"),
        ("sell", json!({ "what": [7] }), "/what/0", "a code, a unit"),
    ];
    for (action, fields, field, words) in cases {
        let shown = fields.to_string();
        let problem = trade.try_move(&trade.app.keys.importer, action, fields).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], field, "{action} {shown}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{action} {shown}: {problem}");
    }
    let both_wrong = json!({ "what": [forged, first, beyond] });
    let problem = trade.try_move(&trade.app.keys.importer, "sell", both_wrong).await.refused(StatusCode::BAD_REQUEST);
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect();
    assert_eq!(fields, ["/what/0", "/what/2"], "every fault is told at once");
    assert_eq!(trade.app.stored_keys().await, keys);
}

#[tokio::test]
async fn a_movement_that_is_repeated_with_its_key_happens_once() {
    let trade = Trade::new().await;
    let sold = json!({ "action": "sell", "what": [trade.item(0)] });
    let mut events = Vec::new();
    for _ in 0..2 {
        trade.app.move_clock(1_000);
        let call = trade.app.call("POST", "/v1/movements").key(&trade.app.keys.importer);
        let reply = call.header("idempotency-key", "till-7").json(&sold).send().await.expect(StatusCode::CREATED);
        events.push(texts(&reply["events"]));
    }
    assert_eq!(events[0], events[1]);
    assert_eq!(trade.app.status(&trade.item(0)).await, ("genuine".to_owned(), "sold".to_owned()));
}

#[tokio::test]
async fn a_word_on_goods_in_other_hands_is_a_report_and_says_so() {
    let trade = Trade::new().await;
    let other = &trade.app.keys.other;
    let marks = trade.moved(other, "receive", json!({ "what": [trade.item(0)] })).await;
    assert_eq!(marks, marked("report", "received_not_shipped"));
    assert_eq!(trade.moved(other, "destroy", json!({ "what": [trade.item(0)] })).await, marked("report", ""));
    assert_eq!(trade.state(&trade.item(0)).await, "active");
    assert_eq!(trade.stock(2).await, json!({}), "who says that it received goods has none by that");
    let what = json!({ "what": [trade.item(0)] });
    for key in [&trade.app.keys.inspector, ""] {
        trade.try_move(key, "sell", what.clone()).await.refused(StatusCode::FORBIDDEN);
        trade.app.post("/v1/units", key, json!({ "count": 1 })).await.refused(StatusCode::FORBIDDEN);
    }
    trade.app.call("POST", "/v1/movements").json(&what).send().await.refused(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn organizations_do_not_see_each_others_units_and_stock() {
    let trade = Trade::new().await;
    let (importer, other, shop) = (&trade.app.keys.importer, &trade.app.keys.other, &trade.shop);
    let pallet = trade.pallet().await;
    let path = format!("/v1/units/{pallet}");
    trade.moved(importer, "pack", json!({ "what": [trade.items(0, 9)], "parent": pallet })).await;
    for key in [other, shop] {
        trade.app.get(&path, key).await.refused(StatusCode::NOT_FOUND);
        trade.app.get("/v1/organizations/1/stock", key).await.refused(StatusCode::NOT_FOUND);
        trade.app.get(&format!("/v1/units/{}", trade.case(0)), key).await.refused(StatusCode::NOT_FOUND);
    }
    // Whoever only says that it had the pallet, even before anybody else, sees nothing of it.
    let early = json!({ "what": [pallet], "at": "2026-01-01T00:00:00Z" });
    for action in ["receive", "sell", "return", "destroy"] {
        trade.moved(other, action, early.clone()).await;
    }
    trade.moved(other, "pack", json!({ "what": ["106141412345678908"], "parent": pallet })).await;
    trade.app.get(&path, other).await.refused(StatusCode::NOT_FOUND);
    trade.moved(importer, "ship", json!({ "what": [pallet], "to": 5 })).await;
    let seen = trade.app.get(&path, shop).await.expect(StatusCode::OK);
    assert_eq!(seen["codes"][0]["codes"], 10, "whom it was sent to sees what comes");
    for key in [importer, &trade.app.keys.inspector] {
        assert_eq!(trade.app.get(&path, key).await.expect(StatusCode::OK)["codes"], seen["codes"]);
    }
    trade.app.get(&path, other).await.refused(StatusCode::NOT_FOUND);

    let goods = trade.app.goods_of(other, json!({})).await;
    let order = trade.app.post(&format!("/v1/batches/{}/runs", goods.batch), other, json!({ "count": 5 })).await;
    let run = order.expect(StatusCode::CREATED)["runs"][0].clone();
    let what = json!([{ "first": run["first"], "last": run["last"] }]);
    trade.moved(other, "pack", json!({ "what": what, "parent": pallet })).await;
    let mixed = trade.app.get(&path, other).await.expect(StatusCode::OK);
    let lines: Vec<_> = mixed["codes"].as_array().unwrap().iter().map(|line| text(&line["first"])).collect();
    assert_eq!((lines, &mixed["units"]), (vec![text(&run["first"])], &json!([])), "its own goods on a shared pallet");
    trade.app.call("GET", &path).send().await.refused(StatusCode::UNAUTHORIZED);
    trade.app.get("/v1/units/106141412345678915", importer).await.refused(StatusCode::NOT_FOUND);
    trade.app.get("/v1/units/nothing", importer).await.refused(StatusCode::BAD_REQUEST);
    trade.app.call("GET", &format!("/00/{pallet}")).send().await.refused(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn units_are_numbered_from_the_prefix_each_once_as_long_as_it_lasts() {
    let app = TestApp::new().await;
    let units = async |count: u32| app.post("/v1/units", &app.keys.operator, json!({ "count": count })).await;
    let problem = units(1).await.refused(StatusCode::CONFLICT);
    assert!(text(&problem["type"]).ends_with("/no-prefix"), "{problem}");
    let prefix = async |organization: u64, prefix: Value| {
        app.patch(&format!("/v1/organizations/{organization}"), "", json!({ "gs1_prefix": prefix })).await
    };
    prefix(3, json!("950600012345")).await.expect(StatusCode::OK);
    let made = units(100).await.expect(StatusCode::CREATED);
    let made: Vec<_> = made["units"].as_array().unwrap().iter().map(|unit| text(&unit["sscc"])).collect();
    assert_eq!((made.len(), made[0].as_str(), made[99].as_str()), (100, "095060001234500005", "095060001234500999"));
    assert_eq!(text(&units(1).await.json()["units"][0]["sscc"]), "095060001234501002");
    for count in [0, 101] {
        assert_eq!(units(count).await.refused(StatusCode::BAD_REQUEST)["field"], "/count");
    }
    for taken in ["950600012345", "9506000", "9506"] {
        let problem = prefix(1, json!(taken)).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], "/gs1_prefix", "{problem}");
    }
    prefix(1, json!("0614141")).await.expect(StatusCode::OK);
    assert_eq!(prefix(2, json!("06141419")).await.refused(StatusCode::BAD_REQUEST)["field"], "/gs1_prefix");
    prefix(2, json!("061414")).await.refused(StatusCode::BAD_REQUEST);
    prefix(2, json!("123")).await.refused(StatusCode::BAD_REQUEST);

    let restored = app.restored(&app.backup().await, &super::ring()).await.unwrap();
    let made = restored.post("/v1/units", &app.keys.operator, json!({ "count": 1 })).await;
    let sscc = text(&made.expect(StatusCode::CREATED)["units"][0]["sscc"]);
    assert!(sscc.starts_with("19506000123450101"), "none that the lost server may have given out: {sscc}");
}

#[tokio::test]
async fn a_gln_is_one_organizations_and_stays() {
    let app = TestApp::new().await;
    let gln = async |organization: u64, key: &str, gln: Value| {
        app.patch(&format!("/v1/organizations/{organization}"), key, json!({ "gln": gln })).await
    };
    gln(3, &app.keys.operator, json!(GLN)).await.refused(StatusCode::FORBIDDEN);
    let shown = gln(3, "", json!(GLN)).await.expect(StatusCode::OK);
    assert_eq!((&shown["gln"], &shown["gs1_prefix"]), (&json!(GLN), &Value::Null));
    gln(3, "", json!(GLN)).await.expect(StatusCode::OK);
    for (organization, value) in [(3, json!("9506000134376")), (3, Value::Null), (1, json!(GLN)), (1, json!("1"))] {
        let problem = gln(organization, "", value).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], "/gln", "{problem}");
    }
    let body = json!({ "legal_name": "x", "roles": ["operator"], "gln": GLN });
    app.post("/v1/organizations", "", body).await.refused(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn stock_is_paged_by_batches() {
    let trade = Trade::new().await;
    let app = &trade.app;
    let goods = super::Goods { product: 1, consignment: 1, batch: trade.batch };
    let mut batches = vec![trade.batch];
    for lot in ["B", "C"] {
        let batch = app.batch(&app.keys.importer, goods, json!({ "lot": lot, "ai10": lot })).await;
        let run = app.order(batch, json!({ "count": 10 })).await.remove(0);
        batches.push(batch);
        let what = json!([{ "first": run.first, "last": run.last }, trade.item(batch as u32)]);
        trade.moved(&app.keys.importer, "ship", json!({ "what": what, "to": 5 })).await;
        trade.moved(&trade.shop, "receive", json!({ "what": what })).await;
    }
    for (organization, key, expected) in [(5, &trade.shop, vec![2, 10, 10]), (1, &app.keys.importer, vec![102])] {
        let (mut after, mut found) = (0, Vec::new());
        loop {
            let path = format!("/v1/organizations/{organization}/stock?limit=1&after={after}");
            let page = app.get(&path, key).await.expect(StatusCode::OK);
            for batch in page["batches"].as_array().unwrap() {
                let codes = batch["codes"].as_object().unwrap().values().map(number).sum::<u64>();
                found.push((number(&batch["batch"]), codes));
            }
            match page["next"].as_u64() {
                Some(next) => after = next,
                None => break,
            }
        }
        let expected: Vec<_> = batches.iter().copied().zip(expected).collect();
        assert_eq!(found, expected);
    }
    for limit in ["0", "1001", "x"] {
        let path = format!("/v1/organizations/5/stock?limit={limit}");
        app.get(&path, &trade.shop).await.refused(StatusCode::BAD_REQUEST);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_scanned_codes_are_one_span_of_one_event() {
    let app = TestApp::new().await;
    let (_, run) = app.run(6_000).await;
    app.move_clock(HOUR_MS);
    let codes: Vec<_> = (0..5_000).rev().map(|serial| app.code(&run.name, serial)).collect();
    let sold = json!({ "action": "sell", "what": codes });
    let reply = app.post("/v1/movements", &app.keys.importer, sold).await.expect(StatusCode::CREATED);
    assert_eq!(reply["marks"].as_array().map(Vec::len), Some(1), "{reply}");
    assert_eq!(reply["marks"][0]["of"], codes[4_999]);
    for (serial, state) in [(0, "sold"), (4_999, "sold"), (5_000, "active")] {
        assert_eq!(app.status(&app.code(&run.name, serial)).await.1, state);
    }
}

#[tokio::test]
#[ignore = "measures"]
async fn the_stock_of_a_shop_with_a_thousand_batches() {
    let trade = Trade::new().await;
    let app = &trade.app;
    let goods = super::Goods { product: 1, consignment: 1, batch: trade.batch };
    for batch in 1..1_000 {
        let lot = json!({ "lot": format!("L{batch}"), "ai10": format!("L{batch}") });
        let batch = app.batch(&app.keys.importer, goods, lot).await;
        let run = app.order(batch, json!({ "count": 50 })).await.remove(0);
        let what = json!([{ "first": run.first, "last": app.code(&run.name, 29) }]);
        trade.moved(&app.keys.importer, "ship", json!({ "what": what, "to": 5 })).await;
        trade.moved(&trade.shop, "receive", json!({ "what": what })).await;
        trade.moved(&trade.shop, "sell", json!({ "what": [run.first] })).await;
    }
    for limit in [1_000, 100] {
        let before = std::time::Instant::now();
        let path = format!("/v1/organizations/5/stock?limit={limit}");
        let stock = app.get(&path, &trade.shop).await.expect(StatusCode::OK);
        println!("{} of {limit} batches in {:?}", stock["batches"].as_array().unwrap().len(), before.elapsed());
    }
}
