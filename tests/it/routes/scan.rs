//! Scans: the forms of a link, the forms of an answer, and every verdict.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{GTIN, Goods, LOT, Run, TestApp, ring, rotated_ring, silent::Silent, text, texts};

const OTHER_GTIN: &str = "09506000117843";

fn verdict(scan: &Value) -> (bool, String) {
    (scan["genuine"].as_bool().unwrap(), text(&scan["verdict"]))
}

fn genuine() -> (bool, String) {
    (true, "genuine".to_owned())
}

fn not(verdict: &str) -> (bool, String) {
    (false, verdict.to_owned())
}

/// A code as people read it aloud: lower case, hyphens, look-alikes.
fn spoken(code: &str) -> String {
    let groups: Vec<_> = code.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join("-").to_lowercase().replace('0', "o").replace('1', "l")
}

#[tokio::test]
async fn every_form_of_link_to_a_code_is_the_same_scan() {
    let app = TestApp::new().await;
    let (_, Run { first, .. }) = app.run(10).await;
    for path in [
        format!("/{first}"),
        format!("/{}", first.to_lowercase()),
        format!("/{}", spoken(&first)),
        format!("/{first}?s=Aabc&lang=en&utm_source=x"),
        format!("/01/{GTIN}/21/{first}"),
        format!("/01/{GTIN}/21/{}", spoken(&first)),
        format!("/01/{GTIN}/10/{LOT}/21/{first}"),
        format!("/01/{GTIN}/10/L%2D2026-07/21/{first}?s=Aabc"),
        format!("/01/{GTIN}/21/{first}?17=280702&linkType=all"),
    ] {
        let scan = app.scan(&path).await;
        assert_eq!((verdict(&scan), text(&scan["code"])), (genuine(), first.clone()), "{path}");
    }
}

#[tokio::test]
async fn a_code_under_another_product_or_lot_is_of_the_wrong_product() {
    let app = TestApp::new().await;
    let (_, Run { first, .. }) = app.run(10).await;
    let other = json!({ "gtin": OTHER_GTIN, "name_zh": "冻带鱼" });
    app.post("/v1/products", &app.keys.importer, other).await.expect(StatusCode::CREATED);
    for path in [
        format!("/01/{OTHER_GTIN}/21/{first}"),
        format!("/01/09506000134376/21/{first}"),
        format!("/01/{GTIN}/10/L-2026-08/21/{first}"),
        format!("/01/{OTHER_GTIN}/10/{LOT}/21/{first}"),
    ] {
        let scan = app.scan(&path).await;
        assert_eq!(verdict(&scan), not("wrong_product"), "{path}");
        assert_eq!(scan["state"], "active", "{path}: where the goods of the code are is still told");
        assert_eq!(texts(&scan["verdicts"]), ["wrong_product"], "{path}");
    }
    assert_eq!(verdict(&app.scan(&format!("/{first}")).await), genuine(), "what another link said is not kept");
}

#[tokio::test]
async fn what_is_no_link_is_400_where_its_syntax_is_wrong_and_404_where_nothing_is_there() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    for path in [
        "/01/09506000134353".to_owned(),
        format!("/01/{GTIN}/21/"),
        format!("/01/{GTIN}/21/{first}/10/{LOT}"),
        format!("/01/{GTIN}/21/{first}/21/{first}"),
        format!("/01/{GTIN}/10/%C3%A9/21/{first}"),
        format!("/01/{GTIN}/10/%zz/21/{first}"),
        format!("/01/{GTIN}/99/1/21/{first}"),
        format!("/01/{GTIN}/21/{first}?10={LOT}"),
        "/00/395060001343520019".to_owned(),
    ] {
        let problem = app.call("GET", &path).send().await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], "path", "{path}: {problem}");
    }
    for path in [
        "/nonsense".to_owned(),
        "/01/09506000134376".to_owned(),
        format!("/01/{GTIN}/10/nobody"),
        "/00/395060001343520018".to_owned(),
        "/batch/77".to_owned(),
        "/batch/0".to_owned(),
        "/v1/nothing".to_owned(),
        "/01/09506000134376/21/ABC".to_owned(),
    ] {
        app.call("GET", &path).send().await.refused(StatusCode::NOT_FOUND);
    }
    for (path, class) in [
        (format!("/01/{GTIN}"), "product"),
        (format!("/01/{GTIN}/10/{LOT}"), "lot"),
        (format!("/batch/{}", goods.batch), "batch"),
    ] {
        let answer = app.scan(&path).await;
        assert_eq!((text(&answer["class"]), answer.get("genuine")), (class.to_owned(), None), "{path}");
    }
    let serial = app.scan(&format!("/01/{GTIN}/21/ABC-1")).await;
    assert_eq!(verdict(&serial), not("forged"), "a serial under our GTIN that is no code of ours");
}

