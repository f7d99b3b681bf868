//! `/healthz`, `/readyz`, `/metrics`: for whoever keeps the service running.

use axum::{
    Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::{App, error::Problem};

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
    metrics::describe_counter!("coldproof_failed_tags_total", "Codes with a wrong tag: mistyped, or guessed");
    Ok(handle)
}

/// The three routes.
pub fn routes(metrics: PrometheusHandle) -> Router<App> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(move || async move { render(&metrics) }))
}

/// The process answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The process can do its work: the store answers.
async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    app.service.store.claim(NO_CLAIM).await?;
    Ok("ready\n")
}

fn render(metrics: &PrometheusHandle) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}
