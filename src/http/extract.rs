//! Extractors that refuse with a problem naming the field.

use axum::{
    Extension,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::{by_name::ByName, error::Problem};
use crate::limits::BODY_BYTES_MAX;

/// Characters of a name in a JSON pointer that an answer repeats.
const KEY_CHARS_MAX: usize = 64;
/// Characters of what is wrong with a value: the names of a consignment's fields fit, a value sent in error need not.
const DETAIL_CHARS_MAX: usize = 800;

/// A JSON body; unknown fields, wrong types and trailing bytes are refused by name.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_json(request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()))?;
        let body = body_bytes(request, state).await?;
        from_json(&body).map(Self)
    }
}

/// Refuses a media type that is not JSON.
pub fn require_json(content_type: Option<&str>) -> Result<(), Problem> {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    let found = if essence.is_empty() { "none".to_owned() } else { format!("{essence:?}") };
    Err(Problem::unsupported_media_type(format!("found {found}, expected application/json")).at("Content-Type"))
}

/// How long a route's body may be, in bytes, as the layer of [`limit_body`] tells it.
#[derive(Clone, Copy)]
pub struct BodyLimit(usize);

/// The layer that limits a body: whatever reads it stops there, and a refusal says where that was.
pub fn limit_body(bytes_max: usize) -> (DefaultBodyLimit, Extension<BodyLimit>) {
    (DefaultBodyLimit::max(bytes_max), Extension(BodyLimit(bytes_max)))
}

/// Refuses a body that is too large; to be made before it is read.
pub struct TooLarge {
    found: Option<u64>,
    bytes_max: usize,
}

impl TooLarge {
    /// For the body of this request.
    pub fn of(request: &Request) -> Self {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let found = length.and_then(|length| length.to_str().ok()?.parse().ok());
        Self { found, bytes_max: request.extensions().get::<BodyLimit>().map_or(BODY_BYTES_MAX, |limit| limit.0) }
    }

    /// 413, with its length where the client told it, and the limit.
    pub fn problem(&self) -> Problem {
        let found = self.found.map_or_else(|| format!("more than {}", self.bytes_max), |found| found.to_string());
        Problem::too_large(format!("found a body of {found} bytes, expected at most {}", self.bytes_max)).at("")
    }
}

/// The whole body, within the limit that the router set.
pub async fn body_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let too_large = TooLarge::of(&request);
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large.problem(),
        _ => Problem::malformed("the body broke off"),
    })
}

/// Reads JSON, naming the path of the field at fault.
pub fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(ByName(&mut deserializer)).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_syntax() || inner.is_eof() {
            return Problem::malformed(format!("not JSON: {inner}"));
        }
        wrong_value(pointer, &inner.to_string())
    })?;
    deserializer.end().map_err(|error| Problem::malformed(format!("not JSON: {error}")))?;
    Ok(value)
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", cut(key, KEY_CHARS_MAX).replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(segment).collect()
}

/// What serde says of a value, in the words of every other refusal.
fn wrong_value(pointer: String, said: &str) -> Problem {
    if let Some((name, _)) = said.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        return Problem::invalid(format!("{pointer}/{name}"), "is missing, expected a value");
    }
    let found = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "));
    Problem::invalid(
        pointer,
        found.map_or_else(|| cut(said, DETAIL_CHARS_MAX), |found| format!("found {}", cut(found, DETAIL_CHARS_MAX))),
    )
}

/// A text with its middle left out where it is too long: what was found stands in front, what was expected at the end.
fn cut(text: &str, chars_max: usize) -> String {
    let chars = text.chars().count();
    if chars <= chars_max {
        return text.to_owned();
    }
    let half = chars_max / 2;
    text.chars().take(half).chain(['…']).chain(text.chars().skip(chars - half)).collect()
}

/// Parameters of the query; unknown and malformed ones are refused by name.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|rejection| Problem::malformed(rejection.body_text()).at("query"))
    }
}

/// Segments of the path.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|rejection| Problem::malformed(rejection.body_text()).at("path"))
    }
}
