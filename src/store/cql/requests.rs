//! Requests to the cluster: bounded in number and time, repeated only where that is harmless, and their errors as the
//! store's.

use std::{fmt::Display, time::Duration};

use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use scylla::{
    client::session::Session,
    deserialize::row::DeserializeRow,
    errors::{DbError, ExecutionError, NextRowError, RequestAttemptError},
    response::{
        PagingState, PagingStateResponse,
        query_result::{QueryResult, QueryRowsResult},
    },
    serialize::row::SerializeRow,
    statement::prepared::PreparedStatement,
    value::{CqlValue, Row},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{sleep, timeout},
};

use super::words::corrupt;
use crate::{
    limits::{CQL_PAGE_ROWS, CQL_PASS_TRIES_MAX, CQL_REQUESTS_MAX, CQL_TRIES_MS, CQL_WAIT_MS, STORE_TRY_PAUSE_MS},
    store::{Error, Result, again, is_unavailable},
};

/// The session, and who may use it now.
pub struct Requests {
    session: Session,
    reads: Semaphore,
    /// Apart from reads, so that a large capture keeps no scan waiting.
    writes: Semaphore,
}

/// How a swap ended that neither took effect nor found another value.
pub enum SwapError {
    /// It may have taken effect, or may still do so.
    Unknown(String),
    /// It has not, and will not.
    Failed(Error),
}

/// A row as a tuple or struct of its own: it borrows nothing of the answer.
pub trait Owned: for<'f, 'm> DeserializeRow<'f, 'm> + Send + 'static {}
impl<T: for<'f, 'm> DeserializeRow<'f, 'm> + Send + 'static> Owned for T {}

impl Requests {
    pub fn new(session: Session) -> Self {
        Self { session, reads: Semaphore::new(CQL_REQUESTS_MAX), writes: Semaphore::new(CQL_REQUESTS_MAX) }
    }

    /// Writes with this timestamp. What may have landed is written again as it is: that changes nothing.
    pub async fn write(&self, statement: &PreparedStatement, stamp: i64, values: impl SerializeRow) -> Result<()> {
        let mut statement = statement.clone();
        statement.set_timestamp(Some(stamp));
        count(
            statement.get_variable_col_specs().iter().next().map_or("", |spec| spec.table_spec().table_name()),
            "write",
        );
        let bound = statement.bind(&values).map_err(unavailable)?;
        let _turn = turn(&self.writes).await?;
        let put = || self.session.execute_bound_unpaged(&bound);
        again(CQL_TRIES_MS, may_pass, put).await.map(drop).map_err(unavailable)
    }

