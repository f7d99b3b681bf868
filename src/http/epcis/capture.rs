//! `POST /epcis/capture` and `GET /epcis/capture/{id}` (EPCIS 2.0, clause 11.6).

use axum::{
    Json as AxumJson,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{
    binding_headers,
    receive::{Received, receive},
};
use crate::{
    http::{
        App,
        answer::timestamp,
        error::Problem,
        extract::{Path, require_json},
    },
    service::Caller,
    store::Capture,
    trace::{CaptureId, Role, bytes32},
};

/// A capture job; it is normally finished when it is answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobJson {
    /// The same document captured again has the same.
    #[serde(rename = "captureID")]
    pub capture_id: String,
    /// When it was accepted.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When all of it had taken effect.
    #[schema(value_type = Option<String>)]
    pub finished_at: Option<Timestamp>,
    /// Whether some of it may still be to do.
    pub running: bool,
    /// An accepted document takes effect whole.
    pub success: bool,
    /// Always `rollback`: whole or not at all.
    pub capture_error_behaviour: &'static str,
    /// A refused document is never accepted, so that there are none.
    #[schema(value_type = Vec<String>)]
    pub errors: [(); 0],
}

/// Captures an EPCIS document of any size: whole or not at all, and once. In one of over 4 MiB `@context` must stand
/// before `epcisBody`.
#[utoipa::path(post, path = "/epcis/capture", tag = "epcis", request_body = Object,
    responses((status = 202, body = JobJson), (status = "4XX", body = Problem)))]
pub async fn post(State(app): State<App>, caller: Caller, request: Request) -> Result<Response, Problem> {
    caller.require(&[Role::Importer, Role::Operator, Role::Inspector])?;
    require_json(request.headers())?;
    let capture = match receive(&app, request).await? {
        Received::InMemory(text, share) => {
            let captured = app.service.capture_document(&caller, text, share);
            let limit = app.config.server.answer_timeout();
            let captured = timeout(limit, captured).await.map_err(|_| {
                Problem::unavailable(format!("not captured within {} ms; it may yet be", limit.as_millis()))
            })?;
            captured?.capture
        }
        // It takes as long as its size needs.
        Received::Spooled(spool) => app.service.capture_spooled(&caller, spool).await?,
    };
    let location = format!("/epcis/capture/{}", capture.id);
    let mut response = (StatusCode::ACCEPTED, [(header::LOCATION, location)], AxumJson(job(&capture))).into_response();
    binding_headers(response.headers_mut(), &app);
    Ok(response)
}

/// A capture job: for its organization and inspectors.
#[utoipa::path(get, path = "/epcis/capture/{id}", tag = "epcis",
    params(("id" = String, Path, description = "the capture's id")),
    responses((status = 200, body = JobJson), (status = "4XX", body = Problem)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let unknown = || Problem::not_found(format!("there is no capture {id}"));
    let capture = app
        .service
        .store
        .capture(bytes32::from_hex(&id).map(CaptureId).ok_or_else(unknown)?)
        .await?
        .ok_or_else(unknown)?;
    if capture.organization != caller.organization && caller.role != Role::Inspector {
        return Err(unknown());
    }
    let mut response = AxumJson(job(&capture)).into_response();
    binding_headers(response.headers_mut(), &app);
    Ok(response)
}

fn job(capture: &Capture) -> JobJson {
    JobJson {
        capture_id: capture.id.to_string(),
        created_at: timestamp(capture.created_ms),
        finished_at: capture.finished_ms.map(timestamp),
        running: capture.finished_ms.is_none(),
        success: true,
        capture_error_behaviour: "rollback",
        errors: [],
    }
}
