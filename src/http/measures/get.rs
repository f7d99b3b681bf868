//! `GET /v1/measures/{measure}`.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Anyone, LotJson, MeasureJson};
use crate::{
    http::{App, answer::Private, error::Problem, extract::Path, runs::spans::SpanBody},
    registration::{Lift, Measure},
    service::measure::MeasureError,
    trace::{MeasureId, Role},
};

/// A measure as far as the caller may see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneMeasureJson {
    /// What anyone may know.
    #[serde(flatten)]
    pub public: MeasureJson,
    /// The rest, for its author and inspectors.
    #[serde(flatten)]
    pub private: Option<PrivateJson>,
}

/// What the author of a measure and inspectors see of it beside what is public.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrivateJson {
    /// Why.
    pub reason: Option<String>,
    /// The organization that made it.
    pub author: u64,
    /// In which role.
    #[schema(value_type = String)]
    pub role: Role,
    /// The whole batch that it names.
    pub batch: Option<u64>,
    /// The whole lot that it names.
    pub lot: Option<LotJson>,
    /// The codes that it names.
    pub spans: Vec<SpanBody>,
    /// The units that it names, by their canonical URIs.
    pub units: Vec<String>,
    /// The organization that lifted it.
    pub lifted_by: Option<u64>,
    /// Why it was lifted.
    pub lifted_reason: Option<String>,
}

/// A hold or recall: whole for its author and inspectors, what is public of it for anyone.
#[utoipa::path(get, path = "/v1/measures/{measure}", tag = "measures",
    params(("measure" = u64, Path, description = "number of the measure")), security((), ("key" = [])),
    responses((status = 200, body = OneMeasureJson), (status = "4XX", body = Problem)))]
pub async fn get(
    State(app): State<App>,
    anyone: Anyone,
    Path(id): Path<u64>,
) -> Result<Private<OneMeasureJson>, Problem> {
    anyone.pay(&app, 1)?;
    let id = MeasureId(id);
    let measure = app.service.measure(id).await?.ok_or(MeasureError::NotFound(id))?;
    let public = app.public_measure(&measure).await?;
    let private = anyone.sees_all_of(&measure).then(|| private(&app, measure)).transpose()?;
    Ok(Private(OneMeasureJson { public, private }))
}

fn private(app: &App, measure: Measure) -> Result<PrivateJson, Problem> {
    let Measure { reason, organization, role, targets, lifted, .. } = measure;
    let span = |span| {
        let [first, last] = app.service.ends(span)?.map(|code| code.to_string());
        Ok::<_, MeasureError>(SpanBody { first, last })
    };
    let (lifted_by, lifted_reason) = match lifted {
        Some(Lift { organization, reason, .. }) => (Some(organization.0), reason),
        None => (None, None),
    };
    Ok(PrivateJson {
        reason,
        author: organization.0,
        role,
        batch: targets.batch.map(|batch| batch.0),
        lot: targets.lot.map(|(gtin, lot)| LotJson { gtin: gtin.to_string(), lot: lot.to_string() }),
        spans: targets.spans.iter().map(|(_, named)| span(named)).collect::<Result<_, _>>()?,
        units: targets.units,
        lifted_by,
        lifted_reason,
    })
}
