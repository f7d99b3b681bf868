//! Captures: stage, commit, apply, answer. A document takes effect whole or not at all, and once.
//!
//! What is accepted depends only on the document, the caller's role and facts that never change, so that the order in
//! which documents arrive decides nothing.

use std::collections::{HashMap, HashSet};

use super::{Caller, Service, Watched};
use crate::{
    code::{Gtin, RunId, Verification},
    epcis::{self, Class, DocumentError, Draft, Event, Ruling, capture_id, record_id},
    limits::{CAPTURE_CHUNK_RECORDS, CLOCK_SKEW_MS_MAX, EVENT_RECORDS_MAX, PARSE_INLINE_BYTES_MAX, STAGED_KEPT_MS},
    registration::{Batch, Content, Kind, Run},
    store::{self, Capture, Chunk, Writes},
    trace::{
        CaptureId, EventHash, OrganizationId, Record, Role, Span,
        authority::{self, Said},
        entries_of,
    },
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

/// What acceptance needs of runs and batches: facts that never change once they are there.
#[derive(Default)]
struct Facts {
    runs: HashMap<RunId, Option<(Run, Option<Gtin>)>>,
    batches: HashMap<u64, Option<Batch>>,
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

    /// Captures one event.
    ///
    /// # Errors
    /// As for a document.
    pub async fn capture_event(&self, caller: &Caller, bytes: &[u8]) -> Result<Captured, CaptureError> {
        let draft = heavy(bytes.len(), || epcis::parse_event(bytes, &self.hosts))?;
        self.capture_drafts(caller, vec![draft], bytes.len()).await
    }

    /// Captures one event that the service itself made for a caller, through the same door.
    ///
    /// # Errors
    /// As for a document.
    pub async fn capture_canonical(&self, caller: &Caller, body: &str) -> Result<Captured, CaptureError> {
        let draft = epcis::parse_canonical(body, &self.hosts)?;
        self.capture_drafts(caller, vec![draft], body.len()).await
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
        let mut facts = Facts::default();
        for run in drafts.iter().flat_map(Draft::codes).map(|code| code.code.run).collect::<HashSet<_>>() {
            let of_run = self.run_and_gtin(run).await?;
            facts.runs.insert(run, of_run);
        }
        let events = heavy(bytes, || {
            drafts.into_iter().map(|draft| self.seal(draft, &facts)).collect::<Result<Vec<Event>, DocumentError>>()
        })?;
        for class in events.iter().flat_map(|event| &event.classes) {
            if let Class::Batch(id) = class.class
                && !facts.batches.contains_key(&id.0)
            {
                facts.batches.insert(id.0, self.batch(id.0).await?);
            }
        }
        let now_ms = self.now_ms();
        for (at, event) in events.iter().enumerate() {
            self.admit(caller, at, event, &facts, now_ms).await?;
        }
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
        let mut writes = Writes { statements, ..Writes::default() };
        for (record, event) in distinct {
            let record = Record {
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
            writes.entries.extend(entries_of(&record, event));
            writes.records.push(record);
        }
        let capture = Capture {
            id,
            organization: caller.organization,
            role: caller.role,
            created_ms: now_ms,
            records: u32::try_from(writes.records.len()).unwrap_or(u32::MAX),
            chunks: 1,
            statements: writes.statements.iter().map(|made| (made.kind, made.id, made.version)).collect(),
            finished_ms: Some(now_ms),
        };
        let bytes: usize = writes.records.iter().map(|record| record.body.len()).sum();
        let capture = if bytes <= self.store.atomic_bytes_max() {
            self.commit(capture, writes).await?
        } else {
            self.commit_staged(capture, writes).await?
        };
        Ok(Captured { repeated: capture.created_ms != now_ms, capture, events: hashes })
    }

    /// A capture over the size that the store applies at once: its records are staged chunk by chunk, committed by one
    /// row, then applied chunk by chunk. After a crash behind the commit [`Service::finish_captures`] does the rest.
    async fn commit_staged(&self, capture: Capture, writes: Writes) -> store::Result<Capture> {
        let chunks = writes.records.chunks(CAPTURE_CHUNK_RECORDS);
        let count = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        for (chunk, records) in (0..).zip(chunks) {
            self.store.stage(capture.id, chunk, records).await?;
        }
        let id = capture.id;
        let capture = Capture { chunks: count, finished_ms: None, ..capture };
        let staged = Writes { statements: writes.statements, ..Writes::default() };
        self.commit(capture, staged).await?;
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
            self.watch.touch(&touched);
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
        for run in event.spans.iter().map(Span::run).collect::<HashSet<_>>() {
            owners.push(self.run_and_gtin(run).await?.map(|(run, _)| run.organization));
        }
        for class in &event.classes {
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

    /// Decides which codes are ours, and refuses those that claim it and are not.
    fn seal(&self, draft: Draft<'_>, facts: &Facts) -> Result<Event, DocumentError> {
        for code in draft.codes() {
            let proved = matches!(self.keys.verify(&code.code), Verification::Valid | Verification::Retired);
            if !proved && !code.claims_ours {
                continue;
            }
            let found = code.code.to_string();
            if !proved {
                return Err(draft.refuse(code, &found, "a code whose tag proves it"));
            }
            let Some(Some((run, gtin))) = facts.runs.get(&code.code.run) else {
                return Err(draft.refuse(code, &found, "a code that was issued"));
            };
            if code.code.serial.get() >= run.count {
                return Err(draft.refuse(code, &found, "a code that was issued"));
            }
            if code.gtin.is_some() && code.gtin != *gtin {
                return Err(draft.refuse(code, &found, "a code under the GTIN of its own product"));
            }
        }
        draft.check_quantities(|run| facts.runs.get(&run)?.as_ref().map(|(run, _)| run.batch))?;
        draft.seal(|code| match facts.runs.get(&code.code.run) {
            Some(Some((_, gtin))) if self.keys.verify(&code.code) != Verification::Forged => Ruling::Ours(*gtin),
            _ => Ruling::Foreign,
        })
    }

    /// The door: whether the caller may say this, as far as facts that never change tell.
    async fn admit(
        &self,
        caller: &Caller,
        at: usize,
        event: &Event,
        facts: &Facts,
        now_ms: i64,
    ) -> Result<(), CaptureError> {
        if event.event_time_ms > now_ms + CLOCK_SKEW_MS_MAX {
            let detail = "found a time to come, expected at most one day after now".to_owned();
            return Err(CaptureError::Invalid { event: at, field: "eventTime", detail });
        }
        let owners = owners(at, event, facts)?;
        let own = owners.iter().all(|owner| *owner == caller.organization);
        let said = Said {
            action: event.action,
            biz_step: event.biz_step.as_ref(),
            disposition: event.disposition.as_ref(),
            set: &event.set,
            unset: &event.unset,
            declares_error: event.error_declaration.is_some(),
        };
        for saying in authority::sayings(said) {
            let own = if saying == authority::Saying::DeclareError {
                self.may_declare(caller, event.hash).await?
            } else {
                own
            };
            // Of goods that are not in this service anybody may say anything; it changes nothing here.
            let foreign = owners.is_empty() && caller.role != Role::Admin && saying != authority::Saying::DeclareError;
            if !foreign && !authority::may_say(saying, caller.role, own) {
                let detail = format!(
                    "{saying:?} was said with the role {:?} of {}; see the table of authority for who may say it",
                    caller.role,
                    if own { "its own organization's goods or records" } else { "others' goods or records" },
                );
                return Err(CaptureError::Forbidden { event: at, detail });
            }
        }
        Ok(())
    }

    /// Whether a declaration by this caller could void anything, as far as the records that are known already tell.
    async fn may_declare(&self, caller: &Caller, event: EventHash) -> store::Result<bool> {
        if caller.role == Role::Inspector {
            return Ok(true);
        }
        let known = self.store.records_of_event(event, EVENT_RECORDS_MAX).await?;
        for id in &known {
            if let Some(record) = self.store.record(*id).await?
                && record.organization == caller.organization
                && record.role != Role::Inspector
            {
                return Ok(true);
            }
        }
        Ok(known.is_empty())
    }

    /// A run and the GTIN under which its codes stand; `None` where it was never issued.
    async fn run_and_gtin(&self, id: RunId) -> store::Result<Option<(Run, Option<Gtin>)>> {
        let run = self.statement(Kind::Run, u64::from(id.bits())).await?.map(|statement| statement.content);
        let Some(Content::Run(run)) = run else { return Ok(None) };
        let product = self.batch(run.batch.0).await?.and_then(|batch| batch.product);
        let gtin = match product {
            None => None,
            Some(product) => match self.statement(Kind::Product, product.0).await?.map(|statement| statement.content) {
                Some(Content::Product(product)) => product.gtin.and_then(|gtin| gtin.as_str().parse().ok()),
                _ => None,
            },
        };
        Ok(Some((run, gtin)))
    }

    async fn batch(&self, id: u64) -> store::Result<Option<Batch>> {
        Ok(match self.statement(Kind::Batch, id).await?.map(|statement| statement.content) {
            Some(Content::Batch(batch)) => Some(batch),
            _ => None,
        })
    }
}

/// Whose goods an event speaks of: the issuers of its codes, the importers of its batches.
fn owners(at: usize, event: &Event, facts: &Facts) -> Result<HashSet<OrganizationId>, CaptureError> {
    let mut owners = HashSet::new();
    for span in &event.spans {
        let Some(Some((run, _))) = facts.runs.get(&span.run()) else {
            let detail = format!("found codes of run {}, expected an issued run", span.run());
            return Err(CaptureError::Invalid { event: at, field: "cp:spans", detail });
        };
        owners.insert(run.organization);
    }
    for class in &event.classes {
        let Class::Batch(id) = class.class else { continue };
        let Some(Some(batch)) = facts.batches.get(&id.0) else {
            let detail = format!("found batch {id}, expected a registered batch");
            return Err(CaptureError::Invalid { event: at, field: "quantityList", detail });
        };
        owners.insert(batch.organization);
    }
    Ok(owners)
}

/// Runs what takes long for a long document where it keeps nobody waiting.
fn heavy<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes <= PARSE_INLINE_BYTES_MAX { work() } else { tokio::task::block_in_place(work) }
}
