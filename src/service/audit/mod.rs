//! The audit: everything that is stored is read again, and each thing held against what it follows from.
//!
//! The store checks its own hashes, counts and chain. Above that: the feed names captures, a capture names records and
//! statements, a record's body gives its identity, its event hash and its entries, and a span lies in its run. What is
//! registered is looked at in `registered`: uploaded files, issued totals, counters.

mod measured;
mod registered;
mod restored;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{Service, alert::alert_capture_id, statements_capture_id};
use crate::{
    epcis::{CaptureDigest, Class, Event, record_id},
    limits::{AUDIT_FEED_ROWS, AUDIT_FINDINGS_MAX, AUDIT_UNFINISHED_WAIT_MS},
    registration::{Content, Kind, Run, Statement},
    store::{self, Capture, Chunk, Slice, Writer, patiently},
    trace::{BatchId, Block, CaptureId, Entry, Place, Record, RecordId, Scope, Subject, entries_of},
};

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many things were looked at.
    pub checked: u64,
    /// What is wrong and where, at most `AUDIT_FINDINGS_MAX`; empty where all is sound.
    pub findings: Vec<String>,
}

/// An audit under way.
struct Audit<'a> {
    service: &'a Service,
    report: Report,
    records: u64,
    entries: u64,
    /// Captures that were not applied when they were looked at, at most `AUDIT_FINDINGS_MAX`, with their records.
    unfinished: Vec<(CaptureId, u32)>,
    /// Half of the id of each capture that was looked at, where several servers write: 32 MB for a million.
    named: HashSet<u128>,
}

impl Service {
    /// Re-reads everything that is stored. Writes may go on meanwhile: captures that come after the beginning are not
    /// looked at, and the counts are compared only where nothing came.
    ///
    /// # Errors
    /// Only where the store is silent; what is damaged is a finding.
    pub async fn audit(&self) -> store::Result<Report> {
        // Inside a block, so that the time runs from where it is waited for.
        let pause = async { tokio::time::sleep(Duration::from_millis(AUDIT_UNFINISHED_WAIT_MS)).await };
        self.audit_pausing(pause).await
    }

    /// An audit that gives captures under way the time of `pause` to be finished.
    async fn audit_pausing(&self, pause: impl Future<Output = ()>) -> store::Result<Report> {
        let (report, unfinished) = (Report::default(), Vec::new());
        let mut audit = Audit { service: self, report, records: 0, entries: 0, unfinished, named: HashSet::new() };
        let before = self.store.verify().await?;
        audit.report.checked += before.keys;
        for fault in &before.faults {
            audit.find(|| fault.to_string());
        }
        // After the first count: what comes between the two makes the counts differ, and then they are not compared.
        let mut ends = Vec::new();
        for writer in patiently(|| self.store.writers()).await? {
            ends.push((writer, audit.end(writer).await?));
        }
        for (writer, end) in ends {
            audit.feed(writer, end).await?;
        }
        audit.registered().await?;
        if !audit.unfinished.is_empty() {
            pause.await;
            audit.finished().await?;
        }
        let after = self.store.verify().await?;
        if (before.records, before.entries) == (after.records, after.entries) {
            audit.compare("records", audit.records, after.records);
            audit.compare("entries", audit.entries, after.entries);
        }
        Ok(audit.report)
    }
}

