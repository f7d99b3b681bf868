//! In how many rounds of reading a code's first scan is answered. What is asked of the store at the same time is one round: on a
//! cluster each takes as long as its slowest node, so that rounds, and not requests, are what somebody waits for.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{HOUR_MS, Run, TestApp, both, event, ring, silent::Silent, span, text};

/// How long a round takes on the clock of the test, which moves only while everybody waits.
const ROUND: Duration = Duration::from_millis(100);

/// Goods of which everything is told that a scan tells, but for inputs: papers of the batch and of its consignment, temperatures,
/// a lot that was spoken of, others who had a hand in it. Ten items lie in a case; the case lies on a pallet, with a logger.
struct Scene {
    app: TestApp,
    items: Run,
    cases: Run,
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::new().await;
        app.patch("/v1/organizations/1", "", json!({ "gs1_prefix": "9506000" })).await.expect(StatusCode::OK);
        let goods = app.goods_of(&app.keys.importer, json!({ "quantities": { "item": 20_000, "case": 100 } })).await;
        for of in [format!("consignments/{}", goods.consignment), format!("batches/{}", goods.batch)] {
            paper(&app, &of).await;
        }
        let items = app.order(goods.batch, json!({ "count": 100 })).await.remove(0);
        let cases = app.order(goods.batch, json!({ "count": 2, "level": "case" })).await.remove(0);
        app.move_clock(HOUR_MS);
        let scene = Self { app, items, cases };
        let logger = "Serial No.;EF5A0012\nTime Zone;UTC+08:00\n\nNo.;Time;Temp (°C)\n1;2026-05-30 00:00:00;-20,0\n2;2026-05-30 00:05:00;-21,0\n";
        scene.temperatures(&format!("batches/{}", goods.batch), logger).await;
        let seen =
            both(event(1, json!({ "bizStep": "inspecting" })), span(goods.batch, &scene.item(0), &scene.item(99), 100));
        scene.app.capture(&scene.app.keys.operator, vec![seen]).await.accepted();
        scene
    }

    fn item(&self, serial: u32) -> String {
        self.app.code(&self.items.name, serial)
    }

    async fn temperatures(&self, of: &str, logger: &str) {
        let path = format!("/v1/{of}/temperatures");
        let call = self.app.call("POST", &path).key(&self.app.keys.importer).body("text/csv", logger.to_owned());
        call.send().await.expect(StatusCode::CREATED);
    }

    async fn pack(&self, what: Value, parent: &str) {
        self.app.move_clock(60_000);
        let packed = json!({ "action": "pack", "what": [what], "parent": parent });
        self.app.post("/v1/movements", &self.app.keys.importer, packed).await.expect(StatusCode::CREATED);
    }

    /// The first scan behind a start: what it said, and how many rounds it took.
    async fn first_scan(self, serial: u32) -> (Self, Value, u32) {
        let (silent, path) = (Silent::default(), format!("/{}", self.item(serial)));
        let over = silent.clone();
        let app = self.app.restart_over(&ring(), move |store| std::sync::Arc::new(over.over(store))).await;
        silent.pace(ROUND.as_millis() as u64);
        tokio::time::pause();
        let begun = tokio::time::Instant::now();
        let scan = app.scan(&path).await;
        // A timer may be a millisecond late.
        let rounds = (begun.elapsed().as_secs_f64() / ROUND.as_secs_f64()).round() as u32;
        tokio::time::resume();
        silent.pace(0);
        (Self { app, ..self }, scan, rounds)
    }
}

async fn paper(app: &TestApp, of: &str) {
    let part =
        |name: &str, value: &str| format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let body =
        [part("kind", "customs_declaration"), part("number", "222920261000123456"), "--b--\r\n".to_owned()].concat();
    let call = app.call("POST", &format!("/v1/{of}/documents")).key(&app.keys.importer);
    call.body("multipart/form-data; boundary=b", body).send().await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_first_scan_takes_three_rounds_and_two_more_at_most_for_each_unit_around_the_code() {
    let scene = Scene::new().await;
    let (scene, scan, rounds) = scene.first_scan(50).await;
    assert_eq!((&scan["verdict"], rounds), (&json!("genuine"), 3), "{scan}");
    assert_eq!(scan["batch"]["documents"].as_array().map(Vec::len), Some(3), "{scan}");
    assert_eq!(
        (&scan["cold_chain"]["min"], &scan["product"]["name_zh"]),
        (&json!(-21.0), &json!("冻南美白虾")),
        "{scan}"
    );

    let case = scene.app.code(&scene.cases.name, 0);
    scene.pack(json!({ "first": scene.item(0), "last": scene.item(9) }), &case).await;
    let (scene, scan, rounds) = scene.first_scan(0).await;
    assert!(rounds <= 5, "{rounds}: {scan}");

    let made = scene.app.post("/v1/units", &scene.app.keys.importer, json!({ "count": 1, "kind": "sscc" })).await;
    let pallet = text(&made.expect(StatusCode::CREATED)["units"][0]["sscc"]);
    scene.pack(json!(case), &pallet).await;
    scene.app.move_clock(2 * HOUR_MS);
    let logger = "Serial No.;EF5A0012\nTime Zone;UTC+08:00\n\nNo.;Time;Temp (°C)\n1;2026-06-01 10:00:00;-25,0\n2;2026-06-01 10:05:00;-26,0\n";
    scene.temperatures(&format!("units/{pallet}"), logger).await;
    let (_, scan, rounds) = scene.first_scan(0).await;
    assert!(rounds <= 7, "{rounds}: {scan}");
    assert_eq!(scan["cold_chain"]["min"], json!(-26.0), "the pallet's logger counts: {scan}");
}
