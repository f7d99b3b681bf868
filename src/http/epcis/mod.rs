//! The EPCIS 2.0 REST binding (EPCIS 2.0, clause 11), as far as it goes today: capture and single events.

pub mod capture;
pub mod event;
mod receive;

use axum::http::{HeaderMap, HeaderValue};

use super::{
    App,
    error::{FieldError, Problem},
    extract::TooLarge,
};
use crate::{
    epcis::DocumentError,
    limits::CAPTURE_EVENTS_MAX,
    service::capture::{CaptureError, SpoolError},
};

/// What every answer of the binding says of the versions spoken here, and of the limits (clause 11.5).
fn binding_headers(headers: &mut HeaderMap, app: &App) {
    headers.insert("gs1-epcis-version", HeaderValue::from_static("2.0.0"));
    headers.insert("gs1-cbv-version", HeaderValue::from_static("2.0.0"));
    headers.insert("gs1-epc-format", HeaderValue::from_static("Always_GS1_Digital_Link"));
    headers.insert("gs1-capture-error-behaviour", HeaderValue::from_static("rollback"));
    headers.insert("gs1-epcis-capture-limit", HeaderValue::from(CAPTURE_EVENTS_MAX));
    headers.insert("gs1-epcis-capture-file-size-limit", HeaderValue::from(app.spools.bytes_max()));
}

impl From<CaptureError> for Problem {
    fn from(error: CaptureError) -> Self {
        let detail = error.to_string();
        match error {
            CaptureError::Document(error) => error.into(),
            CaptureError::Forbidden { event, .. } => {
                Self::forbidden(detail).at(format!("/epcisBody/eventList/{event}"))
            }
            CaptureError::Invalid { event, field, .. } => {
                epcis_problem("ValidationException", format!("/epcisBody/eventList/{event}/{field}"), detail)
            }
            CaptureError::TooMany { event, retry_after_s } => {
                Problem::too_many(detail, retry_after_s).at(format!("/epcisBody/eventList/{event}"))
            }
            CaptureError::Empty => epcis_problem(
                "ValidationException",
                "/epcisBody/eventList".to_owned(),
                format!("{detail}, expected one"),
            ),
            CaptureError::Spool(error) => error.into(),
            CaptureError::Store(error) => error.into(),
        }
    }
}

impl From<SpoolError> for Problem {
    fn from(error: SpoolError) -> Self {
        match &error {
            SpoolError::TooLarge { bytes_max } => TooLarge { found: None, bytes_max: *bytes_max }.problem(),
            SpoolError::Busy => Self::unavailable(error.to_string()),
            SpoolError::Disk(_) => {
                tracing::warn!(%error, "a large document was not kept");
                Self::unavailable("The document could not be kept while it was read; nothing was captured.")
            }
        }
    }
}

impl From<DocumentError> for Problem {
    fn from(error: DocumentError) -> Self {
        epcis_problem("ValidationException", error.pointer.clone(), error.to_string())
    }
}

/// A problem of the names that EPCIS 2.0 gives (clause 11.8).
fn epcis_problem(name: &str, pointer: String, detail: String) -> Problem {
    let errors = vec![FieldError { field: pointer.clone(), detail: detail.clone() }];
    let problem = Problem::malformed(detail).at(pointer);
    Problem { kind: format!("epcisException:{name}"), title: "The document is not valid".to_owned(), errors, ..problem }
}
