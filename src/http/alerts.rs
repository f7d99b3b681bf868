//! `GET /v1/alerts`: codes whose scans tell of copies.

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    App,
    answer::{self, List, Private, timestamp},
    error::Problem,
    extract::Query,
};
use crate::{
    limits::PAGE_ITEMS_MAX,
    registration::Alert,
    service::Caller,
    trace::{Instance, Notice, Role},
};

/// Which part of the list, from the newest on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Before {
    /// Only numbers below this one.
    pub before: Option<u64>,
    /// How many, 1 to 100; 100 where left out.
    pub limit: Option<usize>,
}

/// A code whose scans were noticed, with the figures of that moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertJson {
    /// Its number.
    pub alert: u64,
    /// The code.
    pub code: String,
    /// The batch.
    pub batch: u64,
    /// The importer.
    pub organization: u64,
    /// `item`, `display` or `case`.
    pub level: &'static str,
    /// `scanned_often` or `scanned_in_many_places`.
    #[schema(value_type = String)]
    pub notice: Notice,
    /// When it was noticed.
    #[schema(value_type = String, format = DateTime)]
    pub noticed_at: Timestamp,
    /// How often the public had scanned it.
    pub scans: u64,
    /// In how many regions, as far as they were known; at most 9, which means more than eight.
    pub regions: u32,
}

/// Codes whose scans tell of copies, newest first: an importer's own, an inspector's all.
#[utoipa::path(get, path = "/v1/alerts", tag = "trace", params(Before),
    responses((status = 200, body = List<AlertJson>), (status = "4XX", body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<Before>,
) -> Result<Private<List<AlertJson>>, Problem> {
    caller.require(&[Role::Importer, Role::Inspector])?;
    let limit = answer::limit(query.limit, PAGE_ITEMS_MAX, 1..=PAGE_ITEMS_MAX)?;
    let of = (caller.role == Role::Importer).then_some(caller.organization);
    let alerts = app.service.alerts(of, query.before, limit).await?;
    let next = alerts.last().filter(|_| alerts.len() == limit).map(|last| last.number);
    Ok(Private(List { items: alerts.iter().map(|alert| alert_json(&app, alert)).collect(), next }))
}

fn alert_json(app: &App, alert: &Alert) -> AlertJson {
    AlertJson {
        alert: alert.number,
        code: app.service.instance_text(&Instance::Code { run: alert.run, serial: alert.serial }),
        batch: alert.batch.0,
        organization: alert.organization.0,
        level: alert.level.as_str(),
        notice: alert.notice,
        noticed_at: timestamp(alert.noticed_ms),
        scans: alert.scans,
        regions: alert.regions,
    }
}