    /// The one row that a statement answers with.
    pub async fn one<R: Owned>(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
        at: (&'static str, impl Display),
    ) -> Result<Option<R>> {
        count(at.0, "read");
        let _turn = turn(&self.reads).await?;
        let ask = || self.session.execute_unpaged(statement, &values);
        let result = again(CQL_TRIES_MS, may_pass, ask).await.map_err(unavailable)?;
        let rows = result.into_rows_result().map_err(|error| corrupt(at.0, &at.1, error))?;
        rows.maybe_first_row::<R>().map_err(|error| corrupt(at.0, &at.1, error))
    }

    /// All rows of an answer that its statement bounds.
    pub async fn list<R: Owned>(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
        at: (&'static str, impl Display),
    ) -> Result<Vec<R>> {
        let _turn = turn(&self.reads).await?;
        let mut statement = statement.clone();
        statement.set_page_size(CQL_PAGE_ROWS);
        count(at.0, "read");
        again(CQL_TRIES_MS, is_unavailable, || async {
            let pager = self.session.execute_iter(statement.clone(), &values).await.map_err(unavailable)?;
            let mut rows = pager.rows_stream::<R>().map_err(|error| corrupt(at.0, &at.1, error))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next().await {
                found.push(row.map_err(|error| match error {
                    NextRowError::RowDeserializationError(error) => corrupt(at.0, &at.1, error),
                    error => unavailable(error),
                })?);
            }
            Ok(found)
        })
        .await
    }

    /// Row after row of a whole table, a page at a time. A row that cannot be decoded is an error and hides no other; a page
    /// that does not come in time is asked for again, because so much is lost with it.
    pub fn pass<R: Owned>(&self, statement: &PreparedStatement, table: &'static str) -> BoxStream<'_, Result<R>> {
        count(table, "read");
        let mut statement = statement.clone();
        statement.set_page_size(CQL_PAGE_ROWS);
        let pages = stream::try_unfold(Some((statement, PagingState::start())), move |next| async move {
            let Some((statement, at)) = next else { return Ok(None) };
            let (page, next) = self.page(&statement, &at).await?;
            let page = page.into_rows_result().map_err(|error| corrupt(table, "*", error))?;
            let rows = page.rows::<R>().map_err(|error| corrupt(table, "*", error))?;
            let named = |at, error| corrupt(table, self.key_of(&page, at), error);
            let rows: Vec<_> = (0..).zip(rows).map(|(at, row)| row.map_err(|error| named(at, error))).collect();
            Ok(Some((stream::iter(rows), next.map(|at| (statement, at)))))
        });
        pages.try_flatten().boxed()
    }

    /// The key of a row that cannot be decoded; `*` where it is not known.
    fn key_of(&self, page: &QueryRowsResult, at: usize) -> String {
        let row = page.rows::<Row>().ok().and_then(|mut rows| rows.nth(at)?.ok());
        let columns = page.column_specs();
        let state = self.session.get_cluster_state();
        let table = columns.iter().next().and_then(|column| {
            let of = column.table_spec();
            state.get_keyspace(of.ks_name())?.tables.get(of.table_name())
        });
        let Some((row, table)) = row.zip(table) else { return "*".to_owned() };
        let value = |name: &String| {
            let at = columns.iter().position(|column| column.name() == name)?;
            row.columns.get(at)?.as_ref().map(ToString::to_string)
        };
        let key: Vec<_> = table.partition_key.iter().chain(&table.clustering_key).filter_map(value).collect();
        key.join("/")
    }

    /// A page, and where the next one begins.
    async fn page(
        &self,
        statement: &PreparedStatement,
        at: &PagingState,
    ) -> Result<(QueryResult, Option<PagingState>)> {
        let mut tries = 1;
        loop {
            let error = match self.session.execute_single_page(statement, (), at.clone()).await {
                Ok((page, PagingStateResponse::HasMorePages { state })) => return Ok((page, Some(state))),
                Ok((page, PagingStateResponse::NoMorePages)) => return Ok((page, None)),
                Err(error) => error,
            };
            if tries >= CQL_PASS_TRIES_MAX || !may_pass(&error) {
                return Err(unavailable(error));
            }
            sleep(Duration::from_millis(STORE_TRY_PAUSE_MS) * tries).await;
            tries += 1;
        }
    }

    /// A lightweight transaction; whether it was applied. It is sent once: whoever calls decides what an unknown end means.
    pub async fn swap(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> std::result::Result<bool, SwapError> {
        count(
            statement.get_variable_col_specs().iter().next().map_or("", |spec| spec.table_spec().table_name()),
            "swap",
        );
        let _turn = turn(&self.writes).await.map_err(SwapError::Failed)?;
        let result = match self.session.execute_unpaged(statement, values).await {
            Ok(result) => result,
            Err(error) if has_not_begun(&error) => return Err(SwapError::Failed(unavailable(error))),
            Err(error) => return Err(SwapError::Unknown(error.to_string())),
        };
        let rows = result.into_rows_result().map_err(|error| SwapError::Unknown(error.to_string()))?;
        let row = rows.first_row::<Row>().map_err(|error| SwapError::Unknown(error.to_string()))?;
        match row.columns.first() {
            Some(Some(CqlValue::Boolean(applied))) => Ok(*applied),
            other => Err(SwapError::Unknown(format!("the answer to a swap begins with {other:?}"))),
        }
    }
}

/// Counts a request, so that it can be seen what store reads follow: changes, not scans.
fn count(table: &str, kind: &'static str) {
    metrics::counter!("coldproof_store_requests_total", "table" => table.to_owned(), "kind" => kind).increment(1);
}

/// Waits until one more request may be under way.
async fn turn(of: &Semaphore) -> Result<SemaphorePermit<'_>> {
    let turn = timeout(Duration::from_millis(CQL_WAIT_MS), of.acquire()).await;
    let busy = || Error::Unavailable("the cluster has more requests under way than it answers".to_owned());
    turn.map_err(|_| busy())?.map_err(|_| busy())
}

/// What kept the cluster from doing it.
pub fn unavailable(error: impl Display) -> Error {
    Error::Unavailable(format!("the cluster: {error}"))
}

/// Whether the server may answer otherwise when it is asked again.
fn may_pass(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::BadQuery(_) => false,
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) => !matches!(
            error,
            DbError::SyntaxError
                | DbError::Invalid
                | DbError::Unauthorized
                | DbError::ConfigError
                | DbError::ProtocolError
        ),
        _ => true,
    }
}

/// Whether the error says that no replica was asked.
fn has_not_begun(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::ConnectionPoolError(_) | ExecutionError::EmptyPlan => true,
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) => {
            matches!(error, DbError::Unavailable { .. } | DbError::Overloaded | DbError::IsBootstrapping)
        }
        error => !may_pass(error),
    }
}
