//! `GET /v1/batches/{batch}/runs` and `GET /v1/runs/{run}`.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::RunJson;
use crate::{
    http::{App, answer::Private, error::Problem, extract::Path},
    registration::Kind,
    service::Caller,
    trace::BatchId,
};

/// The runs of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunsJson {
    /// Oldest first.
    pub runs: Vec<RunJson>,
}

/// The runs of a batch, oldest first.
#[utoipa::path(get, path = "/v1/batches/{batch}/runs", tag = "codes",
    params(("batch" = u64, Path, description = "number of the batch")),
    responses((status = 200, body = RunsJson), (status = "4XX", body = Problem)))]
pub async fn of_batch(
    State(app): State<App>,
    caller: Caller,
    Path(batch): Path<u64>,
) -> Result<Private<RunsJson>, Problem> {
    app.service.readable(&caller, Kind::Batch, batch).await?;
    let runs = app.service.runs_of(BatchId(batch)).await?;
    let shown = runs.iter().map(|run| Ok(RunJson::new(run, &app.run_key(run.id)?)));
    Ok(Private(RunsJson { runs: shown.collect::<Result<_, Problem>>()? }))
}

/// One run.
#[utoipa::path(get, path = "/v1/runs/{run}", tag = "codes",
    params(("run" = String, Path, description = "the first six characters of its codes")),
    responses((status = 200, body = RunJson), (status = "4XX", body = Problem)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(run): Path<String>) -> Result<Private<RunJson>, Problem> {
    let (run, _) = app.run(&caller, &run).await?;
    Ok(Private(RunJson::new(&run, &app.run_key(run.id)?)))
}
