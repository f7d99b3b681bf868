//! Captures too large for memory, bodies that never come whole, and what a refused document leaves behind: nothing.

use std::time::Duration;

use axum::{body::Body, http::StatusCode};
use coldproof::{
    config::{Config, parse_setting},
    http::serve::{Signal, serve},
    limits::{CAPTURE_MEMORY_BYTES_MAX, CAPTURES_KIB_MAX},
    trace::CaptureId,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::{Goods, Reply, Run, TestApp, both, document, event, lay_over, span, text};

/// A document's text, made too large for memory by what means nothing.
fn spread(document: &Value) -> String {
    let text = document.to_string();
    let (head, tail) = text.split_at(text.find("\"epcisBody\"").unwrap());
    format!("{head}{}{tail}", " \n".repeat(CAPTURE_MEMORY_BYTES_MAX / 2 + 1))
}

async fn post(app: &TestApp, key: &str, body: impl Into<Body>) -> Reply {
    app.call("POST", "/epcis/capture").key(key).body("application/json", body).send().await
}

fn files(app: &TestApp) -> usize {
    std::fs::read_dir(app.store_folder().join("spool")).map(Iterator::count).unwrap_or_default()
}

/// An observation of one code at a second of its own.
fn observed(goods: Goods, code: &str, second: u32) -> Value {
    let time = format!("2026-06-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
    event(0, both(span(goods.batch, code, code, 1), json!({ "bizStep": "inspecting", "eventTime": time })))
}

fn id(job: &str) -> CaptureId {
    let digits: Vec<_> = (0..32).map(|at| u8::from_str_radix(&job[2 * at..2 * at + 2], 16).unwrap()).collect();
    CaptureId(digits.try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_in_a_file_is_the_same_capture_as_in_memory() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let document = document((0..3).map(|second| observed(goods, &first, second)).collect());
    let job = post(&app, &app.keys.importer, spread(&document)).await.accepted();
    let keys = app.stored_keys().await;
    assert_eq!(post(&app, &app.keys.importer, document.to_string()).await.accepted(), job);
    assert_eq!(post(&app, &app.keys.importer, spread(&document)).await.accepted(), job);
    assert_eq!((app.stored_keys().await, files(&app)), (keys, 0));
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_in_a_file_with_one_wrong_event_takes_no_effect_at_all() {
    let app = TestApp::new().await;
    let (goods, Run { name, first, .. }) = app.run(10).await;
    let beyond = app.code(&name, 10);
    let many = |wrong: Value| {
        let mut events: Vec<_> = (0..3_000).map(|second| observed(goods, &first, second)).collect();
        events.push(wrong);
        document(events)
    };
    let keys = app.stored_keys().await;
    for (wrong, field) in [
        (observed(goods, &beyond, 1), "/epcisBody/eventList/3000/cp:spans/0/first"),
        (json!({ "type": "ObjectEvent" }), "/epcisBody/eventList/3000"),
        (json!("x"), "/epcisBody/eventList/3000"),
    ] {
        let refused = post(&app, &app.keys.importer, spread(&many(wrong))).await.refused(StatusCode::BAD_REQUEST);
        assert_eq!(refused["field"], field, "{refused}");
        assert_eq!((app.stored_keys().await, files(&app)), (keys, 0));
    }
    let cut = spread(&many(observed(goods, &first, 1)));
    post(&app, &app.keys.importer, cut[..cut.len() - 2].to_owned()).await.refused(StatusCode::BAD_REQUEST);
    post(&app, &app.keys.importer, spread(&document(vec![]))).await.refused(StatusCode::BAD_REQUEST);
    assert_eq!((app.stored_keys().await, files(&app)), (keys, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_of_many_small_events_is_staged_from_memory_and_may_state_one_twice() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let events = (0..4_000).map(|second| observed(goods, &first, second % 3_000)).collect();
    let document = document(events).to_string();
    assert!(document.len() <= CAPTURE_MEMORY_BYTES_MAX);
    let job = post(&app, &app.keys.importer, document).await.accepted();
    let capture = app.store.capture(id(&job)).await.unwrap().unwrap();
    assert!(capture.records == 4_000 && capture.chunks > 1, "{capture:?}");
    let timeline = app.get(&format!("/v1/codes/{first}/timeline"), &app.keys.inspector).await.expect(StatusCode::OK);
    assert!(timeline["lines_total"].as_u64().unwrap() >= 3_000);
    assert!(timeline["lines_total"].as_u64().unwrap() < 3_100);
    assert_eq!(app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_document_over_the_operators_limit_is_refused_whether_or_not_it_says_its_length() {
    let limit = format!("capture.document_bytes_max={}", CAPTURE_MEMORY_BYTES_MAX + 10);
    let app = TestApp::with(&[&limit]).await;
    let body = || vec![b' '; CAPTURE_MEMORY_BYTES_MAX + 11];
    post(&app, &app.keys.importer, body()).await.refused(StatusCode::PAYLOAD_TOO_LARGE);
    let pieces = body().chunks(100_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let streamed = Body::from_stream(futures_util::stream::iter(pieces));
    post(&app, &app.keys.importer, streamed).await.refused(StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(files(&app), 0);
}

#[tokio::test]
async fn a_disk_that_takes_no_file_is_said_and_nothing_is_changed() {
    let app = TestApp::with(&["capture.spool_folder=/dev/null/spool"]).await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let keys = app.stored_keys().await;
    let refused = post(&app, &app.keys.importer, spread(&document(vec![observed(goods, &first, 1)]))).await;
    refused.refused(StatusCode::SERVICE_UNAVAILABLE);
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(app.stored_keys().await, keys);
    app.capture(&app.keys.importer, vec![observed(goods, &first, 1)]).await.accepted();
}

#[tokio::test]
async fn captures_wait_for_memory_and_are_then_told_to_come_again() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let all = app.service.captures.acquire_many(CAPTURES_KIB_MAX).await.unwrap();
    let refused = app.capture(&app.keys.importer, vec![observed(goods, &first, 1)]).await;
    refused.refused(StatusCode::SERVICE_UNAVAILABLE);
    assert!(!refused.header("retry-after").is_empty());
    drop(all);
    app.capture(&app.keys.importer, vec![observed(goods, &first, 1)]).await.accepted();
    assert_eq!(app.service.captures.available_permits(), CAPTURES_KIB_MAX as usize);
}

/// Begins a capture on a socket of its own, whose body never comes whole, and gives its answer, if there is one.
async fn unfinished(app: &TestApp, declared: &str, sent: &[u8], hang_up: bool) -> String {
    let server = Config::load(None, [], &[parse_setting("server.receive_timeout_ms=200").unwrap()]).unwrap().server;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (signals, received) = mpsc::channel(1);
    let router = app.router.clone();
    let serving = tokio::spawn(async move { serve(listener, None, router, &server, received).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /epcis/capture HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n{declared}\r\n\r\n",
        app.keys.importer
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    if hang_up {
        drop(stream);
    } else {
        let _ = stream.read_to_end(&mut answer).await;
    }
    signals.send(Signal).await.unwrap();
    serving.await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_never_comes_whole_leaves_nothing_behind() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    let text = spread(&document(vec![observed(goods, &first, 1)]));
    let (length, keys) = (format!("content-length: {}", text.len()), app.stored_keys().await);
    let half = &text.as_bytes()[..text.len() - 50];
    let chunk = [format!("{:x}\r\n", half.len()).as_bytes(), half, b"\r\n"].concat();
    let small = b"{\"@context\":[]".to_vec();
    for (declared, sent) in
        [(length.as_str(), half.to_vec()), ("transfer-encoding: chunked", chunk), ("content-length: 5000", small)]
    {
        let answer = unfinished(&app, declared, &sent, false).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("broke off"), "{declared}: {answer}");
        unfinished(&app, declared, &sent, true).await;
        for _ in 0..1_000 {
            if files(&app) == 0 && app.service.captures.available_permits() == CAPTURES_KIB_MAX as usize {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!((files(&app), app.service.captures.available_permits()), (0, CAPTURES_KIB_MAX as usize));
        assert_eq!(app.stored_keys().await, keys, "{declared}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_document_takes_nothing_of_the_rate_at_which_others_ledgers_grow_nor_does_a_repeated_one() {
    let app = TestApp::new().await;
    let (goods, Run { first, .. }) = app.run(10).await;
    // As many as one organization may add to one ledger at once.
    let burst: Vec<_> = (0..5_000).map(|second| observed(goods, &first, second)).collect();
    let mut wrong = burst.clone();
    wrong.push(json!({ "type": "ObjectEvent" }));
    for text in [document(wrong.clone()).to_string(), spread(&document(wrong))] {
        post(&app, &app.keys.operator, text).await.refused(StatusCode::BAD_REQUEST);
    }
    let mut more = burst.clone();
    more.push(observed(goods, &first, 6_000));
    app.capture(&app.keys.operator, more).await.refused(StatusCode::TOO_MANY_REQUESTS);
    let job = app.capture(&app.keys.operator, burst.clone()).await.accepted();
    assert_eq!(
        app.capture(&app.keys.operator, burst.clone()).await.accepted(),
        job,
        "nothing is left, and it asks nothing"
    );
    assert_eq!(post(&app, &app.keys.operator, spread(&document(burst))).await.accepted(), job);
    let one = vec![observed(goods, &first, 7_000)];
    app.capture(&app.keys.operator, one).await.refused(StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_document_leaves_issued_totals_as_they_were_and_a_repeated_one_counts_once() {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10).await;
    let full = Goods { batch: app.batch(&app.keys.importer, goods, json!({ "line": 2 })).await, ..goods };
    let replaced = app.order(full.batch, json!({ "count": 20_000 })).await.remove(0);
    let void = |goods: Goods, run: &Run| {
        let void = json!({ "action": "DELETE", "bizStep": "decommissioning", "disposition": "inactive" });
        event(10, both(span(goods.batch, &run.first, &run.last, run.count), void))
    };
    let in_error = |mut void: Value| {
        lay_over(&mut void, json!({ "errorDeclaration": { "declarationTime": "2026-06-01T00:30:00Z" } }));
        void
    };
    let voids = [void(goods, &run), void(full, &replaced)];
    app.capture(&app.keys.importer, voids.to_vec()).await.accepted();
    app.order(full.batch, json!({ "count": 10_000 })).await;
    let [free, taken] = voids.map(in_error);
    let totals = async || {
        let of = async |batch| app.store.claim(&format!("issued/{batch}")).await.unwrap();
        [of(goods.batch).await, of(full.batch).await]
    };
    let before = totals().await;
    let refused = app.capture(&app.keys.importer, vec![free.clone(), taken]).await.refused(StatusCode::FORBIDDEN);
    assert!(text(&refused["detail"]).contains("replaced by others"), "{refused}");
    assert_eq!(totals().await, before, "one batch had room and the other had not");
    app.capture(&app.keys.importer, vec![free.clone(), json!({})]).await.refused(StatusCode::BAD_REQUEST);
    assert_eq!(totals().await, before);
    let job = app.capture(&app.keys.importer, vec![free.clone()]).await.accepted();
    let after = totals().await;
    assert_ne!(after, before);
    assert_eq!(app.capture(&app.keys.importer, vec![free.clone()]).await.accepted(), job);
    app.capture(&app.keys.importer, vec![free, observed(goods, &run.first, 1)]).await.accepted();
    assert_eq!(totals().await, after, "a declaration that is there already takes nothing again");
}
