//! Extractors that refuse with a problem naming the field.

use axum::{
    Extension,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request, path::ErrorKind, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::{by_name::ByName, error::Problem};
use crate::limits::BODY_BYTES_MAX;

/// Characters of a name, path or value that an answer repeats.
const FOUND_CHARS_MAX: usize = 64;
/// Characters of what is wrong with a value: the names of a consignment's fields fit, a value sent in error need not.
const DETAIL_CHARS_MAX: usize = 800;

/// A JSON body; unknown fields, wrong types and trailing bytes are refused by name.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let body = body_bytes(request, state).await?;
        from_json(&body).map(Self)
    }
}

/// The media type of a body, in lower case and without its parameters; empty where none is told.
pub fn media_type(headers: &HeaderMap) -> String {
    let told = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Refuses a media type that is not JSON.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let essence = media_type(headers);
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
    /// How many bytes it has, where the client told it.
    pub found: Option<u64>,
    /// How many it may have.
    pub bytes_max: u64,
}

/// How many bytes the client says that the body has.
pub fn declared_bytes(request: &Request) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl TooLarge {
    /// For the body of this request.
    pub fn of(request: &Request) -> Self {
        let bytes_max = request.extensions().get::<BodyLimit>().map_or(BODY_BYTES_MAX, |limit| limit.0);
        Self { found: declared_bytes(request), bytes_max: bytes_max as u64 }
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
        _ => Problem::malformed("found a body that broke off, expected a whole one").at(""),
    })
}

/// Reads JSON, naming the path of the field at fault.
pub fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(ByName(&mut deserializer)).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_syntax() || inner.is_eof() {
            return Problem::malformed(format!("not JSON: {inner}")).at("");
        }
        wrong_value(pointer, &inner.to_string())
    })?;
    deserializer.end().map_err(|error| Problem::malformed(format!("not JSON: {error}")).at(""))?;
    Ok(value)
}

/// Types of numbers, and what they are called by those who do not know Rust.
const NUMBERS: [(&str, &str); 3] = [
    ("expected u32", "expected a whole number from 0 to 4294967295"),
    ("expected u64", "expected a whole number from 0"),
    ("expected f64", "expected a number"),
];

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", cut(key).replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(segment).collect()
}

const TWICE: &str = "found it twice, expected it once";

/// The field that serde names behind these words.
fn name_behind<'a>(words: &str, said: &'a str) -> Option<&'a str> {
    said.strip_prefix(words)?.split_once('`').map(|(name, _)| name)
}

/// What serde says of a value, in the words of every other refusal.
fn wrong_value(pointer: String, said: &str) -> Problem {
    if let Some(name) = name_behind("missing field `", said) {
        return Problem::invalid(format!("{pointer}/{name}"), "is missing, expected a value");
    }
    if let Some(name) = name_behind("duplicate field `", said) {
        return Problem::invalid(format!("{pointer}/{name}"), TWICE);
    }
    let said = NUMBERS.iter().fold(said.to_owned(), |said, (rust, words)| said.replace(rust, words));
    let found = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "));
    Problem::invalid(pointer, found.map_or_else(|| cut_detail(&said), |found| format!("found {}", cut_detail(found))))
}

/// What was found, short enough to be repeated in an answer.
pub fn cut(found: &str) -> String {
    cut_to(found, FOUND_CHARS_MAX)
}

/// What is wrong with something, short enough for an answer: it may repeat what was found.
pub fn cut_detail(detail: &str) -> String {
    cut_to(detail, DETAIL_CHARS_MAX)
}

/// A text with its middle left out where it is too long: what was found stands in front, what was expected at the end.
fn cut_to(text: &str, chars_max: usize) -> String {
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
        query
            .map(|query| Self(query.0))
            .map_err(|rejection| wrong_parameter(parts.uri.query().unwrap_or_default(), &rejection.body_text()))
    }
}

