//! `POST /v1/consignments/{id}/batches`.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};

use super::{BatchBody, BatchJson, csv, show};
use crate::{
    http::{
        App,
        answer::Created,
        error::Problem,
        extract::{Path, Query, body_bytes, from_json, media_type, require_json},
    },
    registration::Batch,
    service::{
        Caller,
        register::{BatchInput, RegisterError},
    },
    trace::{ConsignmentId, Role},
};

/// Registers a batch (JSON), or many at once (CSV: see [`csv`]).
#[utoipa::path(post, path = "/v1/consignments/{id}/batches", tag = "registration",
    params(("id" = u64, Path, description = "number of the consignment"), csv::CsvQuery),
    request_body(content((BatchBody = "application/json"), (String = "text/csv"))),
    responses((status = 201, body = BatchJson), (status = 200, body = csv::ReportJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<u64>,
    Query(query): Query<csv::CsvQuery>,
    request: Request,
) -> Result<Response, Problem> {
    caller.require(&[Role::Importer])?;
    let id = ConsignmentId(id);
    app.service.own_consignment(&caller, id).await?;
    let is_csv = media_type(request.headers()) == "text/csv";
    if !is_csv {
        require_json(request.headers())?;
        if query.dry_run.is_some() {
            return Err(Problem::invalid("dry_run", "found it beside JSON, expected it with text/csv only"));
        }
    }
    let body = body_bytes(request, &app).await?;
    if is_csv {
        return csv::register(&app, &caller, id, &body, query.dry_run.unwrap_or(false)).await;
    }
    let batch = Batch::blank(caller.organization, id, app.service.now_ms());
    let mut input = BatchInput { batch, gtin: None };
    from_json::<BatchBody>(&body)?.merge(&mut input)?;
    let errors = app.service.check_batch(&caller, &mut input).await?;
    if !errors.is_empty() {
        return Err(RegisterError::Invalid(errors).into());
    }
    let statements = app.service.create_batches(&caller, id, vec![input.batch]).await?;
    let statement = statements.first().ok_or_else(Problem::internal)?;
    let body: BatchJson = show(&app, &caller, statement).await?;
    Ok(Created { location: format!("/v1/batches/{}", statement.id), body }.into_response())
}
