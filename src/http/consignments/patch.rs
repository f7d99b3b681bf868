//! `PATCH /v1/consignments/{id}`.

use axum::extract::State;

use super::{ConsignmentBody, ConsignmentJson};
use crate::{
    http::{
        App,
        answer::Private,
        error::Problem,
        extract::{Json, Path},
    },
    service::Caller,
    trace::{ConsignmentId, Role},
};

/// Changes a consignment of the caller's organization; its registered batches are corrected by events.
#[utoipa::path(patch, path = "/v1/consignments/{id}", tag = "registration", request_body = ConsignmentBody,
    params(("id" = u64, Path, description = "number of the consignment")),
    responses((status = 200, body = ConsignmentJson), (status = "4XX", body = Problem)))]
pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Json(body): Json<ConsignmentBody>,
) -> Result<Private<ConsignmentJson>, Problem> {
    caller.require(&[Role::Importer])?;
    let statement =
        app.service.change_consignment(&caller, ConsignmentId(id), |consignment| body.merge(consignment)).await?;
    Ok(Private(ConsignmentJson::new(&statement)?))
}
