//! `POST /v1/measures/preview`.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::MeasureBody;
use crate::{
    http::{
        App,
        answer::Private,
        batches::whereabouts::{HolderJson, holders},
        error::Problem,
        extract::Json,
    },
    service::{
        Caller,
        measure::{Reach, ReachedBatch},
    },
    trace::{Role, State as GoodsState},
};

/// What a measure would touch.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachJson {
    /// How many codes it would be on: those that it names, those that anybody reported to be inside of units or packages that it
    /// names, and those of what was made of all these.
    pub codes: u64,
    /// The batches of these codes: named ones first.
    pub batches: Vec<ReachedBatchJson>,
    /// How many units it would be on, named or inside of others.
    pub units: usize,
    /// How many of the codes are on goods that were sold.
    pub sold: u64,
    /// How many of them are on goods that were destroyed.
    pub destroyed: u64,
    /// How many of them the public has scanned.
    pub scanned: u64,
    /// Who has how many of them, by state.
    pub holders: Vec<HolderJson>,
    /// How many of them have no holder above: their batch is too scattered to tell of single codes, or another importer's.
    pub unplaced: u64,
    /// How many batches and levels of transformation were not looked into.
    pub further: usize,
}

/// A batch that a measure would touch.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachedBatchJson {
    /// Its number.
    pub batch: u64,
    /// How many of its codes.
    pub codes: u64,
    /// Whether it is all of it.
    pub whole: bool,
    /// Whether it was made of what is named, and is not named itself.
    pub made: bool,
}

/// What a measure would touch, before it is made. Nothing is written; what could not be made is refused alike.
#[utoipa::path(post, path = "/v1/measures/preview", tag = "measures", request_body = MeasureBody,
    responses((status = 200, body = ReachJson), (status = "4XX", body = Problem)))]
pub async fn preview(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<MeasureBody>,
) -> Result<Private<ReachJson>, Problem> {
    caller.require(&[Role::Inspector, Role::Importer])?;
    let order = body.read(&app.service.hosts)?;
    let reach = app.service.preview_measure(&caller, &order).await?;
    let (sold, destroyed) = (reach.in_state(GoodsState::Sold), reach.in_state(GoodsState::Destroyed));
    let Reach { codes, batches, units, scanned, holdings, unplaced, further } = reach;
    let batch = |ReachedBatch { batch, codes, whole, made }| ReachedBatchJson { batch: batch.0, codes, whole, made };
    let (batches, holders) = (batches.into_iter().map(batch).collect(), holders(&app, holdings).await?);
    Ok(Private(ReachJson { codes, batches, units, sold, destroyed, scanned, holders, unplaced, further }))
}