#[tokio::test]
async fn a_scan_is_answered_in_the_form_and_language_that_is_asked_for() {
    let app = TestApp::new().await;
    let (_, Run { first, .. }) = app.run(10).await;
    let path = format!("/01/{GTIN}/21/{first}");
    let ask = async |path: &str, accept: &str, lang: &str| {
        app.call("GET", path).header("accept", accept).header("accept-language", lang).send().await
    };
    for (accept, lang, words) in [
        ("text/html", "zh-CN,zh;q=0.9", ["冻南美白虾", "正品"]),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "en-GB", ["Vannamei shrimp", "Genuine"]),
    ] {
        let page = ask(&path, accept, lang).await;
        assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
        for word in words {
            assert!(page.text().contains(word), "{lang}: no {word} in {}", page.text());
        }
        assert!(page.text().contains(&first[16..]) && page.header("content-security-policy").contains("default-src"));
    }
    let switched = ask(&format!("{path}?lang=en"), "text/html", "zh").await;
    assert!(switched.text().contains("Vannamei shrimp"));
    for accept in ["application/json", "*/*", "application/json;q=0.9, text/html;q=0.1"] {
        let json = ask(&path, accept, "zh").await;
        assert_eq!(json.header("content-type"), "application/json", "{accept}");
        assert_eq!((verdict(&json.json()), json.header("cache-control")), (genuine(), "no-store"), "{accept}");
    }
    let refused = ask(&path, "image/png", "zh").await.refused(StatusCode::NOT_ACCEPTABLE);
    assert_eq!(refused["field"], "Accept");
    let missing = ask("/nonsense", "text/html", "en").await;
    assert_eq!((missing.status, missing.header("content-type")), (StatusCode::NOT_FOUND, "text/html; charset=utf-8"));
    app.call("POST", &path).send().await.refused(StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_code_with_a_changed_character_is_forged_wherever_it_stands() {
    let app = TestApp::with(&["rate.loopback_exempt=true"]).await;
    let (_, run) = app.run(10).await;
    let good = app.code(&run.name, 3);
    for at in 6..20 {
        let mut forged = good.clone().into_bytes();
        forged[at] = if forged[at] == b'7' { b'8' } else { b'7' };
        let forged = String::from_utf8(forged).unwrap();
        for path in [format!("/{forged}"), format!("/01/{GTIN}/21/{forged}"), format!("/01/{OTHER_GTIN}/21/{forged}")] {
            let scan = app.scan(&path).await;
            assert_eq!(verdict(&scan), not("forged"), "{path}");
            assert_eq!((&scan["state"], &scan["timeline"], &scan["batch"]), (&Value::Null, &Value::Null, &Value::Null));
            assert_eq!(scan["scans"]["count"], 0);
        }
    }
}

#[tokio::test]
async fn a_code_with_a_valid_tag_that_was_never_issued_is_told_so() {
    let app = TestApp::new().await;
    let (_, run) = app.run(10).await;
    assert_eq!(verdict(&app.scan(&format!("/{}", app.code(&run.name, 9))).await), genuine());
    assert_eq!(verdict(&app.scan(&format!("/{}", app.code(&run.name, 10))).await), not("not_issued"));
    let never = app.code("00000Z", 0);
    assert_eq!(verdict(&app.scan(&format!("/01/{GTIN}/21/{never}")).await), not("not_issued"), "a run of nobody");
}

#[tokio::test]
async fn labels_are_not_activated_until_their_application_is_reported_and_void_for_good() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let order = json!({ "count": 10, "activate": "on_report" });
    let Run { name, first, .. } = app.order(goods.batch, order).await.remove(0);
    let (third, last) = (app.code(&name, 2), app.code(&name, 9));
    let scan = app.scan(&format!("/{first}")).await;
    assert_eq!((verdict(&scan), text(&scan["state"])), ((true, "not_activated".to_owned()), "reserved".to_owned()));

    let spans = json!({ "spans": [{ "first": first, "last": third }] });
    app.move_clock(1_000);
    app.post(&format!("/v1/runs/{name}/applied"), &app.keys.importer, spans).await.expect(StatusCode::CREATED);
    for (code, expected) in [(&first, ("genuine", "active")), (&last, ("not_activated", "reserved"))] {
        let scan = app.scan(&format!("/{code}")).await;
        assert_eq!((text(&scan["verdict"]).as_str(), text(&scan["state"]).as_str()), expected, "{code}");
    }
    let spans = json!({ "spans": [{ "first": third, "last": third }, { "first": last, "last": last }] });
    app.move_clock(1_000);
    app.post(&format!("/v1/runs/{name}/void"), &app.keys.importer, spans.clone()).await.expect(StatusCode::CREATED);
    for code in [&third, &last] {
        let scan = app.scan(&format!("/{code}")).await;
        assert_eq!((texts(&scan["verdicts"]), text(&scan["state"])), (vec!["void".to_owned()], "void".to_owned()));
    }
    app.move_clock(1_000);
    app.post(&format!("/v1/runs/{name}/applied"), &app.keys.importer, spans).await.expect(StatusCode::CREATED);
    assert_eq!(app.status(&third).await, ("void".to_owned(), "void".to_owned()), "void is final");
}

