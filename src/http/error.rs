//! `application/problem+json` (RFC 9457): the one form in which a refusal leaves the service.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::store;

/// Where the stable names of problems live; they are names, not addresses.
const TYPE_BASE: &str = "https://w3id.org/coldproof/problem/";

/// When to come back to a store that does not answer, in seconds.
pub const RETRY_AFTER_S: u32 = 2;

/// A refusal, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// A stable name of this kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same in words; does not vary between occurrences.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What was found and what was expected. Never a secret.
    pub detail: String,
    /// The field at fault: a JSON pointer into the body, or the name of a parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Every field at fault, where there may be several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// When to come back, in seconds; sent as `Retry-After`.
    #[serde(skip)]
    pub retry_after_s: Option<u32>,
    /// Methods that the path has, where no router tells them; sent as `Allow`.
    #[serde(skip)]
    pub allow: Option<&'static str>,
}

/// One field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer, parameter or column.
    pub field: String,
    /// What was found and what was expected.
    pub detail: String,
}

impl Problem {
    fn new(status: StatusCode, slug: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("{TYPE_BASE}{slug}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            errors: Vec::new(),
            retry_after_s: None,
            allow: None,
        }
    }

    /// 400: the request is not in the form that it must have.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request is not well formed", detail)
    }
    /// 400: a value is not one that can stand there.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", "A value is not valid", detail).at(field)
    }
    /// 400: several values are not valid.
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        let detail =
            errors.iter().map(|error| format!("{}: {}", error.field, error.detail)).collect::<Vec<_>>().join("; ");
        let field = errors.first().map(|error| error.field.clone());
        Self { field, errors, ..Self::new(StatusCode::BAD_REQUEST, "invalid", "A value is not valid", detail) }
    }
    /// 401: no key, or not one that is known.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A valid API key is needed", detail)
    }
    /// 403: the key's role may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "This key may not do that", detail)
    }
    /// 404: there is no such thing, or it is not the caller's.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", what)
    }
    /// 405: the path exists, the method does not.
    pub fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This method is not known here", detail)
    }
    /// 406: none of the accepted media types is one that this answers in.
    pub fn not_acceptable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", "No accepted media type can be given", detail)
    }
    /// 408: the body does not come, or too slowly.
    pub fn too_slow(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The request comes too slowly", detail)
    }
    /// 409: it contradicts what is there.
    pub fn conflict(slug: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, slug, "It contradicts what is there", detail)
    }
    /// 413: over a size limit.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large", detail)
    }
    /// 415: the body's media type is not one that is read here.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "This media type is not read here",
            detail,
        )
    }
    /// 422: well formed, but the rules forbid it.
    pub fn refused(slug: &str, title: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title, detail)
    }
    /// 429: too many requests.
    pub fn too_many(detail: impl Into<String>, retry_after_s: u32) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", detail);
        Self { retry_after_s: Some(retry_after_s), ..problem }
    }
    /// 503: the store cannot take this now.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now", detail);
        Self { retry_after_s: Some(RETRY_AFTER_S), ..problem }
    }
    /// 500: something stored is damaged, or the service is wrong. The cause is logged, not sent.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The service failed", "The cause has been logged.")
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        match &error {
            store::Error::Unavailable(_) | store::Error::Ambiguous(_) | store::Error::NotStaged { .. } => {
                metrics::counter!("coldproof_store_errors_total", "error" => "unavailable").increment(1);
                tracing::warn!(%error, "store");
                Self::unavailable("The store does not take this now; nothing was acknowledged. Try again later.")
            }
            store::Error::Paused => Self::unavailable(error.to_string()),
            store::Error::Retired => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "retired", "The store is retired", error.to_string())
            }
            store::Error::Corrupt { .. } | store::Error::NotCommitted(_) => {
                metrics::counter!("coldproof_store_errors_total", "error" => "damaged").increment(1);
                tracing::error!(%error, "store");
                Self::internal()
            }
            store::Error::TooLarge { .. } => Self::too_large(error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(methods) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
