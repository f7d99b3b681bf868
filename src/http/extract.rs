//! Extractors that refuse with a problem naming the field.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{header, request::Parts},
};
use serde::de::DeserializeOwned;

use super::error::Problem;

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

/// The whole body, within the limit that the router set.
pub async fn body_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large("the body is larger than is read here")
        } else {
            Problem::malformed("the body broke off")
        }
    })
}

/// Reads JSON, naming the path of the field at fault.
pub fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Fields are given by name: what is read here would take an array of their values as well.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::invalid("", "found an array, expected an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_syntax() || inner.is_eof() {
            return Problem::malformed(format!("not JSON: {inner}"));
        }
        let pointer =
            if path == "." { String::new() } else { format!("/{}", path.replace(['.', '['], "/").replace(']', "")) };
        Problem::invalid(pointer, inner.to_string())
    })?;
    deserializer.end().map_err(|error| Problem::malformed(format!("not JSON: {error}")))?;
    Ok(value)
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
