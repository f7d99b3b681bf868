//! `POST /v1/organizations`.

use axum::extract::State;

use super::{OrganizationBody, OrganizationJson, blank};
use crate::{
    http::{App, answer::Created, error::Problem, extract::Json},
    service::Caller,
    trace::Role,
};

/// Registers an organization.
#[utoipa::path(post, path = "/v1/organizations", tag = "registration", request_body = OrganizationBody,
    responses((status = 201, body = OrganizationJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<OrganizationBody>,
) -> Result<Created<OrganizationJson>, Problem> {
    caller.require(&[Role::Admin])?;
    let mut organization = blank()?;
    body.merge(&mut organization)?;
    let statement = app.service.create_organization(&caller, organization).await?;
    Ok(Created { location: format!("/v1/organizations/{}", statement.id), body: OrganizationJson::new(&statement)? })
}
