//! `POST /v1/keys`.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};

use super::{KeyBody, KeyJson, NewKeyJson};
use crate::{
    http::{App, answer::Created, error::Problem, extract::Json, given::problem_of_fields, idempotency::Replay},
    registration::{FieldError, NAME_CHARS_MAX, text},
    service::Caller,
    trace::{OrganizationId, Role},
};

/// Makes a key. Its text stands in this answer and nowhere else.
#[utoipa::path(post, path = "/v1/keys", tag = "registration", request_body = KeyBody,
    responses((status = 201, body = NewKeyJson), (status = "4XX", body = Problem)))]
pub async fn post(State(app): State<App>, caller: Caller, Json(body): Json<KeyBody>) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let label = body.label.map(|label| text(&label, NAME_CHARS_MAX)).transpose();
    let label = label.map_err(|error| problem_of_fields(vec![FieldError::new("/label", error)]))?;
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        Problem::internal()
    })?;
    let owner = body.organization.map_or(OrganizationId::SERVICE, OrganizationId);
    let (statement, key) = app.service.create_key(&caller, owner, body.role, label, random).await?;
    let (kept, replay) = (KeyJson::new(&statement)?, KeyJson::new(&statement)?);
    let replay = serde_json::to_vec(&replay).map_err(|_| Problem::internal())?;
    let location = format!("/v1/keys/{}", statement.id);
    let mut response = Created { location, body: NewKeyJson { key, kept } }.into_response();
    response.extensions_mut().insert(Replay(replay.into()));
    Ok(response)
}
