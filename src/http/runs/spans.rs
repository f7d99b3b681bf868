//! `POST /v1/runs/{run}/applied` and `/void`: what became of labels.

use axum::{Json as AxumJson, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    code::{Code, RunKey, Verification},
    epcis::{event_id, shapes::CodeStep},
    http::{
        App,
        error::Problem,
        extract::{Json, Path},
        text_or::Parts,
    },
    limits::EVENT_SUBJECTS_MAX,
    registration::Run,
    service::Caller,
    trace::Role,
};

/// Codes from the first to the last, both named.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpanBody {
    /// The first code.
    pub first: String,
    /// The last code; of the same run, at or behind the first.
    pub last: String,
}

impl Parts for SpanBody {
    const EXPECTED: &str = "a code, a unit, or an object with first and last";
}

/// Which labels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpansBody {
    /// 1 to 100,000 of them, none named twice.
    pub spans: Vec<SpanBody>,
}

/// The events that were made.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsJson {
    /// Their public ids.
    pub events: Vec<String>,
}

/// Reports labels as applied to goods.
#[utoipa::path(post, path = "/v1/runs/{run}/applied", tag = "codes",
    params(("run" = String, Path, description = "the first six characters of its codes")), request_body = SpansBody,
    responses((status = 201, body = EventsJson), (status = "4XX", body = Problem)))]
pub async fn applied(
    State(app): State<App>,
    caller: Caller,
    Path(run): Path<String>,
    Json(body): Json<SpansBody>,
) -> Result<(StatusCode, AxumJson<EventsJson>), Problem> {
    report(&app, &caller, &run, body, CodeStep::Applied).await
}

/// Declares labels void: they are on no goods and never will be. Final, unless declared in error.
#[utoipa::path(post, path = "/v1/runs/{run}/void", tag = "codes",
    params(("run" = String, Path, description = "the first six characters of its codes")), request_body = SpansBody,
    responses((status = 201, body = EventsJson), (status = "4XX", body = Problem)))]
pub async fn void(
    State(app): State<App>,
    caller: Caller,
    Path(run): Path<String>,
    Json(body): Json<SpansBody>,
) -> Result<(StatusCode, AxumJson<EventsJson>), Problem> {
    report(&app, &caller, &run, body, CodeStep::Void).await
}

async fn report(
    app: &App,
    caller: &Caller,
    name: &str,
    body: SpansBody,
    step: CodeStep,
) -> Result<(StatusCode, AxumJson<EventsJson>), Problem> {
    caller.require(&[Role::Importer])?;
    let (run, _) = app.run(caller, name).await?;
    let key = app.run_key(run.id)?;
    // So many tags take a moment, in which the thread serves nobody else.
    let (spans, run) = tokio::task::spawn_blocking(move || Ok((read(&body.spans, &run, &key)?, run)))
        .await
        .unwrap_or_else(|_| Err(Problem::internal()))?;
    let captured = app.service.report_codes(caller, &run, &spans, step).await?;
    let events = captured.events.into_iter().map(event_id).collect();
    Ok((StatusCode::CREATED, AxumJson(EventsJson { events })))
}

/// The spans with every code proved, issued and named once.
fn read(spans: &[SpanBody], run: &Run, key: &RunKey) -> Result<Vec<(Code, Code)>, Problem> {
    if !(1..=EVENT_SUBJECTS_MAX).contains(&spans.len()) {
        let detail = format!("found {} spans, expected 1 to {EVENT_SUBJECTS_MAX}", spans.len());
        return Err(Problem::invalid("/spans", detail));
    }
    let mut codes = Vec::with_capacity(spans.len());
    for (at, span) in spans.iter().enumerate() {
        let first = read_code(&span.first, run, key).map_err(|problem| problem.at(format!("/spans/{at}/first")))?;
        let last = read_code(&span.last, run, key).map_err(|problem| problem.at(format!("/spans/{at}/last")))?;
        if last.serial < first.serial {
            let detail = format!("found {last}, which stands before {first}, expected a code at or behind it");
            return Err(Problem::invalid(format!("/spans/{at}/last"), detail));
        }
        codes.push((first, last));
    }
    let mut ascending: Vec<_> = codes.iter().enumerate().collect();
    ascending.sort_unstable_by_key(|(_, (first, _))| first.serial);
    for pair in ascending.windows(2) {
        if let [(_, (_, last)), (at, (first, _))] = pair
            && first.serial <= last.serial
        {
            let detail = format!("found {first}, which stands in another span too, expected each code once");
            return Err(Problem::invalid(format!("/spans/{at}"), detail));
        }
    }
    Ok(codes)
}

