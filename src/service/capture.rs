//! Captures: stage, commit, apply, answer. A document takes effect whole or not at all, and once.
//!
//! What is accepted depends only on the document, the caller's role and facts that never change, so that the order in
//! which documents arrive decides nothing.

use std::collections::{HashMap, HashSet};

use super::{
    Basis, Caller, Service, Watched,
    issue::{Order, OrderError},
};
use crate::{
    code::{Gtin, RunId, Verification},
    epcis::{self, BizStep, Class, DocumentError, Draft, Event, Ruling, capture_id, record_id},
    limits::{
        CAPTURE_CHUNK_BYTES, CLOCK_SKEW_MS_MAX, ENTRY_BYTES_MAX, EVENT_RECORDS_MAX, PARSE_INLINE_BYTES_MAX,
        SPAN_ENTRIES_MAX, STAGED_KEPT_MS, WRITE_BYTES_MAX,
    },
    registration::{Batch, Content, Kind, Run},
    store::{self, Capture, Chunk, Writes},
    trace::{
        CaptureId, EventHash, OrganizationId, Record, RecordId, Role, Span,
        authority::{self, Said},
        cut, entries_of, subject_of,
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
        let draft = epcis::parse_canonical(body, &self.hosts)?;
        self.capture_drafts(caller, vec![draft], body.len()).await
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

    /// Makes drafts events, if all of them may be captured by this caller.
    async fn accept(
        &self,
        caller: &Caller,
        drafts: Vec<Draft<'_>>,
        bytes: usize,
        now_ms: i64,
    ) -> Result<Vec<Event>, CaptureError> {
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
        for (at, event) in events.iter().enumerate() {
            self.admit(caller, at, event, &facts, now_ms).await?;
            self.admit_growth(caller, at, event, &facts, now_ms)?;
        }
        for (at, event) in events.iter().enumerate() {
            self.take_back_void(at, event, &facts).await?;
        }
        Ok(events)
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

    /// Voiding labels frees their quantity for new ones. Declaring that in error takes it again: it is an order of so many
    /// codes, and refused where the batch has no room for them any more.
    async fn take_back_void(&self, at: usize, event: &Event, facts: &Facts) -> Result<(), CaptureError> {
        let declares_void = event.error_declaration.is_some() && event.biz_step == Some(BizStep::Decommissioning);
        if !declares_void || self.store.records_of_event(event.hash, 1).await?.is_empty() {
            return Ok(());
        }
        for span in &event.spans {
            let Some(Some((run, _))) = facts.runs.get(&span.run()) else { continue };
            let Some(batch) = self.batch_facts(run.batch, &mut Basis::default()).await? else { continue };
            let order =
                Order { count: span.codes(), level: run.level, content: run.content.clone(), activate: run.activate };
            let _one_order_a_batch = self.issuing.lock(run.batch).await;
            match self.reserve(&batch, &order).await {
                Ok(()) => {}
                Err(OrderError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    let detail = format!("the labels were replaced by others in the meantime: {error}");
                    return Err(CaptureError::Forbidden { event: at, detail });
                }
            }
        }
        Ok(())
    }

    /// Reports on others' goods grow their ledgers: so many an organization and subject. Issuers, inspectors and measures
    /// are exempt.
    fn admit_growth(
        &self,
        caller: &Caller,
        at: usize,
        event: &Event,
        facts: &Facts,
        now_ms: i64,
    ) -> Result<(), CaptureError> {
        let own = owners(at, event, facts)?.iter().all(|owner| *owner == caller.organization);
        if own || caller.role == Role::Inspector || event.set.iter().chain(&event.unset).any(authority::is_measure) {
            return Ok(());
        }
        let classes = event.classes.iter().filter(|_| !event.names_spans).map(|class| subject_of(&class.class));
        let spans = event.spans.iter().flat_map(cut).map(|(subject, _)| subject);
        for subject in classes.chain(spans) {
            if let Err(retry_after_s) = self.growth.admit(caller.organization, &subject, now_ms) {
                return Err(CaptureError::TooMany { event: at, retry_after_s });
            }
        }
        Ok(())
    }

    /// Whether a declaration by this caller could void anything, as far as the records that are known already tell.
    async fn may_declare(&self, caller: &Caller, event: EventHash) -> store::Result<bool> {
        if caller.role == Role::Inspector {
            return Ok(true);
        }
        let mut others = false;
        for id in self.store.records_of_event(event, EVENT_RECORDS_MAX).await? {
            let Some(record) = self.store.record(id).await? else { continue };
            // A declaration shares its event's id and is nobody's target: a stranger's must not keep the owner's out.
            if self.event_of(&record)?.error_declaration.is_some() {
                continue;
            }
            if record.organization == caller.organization && record.role != Role::Inspector {
                return Ok(true);
            }
            others = true;
        }
        Ok(!others)
    }

    /// A run and the GTIN under which its codes stand; `None` where it was never issued.
    async fn run_and_gtin(&self, id: RunId) -> store::Result<Option<(Run, Option<Gtin>)>> {
        let run = self.statement(Kind::Run, u64::from(id.bits())).await?.map(|statement| statement.content);
        let Some(Content::Run(run)) = run else { return Ok(None) };
        let gtin = self.gtin_of(&run).await?;
        Ok(Some((run, gtin)))
    }

    /// The GTIN under which a run's codes stand.
    pub async fn gtin_of(&self, run: &Run) -> store::Result<Option<Gtin>> {
        let Some(product) = self.batch(run.batch.0).await?.and_then(|batch| batch.product) else { return Ok(None) };
        Ok(match self.statement(Kind::Product, product.0).await?.map(|statement| statement.content) {
            Some(Content::Product(product)) => product.gtin,
            _ => None,
        })
    }

    async fn batch(&self, id: u64) -> store::Result<Option<Batch>> {
        Ok(match self.statement(Kind::Batch, id).await?.map(|statement| statement.content) {
            Some(Content::Batch(batch)) => Some(batch),
            _ => None,
        })
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
    let texts: usize = event.epcs.iter().map(String::len).sum();
    let entries = event.spans.len() * SPAN_ENTRIES_MAX + event.classes.len() + event.epcs.len();
    event.body.len() + texts + entries * ENTRY_BYTES_MAX
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
