//! `/healthz`, `/readyz`, `/metrics`: for whoever keeps the service running.

use axum::{
    Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::{App, error::Problem, router::other_method};
use crate::trace::Notice;

/// Upper bounds of the histogram's buckets, in seconds: from a cached scan to the answer timeout.
const SECONDS_BUCKETS: [f64; 12] = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 2.0, 10.0];

/// A claim that nobody makes: reading it asks the store for a sign of life.
const NO_CLAIM: &str = "readyz";

/// Makes this process count. To be called once, before the first request.
///
/// # Errors
/// When metrics are counted already.
pub fn install_metrics() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    let handle = PrometheusBuilder::new().set_buckets(&SECONDS_BUCKETS)?.install_recorder()?;
    metrics::describe_counter!("coldproof_http_requests_total", "Requests answered, by route, kind and status class");
    metrics::describe_histogram!("coldproof_http_request_seconds", "From a request to the head of its answer");
    metrics::describe_counter!("coldproof_rate_refusals_total", "Requests refused by the rate limit");
    metrics::describe_gauge!("coldproof_store_writable", "1 where the store takes writes, 0 once one has failed");
    metrics::describe_counter!(
        "coldproof_store_requests_total",
        "Requests to the cluster, by table, and read, write or swap"
    );
    metrics::describe_gauge!(
        "coldproof_store_silent_seconds",
        "How long nothing was heard of what other servers write"
    );
    metrics::describe_counter!("coldproof_copy_notices_total", "Codes whose scans told of copies, by notice");
    metrics::describe_counter!("coldproof_failed_tags_total", "Codes with a wrong tag: mistyped, or guessed");
    metrics::describe_counter!(
        "coldproof_store_errors_total",
        "Requests that the store could not do, by what was wrong"
    );
    metrics::describe_gauge!("coldproof_build_info", "1, with the version of the program");
    metrics::gauge!("coldproof_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    show_zeros();
    Ok(handle)
}

/// What has not happened yet is shown as zero, so that an alert sees the first time too.
fn show_zeros() {
    metrics::counter!("coldproof_rate_refusals_total").increment(0);
    metrics::counter!("coldproof_failed_tags_total").increment(0);
    for notice in [Notice::ScannedOften, Notice::ScannedInManyPlaces] {
        metrics::counter!("coldproof_copy_notices_total", "notice" => notice.word()).increment(0);
    }
    for error in ["damaged", "unavailable"] {
        metrics::counter!("coldproof_store_errors_total", "error" => error).increment(0);
    }
}

/// The three routes.
pub fn routes(metrics: PrometheusHandle) -> Router<App> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(move |State(app): State<App>| async move { render(&app, &metrics) }))
        .method_not_allowed_fallback(other_method)
}

/// The process answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The process can do its work: the store answers, and takes writes.
async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    app.service.store.claim(NO_CLAIM).await?;
    if !app.service.store.writable() {
        return Err(Problem::unavailable(
            "The store takes no writes: one failed (the log says why; restart it), or it was retired.",
        ));
    }
    Ok("ready\n")
}

fn render(app: &App, metrics: &PrometheusHandle) -> Response {
    let silent_ms = app.service.heard.silent_ms(app.service.now_ms()).unwrap_or_default();
    metrics::gauge!("coldproof_store_silent_seconds").set(silent_ms as f64 / 1_000.0);
    metrics::gauge!("coldproof_store_writable").set(if app.service.store.writable() { 1.0 } else { 0.0 });
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Request, StatusCode},
    };
    use tower::ServiceExt;

    use super::*;
    use crate::service::world::World;

    async fn ask(router: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        (status, String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().into()).unwrap())
    }

    #[test]
    fn a_store_that_takes_no_writes_is_not_ready() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let world = World::new().await;
                let router = routes(handle).with_state(world.app.clone());
                assert_eq!(ask(&router, "/readyz").await.0, StatusCode::OK);
                assert!(ask(&router, "/metrics").await.1.contains("coldproof_store_writable 1"));
                world.store.close().await.unwrap();
                assert_eq!(ask(&router, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
                assert!(ask(&router, "/metrics").await.1.contains("coldproof_store_writable 0"));
                assert_eq!(ask(&router, "/healthz").await.0, StatusCode::OK);
            });
        });
    }
}
