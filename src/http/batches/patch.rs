//! `PATCH /v1/batches/{batch}`.

use axum::extract::State;

use super::{BatchBody, BatchJson, show};
use crate::{
    http::{
        App,
        answer::Private,
        error::Problem,
        extract::{Json, Path},
    },
    service::Caller,
    trace::{BatchId, Role},
};

/// Changes a batch of the caller's organization; once it is registered, by a correcting event. Earlier versions stay
/// readable.
#[utoipa::path(patch, path = "/v1/batches/{batch}", tag = "registration", request_body = BatchBody,
    params(("batch" = u64, Path, description = "number of the batch")),
    responses((status = 200, body = BatchJson), (status = "4XX", body = Problem)))]
pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Json(body): Json<BatchBody>,
) -> Result<Private<BatchJson>, Problem> {
    caller.require(&[Role::Importer])?;
    let statement = app.service.change_batch(&caller, BatchId(id), |input| body.merge(input)).await?;
    Ok(Private(show(&app, &caller, &statement).await?))
}
