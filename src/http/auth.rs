//! Who is calling: an API key in `Authorization: Bearer`, or the admin socket.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};

use super::{App, error::Problem};
use crate::{service::Caller, trace::Role};

impl Caller {
    /// Refuses callers in other roles.
    pub fn require(&self, roles: &[Role]) -> Result<(), Problem> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        Err(Problem::forbidden(format!("found a key with the role {:?}, expected one of {roles:?}", self.role)))
    }
}

/// Whoever calls with a valid key. The admin socket puts its own caller into the request's extensions.
impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(*caller);
        }
        let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
            return Err(
                Problem::unauthorized("found no key, expected `Authorization: Bearer cp_...`").at("Authorization")
            );
        };
        let refused = |detail: &str| Problem::unauthorized(detail).at("Authorization");
        // What stands there may be a secret of another service: it is not repeated.
        let Some(key) = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")) else {
            return Err(refused("found something else, expected `Bearer cp_...`"));
        };
        let caller = app.service.caller(key.trim()).await?;
        caller.ok_or_else(|| refused("found a key that is not known here or was revoked, expected a valid one"))
    }
}