/// What axum says of a query: where it can, the name of the parameter stands before what is wrong with it.
fn wrong_parameter(query: &str, said: &str) -> Problem {
    let said = said.strip_prefix("Failed to deserialize query string: ").unwrap_or(said);
    if let Some(name) = name_behind("duplicate field `", said) {
        return Problem::invalid(name, TWICE);
    }
    let Some((name, why)) = said.split_once(": ") else { return Problem::malformed(cut_detail(said)).at("query") };
    let value = query.split('&').find_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='));
    let detail = match value {
        Some(value) if !why.contains("field `") => {
            let expected =
                if why.contains("`true`") { "true or false" } else { "a whole number from 0, not too large" };
            format!("found {:?}, expected {expected}", cut(value))
        }
        _ => cut_detail(why),
    };
    Problem::invalid(cut(name), detail)
}

/// Segments of the path.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|rejection| Problem::malformed(wrong_segment(&rejection)).at("path"))
    }
}

fn wrong_segment(rejection: &PathRejection) -> String {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else { return rejection.body_text() };
    match failed.kind() {
        ErrorKind::ParseError { value, .. } | ErrorKind::ParseErrorAtKey { value, .. } => {
            format!("found {:?}, expected a whole number from 0, not too large", cut(value))
        }
        ErrorKind::InvalidUtf8InPathParam { key } => {
            format!("found bytes for {key} that are not UTF-8, expected UTF-8")
        }
        other => cut_detail(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only refusals are looked at")]
    struct Body {
        count: u32,
        list: Option<Vec<Body>>,
    }

    #[test]
    fn a_value_that_is_wrong_is_named_with_what_was_found_and_expected() {
        for (body, field, detail) in [
            ("{\"count\":1", "", "not JSON: EOF"),
            ("{\"count\":1}x", "", "not JSON: trailing"),
            ("[1]", "", "found an array, expected an object"),
            ("{}", "/count", "is missing, expected a value"),
            ("{\"count\":1,\"list\":[{\"count\":1},{}]}", "/list/1/count", "is missing, expected a value"),
            ("{\"count\":1,\"count\":1}", "/count", "found it twice, expected it once"),
            ("{\"count\":-1}", "/count", "found integer `-1`, expected a whole number from 0 to 4294967295"),
            ("{\"count\":1,\"a/b~c\":1}", "/a~1b~0c", "unknown field `a/b~c`, expected `count` or `list`"),
        ] {
            let problem = from_json::<Body>(body.as_bytes()).unwrap_err();
            assert!(
                problem.field.as_deref() == Some(field) && problem.detail.starts_with(detail),
                "{body}: {problem:?}"
            );
        }
        let long = from_json::<Body>(format!("{{\"count\":\"{}\"}}", "x".repeat(100_000)).as_bytes()).unwrap_err();
        assert!(long.detail.chars().count() < 900 && long.detail.contains("expected a whole number"), "{long:?}");
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only refusals are looked at")]
    struct Asked {
        limit: Option<u64>,
        dry_run: Option<bool>,
    }

    #[tokio::test]
    async fn a_parameter_that_is_wrong_is_named_with_what_was_found_and_expected() {
        for (query, field, detail) in [
            ("limit=x", "limit", "found \"x\", expected a whole number from 0, not too large"),
            ("limit=", "limit", "found \"\", expected a whole number from 0, not too large"),
            ("limit=99999999999999999999", "limit", "found \"99999999999999999999\", expected a whole number"),
            ("limit=1&dry_run=yes", "dry_run", "found \"yes\", expected true or false"),
            ("limit=1&limit=2", "limit", "found it twice, expected it once"),
            ("colour=red", "colour", "unknown field `colour`, expected `limit` or `dry_run`"),
        ] {
            let (mut parts, ()) = axum::http::Request::get(format!("/?{query}")).body(()).unwrap().into_parts();
            let problem = Query::<Asked>::from_request_parts(&mut parts, &()).await.err().unwrap();
            let field_and_words = (problem.field.as_deref(), problem.detail.starts_with(detail));
            assert_eq!(field_and_words, (Some(field), true), "{query}: {problem:?}");
        }
    }
}
