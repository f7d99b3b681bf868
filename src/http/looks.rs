//! The trail of what inspectors read: a layer that notes it, and `GET /v1/looks`.

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App,
    answer::{List, Page, Private, timestamp},
    error::Problem,
    extract::Query,
    observe::RequestId,
};
use crate::{limits::LOOK_TARGET_BYTES_MAX, registration::Look, service::Caller, trace::Role};

/// Reads that come as a POST, because what is asked for is long.
const READS_BY_POST: [&str; 1] = ["/v1/measures/preview"];

/// The layer: a read by an inspector is noted, durably, before it is answered; where it cannot be noted, it is refused.
pub async fn noted(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD)
        || route.is_some_and(|route| READS_BY_POST.contains(&route));
    if !reads || !request.headers().contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    // A key that cannot be proved now must not be proved a moment later, behind this.
    let caller = match Caller::from_request_parts(&mut parts, &app).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    if caller.role == Role::Inspector
        && let Err(error) = app.service.note_look(&caller, look(&app, &caller, &parts)).await
    {
        return Problem::from(error).into_response();
    }
    // The route need not prove the key again.
    parts.extensions.insert(caller);
    next.run(Request::from_parts(parts, body)).await
}

fn look(app: &App, caller: &Caller, parts: &Parts) -> Look {
    let route = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let mut target = parts.uri.path_and_query().map_or(parts.uri.path(), |target| target.as_str()).to_owned();
    // A URI is ASCII, so that it may be cut anywhere.
    target.truncate(LOOK_TARGET_BYTES_MAX);
    Look {
        organization: caller.organization,
        key: caller.key,
        route: route.unwrap_or_default(),
        target,
        request: parts.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default(),
        looked_ms: app.service.now_ms(),
    }
}

/// One read by an inspector.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookJson {
    /// Its number.
    pub look: u64,
    /// The inspector's organization.
    pub organization: u64,
    /// The key.
    pub key: Option<u64>,
    /// The route.
    #[schema(example = "/v1/batches/{batch}/whereabouts")]
    pub route: String,
    /// What was asked for: path and query.
    #[schema(example = "/v1/batches/7/whereabouts")]
    pub target: String,
    /// The request's id, as the server's log has it.
    pub request: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub looked_at: Timestamp,
}

/// What inspectors read, by number: an admin sees all, an inspector those of its organization.
#[utoipa::path(get, path = "/v1/looks", tag = "operations", params(Page),
    responses((status = 200, body = List<LookJson>), (status = "4XX", body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Private<List<LookJson>>, Problem> {
    caller.require(&[Role::Admin, Role::Inspector])?;
    let limit = page.limit()?;
    let of = (caller.role == Role::Inspector).then_some(caller.organization);
    let looks = app.service.looks(of, page.after, limit).await?;
    let next = looks.last().filter(|_| looks.len() == limit).map(|(number, _)| *number);
    let items = looks.into_iter().map(|(number, look)| LookJson {
        look: number,
        organization: look.organization.0,
        key: look.key.map(|key| key.0),
        route: look.route,
        target: look.target,
        request: look.request,
        looked_at: timestamp(look.looked_ms),
    });
    Ok(Private(List { items: items.collect(), next }))
}
