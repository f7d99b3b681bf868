//! Copies: what scans count, what they notice, and who is told.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Run, TestApp, both, event, number, ring, span, text, texts};

/// Behind a proxy that tells regions.
async fn app() -> TestApp {
    TestApp::with(&["server.trusted_proxies=10.0.0.0/8", "server.region_header=x-geo-region"]).await
}

async fn scan_in(app: &TestApp, code: &str, region: &str) -> Value {
    // Each scan is another person's, whose address is nobody's business.
    let call = app.call("GET", &format!("/{code}")).from("10.0.0.1").header("x-geo-region", region);
    call.send().await.expect(StatusCode::OK)
}

async fn alerts(app: &TestApp, query: &str, key: &str) -> Value {
    app.get(&format!("/v1/alerts{query}"), key).await.expect(StatusCode::OK)
}

#[tokio::test]
async fn scans_in_many_provinces_raise_a_notice_and_an_alert_and_change_no_verdict() {
    let app = app().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    for region in ["CN-HN", "44", "CN-BJ"] {
        let scan = scan_in(&app, &first, region).await;
        assert_eq!((texts(&scan["notices"]), text(&scan["verdict"])), (Vec::<String>::new(), "genuine".to_owned()));
    }
    let scan = scan_in(&app, &first, "CN-XJ").await;
    assert_eq!((number(&scan["scans"]["count"]), number(&scan["scans"]["regions"])), (4, 4));
    assert_eq!((text(&scan["verdict"]), text(&scan["state"])), ("genuine".to_owned(), "active".to_owned()));
    assert_eq!(texts(&scan["notices"]).len(), 1, "{scan}");
    let page = app.call("GET", &format!("/{first}?lang=en")).header("accept", "text/html").send().await;
    assert!(page.text().contains("card noticed") && page.text().contains("Its label may have been copied"));
    let other = app.call("GET", &format!("/{first}?lang=zh")).header("accept", "text/html").send().await;
    assert!(other.text().contains("标签可能被复制"));

    assert_eq!(alerts(&app, "", &app.keys.importer).await["items"], json!([]), "nothing is written while scanning");
    assert_eq!(app.service.write_alerts().await.unwrap(), 1);
    let listed = alerts(&app, "", &app.keys.importer).await;
    let alert = &listed["items"][0];
    assert_eq!((text(&alert["code"]), text(&alert["notice"])), (first.clone(), "scanned_in_many_places".to_owned()));
    assert_eq!((number(&alert["batch"]), number(&alert["scans"]), number(&alert["regions"])), (goods.batch, 4, 4));
    assert_eq!(alerts(&app, "", &app.keys.inspector).await, listed);
    assert_eq!(alerts(&app, "", &app.keys.other).await["items"], json!([]), "others' goods");
    app.get("/v1/alerts", &app.keys.operator).await.refused(StatusCode::FORBIDDEN);
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_alert_is_told_once_whatever_is_scanned_and_restarted() {
    let app = app().await;
    let (_, Run { name, .. }) = app.run(10).await;
    for serial in 0..3 {
        for region in ["43", "44", "11", "65", "31"] {
            scan_in(&app, &app.code(&name, serial), region).await;
        }
    }
    assert_eq!(app.service.write_alerts().await.unwrap(), 3);
    app.service.flush_scans().await.unwrap();
    let app = app.restart(&ring()).await;
    app.call("GET", &format!("/{}", app.code(&name, 1))).send().await.expect(StatusCode::OK);
    assert_eq!(app.service.write_alerts().await.unwrap(), 0, "it was told before the restart");
    let newest = alerts(&app, "?limit=2", &app.keys.importer).await;
    let numbers =
        |page: &Value| page["items"].as_array().unwrap().iter().map(|it| number(&it["alert"])).collect::<Vec<_>>();
    assert_eq!((numbers(&newest), number(&newest["next"])), (vec![3, 2], 2));
    let rest = alerts(&app, "?limit=2&before=2", &app.keys.importer).await;
    assert_eq!((numbers(&rest), rest["next"].clone()), (vec![1], Value::Null));
    app.get("/v1/alerts?limit=0", &app.keys.importer).await.refused(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_region_from_anybody_but_a_trusted_proxy_is_not_believed() {
    let app = app().await;
    let (_, Run { first, .. }) = app.run(10).await;
    for region in ["43", "44", "11", "65", "31"] {
        let call = app.call("GET", &format!("/{first}")).from("203.0.113.9").header("x-geo-region", region);
        call.send().await.expect(StatusCode::OK);
    }
    let scan = scan_in(&app, &first, "nowhere").await;
    assert_eq!((number(&scan["scans"]["count"]), scan["scans"].get("regions")), (6, None), "{scan}");
    assert_eq!(texts(&scan["notices"]), Vec::<String>::new());
}

#[tokio::test]
async fn a_scan_after_the_sale_is_normal_and_says_so() {
    let app = app().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let sold = both(
        span(goods.batch, &first, &first, 1),
        json!({ "bizStep": "retail_selling", "disposition": "retail_sold" }),
    );
    app.capture(&app.keys.importer, vec![event(1, sold)]).await.accepted();
    app.move_clock(3_600_000);
    let scan = scan_in(&app, &first, "43").await;
    assert_eq!(texts(&scan["notices"]), ["Scanned after the sale: normal for a buyer."]);
    assert_eq!((text(&scan["verdict"]), text(&scan["state"])), ("genuine".to_owned(), "sold".to_owned()));
    let page = app.call("GET", &format!("/{first}?lang=zh")).header("accept", "text/html").send().await;
    assert!(page.text().contains("买家扫码属正常") && !page.text().contains("card noticed"));
}
