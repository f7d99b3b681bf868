//! `POST /v1/splits`.

use axum::extract::State;

use super::{SplitBody, SplitJson};
use crate::{
    http::{App, answer::Created, error::Problem, extract::Json},
    service::Caller,
    trace::Role,
};

/// Splits a package that the caller has into portions, each with a code of the caller's open split run of that batch.
#[utoipa::path(post, path = "/v1/splits", tag = "codes", request_body = SplitBody,
    responses((status = 201, body = SplitJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<SplitBody>,
) -> Result<Created<SplitJson>, Problem> {
    caller.require(&[Role::Operator, Role::Importer])?;
    let split = SplitJson::from(app.service.split(&caller, body.read()?).await?);
    let location = format!("/v1/runs/{}/codes?from={}&count={}", split.run, split.from, split.count);
    Ok(Created { location, body: split })
}
