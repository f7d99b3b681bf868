//! `POST /v1/backup`, `/v1/backup/retire` and `/v1/quarantine/release`: on the admin socket alone, because a backup has
//! everybody's papers in it.

use axum::{
    Json as AxumJson,
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{App, error::Problem, extract::Json};
use crate::{
    code::{KeySlot, RunId},
    registration::FileHash,
    service::{
        Caller,
        backup::BackupError,
        quarantine::{Release, ReleaseError},
    },
    store,
    trace::Role,
};

/// What kind of backup.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupBody {
    /// Pauses all writes, so that nothing comes behind the backup; `/v1/backup/retire` makes that last.
    #[serde(default, rename = "final")]
    pub last: bool,
}

/// Which final backup is durable.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireBody {
    /// The SHA-256 that its trailer names, in hex.
    pub sha256: String,
}

/// How it is made certain that no code is issued twice: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseBody {
    /// The key ring has a new key, made after the restore.
    #[serde(default)]
    pub fresh_key: bool,
    /// The last run that the lost server issued, by its six characters.
    pub past_run: Option<String>,
}

/// What a released store issues from now on.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedJson {
    /// Slot of the key ring.
    pub slot: u8,
    /// The least run that it may issue; `null` where the slot is used up.
    pub first_run: Option<String>,
}

/// The store was retired.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetiredJson {
    /// `true`.
    pub retired: bool,
}

/// One moment of everything, as a stream in the format of `docs/spec/backup.md`.
#[utoipa::path(post, path = "/v1/backup", tag = "operations", request_body = BackupBody,
    responses((status = 200, content_type = "application/octet-stream"), (status = "4XX", body = Problem)))]
pub async fn post(State(app): State<App>, caller: Caller, Json(body): Json<BackupBody>) -> Result<Response, Problem> {
    require_socket(&caller)?;
    let pieces = app.service.backup(body.last).await?;
    let mut response = Response::new(Body::from_stream(pieces.map(Ok::<_, std::convert::Infallible>)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

/// Retires the store for good, once its final backup is durable.
#[utoipa::path(post, path = "/v1/backup/retire", tag = "operations", request_body = RetireBody,
    responses((status = 200, body = RetiredJson), (status = "4XX", body = Problem)))]
pub async fn retire(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<RetireBody>,
) -> Result<AxumJson<RetiredJson>, Problem> {
    require_socket(&caller)?;
    let digest = body.sha256.parse::<FileHash>();
    let digest = digest.map_err(|()| Problem::invalid("/sha256", "expected 64 hex digits"))?;
    app.service.retire(digest.0).await?;
    Ok(AxumJson(RetiredJson { retired: true }))
}

/// Ends the quarantine of a restored store.
#[utoipa::path(post, path = "/v1/quarantine/release", tag = "operations", request_body = ReleaseBody,
    responses((status = 200, body = ReleasedJson), (status = "4XX", body = Problem)))]
pub async fn release(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<ReleaseBody>,
) -> Result<AxumJson<ReleasedJson>, Problem> {
    require_socket(&caller)?;
    let how = match (body.fresh_key, body.past_run) {
        (true, None) => Release::FreshKey,
        (false, Some(run)) => {
            let run = run.parse::<RunId>();
            Release::PastRun(run.map_err(|error| Problem::invalid("/past_run", error.to_string()))?)
        }
        _ => return Err(Problem::malformed("expected either fresh_key or past_run")),
    };
    let released = app.service.release(how).await?;
    let first = KeySlot::new(released.slot).zip(u32::try_from(released.first).ok());
    let first_run = first.and_then(|(slot, number)| RunId::new(slot, number)).map(|run| run.to_string());
    Ok(AxumJson(ReleasedJson { slot: released.slot, first_run }))
}

/// Whoever may open the store's folder; no key will do.
fn require_socket(caller: &Caller) -> Result<(), Problem> {
    caller.require(&[Role::Admin])?;
    match caller.key {
        None => Ok(()),
        Some(_) => Err(Problem::forbidden("found an admin's key, expected a call through the server's admin socket")),
    }
}

impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Self {
        match error {
            // Only whoever runs the service asks, and hears what to do: to stop other servers, or an older one.
            BackupError::Store(error @ store::Error::Unavailable(_)) => {
                let detail = error.to_string();
                Self { detail, ..error.into() }
            }
            BackupError::Store(error) => error.into(),
            BackupError::NotTaken { .. } | BackupError::WentOn { .. } => Self::conflict("not-taken", error.to_string()),
            error => {
                tracing::error!(%error, "a backup could not be begun");
                Self::internal()
            }
        }
    }
}

impl From<ReleaseError> for Problem {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::Store(error) => error.into(),
            error => Self::conflict("quarantine", error.to_string()),
        }
    }
}
