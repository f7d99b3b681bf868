//! What registration answers: created things, pages of a list, and problems.

use std::ops::RangeInclusive;

use axum::{
    Json,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{error::Problem, given::problem_of_fields};
use crate::{limits::PAGE_ITEMS_MAX, registration::Statement, service::register::RegisterError};

/// 201 with where the thing is.
pub struct Created<T> {
    /// Its path.
    pub location: String,
    /// The thing.
    pub body: T,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(header::LOCATION, self.location)], Json(self.body)).into_response()
    }
}

/// An answer that caches keep for nobody: what it shows is for this caller.
pub struct Private<T>(pub T);

impl<T: Serialize> IntoResponse for Private<T> {
    fn into_response(self) -> Response {
        ([(header::CACHE_CONTROL, "private, no-store")] as [(HeaderName, &str); 1], Json(self.0)).into_response()
    }
}

/// A time as answers tell it; the epoch for what no calendar has.
pub fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Only numbers above this one.
    pub after: Option<u64>,
    /// How many, 1 to 100; 100 where left out.
    pub limit: Option<usize>,
}

impl Page {
    /// The first version to show, where the list is one of versions.
    ///
    /// # Errors
    /// Where there can be no such version.
    pub fn from_version(&self) -> Result<u32, Problem> {
        let after = self.after.unwrap_or(0);
        let from = u32::try_from(after).ok().and_then(|after| after.checked_add(1));
        from.ok_or_else(|| Problem::invalid("after", format!("found {after}, expected a version, from 1")))
    }

    /// How many there may be on the page.
    ///
    /// # Errors
    /// Where that is 0 or too many.
    pub fn limit(&self) -> Result<usize, Problem> {
        limit(self.limit, PAGE_ITEMS_MAX, 1..=PAGE_ITEMS_MAX)
    }
}

/// How many of something a query asks for; `default` where it does not say.
///
/// # Errors
/// Where that is not among the `allowed`.
pub fn limit(asked: Option<usize>, default: usize, allowed: RangeInclusive<usize>) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(default);
    if allowed.contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::invalid("limit", format!("found {limit}, expected {} to {}", allowed.start(), allowed.end())))
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// In ascending order of their numbers.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; `null` at the end.
    pub next: Option<u64>,
}

impl<T> List<T> {
    /// A page that was asked for with `limit`.
    ///
    /// # Errors
    /// Those of `show`.
    pub fn new(
        statements: Vec<Statement>,
        limit: usize,
        show: impl FnMut(&Statement) -> Result<T, Problem>,
    ) -> Result<Self, Problem> {
        let next = Self::next(&statements, limit);
        Ok(Self { items: statements.iter().map(show).collect::<Result<_, _>>()?, next })
    }

    /// A page of versions of one thing, oldest first, of those that `history` gave; their numbers are versions.
    ///
    /// # Errors
    /// Those of `show`.
    pub fn of_versions(
        mut history: Vec<Statement>,
        limit: usize,
        show: impl FnMut(&Statement) -> Result<T, Problem>,
    ) -> Result<Self, Problem> {
        history.truncate(limit);
        let next = history.last().filter(|_| history.len() == limit).map(|last| last.version.into());
        Ok(Self { items: history.iter().map(show).collect::<Result<_, _>>()?, next })
    }

    /// Where the page after this one begins; `None` where this one is not full.
    pub fn next(statements: &[Statement], limit: usize) -> Option<u64> {
        statements.last().filter(|_| statements.len() == limit).map(|last| last.id)
    }
}

/// Which version of a thing an answer shows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    /// From 1.
    pub version: u32,
    /// The organization that wrote it; 0 for the admin socket.
    pub author: u64,
    /// When, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    pub written_at: Timestamp,
}

impl From<&Statement> for Version {
    fn from(statement: &Statement) -> Self {
        Self { version: statement.version, author: statement.author.0, written_at: timestamp(statement.written_ms) }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Store(error) => error.into(),
            RegisterError::Files(error) => {
                tracing::warn!(%error, "files");
                Self::unavailable("The file store does not take this now; nothing was acknowledged. Try again later.")
            }
            RegisterError::NotFound { .. } => Self::not_found(error.to_string()),
            RegisterError::Invalid(errors) => problem_of_fields(errors),
            RegisterError::Event(_) => Self::invalid("body", error.to_string()),
            RegisterError::Changed { .. } => Self::conflict("changed", error.to_string()),
            RegisterError::Full { .. } => Self::conflict("full", error.to_string()),
        }
    }
}

/// Stored content of a kind that its number does not have: logged as damage.
pub fn other_kind(statement: &Statement) -> Problem {
    tracing::error!(kind = ?statement.kind, id = statement.id, "a statement has content of another kind");
    Problem::internal()
}
