//! What every request passes through, on one page.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::future::RouteFuture,
};
use futures_util::future::{BoxFuture, Either};
use tokio::time::Sleep;
use tower::{Layer, Service, ServiceBuilder};
use tracing::Instrument;

use super::{
    App,
    error::Problem,
    extract::limit_body,
    observe::{Observe, ObserveLayer, Observed},
    scan,
};
use crate::limits::BODY_BYTES_MAX;

/// Routes without a time limit: an audit reads everything that is stored, for the admin socket alone; a capture may have
/// gigabytes, and has limits of its own.
const UNLIMITED_PATHS: [&str; 2] = ["/v1/audit", "/epcis/capture"];

/// The router with, from outside to inside: observation, the guard of answers, and for what is no scan the limit of
/// ordinary bodies (routes that take larger ones set their own). `first_id` is a random number: see [`ObserveLayer`].
/// The outer two are one layer to the router, which boxes every layer's future.
pub fn layered(router: Router, app: App, first_id: u64) -> Front {
    let guard = GuardLayer { limit: app.config.server.answer_timeout() };
    let outer = ServiceBuilder::new().layer(ObserveLayer::new(first_id)).layer(guard);
    let links = outer.clone().service(Links(app));
    // Scans read no body.
    Front { links, router: router.route_layer(limit_body(BODY_BYTES_MAX)).layer(outer) }
}

/// What changes something goes on to its end where its caller hangs up, or is told that it takes too long: cut off in the middle
/// it would leave a turn behind, for which other servers wait, and an idempotency key without its answer.
pub async fn to_its_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime ends.
            Err(_) => Problem::internal().into_response(),
        },
    }
}

/// Everything that is served. Links that begin with a digit are scanned at once, because no route does: the router would look
/// them up, copy its services and box a second future for a scan from memory.
#[derive(Clone)]
pub struct Front {
    links: Observe<Guard<Links>>,
    router: Router,
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Observed<Guarded<BoxFuture<'static, Result<Response, Infallible>>>>, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Neither ever waits.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match is_link(request.uri().path()) {
            true => Either::Left(self.links.call(request)),
            false => Either::Right(self.router.call(request)),
        }
    }
}

fn is_link(path: &str) -> bool {
    path.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
}

/// Answers scans.
#[derive(Clone)]
pub struct Links(App);

impl Service<Request> for Links {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let app = self.0.clone();
        Box::pin(async move { Ok(scan::scan(State(app), request).await) })
    }
}

/// Answers 503 where the head of the answer takes too long, and 500 where its making panics. A body that has begun to
/// flow may take as long as it likes.
#[derive(Clone)]
struct GuardLayer {
    limit: Duration,
}

/// A service whose every answer is guarded.
#[derive(Clone)]
pub struct Guard<S> {
    inner: S,
    limit: Duration,
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, limit: self.limit }
    }
}

impl<S: Service<Request, Response = Response>> Service<Request> for Guard<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Guarded<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Guarded<S::Future> {
        let limit = (!UNLIMITED_PATHS.contains(&request.uri().path())).then_some(self.limit);
        Guarded { inner: self.inner.call(request), sleep: None, limit }
    }
}

pin_project_lite::pin_project! {
    /// An answer under way.
    pub struct Guarded<F> {
        #[pin]
        inner: F,
        // Set once the answer was not there at once: most scans read no clock here.
        #[pin]
        sleep: Option<Sleep>,
        // `None` where there is none.
        limit: Option<Duration>,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for Guarded<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // The future is not polled again after a panic, so that nothing sees what it left half done.
        match catch_unwind(AssertUnwindSafe(|| this.inner.poll(context))) {
            Ok(Poll::Ready(answer)) => return Poll::Ready(answer),
            Ok(Poll::Pending) => {}
            Err(_) => return Poll::Ready(Ok(Problem::internal().into_response())),
        }
        let Some(limit) = *this.limit else { return Poll::Pending };
        if this.sleep.is_none() {
            this.sleep.set(Some(tokio::time::sleep(limit)));
        }
        if let Some(sleep) = this.sleep.as_pin_mut() {
            ready!(sleep.poll(context));
        }
        let detail = format!("no answer within {} ms; whether it took effect is not known", limit.as_millis());
        Poll::Ready(Ok(Problem::unavailable(detail).into_response()))
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::StatusCode,
        middleware,
        routing::{any, get, post},
    };
    use tokio::sync::mpsc;
    use tower::ServiceExt;

    use super::*;
    use crate::{
        config::{Config, parse_setting},
        http::openapi,
        service::world::World,
    };

    async fn status_of(path: &str, body: Body) -> (StatusCode, String) {
        let settings = [parse_setting("server.answer_timeout_ms=20").unwrap()];
        let config = Config::load(None, [], &settings).unwrap();
        let app = App::new(World::new().await.service.clone(), config);
        let router = Router::new()
            .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(60)).await))
            .route("/panics", get(async || panic!("on purpose") as ()))
            .route("/body", post(async |body: axum::body::Bytes| body.len().to_string()));
        let method = if path == "/body" { "POST" } else { "GET" };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let response = layered(router, app, 1).oneshot(request).await.unwrap();
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
    async fn what_changes_something_goes_on_where_its_caller_hangs_up() {
        let (begun, mut has_begun) = mpsc::unbounded_channel();
        let (ended, mut has_ended) = mpsc::unbounded_channel();
        let (go, gate) = tokio::sync::watch::channel(false);
        let handler = move || {
            let (begun, ended, mut gate) = (begun.clone(), ended.clone(), gate.clone());
            async move {
                begun.send(()).unwrap();
                gate.wait_for(|open| *open).await.unwrap();
                ended.send(()).unwrap();
            }
        };
        let router = Router::new().route("/thing", any(handler)).layer(middleware::from_fn(to_its_end));
        for method in ["GET", "PATCH"] {
            let request = Request::builder().method(method).uri("/thing").body(Body::empty()).unwrap();
            let mut asked = std::pin::pin!(router.clone().oneshot(request));
            while has_begun.try_recv().is_err() {
                assert!(futures_util::poll!(&mut asked).is_pending());
                tokio::task::yield_now().await;
            }
        }
        go.send(true).unwrap();
        has_ended.recv().await.unwrap();
        drop(router);
        assert_eq!(has_ended.recv().await, None, "one of the two went on");
    }

    #[tokio::test]
    async fn a_panic_on_a_task_of_its_own_is_one_all_the_same() {
        let router = Router::new().route("/panics", any(async || panic!("on purpose") as ()));
        let router = router.layer(middleware::from_fn(to_its_end));
        let request = Request::patch("/panics").body(Body::empty()).unwrap();
        let caught = tokio::spawn(router.oneshot(request)).await.unwrap_err().into_panic();
        assert_eq!(caught.downcast_ref::<&str>(), Some(&"on purpose"));
    }

    #[test]
    fn only_links_begin_with_a_digit() {
        let paths = openapi::description().paths.paths;
        let routes = paths.keys().filter(|path| !is_link(path)).count();
        assert!(routes > 40, "{routes}");
        let links: Vec<_> = paths.keys().filter(|path| is_link(path)).collect();
        assert!(links.iter().all(|link| link.starts_with("/01/")), "{links:?}");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        assert_eq!(status_of("/body", Body::from(vec![0; BODY_BYTES_MAX])).await.0, StatusCode::OK);
        let status = status_of("/body", Body::from(vec![0; BODY_BYTES_MAX + 1])).await.0;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
