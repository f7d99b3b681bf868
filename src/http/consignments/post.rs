//! `POST /v1/consignments`.

use axum::extract::State;

use super::{ConsignmentBody, ConsignmentJson, blank};
use crate::{
    http::{App, answer::Created, error::Problem, extract::Json},
    service::Caller,
    trace::Role,
};

/// Registers a consignment of the caller's organization.
#[utoipa::path(post, path = "/v1/consignments", tag = "registration", request_body = ConsignmentBody,
    responses((status = 201, body = ConsignmentJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<ConsignmentBody>,
) -> Result<Created<ConsignmentJson>, Problem> {
    caller.require(&[Role::Importer])?;
    let mut consignment = blank();
    body.merge(&mut consignment)?;
    let statement = app.service.create_consignment(&caller, consignment).await?;
    Ok(Created { location: format!("/v1/consignments/{}", statement.id), body: ConsignmentJson::new(&statement)? })
}
