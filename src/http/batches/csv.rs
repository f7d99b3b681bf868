//! Batches as CSV: columns as [`crate::registration::COLUMNS`] lists them, a report per row before anything is written,
//! and all rows written or none.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{BatchJson, seen};
use crate::{
    http::{
        App,
        error::{FieldError, Problem},
    },
    registration::{Batch, BatchRow, read_batches},
    service::{Caller, register::BatchInput},
    trace::ConsignmentId,
};

/// How a CSV is taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CsvQuery {
    /// With `true` only the report is made, and nothing is written.
    pub dry_run: Option<bool>,
}

/// What became of the rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportJson {
    /// Whether the rows were written: all or none.
    pub written: bool,
    /// A report per row, in the file's order.
    pub rows: Vec<RowJson>,
}

/// What became of one row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowJson {
    /// Its number in the file, from 1; the header is row 1.
    pub row: u64,
    /// Whether nothing is wrong with it.
    pub ok: bool,
    /// What is wrong with it; `field` is the column.
    pub errors: Vec<FieldError>,
    /// The batch that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchJson>,
}

/// Reads, checks and, unless it is a dry run or a row is wrong, writes. 200 for a dry run; 400 with every error of every
/// row where there is one; 201 otherwise.
pub(super) async fn register(
    app: &App,
    caller: &Caller,
    consignment: ConsignmentId,
    file: &[u8],
    dry_run: bool,
) -> Result<Response, Problem> {
    let blank = Batch::blank(caller.organization, consignment, app.service.now_ms());
    let rows = read_batches(file, &blank).map_err(|error| Problem::invalid("body", error.to_string()))?;
    let (mut report, mut batches) = (Vec::new(), Vec::new());
    for BatchRow { row, batch, gtin, mut errors } in rows {
        let mut input = BatchInput { batch, gtin };
        for error in app.service.check_batch(caller, &mut input).await? {
            if !errors.iter().any(|known| known.field == error.field) {
                errors.push(error);
            }
        }
        let named =
            |error: crate::registration::FieldError| FieldError { field: error.field, detail: error.error.to_string() };
        let errors: Vec<_> = errors.into_iter().map(named).collect();
        report.push(RowJson { row, ok: errors.is_empty(), errors, batch: None });
        batches.push(input.batch);
    }
    if dry_run {
        return Ok((StatusCode::OK, axum::Json(ReportJson { written: false, rows: report })).into_response());
    }
    if report.iter().any(|row| !row.ok) {
        return Err(refused(report));
    }
    let statements = app.service.create_batches(caller, consignment, batches).await?;
    for (row, statement) in report.iter_mut().zip(&statements) {
        let mut batch = BatchJson::new(statement)?;
        batch.same_line = seen(app, caller, batch.same_line).await;
        row.batch = Some(batch);
    }
    Ok((StatusCode::CREATED, axum::Json(ReportJson { written: true, rows: report })).into_response())
}

fn refused(report: Vec<RowJson>) -> Problem {
    let errors = report.into_iter().flat_map(|row| {
        let number = row.row;
        row.errors.into_iter().map(move |error| FieldError { field: format!("row {number}, {}", error.field), ..error })
    });
    Problem::invalid_fields(errors.collect())
}
