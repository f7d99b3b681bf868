//! `GET /v1/runs/{run}/codes` and `GET /v1/batches/{batch}/codes`: codes as a stream.
//!
//! Each piece is made when the connection asks for it, so that a download takes constant memory and a slow reader slows nothing
//! but itself. A download that broke off goes on with `from`.

use std::collections::VecDeque;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    code::{Encoder, Form},
    http::{
        App,
        error::Problem,
        extract::{Path, Query},
    },
    limits::STREAM_PIECE_BYTES,
    registration::{Kind, Run},
    service::Caller,
    trace::BatchId,
};

/// Which codes, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CodesQuery {
    /// How many to skip; 0 where left out.
    #[serde(default)]
    pub from: u64,
    /// How many; all where left out.
    pub count: Option<u64>,
    /// `uri`, the default: byte for byte the text of the symbol; `code`, `csv` or `ndjson`.
    pub form: Option<String>,
}

/// The codes of a run, one a line.
#[utoipa::path(get, path = "/v1/runs/{run}/codes", tag = "codes",
    params(("run" = String, Path, description = "the first six characters of its codes"), CodesQuery),
    responses((status = 200, content_type = "text/plain"), (status = "4XX", body = Problem)))]
pub async fn of_run(
    State(app): State<App>,
    caller: Caller,
    Path(run): Path<String>,
    Query(query): Query<CodesQuery>,
) -> Result<Response, Problem> {
    let found = app.run(&caller, &run).await;
    caller.require_printer(found.as_ref().ok().map(|(run, _)| run))?;
    let (run, gtin) = found?;
    respond(&app, &[run], gtin, &query)
}

/// The codes of all runs of a batch, one a line, oldest run first.
#[utoipa::path(get, path = "/v1/batches/{batch}/codes", tag = "codes",
    params(("batch" = u64, Path, description = "number of the batch"), CodesQuery),
    responses((status = 200, content_type = "text/plain"), (status = "4XX", body = Problem)))]
pub async fn of_batch(
    State(app): State<App>,
    caller: Caller,
    Path(batch): Path<u64>,
    Query(query): Query<CodesQuery>,
) -> Result<Response, Problem> {
    caller.require_printer(None)?;
    if caller.key.is_some() {
        app.service.readable(&caller, Kind::Batch, batch).await?;
    }
    let runs = app.service.runs_of(BatchId(batch)).await?;
    let gtin = match runs.first() {
        Some(run) => app.service.gtin_of(run).await?,
        None => None,
    };
    respond(&app, &runs, gtin, &query)
}

fn respond(app: &App, runs: &[Run], gtin: Option<crate::code::Gtin>, query: &CodesQuery) -> Result<Response, Problem> {
    let form = query.form.as_deref().unwrap_or("uri").parse::<Form>();
    let form = form.map_err(|error| Problem::invalid("form", error.to_string()))?;
    let all: u64 = runs.iter().map(|run| u64::from(run.count)).sum();
    if query.from > all {
        return Err(Problem::invalid("from", format!("found {}, expected at most {all}", query.from)));
    }
    if query.count == Some(0) {
        return Err(Problem::invalid("count", "found 0, expected at least 1"));
    }
    let (mut skip, mut rest) = (query.from, query.count.unwrap_or(u64::MAX));
    let mut encoders = VecDeque::new();
    for run in runs {
        let from = u32::try_from(skip.min(run.count.into())).unwrap_or(u32::MAX);
        let codes = u32::try_from(rest.min(u64::from(run.count - from))).unwrap_or(u32::MAX);
        (skip, rest) = (skip - u64::from(from), rest - u64::from(codes));
        if codes > 0 {
            app.run_key(run.id)?;
            encoders.extend(app.service.encoder(run, gtin, form, from, codes));
        }
    }
    // What goes on where another download broke off has its header already.
    let header = if query.from == 0 { form.header() } else { "" };
    let media_type = match form {
        Form::Uri | Form::Code => "text/plain; charset=utf-8",
        Form::Csv => "text/csv; charset=utf-8",
        Form::Ndjson => "application/x-ndjson",
    };
    let mut response = Response::new(Body::from_stream(pieces(encoders, header)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

fn pieces(
    encoders: VecDeque<Encoder>,
    header: &'static str,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::unfold((encoders, header), |(mut encoders, header)| async move {
        let mut piece = Vec::with_capacity(STREAM_PIECE_BYTES);
        piece.extend_from_slice(header.as_bytes());
        while let Some(encoder) = encoders.front_mut() {
            let room = STREAM_PIECE_BYTES.saturating_sub(piece.len());
            if room < encoder.line_bytes_max() {
                break;
            }
            if encoder.fill(&mut piece, room) == 0 {
                encoders.pop_front();
            }
        }
        // Between two pieces others have their turn.
        (!piece.is_empty()).then(|| (Ok(Bytes::from(piece)), (encoders, "")))
    })
}