impl Audit<'_> {
    fn find(&mut self, finding: impl FnOnce() -> String) {
        if self.report.findings.len() < AUDIT_FINDINGS_MAX {
            self.report.findings.push(finding());
        }
    }

    fn compare(&mut self, what: &str, named: u64, kept: u64) {
        if named != kept {
            self.find(|| format!("{what}: captures name {named}, the store keeps {kept}"));
        }
    }

    /// What was read, or nothing where it is damaged: then that is the finding.
    fn sound<T>(&mut self, read: store::Result<T>) -> store::Result<Option<T>> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error @ store::Error::Unavailable(_)) => Err(error),
            Err(error) => {
                self.find(|| error.to_string());
                Ok(None)
            }
        }
    }

    /// How many rows a feed has now: they are dense, so that doubling and halving find its end.
    async fn end(&mut self, writer: Writer) -> store::Result<u64> {
        let (mut step, mut end) = (1u64, 0u64);
        // Up while there is a row at `end + step - 1`, then down.
        let mut rising = true;
        while step > 0 {
            let row = patiently(|| self.service.store.rows(writer, end + step - 1, 1)).await;
            // A damaged row, which is a finding by itself, ends what can be read.
            let there = self.sound(row)?.is_some_and(|rows| !rows.is_empty());
            end += if there { step } else { 0 };
            rising &= there;
            step = if rising { step * 2 } else { step / 2 };
        }
        Ok(end)
    }

    /// The first `end` rows of a feed.
    async fn feed(&mut self, writer: Writer, end: u64) -> store::Result<()> {
        let (mut next, mut previous) = (0, [0; 32]);
        while next < end {
            let limit = AUDIT_FEED_ROWS.min(usize::try_from(end - next).unwrap_or(usize::MAX));
            let rows = patiently(|| self.service.store.rows(writer, next, limit)).await;
            let rows = self.sound(rows)?.unwrap_or_default();
            if rows.is_empty() {
                self.find(|| format!("feed {}: row {next} is not there, rows after it are", writer.0));
                break;
            }
            for row in rows {
                self.report.checked += 1;
                if (row.position, row.previous) != (next, previous) {
                    self.find(|| format!("feed {}: row {} does not follow row before {next}", writer.0, row.position));
                }
                (next, previous) = (row.position + 1, row.digest(writer));
                for (capture, records) in &row.captures {
                    // Two servers may have committed it, each in its own feed: it is one all the same.
                    if !self.service.store.is_shared() || self.named.insert(half(capture.0)) {
                        self.capture(*capture, *records).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Looks again at the captures that were under way.
    async fn finished(&mut self) -> store::Result<()> {
        for (id, records) in std::mem::take(&mut self.unfinished) {
            self.capture(id, records).await?;
        }
        for (id, _) in std::mem::take(&mut self.unfinished) {
            self.find(|| format!("capture {id}: committed, not applied"));
        }
        Ok(())
    }

    async fn capture(&mut self, id: CaptureId, records: u32) -> store::Result<()> {
        self.report.checked += 1;
        let capture = patiently(|| self.service.store.capture(id)).await;
        let Some(Some(capture)) = self.sound(capture)? else {
            self.find(|| format!("capture {id}: a row of the feed names it, it is not there"));
            return Ok(());
        };
        if capture.finished_ms.is_none() {
            if self.unfinished.len() < AUDIT_FINDINGS_MAX {
                self.unfinished.push((id, records));
            } else {
                self.find(|| format!("capture {id}: committed, not applied"));
            }
            return Ok(());
        }
        let statements = self.statements(&capture).await?;
        let mut digest = CaptureDigest::new(capture.organization);
        // A document may state a record twice: it is one record all the same. All that is kept of the ids is half of each.
        let mut halves = Vec::new();
        for chunk in 0..capture.chunks {
            for record in self.chunk(&capture, chunk).await? {
                digest.add(record);
                halves.push(half(record.0));
            }
        }
        if halves.len() != records as usize || capture.records != records {
            self.find(|| format!("capture {id}: its row counts {records} records, its chunks {}", halves.len()));
        }
        let is_alert = matches!(&*statements, [Statement { content: Content::Alert(alert), .. }]
            if alert_capture_id(alert.run, alert.serial, alert.notice) == id);
        let identities = [digest.id(), statements_capture_id(capture.organization, &statements)];
        if !identities.contains(&id) && !is_alert {
            self.find(|| format!("capture {id}: it is not the digest of what it names"));
        }
        halves.sort_unstable();
        let mut repeated: HashMap<_, _> = halves
            .windows(2)
            .filter(|pair| pair.first() == pair.last())
            .map(|pair| (pair.first().copied(), false))
            .collect();
        drop(halves);
        for chunk in 0..capture.chunks {
            let applied = match patiently(|| self.service.store.chunk(id, chunk)).await {
                Ok(Some(Chunk::Applied(applied))) => applied,
                Err(error @ store::Error::Unavailable(_)) => return Err(error),
                // What is wrong with a chunk was told above.
                _ => continue,
            };
            for record in applied {
                let seen = repeated.get_mut(&Some(half(record.0)));
                if !seen.is_some_and(|seen| std::mem::replace(seen, true)) {
                    self.record(record, &capture).await?;
                }
            }
        }
        Ok(())
    }

    /// The record ids in a chunk of a capture.
    async fn chunk(&mut self, capture: &Capture, chunk: u32) -> store::Result<Vec<RecordId>> {
        let read = patiently(|| self.service.store.chunk(capture.id, chunk)).await;
        match self.sound(read)?.flatten() {
            Some(Chunk::Applied(applied)) => return Ok(applied),
            Some(Chunk::Staged(_)) => self.find(|| format!("capture {}: chunk {chunk} is not applied", capture.id)),
            None if capture.records == 0 => {}
            None => self.find(|| format!("capture {}: chunk {chunk} is not there", capture.id)),
        }
        Ok(Vec::new())
    }

    async fn statements(&mut self, capture: &Capture) -> store::Result<Vec<crate::registration::Statement>> {
        let mut statements = Vec::new();
        for (kind, id, version) in &capture.statements {
            self.report.checked += 1;
            let read = patiently(|| self.service.store.versions(*kind, *id, *version, 1)).await;
            match self.sound(read)?.unwrap_or_default().into_iter().next() {
                Some(statement) if statement.version == *version => statements.push(statement),
                _ => self.find(|| {
                    format!("{kind:?} {id}, version {version}: capture {} names it, it is not there", capture.id)
                }),
            }
        }
        Ok(statements)
    }

    /// A record of a capture. One that several captures name is counted and looked at with the one that it names itself,
    /// which was the first: so nothing is remembered.
    async fn record(&mut self, id: RecordId, capture: &Capture) -> store::Result<()> {
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

/// Half of the id of a record or a capture: enough to tell them apart.
fn half(id: [u8; 32]) -> u128 {
    let [half @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = id;
    u128::from_be_bytes(half)
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
