//! `PATCH /v1/organizations/{id}`.

use axum::extract::State;

use super::{OrganizationBody, OrganizationJson};
use crate::{
    http::{
        App,
        answer::Private,
        error::Problem,
        extract::{Json, Path},
        given::Given,
    },
    service::Caller,
    trace::{OrganizationId, Role},
};

/// Changes an organization: an admin every field of any, others the public name of their own.
#[utoipa::path(patch, path = "/v1/organizations/{id}", tag = "registration", request_body = OrganizationBody,
    params(("id" = u64, Path, description = "number of the organization")),
    responses((status = 200, body = OrganizationJson), (status = "4XX", body = Problem)))]
pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Json(body): Json<OrganizationBody>,
) -> Result<Private<OrganizationJson>, Problem> {
    let registry = body.legal_name != Given::Absent
        || body.roles != Given::Absent
        || body.uscc != Given::Absent
        || body.country != Given::Absent
        || body.gs1_prefix != Given::Absent
        || body.gln != Given::Absent;
    if registry && caller.role != Role::Admin {
        return Err(Problem::forbidden("found fields other than public_name, expected an admin's key for them"));
    }
    let id = OrganizationId(id);
    let statement = app.service.change_organization(&caller, id, |organization| body.merge(organization)).await?;
    Ok(Private(OrganizationJson::new(&statement)?))
}
