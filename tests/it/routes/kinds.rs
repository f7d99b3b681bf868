//! Events of all five types at the door.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{GTIN, Run, TestApp, class, event, lay_over, text};

const PALLET: &str = "https://id.gs1.org/00/095060001234567893";

fn link(code: &str) -> String {
    format!("https://trace.example/01/{GTIN}/21/{code}")
}

/// An event of this type; a transformation loses its action.
fn of_type(kind: &str, minutes: i64, fields: Value) -> Value {
    let mut event = event(minutes, json!({ "type": kind }));
    if kind == "TransformationEvent" {
        event.as_object_mut().unwrap().remove("action");
    }
    lay_over(&mut event, fields);
    event
}

async fn bearings(app: &TestApp, code: &str) -> Vec<(String, String)> {
    let timeline = app.get(&format!("/v1/codes/{code}/timeline"), &app.keys.inspector).await.expect(StatusCode::OK);
    let line = |line: &Value| (text(&line["biz_step"]), text(&line["bearing"]));
    timeline["lines"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn codes_are_proved_in_every_place_of_every_type() {
    let app = TestApp::new().await;
    let (_, Run { name, first, .. }) = app.run(10).await;
    let beyond = app.code(&name, 10);
    let forged = format!("{}0", &first[..19]);
    let forged = if forged == first { format!("{}1", &first[..19]) } else { forged };
    let transaction = json!([{ "type": "po", "bizTransaction": "https://example.com/po/1" }]);
    let before = app.stored_keys().await;
    for wrong in [&beyond, &forged] {
        let places = [
            ("AggregationEvent", json!({ "parentID": link(wrong), "childEPCs": [PALLET] }), "/parentID"),
            (
                "AggregationEvent",
                json!({ "parentID": PALLET, "childEPCs": [link(&first), link(wrong)] }),
                "/childEPCs/1",
            ),
            ("AssociationEvent", json!({ "parentID": link(wrong), "childEPCs": [PALLET] }), "/parentID"),
            ("AssociationEvent", json!({ "parentID": PALLET, "childEPCs": [link(wrong)] }), "/childEPCs/0"),
            (
                "TransactionEvent",
                json!({ "bizTransactionList": transaction, "parentID": link(wrong), "epcList": [] }),
                "/parentID",
            ),
            ("TransactionEvent", json!({ "bizTransactionList": transaction, "epcList": [link(wrong)] }), "/epcList/0"),
            (
                "TransformationEvent",
                json!({ "inputEPCList": [link(wrong)], "outputEPCList": [PALLET] }),
                "/inputEPCList/0",
            ),
            (
                "TransformationEvent",
                json!({ "inputEPCList": [PALLET], "outputEPCList": [link(wrong)] }),
                "/outputEPCList/0",
            ),
        ];
        for (kind, fields, place) in places {
            let reply = app.capture(&app.keys.importer, vec![of_type(kind, 1, fields)]).await;
            let problem = reply.refused(StatusCode::BAD_REQUEST);
            assert_eq!(text(&problem["field"]), format!("/epcisBody/eventList/0{place}"), "{problem}");
        }
    }
    assert_eq!(app.stored_keys().await, before);
}

#[tokio::test]
async fn spans_and_quantities_are_proved_in_every_list() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, .. }) = app.run(10).await;
    let beyond = app.code(&name, 10);
    let spans = |last: &str| json!([{ "first": first, "last": last }]);
    let count = json!([{ "epcClass": class(goods.batch), "quantity": 11 }]);
    let before = app.stored_keys().await;
    let spanned = [
        (
            "AggregationEvent",
            json!({ "parentID": PALLET, "cp:spans": spans(&beyond), "childQuantityList": count }),
            "/cp:spans/0/last",
        ),
        (
            "TransformationEvent",
            json!({ "inputEPCList": [PALLET], "cp:outputSpans": spans(&beyond), "outputQuantityList": count }),
            "/cp:outputSpans/0/last",
        ),
        (
            "TransformationEvent",
            json!({ "outputEPCList": [PALLET], "cp:inputSpans": spans(&first),
                "inputQuantityList": [{ "epcClass": class(goods.batch + 1), "quantity": 1 }] }),
            "/inputQuantityList/0",
        ),
        (
            "TransformationEvent",
            json!({ "inputEPCList": [link(&first)], "outputQuantityList": [{ "epcClass": class(99), "quantity": 1 }] }),
            "/outputQuantityList",
        ),
        (
            "AggregationEvent",
            json!({ "parentID": PALLET, "childQuantityList": [{ "epcClass": class(99), "quantity": 1 }] }),
            "/childQuantityList",
        ),
    ];
    for (kind, fields, place) in spanned {
        let reply = app.capture(&app.keys.importer, vec![of_type(kind, 1, fields)]).await;
        let problem = reply.refused(StatusCode::BAD_REQUEST);
        assert_eq!(text(&problem["field"]), format!("/epcisBody/eventList/0{place}"), "{problem}");
    }
    assert_eq!(app.stored_keys().await, before);
}

