//! Records: what follows from a body must be what is kept beside it.

use super::Audit;
use crate::{
    epcis::{Class, Event, record_id},
    registration::{Content, Kind, Run},
    store::{self, Capture, Slice, patiently},
    trace::{BatchId, Block, Entry, Place, Record, RecordId, Scope, Subject, entries_of},
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
            let run = self.run(span.run().bits().into()).await?;
            if run.is_none_or(|run| span.last().get() >= run.count) {
                self.find(|| format!("record {id}: it names codes of run {} that were not issued", span.run()));
            }
        }
        for class in event.classes() {
            if let Class::Batch(BatchId(batch)) = class.class
                && patiently(|| self.service.statement(Kind::Batch, batch)).await?.is_none()
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
        let slice = match (subject, entry.scope) {
            (Subject::Block(_), Scope::Span(span)) if span.codes() == 1 => {
                Slice::Serial(Block::offset(span.first()).into())
            }
            _ => Slice::Shared,
        };
        let read = patiently(|| self.service.store.entries(subject, slice, before(entry.place), 1)).await;
        let mut found = self.sound(read)?.unwrap_or_default().into_iter().next();
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

    async fn run(&mut self, id: u64) -> store::Result<Option<Run>> {
        let read = patiently(|| self.service.statement(Kind::Run, id)).await;
        Ok(match self.sound(read)?.flatten().map(|statement| statement.content) {
            Some(Content::Run(run)) => Some(run),
            _ => None,
        })
    }
}

/// The greatest place below another; `None` where there is none.
fn before(place: Place) -> Option<Place> {
    if let Some(ordinal) = place.ordinal.checked_sub(1) {
        return Some(Place { ordinal, ..place });
    }
    let mut record = place.record;
    for byte in record.0.iter_mut().rev() {
        let (less, borrowed) = byte.overflowing_sub(1);
        *byte = less;
        if !borrowed {
            return Some(Place { record, ordinal: u32::MAX, ..place });
        }
    }
    Some(Place { event_time_ms: place.event_time_ms.checked_sub(1)?, record, ordinal: u32::MAX })
}
