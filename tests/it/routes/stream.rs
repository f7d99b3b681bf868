//! Codes as a stream: every form, resumed anywhere, and no faster than it is read.

use axum::http::StatusCode;
use coldproof::limits::STREAM_PIECE_BYTES;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{GTIN, Run, TestApp};

const COUNT: u32 = 5_000;

async fn whole(app: &TestApp, path: &str) -> String {
    let reply = app.get(path, &app.keys.importer).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
    reply.text().to_owned()
}

#[tokio::test]
async fn every_form_names_every_code_of_the_run_once_and_in_order() {
    let app = TestApp::new().await;
    let (_, Run { name, .. }) = app.run(COUNT).await;
    let codes = |form: &str| format!("/v1/runs/{name}/codes?form={form}");
    let expected: Vec<_> = (0..COUNT).map(|serial| app.code(&name, serial)).collect();
    let link = |code: &str| format!("HTTPS://TRACE.EXAMPLE/01/{GTIN}/21/{code}");
    let lines = async |form: &str| whole(&app, &codes(form)).await.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
    assert_eq!(lines("code").await, expected);
    assert_eq!(lines("uri").await, expected.iter().map(|code| link(code)).collect::<Vec<_>>());
    assert_eq!(whole(&app, &format!("/v1/runs/{name}/codes")).await, whole(&app, &codes("uri")).await);
    let csv = lines("csv").await;
    assert_eq!((csv[0].as_str(), csv.len()), ("code,serial,uri", expected.len() + 1));
    let ndjson = lines("ndjson").await;
    for (serial, code) in expected.iter().enumerate() {
        assert_eq!(csv[serial + 1], format!("{code},{serial},{}", link(code)));
        let line: Value = serde_json::from_str(&ndjson[serial]).unwrap();
        assert_eq!(line, json!({ "code": code, "serial": serial, "uri": link(code) }));
    }
}

#[tokio::test]
async fn a_download_goes_on_byte_for_byte_wherever_it_broke_off() {
    let app = TestApp::new().await;
    let goods = app.goods().await;
    let first = app.order(goods.batch, json!({ "count": COUNT })).await.remove(0);
    let second = app.order(goods.batch, json!({ "count": 10 })).await.remove(0);
    for (path, count) in [
        (format!("/v1/runs/{}/codes", first.name), COUNT),
        (format!("/v1/batches/{}/codes", goods.batch), COUNT + second.count),
    ] {
        for form in ["uri", "code", "csv", "ndjson"] {
            let all = whole(&app, &format!("{path}?form={form}")).await;
            for broken in [1, 2_047, COUNT - 1, COUNT, count] {
                let one = whole(&app, &format!("{path}?form={form}&count={broken}")).await;
                let rest = whole(&app, &format!("{path}?form={form}&from={broken}")).await;
                assert!(one + &rest == all, "{path} {form}, broken off after {broken}");
            }
            let pages = [(0, 4_000), (4_000, 4_000)];
            let mut paged = String::new();
            for (from, count) in pages {
                paged += &whole(&app, &format!("{path}?form={form}&from={from}&count={count}")).await;
            }
            assert!(paged == all, "{path} {form}, in pages");
        }
    }
    let of_batch = whole(&app, &format!("/v1/batches/{}/codes?form=code", goods.batch)).await;
    assert!(of_batch.ends_with(&format!("{}\n", second.last)), "runs follow one another");
}

#[tokio::test]
async fn what_can_not_be_streamed_is_refused_by_name() {
    let app = TestApp::new().await;
    let (goods, Run { name, .. }) = app.run(10).await;
    for (path, field) in [
        (format!("/v1/runs/{name}/codes?form=xml"), "form"),
        (format!("/v1/runs/{name}/codes?from=11"), "from"),
        (format!("/v1/runs/{name}/codes?count=0"), "count"),
        (format!("/v1/runs/{name}/codes?first=3"), "first"),
        (format!("/v1/runs/{name}/codes?from=-1"), "from"),
        ("/v1/runs/00/codes".to_owned(), "run"),
        (format!("/v1/batches/{}/codes?from=11", goods.batch), "from"),
    ] {
        let problem = app.get(&path, &app.keys.importer).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(problem["field"], field, "{path}: {problem}");
    }
    app.get(&format!("/v1/runs/{name}/codes"), &app.keys.other).await.refused(StatusCode::NOT_FOUND);
    app.get(&format!("/v1/batches/{}/codes", goods.batch), &app.keys.other).await.refused(StatusCode::NOT_FOUND);
    app.get("/v1/runs/00003Z/codes", &app.keys.importer).await.refused(StatusCode::NOT_FOUND);
    app.call("GET", &format!("/v1/runs/{name}/codes")).send().await.refused(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn pieces_are_made_only_when_they_are_asked_for() {
    let app = TestApp::new().await;
    let goods = app.goods_of(&app.keys.importer, json!({ "quantities": { "item": 20_000_000 } })).await;
    app.order(goods.batch, json!({ "count": 9_000_000 })).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let path = format!("/v1/batches/{}/codes?form=code", goods.batch);
    let response = app.call("GET", &path).key(&app.keys.importer).open().await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut pieces = response.into_body().into_data_stream();
    let mut read = 0;
    for _ in 0..5 {
        let piece = pieces.next().await.unwrap().unwrap();
        assert!(piece.len() <= STREAM_PIECE_BYTES, "{} bytes", piece.len());
        assert!(piece.ends_with(b"\n"), "a piece ends with a line");
        read += piece.len();
        assert_eq!(tasks(), before, "nobody runs ahead of the reader");
    }
    assert!(read > 4 * (STREAM_PIECE_BYTES - 1_024), "{read} bytes in five pieces: they are not small either");
}
