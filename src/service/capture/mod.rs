//! Captures: stage, commit, apply, answer. A document takes effect whole or not at all, and once.
//!
//! What is accepted depends only on the document, the caller's role and facts that never change, so that the order in
//! which documents arrive decides nothing.

mod accept;
mod effects;
mod large;
mod spool;
mod stage;

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use tracing::Instrument;

use self::{accept::Acceptance, stage::Staging};
pub use self::{
    spool::{Spool, SpoolError, SpoolWriter, Spools},
    stage::Applying,
};
use super::{Caller, Service};
use crate::{
    code::Verification,
    epcis::{self, Class, DocumentError, Draft, Event, Ruling, capture_id, record_id},
    limits::{
        CAPTURE_WAIT_MS, CAPTURES_KIB_MAX, ENTRY_BYTES_MAX, GROWTH_BURST_ENTRIES, PARSE_INLINE_BYTES_MAX,
        SPAN_ENTRIES_MAX, WRITE_BYTES_MAX,
    },
    registration::Statement,
    store::{self, Capture, Writes},
    trace::{CaptureId, EventHash, Instance, Record, RecordId, Role, entries_of, receives},
};

/// Why a document was refused; nothing of it took effect.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// A value in it is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The caller may not say this.
    #[error("event {event}: {detail}")]
    Forbidden {
        /// Which event, from 0.
        event: usize,
        /// What was said, by which role, and who may say it.
        detail: String,
    },
    /// It speaks of something that is not there, or of a time to come.
    #[error("event {event}, {field}: {detail}")]
    Invalid {
        /// Which event, from 0.
        event: usize,
        /// Which field of it.
        field: &'static str,
        /// What was found and what was expected.
        detail: String,
    },
    /// Too many reports on goods of others.
    #[error(
        "event {event}: more reports on the same goods of others than are taken now, at most {GROWTH_BURST_ENTRIES} at once; \
         try again in {retry_after_s} s"
    )]
    TooMany {
        /// Which event, from 0.
        event: usize,
        /// When to come back, in seconds.
        retry_after_s: u32,
    },
    /// It has no event.
    #[error("the document has no event")]
    Empty,
    /// There is no room for it now, or none at all.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What became of a document.
#[derive(Clone, Debug)]
pub struct Captured {
    /// As the feed has it.
    pub capture: Capture,
    /// The public ids of its events, in order.
    pub events: Vec<EventHash>,
    /// Whether it had been captured before.
    pub repeated: bool,
}