fn read_code(text: &str, run: &Run, key: &RunKey) -> Result<Code, Problem> {
    let refused = |detail: String| Problem::invalid("", detail);
    let code = Code::parse(text).map_err(|error| refused(error.to_string()))?;
    if code.run != run.id {
        return Err(refused(format!("found a code of run {}, expected run {}", code.run, run.id)));
    }
    if !matches!(key.verify(&code), Verification::Valid | Verification::Retired) {
        return Err(refused(format!("found {code}, expected a code whose tag proves it")));
    }
    if code.serial.get() >= run.count {
        return Err(refused(format!("found {code}, expected a code that was issued: the run has {}", run.count)));
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        code::{KeyRing, KeySlot, RunId, Serial, key_table},
        registration::{Activation, Level},
        trace::{BatchId, OrganizationId},
    };

    /// A run of ten codes, and its key.
    fn run() -> (Run, RunKey) {
        let ring = key_table(KeySlot::new(0).unwrap(), &std::array::from_fn(|at| at as u8), "2026-01-01");
        let id = RunId::from_bits(3).unwrap();
        let key = KeyRing::parse(&ring).unwrap().run_key(id).unwrap();
        let (organization, batch, activate) = (OrganizationId(1), BatchId(1), Activation::OnReport);
        let run = Run {
            id,
            organization,
            batch,
            level: Level::Item,
            content: None,
            count: 10,
            activate,
            signed: false,
            created_ms: 0,
            split: false,
        };
        (run, key)
    }

    fn refused(spans: &[(&str, &str)]) -> Problem {
        let span = |(first, last): &(&str, &str)| SpanBody { first: (*first).to_owned(), last: (*last).to_owned() };
        let (run, key) = run();
        read(&spans.iter().map(span).collect::<Vec<_>>(), &run, &key).unwrap_err()
    }

    #[test]
    fn a_span_at_fault_is_named_by_its_place_in_the_body() {
        let (run, key) = run();
        let code = |serial| key.code(Serial::new(serial).unwrap());
        let text = |serial| code(serial).to_string();
        let forged = Code { tag: code(1).tag, ..code(0) }.to_string();
        let other = Code { run: RunId::from_bits(4).unwrap(), ..code(0) }.to_string();
        let (c0, c2, c4, c9, c10) = (text(0), text(2), text(4), text(9), text(10));
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
        let cases: &[Case<'_>] = &[
            (&[], "/spans", "expected 1 to 100000"),
            (&[(&c0, &c0), (&forged, &c9)], "/spans/1/first", "whose tag proves it"),
            (&[(&c0, &forged)], "/spans/0/last", "whose tag proves it"),
            (&[(&c10, &c10)], "/spans/0/first", "the run has 10"),
            (&[(&c9, &c10)], "/spans/0/last", "the run has 10"),
            (&[(&other, &c9)], "/spans/0/first", "expected run"),
            (&[("x", &c9)], "/spans/0/first", "20"),
            (&[(&c4, &c2)], "/spans/0/last", "at or behind it"),
            (&[(&c4, &c9), (&c0, &c4)], "/spans/0", "each code once"),
        ];
        for (spans, field, words) in cases {
            let problem = refused(spans);
            assert_eq!((problem.status, problem.field.as_deref()), (400, Some(*field)), "{problem:?}");
            assert!(problem.kind.ends_with("/invalid") && problem.detail.contains(words), "{problem:?}");
        }
        let many = vec![(c0.as_str(), c0.as_str()); EVENT_SUBJECTS_MAX + 1];
        assert_eq!(refused(&many).field.as_deref(), Some("/spans"));
        let span = |first: &str, last: &str| SpanBody { first: first.to_owned(), last: last.to_owned() };
        let right = read(&[span(&c4, &c9), span(&c0, &c2)], &run, &key).unwrap();
        assert_eq!(right, [(code(4), code(9)), (code(0), code(2))]);
    }

    #[test]
    fn as_many_spans_as_may_be_named_fit_their_body_and_one_event() {
        let (run, key) = run();
        let longest = |serial| {
            let code = key.code(Serial::new(serial).unwrap()).to_string();
            [&code[..4], &code[4..8], &code[8..12], &code[12..16], &code[16..]].join("-")
        };
        let span = SpanBody { first: longest(0), last: longest(1) };
        let body = serde_json::json!({ "spans": [span] }).to_string();
        assert!(body.len() * EVENT_SUBJECTS_MAX <= crate::limits::SPANS_BYTES_MAX, "{} bytes", body.len());
        let hosts = crate::epcis::Hosts::new("demo.coldproof.example".parse().unwrap(), []);
        let span = |at| {
            let code = key.code(Serial::new(2 * at).unwrap());
            crate::epcis::shapes::BatchSpan { batch: run.batch, first: code, last: code }
        };
        let spans: Vec<_> = (0..u32::try_from(EVENT_SUBJECTS_MAX).unwrap()).map(span).collect();
        let occasion = crate::epcis::shapes::Occasion::default();
        let event = crate::epcis::shapes::codes(&occasion, CodeStep::Applied, &spans, &hosts).unwrap();
        assert_eq!(event.goods.spans.len(), EVENT_SUBJECTS_MAX);
    }
}
