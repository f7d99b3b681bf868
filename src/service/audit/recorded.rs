//! Records: what follows from a body must be what is kept beside it.

use super::Audit;
use crate::{
    epcis::{Class, Event, record_id},
    registration::{Content, Kind},
    store::{self, Capture, patiently},
    trace::{BatchId, Entry, Record, RecordId, Subject, entries_of},
};

impl Audit<'_> {
    /// A record of a capture. One that several captures name is counted and looked at with the one that it names itself,
    /// which was the first: so nothing is remembered.
    pub(super) async fn record(&mut self, id: RecordId, capture: &Capture) -> store::Result<()> {
        self.report.checked += 1;
        let read = patiently(|| self.service.store.record(id)).await;
        let Some(Some(record)) = self.sound(read)? else {
            self.find(|| format!("record {id}: capture {} names it, it is not there", capture.id));
            return Ok(());
        };
        if record.capture != capture.id {
            return Ok(());
        }
        self.records += 1;
        if record_id(record.organization, &record.body) != id {
            self.find(|| format!("record {id}: it is not the digest of its body"));
        }
        let event = self.service.event_of(&record);
        let Some(event) = self.sound(event)? else { return Ok(()) };
        self.event(&record, &event).await
    }

    /// A record's event hash, its look-up keys, its entries, and the goods that it names.
    async fn event(&mut self, record: &Record, event: &Event) -> store::Result<()> {
        let id = record.id;
        if event.hash != record.event {
            self.find(|| format!("record {id}: its event hash is not that of its body"));
        }
        let by_event = patiently(|| self.service.store.records_of_event(record.event, usize::MAX)).await;
        if !self.sound(by_event)?.unwrap_or_default().contains(&id) {
            self.find(|| format!("record {id}: it is not found by its event id"));
        }
        for span in event.spans() {
            let codes = self.codes_of(span.run().bits().into()).await?;
            if codes.is_none_or(|codes| span.last().get() >= codes) {
                self.find(|| format!("record {id}: it names codes of run {} that were not issued", span.run()));
            }
        }
        for class in event.classes() {
            if let Class::Batch(BatchId(batch)) = class.class
                && !self.is_registered(batch).await?
            {
                self.find(|| format!("record {id}: it names batch {batch}, which is not registered"));
            }
        }
        for (subject, entry) in entries_of(record, event) {
            self.entry(&subject, &entry).await?;
        }
        Ok(())
    }

    async fn entry(&mut self, subject: &Subject, entry: &Entry) -> store::Result<()> {
        self.report.checked += 1;
        self.entries += 1;
        let read = patiently(|| self.service.store.entry(subject, &entry.scope, entry.place)).await;
        let mut found = self.sound(read)?.flatten();
        if let Some(found) = found.as_mut().filter(|_| self.service.store.is_shared()) {
            // Where two servers took the same document at once, the record may be the one's and an entry the other's, which
            // differ in when each took it.
            found.record_time_ms = entry.record_time_ms;
        }
        if found.as_ref() != Some(entry) {
            self.find(|| format!("{subject:?}: the entry of record {} is missing or another", entry.place.record));
        }
        Ok(())
    }

    /// How many codes a run has; `None` where there is no such run.
    async fn codes_of(&mut self, run: u64) -> store::Result<Option<u32>> {
        if let known @ Some(_) = self.known.runs.get(&run) {
            return Ok(known);
        }
        let read = patiently(|| self.service.statement(Kind::Run, run)).await;
        let Some(Content::Run(found)) = self.sound(read)?.flatten().map(|statement| statement.content) else {
            return Ok(None);
        };
        self.known.runs.insert(run, found.count);
        Ok(Some(found.count))
    }

    /// Whether there is such a batch. Where it cannot be read, that is a finding too.
    async fn is_registered(&mut self, batch: u64) -> store::Result<bool> {
        if self.known.batches.contains_key(&batch) {
            return Ok(true);
        }
        let read = patiently(|| self.service.statement(Kind::Batch, batch)).await;
        let there = self.sound(read)?.flatten().is_some();
        if there {
            self.known.batches.insert(batch, ());
        }
        Ok(there)
    }
}
