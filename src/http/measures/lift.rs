//! `POST /v1/measures/{measure}/lift`.

use axum::extract::{Request, State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::NumberJson;
use crate::{
    http::{
        App,
        answer::Created,
        error::Problem,
        extract::{Path, body_bytes, from_json, require_json},
        given::Fields,
    },
    limits::MEASURE_TEXT_CHARS_MAX,
    registration::text,
    service::Caller,
    trace::{MeasureId, Role},
};

/// Why a measure is lifted; the body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftBody {
    /// For its author and inspectors, at most 1,000 characters.
    pub reason: Option<String>,
}

/// Lifts a measure: an inspector any, an importer its own organization's; never an inspector's.
#[utoipa::path(post, path = "/v1/measures/{measure}/lift", tag = "measures",
    params(("measure" = u64, Path, description = "number of the measure")), request_body = Option<LiftBody>,
    responses((status = 201, body = NumberJson), (status = "4XX", body = Problem)))]
pub async fn lift(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    request: Request,
) -> Result<Created<NumberJson>, Problem> {
    caller.require(&[Role::Inspector, Role::Importer])?;
    let headers = request.headers().clone();
    let body = body_bytes(request, &app).await?;
    let LiftBody { reason } = if body.is_empty() {
        LiftBody::default()
    } else {
        require_json(&headers)?;
        from_json(&body)?
    };
    let mut fields = Fields::default();
    let reason = reason.and_then(|reason| fields.keep("/reason", text(&reason, MEASURE_TEXT_CHARS_MAX)));
    fields.finish()?;
    app.service.lift_measure(&caller, MeasureId(id), reason).await?;
    Ok(Created { location: format!("/v1/measures/{id}"), body: NumberJson { measure: id } })
}
