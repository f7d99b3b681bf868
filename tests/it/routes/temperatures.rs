//! Temperatures from the logger's file to the scan.

use std::fmt::Write as _;

use axum::http::StatusCode;
use coldproof::limits::{LOGGER_BYTES_MAX, LOGGER_LINES_MAX};
use serde_json::{Value, json};

use super::{Reply, TestApp, class, event, number, text};

/// A logger's file from 2026-05-20T00:00 in China: each temperature for so many minutes, one reading every five.
fn file(holds: &[(f64, i64)]) -> String {
    file_from("2026-05-19T16:00:00Z", holds)
}

fn file_from(start: &str, holds: &[(f64, i64)]) -> String {
    let mut file = "Serial No.;EF5A0012\nTime Zone;UTC+08:00\n\nNo.;Time;Temp (°C)\n".to_owned();
    let start: jiff::Timestamp = start.parse().unwrap();
    let mut minute = 0;
    for (celsius, minutes) in holds {
        for _ in 0..minutes / 5 {
            let at = start + jiff::SignedDuration::from_mins(minute + 480);
            let celsius = celsius.to_string().replace('.', ",");
            writeln!(file, "{};{};{celsius}", minute / 5 + 1, at.strftime("%Y-%m-%d %H:%M:%S")).unwrap();
            minute += 5;
        }
    }
    file
}

