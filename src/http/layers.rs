//! What every request passes through, on one page.

use std::time::Duration;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{error::Problem, observe::ObserveLayer};
use crate::{config::Server, limits::BODY_BYTES_MAX};

/// The one route without a time limit.
const AUDIT_PATH: &str = "/v1/audit";

/// The router with, from outside to inside: observation, the time limit, the guard against panics, and the limit of
/// ordinary bodies (routes that take larger ones set their own). `first_id` is a random number: see [`ObserveLayer`].
pub fn layered(router: Router, server: &Server, first_id: u64) -> Router {
    router
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
        .layer(middleware::from_fn_with_state(server.answer_timeout(), in_time))
        .layer(ObserveLayer::new(first_id))
}

/// 503 where the head of the answer takes too long. A body that has begun to flow may take as long as it likes.
/// An audit may too: it reads everything that is stored, for the admin socket alone.
async fn in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    if request.uri().path() == AUDIT_PATH {
        return next.run(request).await;
    }
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("no answer within {} ms; whether it took effect is not known", limit.as_millis());
            Problem::unavailable(detail).into_response()
        }
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
