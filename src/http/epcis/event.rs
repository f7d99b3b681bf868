//! `POST /epcis/events` and `GET /epcis/events/{event id}` (EPCIS 2.0, clause 11.7).

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{binding_headers, receive::receive_in_memory};
use crate::{
    epcis::{StoredEvent, document_of, event_id, parse_event_id},
    http::{
        App,
        error::Problem,
        extract::{Path, require_json},
    },
    limits::{EVENT_ANSWER_BYTES_MAX, EVENT_RECORDS_MAX, RECORD_BYTES_MAX},
    service::Caller,
    trace::{EventHash, Record, RecordId, Role},
};

/// Captures one event. The same one again is 409, with where it is.
#[utoipa::path(post, path = "/epcis/events", tag = "epcis", request_body = Object,
    responses((status = 201, description = "captured; `Location` names it"), (status = "4XX", body = Problem)))]
pub async fn post(State(app): State<App>, caller: Caller, request: Request) -> Result<Response, Problem> {
    caller.require(&[Role::Importer, Role::Operator, Role::Inspector])?;
    require_json(request.headers())?;
    let (text, share) = receive_in_memory(&app, request, RECORD_BYTES_MAX).await?;
    let captured = app.service.capture_event(&caller, text, share).await?;
    let event = captured.events.first().copied().ok_or_else(Problem::internal)?;
    let location = location(event)?;
    let mut response = if captured.repeated {
        Problem::conflict("event-exists", format!("this organization has captured {} already", event_id(event)))
            .into_response()
    } else {
        StatusCode::CREATED.into_response()
    };
    response.headers_mut().insert(header::LOCATION, location);
    binding_headers(response.headers_mut(), &app);
    Ok(response)
}

/// All records of an event that the caller may see, as an EPCIS document, as many as fit into 32 MiB. The event is named
/// by its hash, or by an `eventID` that the caller's organization gave it; where the organization gave that id to
/// different events, all of them are shown, each with `cp:conflicting`.
#[utoipa::path(get, path = "/epcis/events/{id}", tag = "epcis",
    params(("id" = String, Path, description = "the event's id, percent-encoded")),
    responses((status = 200, body = Object), (status = "4XX", body = Problem)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    for record in ids(&app, &caller, &id).await? {
        if bytes > EVENT_ANSWER_BYTES_MAX {
            break;
        }
        if let Some(record) = app.service.store.record(record).await?
            && app.service.may_see(&caller, &record).await?
        {
            bytes += record.body.len();
            let is_conflicting = is_conflicting(&app, &record).await?;
            records.push((record, is_conflicting));
        }
    }
    if records.is_empty() {
        return Err(Problem::not_found(format!("there is no event {id}")));
    }
    Ok(document(&app, &records))
}

async fn ids(app: &App, caller: &Caller, id: &str) -> Result<Vec<RecordId>, Problem> {
    let store = &app.service.store;
    let found = match parse_event_id(id) {
        Some(hash) => store.records_of_event(hash, EVENT_RECORDS_MAX).await?,
        None => store.records_of_given_id(caller.organization, id, EVENT_RECORDS_MAX).await?,
    };
    Ok(found)
}

/// Whether the `eventID` that a record was given names another record of its organization too.
async fn is_conflicting(app: &App, record: &Record) -> Result<bool, Problem> {
    let Some(given) = &record.given_event_id else { return Ok(false) };
    Ok(app.service.store.records_of_given_id(record.organization, given, 2).await?.len() > 1)
}

fn document<'r>(app: &App, records: &'r [(Record, bool)]) -> Response {
    let stored = |(record, is_conflicting): &'r (Record, bool)| StoredEvent {
        body: &record.body,
        record_time_ms: record.record_time_ms,
        is_conflicting: *is_conflicting,
    };
    let events: Vec<_> = records.iter().map(stored).collect();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/ld+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    binding_headers(&mut headers, app);
    (headers, document_of(&events, app.service.now_ms())).into_response()
}

/// The path of an event: its id is one segment, percent-encoded.
fn location(event: EventHash) -> Result<HeaderValue, Problem> {
    let id = event_id(event);
    let path = format!("/epcis/events/{}", utf8_percent_encode(&id, NON_ALPHANUMERIC));
    HeaderValue::from_str(&path).map_err(|_| Problem::internal())
}
