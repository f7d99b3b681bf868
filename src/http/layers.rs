//! What every request passes through, on one page.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    response::{IntoResponse, Response},
};
use tokio::time::Sleep;
use tower::{Layer, Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;

use super::{error::Problem, observe::ObserveLayer};
use crate::{config::Server, limits::BODY_BYTES_MAX};

/// Routes without a time limit: an audit reads everything that is stored, for the admin socket alone; a capture may have
/// gigabytes, and has limits of its own.
const UNLIMITED_PATHS: [&str; 2] = ["/v1/audit", "/epcis/capture"];

/// The router with, from outside to inside: observation, the time limit, the guard against panics, and the limit of
/// ordinary bodies (routes that take larger ones set their own). `first_id` is a random number: see [`ObserveLayer`].
/// They are one layer to the router, which boxes every layer's future.
pub fn layered(router: Router, server: &Server, first_id: u64) -> Router {
    router.layer(
        ServiceBuilder::new()
            .layer(ObserveLayer::new(first_id))
            .layer(InTimeLayer { limit: server.answer_timeout() })
            .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX)),
    )
}

/// Answers 503 where the head of the answer takes too long. A body that has begun to flow may take as long as it likes.
#[derive(Clone)]
struct InTimeLayer {
    limit: Duration,
}

#[derive(Clone)]
struct InTime<S> {
    inner: S,
    limit: Duration,
}

impl<S> Layer<S> for InTimeLayer {
    type Service = InTime<S>;

    fn layer(&self, inner: S) -> InTime<S> {
        InTime { inner, limit: self.limit }
    }
}

impl<S: Service<Request, Response: IntoResponse>> Service<Request> for InTime<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Timed<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Timed<S::Future> {
        let limited = !UNLIMITED_PATHS.contains(&request.uri().path());
        let sleep = limited.then(|| tokio::time::sleep(self.limit));
        Timed { inner: self.inner.call(request), sleep, limit: self.limit }
    }
}

pin_project_lite::pin_project! {
    /// An answer under way.
    struct Timed<F> {
        #[pin]
        inner: F,
        #[pin]
        sleep: Option<Sleep>,
        limit: Duration,
    }
}

impl<F: Future<Output = Result<R, E>>, R: IntoResponse, E> Future for Timed<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(answer) = this.inner.poll(context) {
            return Poll::Ready(answer.map(IntoResponse::into_response));
        }
        // Looked at only where the answer was not there at once: most scans never set the clock.
        match this.sleep.as_pin_mut() {
            Some(sleep) => ready!(sleep.poll(context)),
            None => return Poll::Pending,
        }
        let detail = format!("no answer within {} ms; whether it took effect is not known", this.limit.as_millis());
        Poll::Ready(Ok(Problem::unavailable(detail).into_response()))
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::StatusCode,
        routing::{get, post},
    };
    use tower::ServiceExt;

    use super::*;
    use crate::config::{Config, parse_setting};

    async fn status_of(path: &str, body: Body) -> (StatusCode, String) {
        let settings = [parse_setting("server.answer_timeout_ms=20").unwrap()];
        let server = Config::load(None, [], &settings).unwrap().server;
        let router = Router::new()
            .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(60)).await))
            .route("/panics", get(async || panic!("on purpose") as ()))
            .route("/body", post(async |body: axum::body::Bytes| body.len().to_string()));
        let method = if path == "/body" { "POST" } else { "GET" };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let response = layered(router, &server, 1).oneshot(request).await.unwrap();
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        (response.status(), kind.unwrap_or_default())
    }

    #[tokio::test]
    async fn a_handler_that_hangs_or_panics_is_answered_with_a_problem() {
        let problem = "application/problem+json".to_owned();
        assert_eq!(status_of("/slow", Body::empty()).await, (StatusCode::SERVICE_UNAVAILABLE, problem.clone()));
        assert_eq!(status_of("/panics", Body::empty()).await, (StatusCode::INTERNAL_SERVER_ERROR, problem));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        assert_eq!(status_of("/body", Body::from(vec![0; BODY_BYTES_MAX])).await.0, StatusCode::OK);
        let status = status_of("/body", Body::from(vec![0; BODY_BYTES_MAX + 1])).await.0;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