#[tokio::test]
async fn goods_expire_on_the_day_after_the_last_date_in_the_configured_zone() {
    let app = TestApp::new().await;
    let (_, Run { first, .. }) = app.run(10).await;
    let path = format!("/{first}");
    for (time, expected) in [
        ("2028-06-30T12:00:00Z", "genuine"),
        ("2028-07-02T15:59:59.999Z", "genuine"),
        ("2028-07-02T16:00:00Z", "expired"),
        ("2028-07-02T15:59:59.999Z", "genuine"),
        ("2030-01-01T00:00:00Z", "expired"),
    ] {
        app.set_clock(time);
        let scan = app.scan(&path).await;
        assert_eq!((text(&scan["verdict"]).as_str(), &scan["genuine"]), (expected, &json!(true)), "{time}");
        let page = app.call("GET", &path).header("accept", "text/html").header("accept-language", "en").send().await;
        assert_eq!(page.text().contains("Genuine"), expected == "genuine", "{time}: the page says the same");
    }
}

#[tokio::test]
async fn what_can_not_be_looked_up_is_unverifiable_and_never_genuine() {
    let app = TestApp::new().await;
    let (_, Run { first, .. }) = app.run(10).await;
    let second = coldproof::code::key_table(
        coldproof::code::KeySlot::new(1).unwrap(),
        &[9, 8].repeat(16).try_into().unwrap(),
        "2026-05-01T00:00:00Z",
    );
    let app = app.restart(&second).await;
    assert_eq!(verdict(&app.scan(&format!("/{first}")).await), not("unverifiable"), "its key is not in the ring");

    let silent = Silent::default();
    let switch = silent.clone();
    let app = app.restart_over(&ring(), move |store| Arc::new(silent.over(store))).await;
    switch.fail_reads(true);
    let (scan, page) = (app.scan(&format!("/{first}")).await, page_of(&app, &first).await);
    assert_eq!(verdict(&scan), not("unverifiable"), "the store is silent");
    assert!(!page.contains("Genuine") && page.contains("cannot"), "{page}");
    let mut forged = first.clone();
    forged.replace_range(19.., if first.ends_with('0') { "1" } else { "0" });
    assert_eq!(verdict(&app.scan(&format!("/{forged}")).await), not("forged"), "a tag needs no store");
    switch.fail_reads(false);
    assert_eq!(verdict(&app.scan(&format!("/{first}")).await), genuine(), "silence is not kept");
}