impl Service {
    /// Waits until a capture's text of so many bytes may be in memory; it may until what is returned is dropped.
    ///
    /// # Errors
    /// [`SpoolError::Busy`] where that takes too long.
    pub async fn capture_memory(&self, bytes: usize) -> Result<OwnedSemaphorePermit, CaptureError> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).min(CAPTURES_KIB_MAX);
        let wait = Arc::clone(&self.captures).acquire_many_owned(kib);
        let permit = timeout(Duration::from_millis(CAPTURE_WAIT_MS), wait).await.ok().and_then(Result::ok);
        permit.ok_or(CaptureError::Spool(SpoolError::Busy))
    }

    /// Captures an EPCIS document that is in memory, with its share of that.
    ///
    /// # Errors
    /// What is wrong with it and where; nothing of it has taken effect then.
    pub async fn capture_document(
        self: &Arc<Self>,
        caller: &Caller,
        text: Vec<u8>,
        share: OwnedSemaphorePermit,
    ) -> Result<Captured, CaptureError> {
        let (service, caller) = (Arc::clone(self), *caller);
        on_its_own(async move {
            let _share = share;
            let drafts = heavy(text.len(), || epcis::parse_document(&text, &service.hosts))?;
            service.capture_drafts(&caller, drafts, text.len()).await
        })
        .await
    }

    /// Captures one event; where the organization stated it before, in whichever document, that capture is the answer.
    ///
    /// # Errors
    /// As for a document.
    pub async fn capture_event(
        self: &Arc<Self>,
        caller: &Caller,
        text: Vec<u8>,
        share: OwnedSemaphorePermit,
    ) -> Result<Captured, CaptureError> {
        let (service, caller) = (Arc::clone(self), *caller);
        on_its_own(async move {
            let _share = share;
            let draft = heavy(text.len(), || epcis::parse_event(&text, &service.hosts))?;
            let mut acceptance = Acceptance::new(service.now_ms());
            let events = service.accept(&caller, &mut acceptance, vec![draft], 0, text.len()).await?;
            for event in &events {
                if let Some(record) = service.store.record(record_id(caller.organization, &event.body)).await?
                    && let Some(capture) = service.store.capture(record.capture).await?
                {
                    return Ok(Captured { capture, events: vec![event.hash], repeated: true });
                }
            }
            service.commit_accepted(&caller, &acceptance, &events).await
        })
        .await
    }

    /// Captures one event that the service itself made for a caller, through the same door.
    ///
    /// # Errors
    /// As for a document.
    pub async fn capture_canonical(&self, caller: &Caller, body: &str) -> Result<Captured, CaptureError> {
        self.capture_made(caller, &[body]).await
    }

    /// Captures events that the service itself made for a caller, in one capture.
    ///
    /// # Errors
    /// As for a document.
    pub async fn capture_made(&self, caller: &Caller, bodies: &[&str]) -> Result<Captured, CaptureError> {
        let bytes = bodies.iter().map(|body| body.len()).sum();
        let drafts = heavy(bytes, || {
            bodies.iter().map(|body| epcis::parse_canonical(body, &self.hosts)).collect::<Result<Vec<_>, _>>()
        })?;
        self.capture_drafts(caller, drafts, bytes).await
    }

    async fn capture_drafts(
        &self,
        caller: &Caller,
        drafts: Vec<Draft<'_>>,
        bytes: usize,
    ) -> Result<Captured, CaptureError> {
        if drafts.is_empty() {
            return Err(CaptureError::Empty);
        }
        let mut acceptance = Acceptance::new(self.now_ms());
        let events = self.accept(caller, &mut acceptance, drafts, 0, bytes).await?;
        self.commit_accepted(caller, &acceptance, &events).await
    }

    /// Commits the events of a document with all that it takes. One that is committed already takes nothing again.
    async fn commit_accepted(
        &self,
        caller: &Caller,
        acceptance: &Acceptance,
        events: &[Event],
    ) -> Result<Captured, CaptureError> {
        let ids: Vec<_> = events.iter().map(|event| record_id(caller.organization, &event.body)).collect();
        let id = capture_id(caller.organization, ids.iter().copied());
        if let Some(capture) = self.known(id).await? {
            return Ok(Captured { capture, events: hashes(events), repeated: true });
        }
        let turn = self.take(&acceptance.effects, acceptance.now_ms).await?;
        let captured = self.commit_records(caller, id, &ids, events, Vec::new(), acceptance.now_ms).await;
        Ok(turn.end(captured).await?)
    }

    /// Commits events, with the statements that belong to them. They must have been accepted.
    pub async fn commit_events(
        &self,
        caller: &Caller,
        events: &[Event],
        statements: Vec<Statement>,
        now_ms: i64,
    ) -> store::Result<Captured> {
        let ids: Vec<_> = events.iter().map(|event| record_id(caller.organization, &event.body)).collect();
        let id = capture_id(caller.organization, ids.iter().copied());
        if let Some(capture) = self.known(id).await? {
            return Ok(Captured { capture, events: hashes(events), repeated: true });
        }
        self.commit_records(caller, id, &ids, events, statements, now_ms).await
    }

    /// A capture that is committed, and now applied if nobody else is at it.
    async fn known(&self, id: CaptureId) -> store::Result<Option<Capture>> {
        match self.store.capture(id).await? {
            Some(capture) if capture.finished_ms.is_none() => {
                self.finish_capture(id).await?;
                self.store.capture(id).await
            }
            known => Ok(known),
        }
    }

    async fn commit_records(
        &self,
        caller: &Caller,
        id: CaptureId,
        ids: &[RecordId],
        events: &[Event],
        statements: Vec<Statement>,
        now_ms: i64,
    ) -> store::Result<Captured> {
        let mut bytes = 0;
        for event in events {
            bytes += written_bytes(event)?;
        }
        let records = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let capture = caller.capture(id, records, &statements, now_ms);
        let records = ids.iter().zip(events).map(|(record, event)| record_of(caller, id, *record, event, now_ms));
        let mut writes = Writes { statements, ..Writes::default() };
        let capture = if bytes <= self.store.atomic_bytes_max() {
            for (record, event) in records.zip(events) {
                writes.entries.extend(entries_of(&record, event));
                writes.records.push(record);
            }
            self.commit(capture, writes).await?
        } else {
            let mut staging = Staging::new(self, id);
            for (record, event) in records.zip(events) {
                staging.push(record, written_bytes(event)?).await?;
            }
            staging.commit(capture, writes).await?
        };
        Ok(Captured { repeated: capture.created_ms != now_ms, capture, events: hashes(events) })
    }

    /// What a stored record says. Its body was canonical when it was stored.
    pub fn event_of(&self, record: &Record) -> store::Result<Event> {
        let gtin_of = |code: &epcis::CodeAt| Ruling::Ours(code.gtin);
        let draft = epcis::parse_canonical(&record.body, &self.hosts);
        draft.and_then(|draft| draft.seal(|code| self.rule_stored(code, gtin_of))).map_err(|error| {
            store::Error::Corrupt { table: "records", key: record.id.to_string(), found: error.to_string() }
        })
    }

    /// Whether a caller may see a record: its own organization's, those on its own goods, and all for an inspector.
    pub async fn may_see(&self, caller: &Caller, record: &Record) -> store::Result<bool> {
        if caller.role == Role::Inspector || record.organization == caller.organization {
            return Ok(true);
        }
        let event = self.event_of(record)?;
        let mut owners = Vec::new();
        for run in event.spans().map(|span| span.run()).collect::<HashSet<_>>() {
            owners.push(self.run_and_gtin(run).await?.map(|(run, _)| run.organization));
        }
        for class in event.classes() {
            if let Class::Batch(id) = class.class {
                owners.push(self.batch(id.0).await?.map(|batch| batch.organization));
            }
        }
        Ok(!owners.is_empty() && owners.iter().all(|owner| *owner == Some(caller.organization)))
    }

    /// In a stored body a code is ours if its tag says so: that was checked when it came in.
    fn rule_stored(&self, code: &epcis::CodeAt, ours: impl Fn(&epcis::CodeAt) -> Ruling) -> Ruling {
        match self.keys.verify(&code.code) {
            Verification::Valid | Verification::Retired => ours(code),
            Verification::Forged | Verification::UnknownKey if code.claims_ours => ours(code),
            Verification::Forged | Verification::UnknownKey => Ruling::Foreign,
        }
    }
}

