//! `Idempotency-Key`: a POST that is repeated after a lost answer takes effect once.
//!
//! Optional on every POST but captures, which need none. A key is scoped to organization and route and kept for
//! 30 days. The first request with it fixes the content: the same key with another body is 409, the same request again
//! gets the first answer. A refused request frees its key.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{App, error::Problem};
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
    /// SHA-256 of the body.
    request: [u8; 32],
    /// When the first request came; 0 frees the key.
    at_ms: i64,
    /// `None` while the first request is under way, or was when the server stopped.
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

/// The layer itself.
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
    let body = to_bytes(body, CAPTURE_BYTES_MAX)
        .await
        .map_err(|_| Problem::too_large(format!("the body has more than {CAPTURE_BYTES_MAX} bytes")))?;
    let name = claim_name(&caller, parts.uri.path(), &key);
    let begun = Held { request: Sha256::digest(&body).into(), at_ms: app.service.now_ms(), answer: None };
    if let Some(answer) = begin(app, &name, &begun).await? {
        return replay(answer);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (response, answer) = keep(response).await?;
    let end = Held { at_ms: if answer.is_some() { begun.at_ms } else { 0 }, answer, ..begun };
    let begun = Held { answer: None, at_ms: begun.at_ms, request: end.request };
    // The effect is durable already. Should this write fail, a repeated request is told that the outcome is unknown.
    if let Err(error) = app.service.store.swap(&name, Some(&encode(&begun)?), &encode(&end)?).await {
        tracing::warn!(%error, "an answer was not kept under its idempotency key");
    }
    Ok(response)
}

fn key_of(headers: &HeaderMap) -> Result<String, Problem> {
    let value = headers.get(&IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if (1..=255).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(value.to_owned());
    }
    Err(Problem::malformed("expected 1 to 255 printable ASCII characters").at("Idempotency-Key"))
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
                let detail = "this key came with another body before";
                return Err(Problem::conflict("idempotency-key-reused", detail).at("Idempotency-Key"));
            }
            return match held.answer {
                Some(answer) => Ok(Some(answer)),
                None => Err(Problem::conflict(
                    "idempotency-outcome-unknown",
                    "the first request with this key is under way, or was when the server stopped: look whether it took effect",
                )
                .at("Idempotency-Key")),
            };
        }
        if app.service.store.swap(name, before.as_deref(), &encode(begun)?).await? {
            return Ok(None);
        }
    }
}

/// What to keep of an answer: nothing where the request was refused.
async fn keep(response: Response) -> Result<(Response, Option<Answer>), Problem> {
    if !response.status().is_success() {
        return Ok((response, None));
    }
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
    Ok((Response::from_parts(parts, Body::from(body)), Some(answer)))
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
