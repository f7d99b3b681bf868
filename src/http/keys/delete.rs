//! `DELETE /v1/keys/{id}`.

use axum::extract::State;

use super::KeyJson;
use crate::{
    http::{App, answer::Private, error::Problem, extract::Path},
    service::Caller,
    trace::{KeyId, Role},
};

/// Revokes a key; revoking it again changes nothing.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "registration",
    params(("id" = u64, Path, description = "number of the key")),
    responses((status = 200, body = KeyJson), (status = "4XX", body = Problem)))]
pub async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<u64>) -> Result<Private<KeyJson>, Problem> {
    caller.require(&[Role::Admin])?;
    let statement = app.service.revoke_key(&caller, KeyId(id)).await?;
    Ok(Private(KeyJson::new(&statement)?))
}
