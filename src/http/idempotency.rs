//! `Idempotency-Key`: a POST that is repeated after a lost answer takes effect once.
//!
//! Optional on every POST but captures, which need none. A key is scoped to organization and route and kept for
//! 30 days. The first request with it fixes the content: the same key with another body or query is 409, the same
//! request again gets the first answer. A refused request (4xx) frees its key; a failed one (5xx) does not, because it
//! may have taken effect.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{App, error::Problem, extract::body_bytes};
use crate::{
    limits::{CAPTURE_BYTES_MAX, IDEMPOTENCY_ANSWER_BYTES_MAX, IDEMPOTENCY_KEPT_MS},
    service::Caller,
    store,
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a repeated request is answered with, where that is not the first answer: a secret is shown once.
#[derive(Clone)]
pub struct Replay(pub Bytes);

/// What the claim of a key holds.
#[derive(Serialize, Deserialize)]
struct Held {
    /// SHA-256 of path, query and body.
    request: [u8; 32],
    /// When the first request came; 0 frees the key.
    at_ms: i64,
    /// `None` while the first request is under way, or where it failed or was cut off by a stop of the server.
    answer: Option<Answer>,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    content_type: Option<String>,
    location: Option<String>,
    /// `None` where it was too long to keep.
    body: Option<Vec<u8>>,
}

/// The layer itself. Within [`super::layers::to_its_end`], so that a client that hangs up does not come between the effect and
/// what is kept of it.
pub async fn idempotency(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(&IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    once(&app, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn once(app: &App, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let key = key_of(&parts.headers)?;
    let caller = Caller::from_request_parts(&mut parts, app).await?;
    // Within the limit that the route has.
    let body = body_bytes(Request::from_parts(parts.clone(), body), app).await?;
    let name = claim_name(&caller, parts.uri.path(), &key);
    let begun = Held { request: digest(&parts.uri, &body), at_ms: app.service.now_ms(), answer: None };
    if let Some(answer) = begin(app, &name, &begun).await? {
        return replay(answer);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    end(app, &name, begun, response).await
}

/// Keeps the answer of a request that took effect, and frees the key of one that was refused. After any other answer the
/// outcome is not known, as the claim says already.
async fn end(app: &App, name: &str, begun: Held, response: Response) -> Result<Response, Problem> {
    let status = response.status();
    let (response, end) = if status.is_success() {
        let (response, answer) = keep(response).await?;
        (response, Held { answer: Some(answer), ..begun })
    } else if status.is_client_error() {
        (response, Held { at_ms: 0, ..begun })
    } else {
        return Ok(response);
    };
    let begun = Held { answer: None, ..begun };
    // The effect is durable already. Should this write fail, a repeated request is told that the outcome is unknown.
    if let Err(error) = app.service.store.swap(name, Some(&encode(&begun)?), &encode(&end)?).await {
        tracing::warn!(%error, "an answer was not kept under its idempotency key");
    }
    Ok(response)
}

/// A path and a query have no zero byte, so that no two requests are written alike.
fn digest(uri: &Uri, body: &[u8]) -> [u8; 32] {
    let target = uri.path_and_query().map_or(uri.path(), |target| target.as_str());
    Sha256::new().chain_update(target).chain_update([0]).chain_update(body).finalize().into()
}

fn key_of(headers: &HeaderMap) -> Result<String, Problem> {
    let value = headers.get(&IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if (1..=255).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(value.to_owned());
    }
    let found = headers.get(&IDEMPOTENCY_KEY).map_or(0, HeaderValue::len);
    let detail = format!("found {found} bytes, expected 1 to 255 printable ASCII characters");
    Err(Problem::malformed(detail).at("Idempotency-Key"))
}

fn claim_name(caller: &Caller, path: &str, key: &str) -> String {
    let digest = Sha256::new().chain_update(path).chain_update([0]).chain_update(key).finalize();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("idempotency/{}/{hex}", caller.organization)
}

/// Takes the key for this request, or gives the answer that the first one got.
async fn begin(app: &App, name: &str, begun: &Held) -> Result<Option<Answer>, Problem> {
    loop {
        let before = app.service.store.claim(name).await?;
        let held: Option<Held> = before.as_deref().and_then(|bytes| rmp_serde::from_slice(bytes).ok());
        if let Some(held) = held.filter(|held| begun.at_ms - held.at_ms < IDEMPOTENCY_KEPT_MS) {
            if held.request != begun.request {
                let detail = "this key came with another body or query before";
                return Err(Problem::conflict("idempotency-key-reused", detail).at("Idempotency-Key"));
            }
            return match held.answer {
                Some(answer) => Ok(Some(answer)),
                None => Err(Problem::conflict(
                    "idempotency-outcome-unknown",
                    "the first request with this key is under way, or failed, or was cut off: look whether it took effect",
                )
                .at("Idempotency-Key")),
            };
        }
        if app.service.store.swap(name, before.as_deref(), &encode(begun)?).await? {
            return Ok(None);
        }
    }
}

/// An answer, and what to keep of it.
async fn keep(response: Response) -> Result<(Response, Answer), Problem> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, CAPTURE_BYTES_MAX).await.map_err(|_| Problem::internal())?;
    let text = |name: HeaderName| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    let kept = parts.extensions.get::<Replay>().map_or_else(|| body.clone(), |replay| replay.0.clone());
    let answer = Answer {
        status: parts.status.as_u16(),
        content_type: text(header::CONTENT_TYPE),
        location: text(header::LOCATION),
        body: (kept.len() <= IDEMPOTENCY_ANSWER_BYTES_MAX).then(|| kept.into()),
    };
    Ok((Response::from_parts(parts, Body::from(body)), answer))
}

fn replay(answer: Answer) -> Result<Response, Problem> {
    let Some(body) = answer.body else {
        let detail =
            "the first request with this key took effect; its answer was too long to keep: look at what it made";
        return Err(Problem::conflict("idempotency-answer-not-kept", detail).at("Idempotency-Key"));
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = [(header::CONTENT_TYPE, answer.content_type), (header::LOCATION, answer.location)];
    for (name, value) in headers.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn encode(held: &Held) -> Result<Vec<u8>, Problem> {
    rmp_serde::to_vec(held).map_err(|error| {
        tracing::error!(%error, "an idempotency key's state could not be written");
        store::Error::Unavailable("encoding failed".to_owned()).into()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use axum::{Router, middleware, routing::post};
    use serde_json::Value;
    use tokio::sync::Semaphore;
    use tower::ServiceExt;

    use super::*;
    use crate::{
        http::{
            extract::limit_body,
            layers::to_its_end,
            samples::{app, importer},
        },
        limits::BODY_BYTES_MAX,
        trace::OrganizationId,
    };

    /// A route that counts its effects, waits at a gate, and answers with the status that the body asks for, and with as
    /// many spaces.
    struct Gated {
        router: Router,
        effects: Arc<AtomicU32>,
        gate: Arc<Semaphore>,
        _folder: tempfile::TempDir,
    }

    impl Gated {
        fn new() -> Self {
            let (app, folder) = app();
            let (effects, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
            let (counted, waited) = (effects.clone(), gate.clone());
            let handler = move |body: String| {
                let (counted, waited) = (counted.clone(), waited.clone());
                async move {
                    let effect = counted.fetch_add(1, Ordering::SeqCst) + 1;
                    waited.acquire().await.unwrap().forget();
                    let (status, spaces) = body.split_once(' ').unwrap_or((&body, "0"));
                    let answer = format!("{effect}{}", " ".repeat(spaces.parse().unwrap()));
                    (StatusCode::from_u16(status.parse().unwrap()).unwrap(), answer)
                }
            };
            let router = Router::new()
                .route("/things", post(handler))
                .layer(middleware::from_fn_with_state(app.clone(), idempotency))
                .layer(limit_body(BODY_BYTES_MAX))
                .layer(middleware::from_fn(to_its_end))
                .with_state(app);
            Self { router, effects, gate, _folder: folder }
        }

        async fn post(&self, path: &str, body: impl Into<Body>) -> (u16, String) {
            self.post_as(importer(), path, body).await
        }

        async fn post_as(&self, caller: Caller, path: &str, body: impl Into<Body>) -> (u16, String) {
            let request = Request::post(path).header("idempotency-key", "k").extension(caller);
            let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
            let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
            let slug = problem["type"].as_str().and_then(|kind| kind.rsplit('/').next()).map(str::to_owned);
            (status, slug.unwrap_or_else(|| String::from_utf8(body.into()).unwrap()))
        }
    }

    #[tokio::test]
    async fn what_took_effect_after_the_client_hung_up_is_answered_when_it_asks_again() {
        let gated = Gated::new();
        {
            let mut first = std::pin::pin!(gated.post("/things", "201"));
            while gated.effects.load(Ordering::SeqCst) == 0 {
                assert!(futures_util::poll!(&mut first).is_pending());
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(gated.post("/things", "201").await, (409, "idempotency-outcome-unknown".to_owned()));
        gated.gate.add_permits(1);
        loop {
            match gated.post("/things", "201").await {
                (409, slug) if slug == "idempotency-outcome-unknown" => tokio::task::yield_now().await,
                answer => break assert_eq!(answer, (201, "1".to_owned())),
            }
        }
        assert_eq!(gated.effects.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_failed_request_keeps_its_key_and_a_refused_one_frees_it() {
        let gated = Gated::new();
        gated.gate.add_permits(10);
        assert_eq!(gated.post("/things", "422").await.0, 422);
        assert_eq!(gated.post("/things", "422").await, (422, "2".to_owned()), "tried again");
        assert_eq!(gated.post("/things", "503").await.0, 503);
        assert_eq!(gated.post("/things", "503").await, (409, "idempotency-outcome-unknown".to_owned()));
        assert_eq!(gated.effects.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn the_same_key_with_another_query_or_body_is_refused() {
        let gated = Gated::new();
        gated.gate.add_permits(10);
        assert_eq!(gated.post("/things?dry_run=true", "201").await.0, 201);
        for (path, body) in [("/things", "201"), ("/things?dry_run=true", "200")] {
            assert_eq!(gated.post(path, body).await, (409, "idempotency-key-reused".to_owned()), "{path}");
        }
        assert_eq!(gated.post("/things?dry_run=true", "201").await, (201, "1".to_owned()));
    }

    #[tokio::test]
    async fn an_answer_too_long_to_keep_is_said_to_be_so_and_has_one_effect() {
        let gated = Gated::new();
        gated.gate.add_permits(10);
        let body = |spaces: usize| format!("201 {spaces}");
        let kept = IDEMPOTENCY_ANSWER_BYTES_MAX - 1;
        for path in ["/things?kept", "/things?kept"] {
            assert_eq!(gated.post_as(importer(), path, body(kept)).await.0, 201);
        }
        let other = Caller { organization: OrganizationId(2), ..importer() };
        assert_eq!(gated.post_as(other, "/things", body(kept + 1)).await.0, 201);
        let again = gated.post_as(other, "/things", body(kept + 1)).await;
        assert_eq!(again, (409, "idempotency-answer-not-kept".to_owned()));
        assert_eq!(gated.effects.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_key_is_the_organizations_that_gave_it() {
        let gated = Gated::new();
        gated.gate.add_permits(10);
        let other = Caller { organization: OrganizationId(2), ..importer() };
        assert_eq!(gated.post("/things", "201").await, (201, "1".to_owned()));
        assert_eq!(gated.post_as(other, "/things", "201").await, (201, "2".to_owned()));
        assert_eq!(gated.post_as(other, "/things", "200").await, (409, "idempotency-key-reused".to_owned()));
        assert_eq!(gated.post("/things", "201").await, (201, "1".to_owned()));
    }

    #[tokio::test]
    async fn a_body_over_the_routes_limit_is_told_from_a_broken_one() {
        let gated = Gated::new();
        let large = vec![b' '; BODY_BYTES_MAX + 1];
        assert_eq!(gated.post("/things", large).await, (413, "too-large".to_owned()));
        let broken = futures_util::stream::iter([Ok("2"), Err(std::io::Error::other("gone"))]);
        assert_eq!(gated.post("/things", Body::from_stream(broken)).await, (400, "malformed".to_owned()));
        assert_eq!(gated.effects.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn nobodys_body_is_not_read() {
        let gated = Gated::new();
        let unread = futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<std::io::Result<Bytes>>> {
            panic!("the body was read")
        });
        let request = Request::post("/things").header("idempotency-key", "k").body(Body::from_stream(unread)).unwrap();
        let response = gated.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}