fn record_of(caller: &Caller, capture: CaptureId, id: RecordId, event: &Event, now_ms: i64) -> Record {
    Record {
        id,
        event: event.hash,
        capture,
        organization: caller.organization,
        role: caller.role,
        event_time_ms: event.event_time_ms,
        record_time_ms: now_ms,
        given_event_id: event.given_event_id.clone(),
        body: event.body.clone(),
    }
}

fn hashes(events: &[Event]) -> Vec<EventHash> {
    events.iter().map(|event| event.hash).collect()
}

/// What a record with its entries takes in the store at most, in bytes.
fn written_bytes(event: &Event) -> store::Result<usize> {
    let texts: usize = event.goods.epcs.iter().chain(&event.outputs.epcs).map(String::len).sum();
    let entries: usize = [&event.goods, &event.outputs]
        .iter()
        .map(|goods| goods.spans.len() * SPAN_ENTRIES_MAX + goods.classes.len() + goods.epcs.len())
        .sum();
    // What is received stands in the receiver's ledger too.
    let received = if receives(event) { event.goods.spans.len() + event.goods.epcs.len() + 1 } else { 0 };
    let (entries, texts) = (entries + received, if received > 0 { 2 * texts } else { texts });
    // What every entry repeats of the event.
    let words = [event.biz_step.as_ref().map_or(0, |step| step.as_str().len()), parent_bytes(event)];
    let dispositions = event.disposition.iter().chain(&event.set).chain(&event.unset).map(|word| word.as_str().len());
    let repeated: usize = words.into_iter().chain(dispositions).sum();
    let joined = event.transformation_id.iter().map(|id| id.len() + ENTRY_BYTES_MAX + repeated).sum::<usize>();
    let found = event.body.len() + texts + joined + (entries + 1) * (ENTRY_BYTES_MAX + repeated);
    if found > WRITE_BYTES_MAX {
        return Err(store::Error::TooLarge { what: "an event with its entries", found, max: WRITE_BYTES_MAX });
    }
    Ok(found)
}

fn parent_bytes(event: &Event) -> usize {
    match &event.parent {
        Some(Instance::Epc(uri)) => uri.len(),
        Some(Instance::Code { .. }) | None => 0,
    }
}

/// On a task of its own: a client that hangs up must not come between a write and what goes with it.
async fn on_its_own<T: Send + 'static>(
    work: impl Future<Output = Result<T, CaptureError>> + Send + 'static,
) -> Result<T, CaptureError> {
    let task = tokio::spawn(work.in_current_span());
    task.await.unwrap_or_else(|error| Err(store::Error::Unavailable(error.to_string()).into()))
}

/// Runs what takes long for a long document where it keeps nobody waiting.
pub(crate) fn heavy<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes <= PARSE_INLINE_BYTES_MAX { work() } else { tokio::task::block_in_place(work) }
}
