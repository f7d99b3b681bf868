//! `GET /v1/batches/{batch}/runs` and `GET /v1/runs/{run}`.

use super::RunJson;
use crate::{
    http::{
        App,
        answer::{List, Page, Private, other_kind},
        error::Problem,
        extract::{Path, Query},
    },
    registration::{Content, Kind, Parent},
    service::Caller,
};
use axum::extract::State;

/// The runs of a batch, oldest first.
#[utoipa::path(get, path = "/v1/batches/{batch}/runs", tag = "codes",
    params(("batch" = u64, Path, description = "number of the batch"), Page),
    responses((status = 200, body = List<RunJson>), (status = "4XX", body = Problem)))]
pub async fn of_batch(
    State(app): State<App>,
    caller: Caller,
    Path(batch): Path<u64>,
    Query(page): Query<Page>,
) -> Result<Private<List<RunJson>>, Problem> {
    app.service.readable(&caller, Kind::Batch, batch).await?;
    let limit = page.limit()?;
    let statements = app.service.listed(&Parent::Batch(batch), Kind::Run, page.after, limit).await?;
    let runs = List::new(statements, limit, |statement| match &statement.content {
        Content::Run(run) => Ok(RunJson::new(run, &app.run_key(run.id)?)),
        _ => Err(other_kind(statement)),
    })?;
    Ok(Private(runs))
}

/// One run.
#[utoipa::path(get, path = "/v1/runs/{run}", tag = "codes",
    params(("run" = String, Path, description = "the first six characters of its codes")),
    responses((status = 200, body = RunJson), (status = "4XX", body = Problem)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(run): Path<String>) -> Result<Private<RunJson>, Problem> {
    let (run, _) = app.run(&caller, &run).await?;
    Ok(Private(RunJson::new(&run, &app.run_key(run.id)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{registration::samples, service::world::World};

    #[tokio::test]
    async fn the_runs_of_a_batch_come_in_pages() {
        let world = World::new().await;
        let batch = world.batches(vec![samples::batch()]).await[0].id;
        let mut issued = Vec::new();
        for count in 1..=3 {
            issued.push(world.issue(batch, count).await.remove(0).run.id.to_string());
        }
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = Query(Page { after, limit: Some(2) });
            let page = of_batch(State(world.app.clone()), world.importer, Path(batch.0), page).await.unwrap().0;
            assert!(page.items.len() <= 2);
            seen.extend(page.items.into_iter().map(|run| run.run));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, issued);
    }
}
