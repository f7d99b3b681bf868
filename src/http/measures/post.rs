//! `POST /v1/measures`.

use axum::extract::State;

use super::{MeasureBody, NumberJson};
use crate::{
    http::{App, answer::Created, error::Problem, extract::Json},
    service::Caller,
    trace::Role,
};

/// Holds or recalls goods: an inspector any, an importer its own. Every scan says so from the answer on.
#[utoipa::path(post, path = "/v1/measures", tag = "measures", request_body = MeasureBody,
    responses((status = 201, body = NumberJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<MeasureBody>,
) -> Result<Created<NumberJson>, Problem> {
    caller.require(&[Role::Inspector, Role::Importer])?;
    let order = body.read(&app.service.hosts)?;
    let id = app.service.make_measure(&caller, order).await?;
    Ok(Created { location: format!("/v1/measures/{id}"), body: NumberJson { measure: id.0 } })
}
