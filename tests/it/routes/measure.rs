//! Costs, printed and never asserted:
//! `cargo test --release --test it routes::measure -- --ignored --nocapture --test-threads=1`.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use coldproof::{
    code::Code,
    service::scan::{ScanBy, Scanned},
};
use serde_json::{Value, json};

use super::{Run, TestApp, both, class, event, number, span};

/// Records that speak of one code.
const OF_A_CODE: u64 = 10;
/// Small batches that are looked at: each has one code of which something was said.
const SMALL: u32 = 200;
/// Events of one document.
const DOCUMENT: u64 = 1_000;

/// What the records of a batch are on.
#[derive(Clone, Copy, Debug)]
enum On {
    Codes,
    HalfOnBatch,
}

/// A batch with so many records, `OF_A_CODE` for each code.
async fn with_records(app: &TestApp, records: u64, on: On) -> Run {
    let goods = app.goods_of(&app.keys.importer, json!({ "quantities": { "item": 200_000 } })).await;
    let codes = u32::try_from(records / OF_A_CODE).unwrap();
    let run = app.order(goods.batch, json!({ "count": codes })).await.remove(0);
    let step = || json!({ "bizStep": "inspecting", "disposition": "conformant" });
    let said = |at: u64| {
        let minutes = i64::try_from(at).unwrap() - 2_000_000;
        match on {
            On::HalfOnBatch if at.is_multiple_of(2) => {
                event(minutes, both(step(), json!({ "quantityList": [{ "epcClass": class(goods.batch) }] })))
            }
            _ => {
                let code = app.code(&run.name, (at / OF_A_CODE) as u32);
                event(minutes, both(step(), span(goods.batch, &code, &code, 1)))
            }
        }
    };
    for first in (0..records).step_by(DOCUMENT as usize) {
        let events = (first..records.min(first + DOCUMENT)).map(said).collect();
        app.capture(&app.keys.importer, events).await.accepted();
    }
    run
}

/// The first look at a code, its block being known: what the ledgers cost, without what the answer's length costs.
async fn first_look(app: &TestApp, run: &Run, serial: u32) -> Duration {
    let code = |serial: u32| app.code(&run.name, serial).parse::<Code>().unwrap();
    // A neighbour's look, at the far end of the block.
    app.service.scan(&code(serial - serial % 4_096 + 4_095), ScanBy::Other).await;
    let code = code(serial);
    let begun = Instant::now();
    assert!(matches!(app.service.scan(&code, ScanBy::Other).await, Scanned::Issued { .. }));
    begun.elapsed()
}

fn median(mut looks: Vec<Duration>) -> Duration {
    looks.sort_unstable();
    looks[looks.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_look_at_a_code_among_ten_records_and_among_a_million() {
    let many = std::env::var("COLDPROOF_RECORDS").map_or(1_000_000, |records| records.parse().unwrap());
    for on in [On::Codes, On::HalfOnBatch] {
        let app = TestApp::new().await;
        let begun = Instant::now();
        let lots = with_records(&app, many, on).await;
        let rate = many as f64 / begun.elapsed().as_secs_f64();
        println!("{on:?}: captured at {rate:.0} events/s, in this process, with what makes the documents");
        for pass in 0..3 {
            let (mut ten, mut million) = (Vec::new(), Vec::new());
            for at in 0..SMALL {
                let small = with_records(&app, OF_A_CODE, on).await;
                ten.push(first_look(&app, &small, 0).await);
                let serial = (pass * SMALL + at) * (lots.count / (3 * SMALL));
                million.push(first_look(&app, &lots, serial).await);
            }
            let (ten, million) = (median(ten), median(million));
            let ratio = million.as_secs_f64() / ten.as_secs_f64();
            println!("{on:?}: 10 records {ten:?}, {many} records {million:?}, ratio {ratio:.2}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn whereabouts_of_eight_million_codes_over_ten_thousand_shops() {
    let shops: u32 = std::env::var("COLDPROOF_SHOPS").map_or(10_000, |shops| shops.parse().unwrap());
    let app = TestApp::new().await;
    let goods = app.goods_of(&app.keys.importer, json!({ "quantities": { "item": 20_000_000 } })).await;
    let runs = app.order(goods.batch, json!({ "count": 8_000_000 })).await;
    let each = 8_000_000 / shops;
    let mut keys = Vec::new();
    for shop in 0..shops {
        let body = json!({ "legal_name": format!("门店 {shop}"), "roles": ["operator"], "country": "CN" });
        let organization = number(&app.post("/v1/organizations", "", body).await.expect(StatusCode::CREATED)["id"]);
        keys.push((organization, app.new_key(organization, "operator").await));
    }
    let spans = |shop: u32| -> Vec<(String, String)> {
        let (mut from, mut spans) = (shop * each, Vec::new());
        let to = from + each - 1;
        let mut start = 0;
        for run in &runs {
            let (first, last) = (from.max(start), to.min(start + run.count - 1));
            if first <= last {
                spans.push((app.code(&run.name, first - start), app.code(&run.name, last - start)));
                from = last + 1;
            }
            start += run.count;
        }
        spans
    };
    let goods_of = |shop: u32| -> Value {
        let spans: Vec<_> =
            spans(shop).into_iter().map(|(first, last)| json!({ "first": first, "last": last })).collect();
        json!({ "cp:spans": spans, "quantityList": [{ "epcClass": class(goods.batch), "quantity": each }] })
    };
    let ship = |shop: u32| {
        let party = format!("https://trace.example/organization/{}", keys[shop as usize].0);
        let to = json!({ "bizStep": "shipping", "disposition": "in_transit",
            "destinationList": [{ "type": "possessing_party", "destination": party }] });
        event(1, both(to, goods_of(shop)))
    };
    for first in (0..shops).step_by(DOCUMENT as usize) {
        let events = (first..shops.min(first + DOCUMENT as u32)).map(ship).collect();
        app.capture(&app.keys.importer, events).await.accepted();
    }
    for shop in 0..shops {
        let received = json!({ "bizStep": "receiving", "disposition": "sellable_not_accessible" });
        let events = vec![event(2, both(received, goods_of(shop)))];
        app.capture(&keys[shop as usize].1, events).await.accepted();
    }
    let path = format!("/v1/batches/{}/whereabouts?limit=0", goods.batch);
    for _ in 0..7 {
        let begun = Instant::now();
        let found = app.get(&path, &app.keys.importer).await.expect(StatusCode::OK);
        println!(
            "{} lines, {} holders in {:?}",
            found["lines_total"],
            found["holders"].as_array().unwrap().len(),
            begun.elapsed()
        );
    }
}
