//! `POST /v1/audit`: re-checks everything that is stored. On the admin socket alone.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{App, error::Problem};
use crate::{
    service::{Caller, audit::Report},
    trace::Role,
};

/// What an audit found.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportJson {
    /// How many things were looked at.
    pub checked: u64,
    /// What is wrong and where, at most 1,000; empty where all is sound.
    pub findings: Vec<String>,
}

impl From<Report> for ReportJson {
    fn from(report: Report) -> Self {
        Self { checked: report.checked, findings: report.findings }
    }
}

/// Re-checks everything that is stored.
#[utoipa::path(post, path = "/v1/audit", tag = "operations",
    responses((status = 200, body = ReportJson), (status = "4XX", body = Problem)))]
pub async fn post(State(app): State<App>, caller: Caller) -> Result<Json<ReportJson>, Problem> {
    caller.require(&[Role::Admin])?;
    Ok(Json(app.service.audit().await?.into()))
}