#[tokio::test]
async fn joining_goods_is_a_report_whatever_its_action() {
    let app = TestApp::new().await;
    let (_, Run { first, last, .. }) = app.run(10).await;
    let transaction = json!([{ "type": "po", "bizTransaction": "https://example.com/po/1" }]);
    let joined = |minutes, code: &str, parent: &str| {
        [
            of_type(
                "AggregationEvent",
                minutes,
                json!({ "action": "ADD", "bizStep": "packing", "parentID": parent, "childEPCs": [link(code)] }),
            ),
            of_type(
                "TransactionEvent",
                minutes,
                json!({ "action": "ADD", "bizStep": "picking", "bizTransactionList": transaction, "epcList": [link(code)] }),
            ),
            of_type(
                "AssociationEvent",
                minutes,
                json!({ "action": "ADD", "bizStep": "installing", "parentID": parent, "childEPCs": [link(code)] }),
            ),
            of_type(
                "AggregationEvent",
                minutes + 1,
                json!({ "action": "DELETE", "bizStep": "unpacking", "parentID": parent }),
            ),
        ]
    };
    for (key, bearing) in [(&app.keys.operator, "report"), (&app.keys.importer, "effective")] {
        for event in joined(5, &first, PALLET) {
            app.capture(key, vec![event]).await.accepted();
        }
        let packed = bearings(&app, &first).await.into_iter().filter(|(step, _)| step == "packing");
        assert!(packed.map(|(_, of)| of).any(|of| of == bearing), "{bearing}");
    }
    // A case of ours as the parent: its own timeline tells of it.
    for event in joined(9, &first, &link(&last)) {
        app.capture(&app.keys.importer, vec![event]).await.accepted();
    }
    let of_case: Vec<String> = bearings(&app, &last).await.into_iter().map(|(step, _)| step).collect();
    assert!(
        ["packing", "unpacking", "installing"].iter().all(|step| of_case.iter().any(|of| of == step)),
        "{of_case:?}"
    );
    // Creating steps create in these types too.
    let created = of_type(
        "AggregationEvent",
        12,
        json!({ "action": "ADD", "bizStep": "commissioning", "parentID": PALLET, "childEPCs": [link(&first)] }),
    );
    app.capture(&app.keys.operator, vec![created]).await.refused(StatusCode::FORBIDDEN);
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_events_goods_are_all_that_it_names() {
    let app = TestApp::new().await;
    let (_, Run { first, .. }) = app.run(10).await;
    // Voiding needs own goods to count; the parent is another's.
    let voids = |parent: &str| {
        of_type(
            "AggregationEvent",
            3,
            json!({ "action": "DELETE", "bizStep": "decommissioning", "parentID": parent, "childEPCs": ["urn:epc:id:sscc:9506000.1123456789"] }),
        )
    };
    app.capture(&app.keys.other, vec![voids(&link(&first))]).await.accepted();
    let bearing = bearings(&app, &first).await.into_iter().find(|(step, _)| step == "decommissioning").unwrap();
    assert_eq!(bearing.1, "report");
    // What is made is its issuer's to make, whoever has the inputs.
    let made = of_type("TransformationEvent", 4, json!({ "inputEPCList": [PALLET], "outputEPCList": [link(&first)] }));
    for key in [&app.keys.other, &app.keys.operator, &app.keys.inspector] {
        app.capture(key, vec![made.clone()]).await.refused(StatusCode::FORBIDDEN);
    }
    app.capture(&app.keys.importer, vec![made]).await.accepted();
}
