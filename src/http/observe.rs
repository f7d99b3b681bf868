//! What is known about every request afterwards: an id, a line in the log, two metrics.
//!
//! Every line that is logged while a request changes something carries the request's id. Reads carry it at the level
//! `debug`, where every request has a line of its own; at coarser levels a read costs no allocation here. A failed
//! answer (400 and above) names the id in `X-Request-Id`, and one of 500 and above has a line at `warn`.

use std::{
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue},
    response::Response,
};
use metrics::{Counter, Histogram};
use tower::{Layer, Service};
use tracing::{Span, debug_span, error_span};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The route of a request that no route matched.
const NO_ROUTE: &str = "none";

/// A request's id: unlike those of other requests and of other runs of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Puts [`Observe`] around every route. To be added with `Router::layer`, so that the route is known.
#[derive(Clone)]
pub struct ObserveLayer {
    shared: Arc<Shared>,
}

struct Shared {
    next_id: AtomicU64,
    /// By matched path. It grows to the number of routes, which is fixed.
    routes: RwLock<HashMap<String, Arc<RouteMetrics>>>,
    /// Those of requests that no route matched: all scans, which look up none.
    unmatched: OnceLock<Arc<RouteMetrics>>,
}

impl ObserveLayer {
    /// Ids start at `first_id`, which is to be random.
    pub fn new(first_id: u64) -> ObserveLayer {
        let (next_id, routes) = (AtomicU64::new(first_id), RwLock::default());
        let shared = Shared { next_id, routes, unmatched: OnceLock::new() };
        ObserveLayer { shared: Arc::new(shared) }
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner, shared: self.shared.clone() }
    }
}

/// A service whose every request is observed.
#[derive(Clone)]
pub struct Observe<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S: Service<Request, Response = Response>> Service<Request> for Observe<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Observed<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Observed<S::Future> {
        let started = Instant::now();
        let id = RequestId(self.shared.next_id.fetch_add(1, Ordering::Relaxed));
        let route = request.extensions().get::<MatchedPath>().cloned();
        let path = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        let reads = request.method().is_safe();
        let span = if reads {
            debug_span!("request", %id, method = %request.method(), route = path)
        } else {
            error_span!("request", %id, method = %request.method(), route = path)
        };
        let metrics = match &route {
            Some(_) => self.shared.metrics_of(path),
            None => self.shared.unmatched().clone(),
        };
        if route.is_some() {
            // Links to be scanned have no use for it.
            request.extensions_mut().insert(id);
        }
        let inner = span.in_scope(|| self.inner.call(request));
        Observed { inner, observation: Observation { id, span, metrics, reads, started } }
    }
}

impl Shared {
    fn unmatched(&self) -> &Arc<RouteMetrics> {
        self.unmatched.get_or_init(|| Arc::new(RouteMetrics::new(NO_ROUTE)))
    }

    fn metrics_of(&self, path: &str) -> Arc<RouteMetrics> {
        // A map whose writer panicked is still a map of metrics.
        if let Some(metrics) = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return metrics.clone();
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.entry(path.to_owned()).or_insert_with(|| Arc::new(RouteMetrics::new(path))).clone()
    }
}

/// Handles of one route's metrics, looked up once.
struct RouteMetrics {
    reads: Outcomes,
    writes: Outcomes,
}

struct Outcomes {
    /// By the status's first digit, from 1.
    requests: [Counter; 5],
    seconds: Histogram,
}

impl RouteMetrics {
    fn new(path: &str) -> RouteMetrics {
        let outcomes = |kind: &'static str| {
            let requests = |status: &'static str| metrics::counter!("coldproof_http_requests_total", "route" => path.to_owned(), "kind" => kind, "status" => status);
            let seconds =
                metrics::histogram!("coldproof_http_request_seconds", "route" => path.to_owned(), "kind" => kind);
            Outcomes { requests: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(requests), seconds }
        };
        RouteMetrics { reads: outcomes("read"), writes: outcomes("write") }
    }
}

struct Observation {
    id: RequestId,
    span: Span,
    metrics: Arc<RouteMetrics>,
    reads: bool,
    started: Instant,
}

impl Observation {
    /// Counts the answer, logs it and names it.
    fn answered(&self, response: &mut Response) {
        let status = response.status();
        let elapsed = self.started.elapsed();
        let outcomes = if self.reads { &self.metrics.reads } else { &self.metrics.writes };
        outcomes.seconds.record(elapsed.as_secs_f64());
        if let Some(counter) = outcomes.requests.get(usize::from(status.as_u16() / 100).saturating_sub(1)) {
            counter.increment(1);
        }
        let (status_code, elapsed_us) = (status.as_u16(), elapsed.as_micros());
        if status.is_server_error() {
            tracing::warn!(parent: &self.span, id = %self.id, status = status_code, elapsed_us, "failed");
        } else {
            tracing::debug!(parent: &self.span, status = status_code, elapsed_us, "answered");
        }
        let failed = status.is_client_error() || status.is_server_error();
        if let Some(value) = failed.then(|| HeaderValue::from_str(&self.id.to_string()).ok()).flatten() {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
    }
}

pin_project_lite::pin_project! {
    /// The answer to an observed request.
    pub struct Observed<F> {
        #[pin]
        inner: F,
        observation: Observation,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for Observed<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut outcome = ready!(this.observation.span.in_scope(|| this.inner.poll(context)));
        if let Ok(response) = &mut outcome {
            this.observation.answered(response);
        }
        Poll::Ready(outcome)
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::StatusCode, routing::get};
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tower::ServiceExt;

    use super::*;

    fn router() -> Router {
        Router::new()
            .route("/things/{id}", get(|| async { "here" }).post(|| async { StatusCode::CONFLICT }))
            .fallback(|| async { StatusCode::NOT_FOUND })
            .layer(ObserveLayer::new(0xfeed))
    }

    fn request(method: &str, path: &str) -> Request {
        Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn failures_name_their_request_and_no_two_requests_share_an_id() {
        let router = router();
        let answer = router.clone().oneshot(request("GET", "/things/1")).await.unwrap();
        assert!(answer.headers().get(X_REQUEST_ID).is_none());
        let mut ids = Vec::new();
        for (method, path) in [("POST", "/things/1"), ("GET", "/nothing")] {
            let answer = router.clone().oneshot(request(method, path)).await.unwrap();
            ids.push(answer.headers().get(X_REQUEST_ID).unwrap().to_str().unwrap().to_owned());
        }
        assert_eq!(ids, ["000000000000feee", "000000000000feef"]);
    }

    #[test]
    fn metrics_count_routes_and_not_what_clients_write_into_paths() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let router = router();
                for (method, path) in [("GET", "/things/1"), ("GET", "/things/2"), ("POST", "/things/3"), ("GET", "/x")]
                {
                    router.clone().oneshot(request(method, path)).await.unwrap();
                }
            });
        });
        let text = handle.render();
        for line in [
            r#"coldproof_http_requests_total{route="/things/{id}",kind="read",status="2xx"} 2"#,
            r#"coldproof_http_requests_total{route="/things/{id}",kind="write",status="4xx"} 1"#,
            r#"coldproof_http_requests_total{route="none",kind="read",status="4xx"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
        assert!(!text.contains("/things/1"));
    }
}
