//! `POST /v1/units`.

use axum::{Json as AxumJson, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    code::sscc_epc,
    epcis::event_id,
    http::{App, error::Problem, extract::Json},
    service::Caller,
    trace::Role,
};

/// An order of units.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitsBody {
    /// How many, 1 to 100.
    pub count: u32,
    /// `sscc`, the only kind; may be left out.
    #[serde(default)]
    pub kind: UnitKind,
}

/// What numbers units.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// Serial Shipping Container Codes from the organization's GS1 Company Prefix.
    #[default]
    Sscc,
}

/// Units that were numbered.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitsJson {
    /// In ascending order.
    pub units: Vec<UnitJson>,
    /// The public ids of the events that were made.
    pub events: Vec<String>,
}

/// A unit's number.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitJson {
    /// Its EPC URI.
    pub unit: String,
    /// Its 18 digits.
    pub sscc: String,
}

/// Numbers new units (SSCCs) from the organization's GS1 Company Prefix.
#[utoipa::path(post, path = "/v1/units", tag = "goods", request_body = UnitsBody,
    responses((status = 201, body = UnitsJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<UnitsBody>,
) -> Result<(StatusCode, AxumJson<UnitsJson>), Problem> {
    caller.require(&[Role::Operator, Role::Importer])?;
    let UnitKind::Sscc = body.kind;
    let made = app.service.make_units(&caller, body.count).await?;
    let unit = |sscc| UnitJson { unit: sscc_epc(sscc), sscc: sscc.to_string() };
    let units = made.units.into_iter().map(unit).collect();
    let events = made.captured.events.into_iter().map(event_id).collect();
    Ok((StatusCode::CREATED, AxumJson(UnitsJson { units, events })))
}