async fn upload(app: &TestApp, path: &str, key: &str, file: impl Into<axum::body::Body>) -> Reply {
    app.call("POST", path).key(key).body("text/csv", file).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loggers_file_says_minimum_maximum_mean_and_minutes_and_shows_on_every_scan() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let path = format!("/v1/batches/{}/temperatures", goods.batch);
    let mild = file(&[(-20.0, 60), (-16.5, 30), (-20.0, 30)]);
    let reply = upload(&app, &path, &app.keys.importer, mild.clone()).await.expect(StatusCode::CREATED);
    assert_eq!((&reply["min"], &reply["max"], &reply["mean"]), (&json!(-20.0), &json!(-16.5), &json!(-19.09)));
    assert_eq!((&reply["minutes_outside"], &reply["minutes_above"]), (&json!(30), &json!(30)));
    assert_eq!((&reply["minutes_below"], &reply["broken"]), (&Value::Null, &json!(false)));
    assert_eq!((&reply["readings"], &reply["limits"]), (&json!(24), &json!({ "min": null, "max": -18.0 })));
    assert_eq!(reply["device"], "https://w3id.org/coldproof/1/device/EF5A0012");
    assert_eq!(reply["events"].as_array().unwrap().len(), 1);

    let scan = app.scan(&format!("/{}", run.first)).await;
    let cold = &scan["cold_chain"];
    assert_eq!(
        (&scan["verdict"], &cold["broken"], &cold["confirmed"]),
        (&json!("genuine"), &json!(false), &json!(true))
    );
    assert_eq!((&cold["from"], &cold["to"]), (&json!("2026-05-19T16:00:00Z"), &json!("2026-05-19T17:55:00Z")));
    assert_eq!(
        cold["excursions"],
        json!([{ "side": "above", "from": "2026-05-19T17:00:00Z", "to": "2026-05-19T17:30:00Z", "peak": -16.5, "minutes": 30 }])
    );
    assert!(scan["timeline"]["lines"].as_array().unwrap().iter().any(|line| line["biz_step"] == "sensor_reporting"));

    // The same file again changes nothing.
    let keys = app.stored_keys().await;
    let again = upload(&app, &path, &app.keys.importer, mild).await.expect(StatusCode::CREATED);
    assert_eq!((&again["events"], app.stored_keys().await), (&reply["events"], keys));

    // A later, warmer hour and a quarter breaks the chain; the page says so with the curve.
    let warm = file(&[(-20.0, 180), (-12.0, 75), (-20.0, 30)]);
    let reply = upload(&app, &path, &app.keys.importer, warm).await.expect(StatusCode::CREATED);
    assert_eq!(reply["broken"], true);
    let scan = app.scan(&format!("/{}", run.first)).await;
    assert_eq!((&scan["verdict"], &scan["genuine"]), (&json!("cold_chain_broken"), &json!(true)));
    assert_eq!(scan["verdicts"], json!(["cold_chain_broken"]));
    let reasons = scan["reasons"].to_string();
    assert!(
        reasons.contains("More than 3 °C warmer than the limit of −18 °C for 1 h 15 min at a stretch"),
        "{reasons}"
    );
    let page = app.call("GET", &format!("/{}?lang=en", run.first)).header("accept", "text/html").send().await;
    let page = page.text();
    assert!(
        page.contains("<svg class=\"curve\"") && page.contains("Cold chain broken") && !page.contains("style="),
        "{page}"
    );
    let batch = app.scan(&format!("/batch/{}", goods.batch)).await;
    assert_eq!((&batch["verdicts"], &batch["cold_chain"]), (&json!(["cold_chain_broken"]), &scan["cold_chain"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_of_others_are_shown_and_decide_nothing() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let path = format!("/v1/batches/{}/temperatures", goods.batch);
    let hot = || file(&[(10.0, 600)]);
    let reply = upload(&app, &path, &app.keys.operator, hot()).await.expect(StatusCode::CREATED);
    assert_eq!((&reply["broken"], &reply["confirmed"]), (&json!(true), &json!(false)));
    let scan = app.scan(&format!("/{}", run.first)).await;
    assert_eq!((&scan["verdict"], &scan["cold_chain"]["max"]), (&json!("genuine"), &json!(10.0)));
    assert_eq!((&scan["cold_chain"]["confirmed"], &scan["cold_chain"]["broken"]), (&json!(false), &json!(false)));

    // The importer's own word stands in their place.
    upload(&app, &path, &app.keys.importer, file(&[(-20.0, 60)])).await.expect(StatusCode::CREATED);
    let cold = app.scan(&format!("/{}", run.first)).await["cold_chain"].clone();
    assert_eq!((&cold["max"], &cold["confirmed"]), (&json!(-20.0), &json!(true)));

    // An inspector's counts, and what was declared in error counts no more.
    let reported = upload(&app, &path, &app.keys.inspector, hot()).await.expect(StatusCode::CREATED);
    assert_eq!(app.status(&run.first).await.0, "cold_chain_broken");
    let id = text(&reported["events"][0]);
    let id = id.replace('/', "%2F").replace(';', "%3B").replace('?', "%3F").replace(':', "%3A").replace('=', "%3D");
    let document = app.get(&format!("/epcis/events/{id}"), &app.keys.inspector).await.expect(StatusCode::OK);
    let mut declared = document["epcisBody"]["eventList"].as_array().unwrap().last().unwrap().clone();
    declared["errorDeclaration"] = json!({ "declarationTime": "2026-06-01T00:00:00Z", "reason": "did_not_occur" });
    app.capture(&app.keys.inspector, vec![declared]).await.accepted();
    assert_eq!(app.status(&run.first).await.0, "genuine");
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_come_as_json_and_as_epcis_too() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let path = format!("/v1/batches/{}/temperatures", goods.batch);
    let body = json!({ "device": "urn:x:sensor-1", "zone": "+08:00", "readings": [
        { "time": "2026-05-20T00:10:00+08:00", "celsius": -18.5 }, { "time": "2026-05-20T00:05:00+08:00", "celsius": null },
        { "time": "2026-05-20T00:00:00+08:00", "celsius": -19.5 } ] });
    let reply = app.post(&path, &app.keys.importer, body).await.expect(StatusCode::CREATED);
    assert_eq!((&reply["mean"], &reply["skipped"], &reply["out_of_order"]), (&json!(-19.5), &json!(1), &json!(1)));
    let sensed = event(
        -60,
        json!({ "bizStep": "inspecting", "quantityList": [{ "epcClass": class(goods.batch) }],
        "sensorElementList": [{ "sensorReport": [{ "type": "Temperature", "value": 5, "uom": "FAH" }] }] }),
    );
    app.capture(&app.keys.importer, vec![sensed]).await.accepted();
    let cold = app.scan(&format!("/{}", run.first)).await["cold_chain"].clone();
    assert_eq!(
        (&cold["max"], &cold["readings"], &cold["gaps"].as_array().map(Vec::len)),
        (&json!(-15.0), &json!(3), &Some(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn units_of_every_kind_take_readings() {
    let app = TestApp::new().await;
    for unit in ["095060001234567893", "CSQU3054383", "09506000134352A7"] {
        let path = format!("/v1/units/{unit}/temperatures");
        let reply = upload(&app, &path, &app.keys.operator, file(&[(-20.0, 60)])).await.expect(StatusCode::CREATED);
        assert_eq!((&reply["min"], &reply["minutes_outside"]), (&json!(-20.0), &Value::Null), "{unit}");
        assert_eq!(reply.get("confirmed"), None);
    }
    for unit in ["095060001234567890", "CSQU3054384", "pallet"] {
        let path = format!("/v1/units/{unit}/temperatures");
        let problem =
            upload(&app, &path, &app.keys.operator, file(&[(-20.0, 60)])).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], "path", "{unit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_readings_are_refused_with_position_field_and_reason() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let path = format!("/v1/batches/{}/temperatures", goods.batch);
    let keys = app.stored_keys().await;
    let row = "time,temp (C)\n2026-05-20 10:00,";
    for (query, file, field) in [
        ("", "time,temp (C)\n".to_owned(), "line 1"),
        ("", "nothing\n".to_owned(), "body"),
        ("", format!("{row}-18\n"), "zone"),
        ("?zone=Beijing", format!("{row}-18\n"), "zone"),
        ("?zone=+08:00&date_order=x", format!("{row}-18\n"), "date_order"),
        ("?zone=+08:00&unit=R", format!("{row}-18\n"), "unit"),
        ("?zone=+08:00", format!("{row}-18\n2126-05-20 10:00,-18\n"), "line 3, column 1 (time)"),
        ("?zone=+08:00", format!("{row}255.15\n"), "line 2, column 2 (temp (C))"),
        ("?zone=+08:00", "time,temp (C)\n05/04/2026 10:00,1\n".to_owned(), "date_order"),
    ] {
        let reply = upload(&app, &format!("{path}{query}"), &app.keys.importer, file).await;
        let problem = reply.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], field, "{problem}");
    }
    let long = format!("{row}{}", "1\n2026-05-20 10:00,".repeat(LOGGER_LINES_MAX));
    let problem = upload(&app, &format!("{path}?zone=+08:00"), &app.keys.importer, long).await;
    let problem = problem.refused(StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem["field"], format!("line {}", LOGGER_LINES_MAX + 1));
    let huge = vec![b'\n'; LOGGER_BYTES_MAX + 1];
    let problem = upload(&app, &path, &app.keys.importer, huge).await.refused(StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem["field"], "body");
    for (body, field) in [
        (json!({ "readings": [] }), "/readings"),
        (json!({ "readings": [{ "time": "2026-05-20 10:00", "celsius": 1 }] }), "/readings/0/time"),
        (json!({ "readings": [{ "time": "2126-05-20T10:00:00Z", "celsius": 1 }] }), "/readings/0/time"),
        (json!({ "readings": [{ "time": "2026-05-20T10:00:00Z", "celsius": 300 }] }), "/readings/0/celsius"),
        (json!({ "readings": [{ "time": "2026-05-20T10:00:00Z", "celsius": null }] }), "/readings"),
        (json!({ "zone": "8", "readings": [{ "time": "2026-05-20T10:00:00Z", "celsius": 1 }] }), "/zone"),
    ] {
        let problem = app.post(&path, &app.keys.importer, body.clone()).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], field, "{body}: {problem}");
    }
    let other = format!("/v1/batches/{}/temperatures", number(&json!(goods.batch)) + 1000);
    upload(&app, &other, &app.keys.importer, file(&[(1.0, 5)])).await.refused(StatusCode::NOT_FOUND);
    upload(&app, &path, "", file(&[(1.0, 5)])).await.refused(StatusCode::FORBIDDEN);
    assert_eq!(app.stored_keys().await, keys);
}

/// Of a normal day: 1,000 units with 40 days at five-minute steps each. `--ignored --nocapture` prints what a tenth costs.
#[ignore = "measures"]
#[tokio::test(flavor = "multi_thread")]
async fn a_tenth_of_a_days_loggers() {
    let app = TestApp::new().await;
    let whole = file_from("2026-04-20T16:00:00Z", &[(-20.0, 20_000), (-18.5, 20_000), (-19.5, 17_600)]);
    let started = std::time::Instant::now();
    for unit in 0..100 {
        let body = format!("09506000123456{unit:03}");
        let sscc = format!("{body}{}", coldproof::code::check_digit(&body).unwrap());
        let path = format!("/v1/units/{sscc}/temperatures");
        let reply = upload(&app, &path, &app.keys.operator, whole.clone()).await.expect(StatusCode::CREATED);
        assert_eq!(reply["readings"], 11_520);
    }
    println!("100 files of {} bytes: {:?}", whole.len(), started.elapsed());
}
