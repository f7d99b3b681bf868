//! `POST /v1/runs/{run}/applied` and `/void`: what became of labels.

use axum::{Json as AxumJson, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    code::{Code, Verification},
    epcis::{event_id, shapes::CodeStep},
    http::{
        App,
        error::Problem,
        extract::{Json, Path},
    },
    service::Caller,
    trace::Role,
};

/// Codes from the first to the last, both named.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpanBody {
    /// The first code.
    pub first: String,
    /// The last code; of the same run, at or behind the first.
    pub last: String,
}

/// Which labels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpansBody {
    /// 1 to 100,000 of them, none named twice.
    pub spans: Vec<SpanBody>,
}

/// The events that were made.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsJson {
    /// Their public ids.
    pub events: Vec<String>,
}

/// Reports labels as applied to goods.
#[utoipa::path(post, path = "/v1/runs/{run}/applied", tag = "codes",
    params(("run" = String, Path, description = "the first six characters of its codes")), request_body = SpansBody,
    responses((status = 201, body = EventsJson), (status = "4XX", body = Problem)))]
pub async fn applied(
    State(app): State<App>,
    caller: Caller,
    Path(run): Path<String>,
    Json(body): Json<SpansBody>,
) -> Result<(StatusCode, AxumJson<EventsJson>), Problem> {
    report(&app, &caller, &run, &body, CodeStep::Applied).await
}

/// Declares labels void: they are on no goods and never will be. Final, unless declared in error.
#[utoipa::path(post, path = "/v1/runs/{run}/void", tag = "codes",
    params(("run" = String, Path, description = "the first six characters of its codes")), request_body = SpansBody,
    responses((status = 201, body = EventsJson), (status = "4XX", body = Problem)))]
pub async fn void(
    State(app): State<App>,
    caller: Caller,
    Path(run): Path<String>,
    Json(body): Json<SpansBody>,
) -> Result<(StatusCode, AxumJson<EventsJson>), Problem> {
    report(&app, &caller, &run, &body, CodeStep::Void).await
}

async fn report(
    app: &App,
    caller: &Caller,
    name: &str,
    body: &SpansBody,
    step: CodeStep,
) -> Result<(StatusCode, AxumJson<EventsJson>), Problem> {
    caller.require(&[Role::Importer])?;
    let (run, _) = app.run(caller, name).await?;
    let code = |pointer: String, text: &str| {
        let code = Code::parse(text).map_err(|error| Problem::invalid(pointer.clone(), error.to_string()))?;
        if code.run != run.id {
            return Err(Problem::invalid(pointer, format!("found a code of run {}, expected run {name}", code.run)));
        }
        if !matches!(app.service.keys.verify(&code), Verification::Valid | Verification::Retired) {
            return Err(Problem::invalid(pointer, format!("found {code}, expected a code whose tag proves it")));
        }
        if code.serial.get() >= run.count {
            return Err(Problem::invalid(pointer, format!("found {code}, expected a code that was issued")));
        }
        Ok(code)
    };
    if body.spans.is_empty() {
        return Err(Problem::invalid("/spans", "found no span, expected at least one"));
    }
    let mut spans = Vec::with_capacity(body.spans.len().min(1_024));
    for (at, span) in body.spans.iter().enumerate() {
        let first = code(format!("/spans/{at}/first"), &span.first)?;
        let last = code(format!("/spans/{at}/last"), &span.last)?;
        if last.serial < first.serial {
            let detail = format!("found {last}, which is before the first, expected a code at or behind it");
            return Err(Problem::invalid(format!("/spans/{at}/last"), detail));
        }
        spans.push((first, last));
    }
    let captured = app.service.report_codes(caller, &run, &spans, step).await?;
    let events = captured.events.into_iter().map(event_id).collect();
    Ok((StatusCode::CREATED, AxumJson(EventsJson { events })))
}