#[tokio::test]
async fn after_a_long_silence_memory_is_told_with_its_age_and_nothing_is_green() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, .. }) = app.run(10).await;
    let silent = Silent::default();
    silent.share();
    let switch = silent.clone();
    let app = app.restart_over(&ring(), move |store| Arc::new(silent.over(store))).await;
    let (held, asked) = (app.code(&name, 1), app.code(&name, 2));
    let hold = json!({ "kind": "hold", "spans": [{ "first": held, "last": held }], "reason": "r", "notice": "n" });
    app.post("/v1/measures", &app.keys.inspector, hold).await.expect(StatusCode::CREATED);
    let mut follower = app.service.begin_following().await.unwrap().unwrap();
    let mut others = Vec::new();
    for code in [&first, &held] {
        others.push(app.scan(&format!("/{code}")).await);
        page_of(&app, code).await;
    }
    let batch = format!("/batch/{}", goods.batch);
    app.scan(&batch).await;

    switch.fail_reads(true);
    app.move_clock(9_999);
    assert!(app.service.follow(&mut follower).await.is_err());
    assert_eq!(app.scan(&format!("/{first}")).await["verdict"], "genuine", "it is not silent for long enough");
    app.move_clock(32_001);
    let scan = app.scan(&format!("/{first}")).await;
    assert_eq!(verdict(&scan), not("unverifiable"));
    assert_eq!((&scan["verdicts"], &scan["unconfirmed_s"]), (&json!(["unverifiable"]), &json!(42)));
    assert!(texts(&scan["reasons"])[0].contains("could not be confirmed"), "{scan}");
    assert_eq!((&scan["batch"], &scan["timeline"]), (&others[0]["batch"], &others[0]["timeline"]), "what is known");
    let scan = app.scan(&format!("/{held}")).await;
    assert_eq!((&scan["verdict"], &scan["verdicts"]), (&json!("on_hold"), &json!(["on_hold", "unverifiable"])));
    for (code, word) in [(&first, "Cannot be checked"), (&held, "On hold")] {
        let page = page_of(&app, code).await;
        assert!(page.contains(word) && page.contains("Data as of") && !page.contains("class=\"good\""), "{page}");
    }
    assert_eq!(app.scan(&batch).await["verdicts"], json!(["unverifiable"]));
    let codes = json!({ "codes": [first, held, asked] });
    let answer = app.call("POST", "/v1/verify").json(&codes).send().await.expect(StatusCode::OK);
    let verdicts: Vec<_> = answer["verdicts"].as_array().unwrap().iter().map(|it| text(&it["verdict"])).collect();
    assert_eq!(verdicts, ["unverifiable", "on_hold", "unverifiable"]);
    let unanswered = app.call("GET", &format!("/{asked}")).header("accept", "application/json").send().await;
    assert_eq!((unanswered.status, unanswered.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"));

    switch.fail_reads(false);
    assert!(app.service.follow(&mut follower).await.unwrap());
    for code in [&first, &asked] {
        assert_eq!(verdict(&app.scan(&format!("/{code}")).await), genuine(), "it answers again");
    }
    assert_eq!(app.scan(&batch).await["verdicts"], json!([]));
}

async fn page_of(app: &TestApp, code: &str) -> String {
    let page = app.call("GET", &format!("/{code}")).header("accept", "text/html").header("accept-language", "en");
    page.send().await.text().to_owned()
}

#[tokio::test]
async fn a_code_of_a_retired_key_verifies_and_says_so_and_new_codes_use_the_next_one() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    assert_eq!(app.scan(&format!("/{first}")).await["retired_key"], Value::Null);
    let app = app.restart(&rotated_ring()).await;
    for path in [format!("/{first}"), format!("/01/{GTIN}/21/{first}")] {
        let scan = app.scan(&path).await;
        assert_eq!((verdict(&scan), &scan["retired_key"]), (genuine(), &json!(true)));
        assert!(texts(&scan["reasons"]).iter().any(|reason| reason.contains("retired")), "{scan}");
    }
    assert!(page_of(&app, &first).await.contains("retired"));
    let Run { first: fresh, .. } = app.order(goods.batch, json!({ "count": 10 })).await.remove(0);
    assert!(fresh.starts_with("1") || fresh.starts_with("0") && fresh[..1] != first[..1] || fresh[..6] != first[..6]);
    let scan = app.scan(&format!("/{fresh}")).await;
    assert_eq!((verdict(&scan), &scan["retired_key"]), (genuine(), &Value::Null));
}

#[tokio::test]
async fn many_codes_are_verified_at_once_in_order_and_count_as_no_scan() {
    let app = TestApp::new().await;
    let (Goods { .. }, Run { name, first, .. }) = app.run(10).await;
    let beyond = app.code(&name, 10);
    let mut forged = first.clone();
    forged.replace_range(19.., if first.ends_with('0') { "1" } else { "0" });
    let codes = json!({ "codes": [first, spoken(&first), beyond, forged, "abc", ""] });
    let answer = app.call("POST", "/v1/verify").json(&codes).send().await.expect(StatusCode::OK);
    let verdicts: Vec<_> = answer["verdicts"].as_array().unwrap().iter().map(|it| text(&it["verdict"])).collect();
    assert_eq!(verdicts, ["genuine", "genuine", "not_issued", "forged", "forged", "forged"]);
    assert_eq!((&answer["verdicts"][1]["code"], &answer["verdicts"][4]["code"]), (&json!(first), &json!("abc")));
    assert_eq!(app.scan(&format!("/{first}")).await["scans"]["count"], 1);
    for codes in [json!([]), json!(vec!["x"; 10_001])] {
        let body = json!({ "codes": codes });
        app.call("POST", "/v1/verify").json(&body).send().await.refused(StatusCode::BAD_REQUEST);
    }
}
