//! Captures: stage, commit, apply, answer. A document takes effect whole or not at all, and once.
//!
//! What is accepted depends only on the document, the caller's role and facts that never change, so that the order in
//! which documents arrive decides nothing.

mod accept;

use std::collections::HashSet;

use super::{Caller, Service, Watched, make_stale};
use crate::{
    code::Verification,
    epcis::{self, Class, DocumentError, Draft, Event, Ruling, capture_id, record_id},
    limits::{
        CAPTURE_CHUNK_BYTES, ENTRY_BYTES_MAX, PARSE_INLINE_BYTES_MAX, SPAN_ENTRIES_MAX, STAGED_KEPT_MS, WRITE_BYTES_MAX,
    },
    store::{self, Capture, Chunk, Writes},
    trace::{CaptureId, EventHash, Instance, Record, RecordId, Role, entries_of},
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
        "event {event}: more reports on the same goods of others than are taken now; try again in {retry_after_s} s"
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
    /// Captures an EPCIS document.
    ///
    /// # Errors
    /// What is wrong with it and where; nothing of it has taken effect then.
    pub async fn capture_document(&self, caller: &Caller, bytes: &[u8]) -> Result<Captured, CaptureError> {
        let drafts = heavy(bytes.len(), || epcis::parse_document(bytes, &self.hosts))?;
        self.capture_drafts(caller, drafts, bytes.len()).await
    }

    /// Captures one event; where the organization stated it before, in whichever document, that capture is the answer.
    ///
    /// # Errors
    /// As for a document.
    pub async fn capture_event(&self, caller: &Caller, bytes: &[u8]) -> Result<Captured, CaptureError> {
        let draft = heavy(bytes.len(), || epcis::parse_event(bytes, &self.hosts))?;
        let now_ms = self.now_ms();
        let events = self.accept(caller, vec![draft], bytes.len(), now_ms).await?;
        for event in &events {
            if let Some(record) = self.store.record(record_id(caller.organization, &event.body)).await?
                && let Some(capture) = self.store.capture(record.capture).await?
            {
                return Ok(Captured { capture, events: vec![event.hash], repeated: true });
            }
        }
        self.commit_events(caller, &events, Vec::new(), now_ms).await.map_err(CaptureError::Store)
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
        let now_ms = self.now_ms();
        let events = self.accept(caller, drafts, bytes, now_ms).await?;
        self.commit_events(caller, &events, Vec::new(), now_ms).await.map_err(CaptureError::Store)
    }

    /// Commits events, with the statements that belong to them. They must have been accepted.
    pub async fn commit_events(
        &self,
        caller: &Caller,
        events: &[Event],
        statements: Vec<crate::registration::Statement>,
        now_ms: i64,
    ) -> store::Result<Captured> {
        let mut seen = HashSet::new();
        let ids: Vec<_> = events.iter().map(|event| record_id(caller.organization, &event.body)).collect();
        // The same event twice in one document is one record.
        let distinct: Vec<_> = ids.iter().zip(events).filter(|(id, _)| seen.insert(**id)).collect();
        let id = capture_id(caller.organization, distinct.iter().map(|(id, _)| **id));
        let hashes = events.iter().map(|event| event.hash).collect();
        if let Some(capture) = self.store.capture(id).await?
            && capture.finished_ms.is_some()
        {
            return Ok(Captured { capture, events: hashes, repeated: true });
        }
        let record = |(record, event): (&RecordId, &Event)| Record {
            id: *record,
            event: event.hash,
            capture: id,
            organization: caller.organization,
            role: caller.role,
            event_time_ms: event.event_time_ms,
            record_time_ms: now_ms,
            given_event_id: event.given_event_id.clone(),
            body: event.body.clone(),
        };
        let sizes: Vec<_> = distinct.iter().map(|(_, event)| written_bytes(event)).collect();
        if let Some(found) = sizes.iter().copied().find(|bytes| *bytes > WRITE_BYTES_MAX) {
            return Err(store::Error::TooLarge { what: "an event with its entries", found, max: WRITE_BYTES_MAX });
        }
        let capture = Capture {
            id,
            organization: caller.organization,
            role: caller.role,
            created_ms: now_ms,
            records: u32::try_from(distinct.len()).unwrap_or(u32::MAX),
            chunks: 1,
            statements: statements.iter().map(|made| (made.kind, made.id, made.version)).collect(),
            finished_ms: Some(now_ms),
        };
        let mut writes = Writes { statements, ..Writes::default() };
        let capture = if sizes.iter().sum::<usize>() <= self.store.atomic_bytes_max() {
            for (id, event) in distinct {
                let record = record((id, event));
                writes.entries.extend(entries_of(&record, event));
                writes.records.push(record);
            }
            self.commit(capture, writes).await?
        } else {
            let mut chunks = Chunks::default();
            for ((id, event), bytes) in distinct.into_iter().zip(sizes) {
                chunks.push(record((id, event)), bytes);
            }
            self.commit_staged(capture, writes, &chunks.0).await?
        };
        Ok(Captured { repeated: capture.created_ms != now_ms, capture, events: hashes })
    }

    /// A capture over the size that the store applies at once: its records are staged chunk by chunk, committed by one
    /// row, then applied chunk by chunk. After a crash behind the commit [`Service::finish_captures`] does the rest.
    async fn commit_staged(
        &self,
        capture: Capture,
        writes: Writes,
        chunks: &[(Vec<Record>, usize)],
    ) -> store::Result<Capture> {
        for (chunk, (records, _)) in (0..).zip(chunks) {
            self.store.stage(capture.id, chunk, records).await?;
        }
        let id = capture.id;
        let chunks = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        let capture = Capture { chunks, finished_ms: None, ..capture };
        self.commit(capture, writes).await?;
        self.finish_capture(id).await?;
        self.store.capture(id).await?.ok_or(store::Error::NotCommitted(id))
    }

    /// Applies what a committed capture still lacks, and marks it applied. Any server may do so, at any time, twice.
    pub async fn finish_capture(&self, id: CaptureId) -> store::Result<()> {
        let Some(capture) = self.store.capture(id).await? else { return Err(store::Error::NotCommitted(id)) };
        if capture.finished_ms.is_some() {
            return Ok(());
        }
        for chunk in 0..capture.chunks {
            let Some(Chunk::Staged(records)) = self.store.chunk(id, chunk).await? else { continue };
            let mut writes = Writes::default();
            for record in &records {
                writes.entries.extend(entries_of(record, &self.event_of(record)?));
            }
            writes.records = records;
            let touched = Watched::by(&writes);
            self.store.apply(id, chunk, writes).await?;
            make_stale(&self.watch, &self.blocks, &touched);
        }
        self.store.finish(id, self.now_ms()).await
    }

    /// Finishes captures that were committed and not applied when a server stopped. Returns how many.
    pub async fn finish_captures(&self) -> store::Result<usize> {
        let mut finished = 0;
        loop {
            let unfinished = self.store.unfinished(100).await?;
            if unfinished.is_empty() {
                return Ok(finished);
            }
            for id in unfinished {
                self.finish_capture(id).await?;
                finished += 1;
            }
        }
    }

    /// Removes what was staged long ago and never committed.
    pub async fn sweep_captures(&self) -> store::Result<u64> {
        let mut swept = 0;
        loop {
            match self.store.sweep(self.now_ms() - STAGED_KEPT_MS).await? {
                0 => return Ok(swept),
                chunks => swept += chunks,
            }
        }
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

/// Records of a staged capture, cut so that applying one chunk is one write of bounded size.
#[derive(Default)]
struct Chunks(Vec<(Vec<Record>, usize)>);

impl Chunks {
    fn push(&mut self, record: Record, bytes: usize) {
        match self.0.last_mut() {
            Some((records, before)) if *before + bytes <= CAPTURE_CHUNK_BYTES => {
                records.push(record);
                *before += bytes;
            }
            _ => self.0.push((vec![record], bytes)),
        }
    }
}

/// What a record with its entries takes in the store at most, in bytes.
fn written_bytes(event: &Event) -> usize {
    let texts: usize = event.goods.epcs.iter().chain(&event.outputs.epcs).map(String::len).sum();
    let entries: usize = [&event.goods, &event.outputs]
        .iter()
        .map(|goods| goods.spans.len() * SPAN_ENTRIES_MAX + goods.classes.len() + goods.epcs.len())
        .sum();
    // What every entry repeats of the event.
    let words = [event.biz_step.as_ref().map_or(0, |step| step.as_str().len()), parent_bytes(event)];
    let dispositions = event.disposition.iter().chain(&event.set).chain(&event.unset).map(|word| word.as_str().len());
    let repeated: usize = words.into_iter().chain(dispositions).sum();
    let joined = event.transformation_id.iter().map(|id| id.len() + ENTRY_BYTES_MAX + repeated).sum::<usize>();
    event.body.len() + texts + joined + (entries + 1) * (ENTRY_BYTES_MAX + repeated)
}

fn parent_bytes(event: &Event) -> usize {
    match &event.parent {
        Some(Instance::Epc(uri)) => uri.len(),
        Some(Instance::Code { .. }) | None => 0,
    }
}

/// Runs what takes long for a long document where it keeps nobody waiting.
pub(in crate::service) fn heavy<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes <= PARSE_INLINE_BYTES_MAX { work() } else { tokio::task::block_in_place(work) }
}
