//! The audit: everything that is stored is read again, and each thing held against what it follows from.
//!
//! The store checks its own hashes, counts and chain. Above that: the feed names captures, a capture names records and
//! statements, a record's body gives its identity, its event hash and its entries, and a span lies in its run:
//! `recorded`. What is registered is looked at in `registered`: uploaded files, issued totals, counters.

mod measured;
mod recorded;
mod registered;
mod restored;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use moka::sync::Cache;

use super::{Service, alert::alert_capture_id, statements_capture_id};
use crate::{
    epcis::CaptureDigest,
    limits::{
        AUDIT_CAPTURES_NAMED_MAX, AUDIT_FEED_ROWS, AUDIT_FINDINGS_MAX, AUDIT_RECORDS_AT_ONCE, AUDIT_THINGS_AT_ONCE,
        AUDIT_THINGS_KNOWN_MAX, AUDIT_UNFINISHED_WAIT_MS, KEY_SLOTS,
    },
    registration::{Content, Statement},
    store::{self, Capture, Chunk, FeedRow, Writer, patiently},
    trace::{CaptureId, RecordId},
};

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many things were looked at.
    pub checked: u64,
    /// What is wrong and where, at most `AUDIT_FINDINGS_MAX`; empty where all is sound.
    pub findings: Vec<String>,
}

/// What records name and is there, which never changes: read once for all of them.
struct Known {
    /// How many codes runs have.
    runs: Cache<u64, u32>,
    batches: Cache<u64, ()>,
}

impl Default for Known {
    fn default() -> Self {
        Self { runs: Cache::new(AUDIT_THINGS_KNOWN_MAX), batches: Cache::new(AUDIT_THINGS_KNOWN_MAX) }
    }
}

/// An audit under way.
struct Audit<'a> {
    service: &'a Service,
    known: &'a Known,
    report: Report,
    records: u64,
    entries: u64,
    /// Captures that were not applied when they were looked at, at most `AUDIT_FINDINGS_MAX`, with their records.
    unfinished: Vec<(CaptureId, u32)>,
    /// Half of the id of each capture that was looked at in this pass, where several servers write.
    named: HashSet<u128>,
    /// The highest run of each key.
    highest_runs: [Option<u64>; KEY_SLOTS as usize],
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
        let known = Known::default();
        let mut audit = Audit::new(self, &known);
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
        let mut captures = 0;
        for (writer, end) in &mut ends {
            let (read, named) = audit.chain(*writer, *end).await?;
            *end = read;
            captures += named;
        }
        let passes = if self.store.is_shared() { captures.div_ceil(AUDIT_CAPTURES_NAMED_MAX) } else { 1 };
        for pass in 0..passes {
            for (writer, end) in &ends {
                audit.feed(*writer, *end, (pass, passes)).await?;
            }
            audit.named.clear();
        }
        audit.registered().await?;
        if !audit.unfinished.is_empty() {
            pause.await;
            audit.finished().await?;
        }
        // What was written meanwhile makes them differ too: then the store is asked once more whether anything was.
        let (named, counted) = ((audit.records, audit.entries), (before.records, before.entries));
        if named != counted {
            let after = self.store.verify().await?;
            if counted == (after.records, after.entries) {
                audit.compare("records", named.0, counted.0);
                audit.compare("entries", named.1, counted.1);
            }
        }
        Ok(audit.report)
    }
}

impl<'a> Audit<'a> {
    fn new(service: &'a Service, known: &'a Known) -> Self {
        let (report, unfinished, named) = Default::default();
        Self {
            service,
            known,
            report,
            records: 0,
            entries: 0,
            unfinished,
            named,
            highest_runs: [None; KEY_SLOTS as usize],
        }
    }

    /// Takes in what was found at the same time.
    fn add(&mut self, part: Self) {
        self.report.checked += part.report.checked;
        self.records += part.records;
        self.entries += part.entries;
        part.report.findings.into_iter().for_each(|finding| self.find(|| finding));
        part.unfinished.into_iter().for_each(|(id, records)| self.put_off(id, records));
        for (highest, run) in self.highest_runs.iter_mut().zip(part.highest_runs) {
            *highest = (*highest).max(run);
        }
    }

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

    /// Rows of a feed, a page of those from `next` to `end`.
    async fn rows(&mut self, writer: Writer, next: u64, end: u64) -> store::Result<Vec<FeedRow>> {
        let limit = AUDIT_FEED_ROWS.min(usize::try_from(end.saturating_sub(next)).unwrap_or(usize::MAX));
        let rows = patiently(|| self.service.store.rows(writer, next, limit)).await;
        Ok(self.sound(rows)?.unwrap_or_default())
    }

    /// The first `end` rows of a feed follow each other: up to where they can be read, and how many captures they name.
    async fn chain(&mut self, writer: Writer, end: u64) -> store::Result<(u64, u64)> {
        let (mut next, mut previous, mut captures) = (0, [0; 32], 0);
        while next < end {
            let rows = self.rows(writer, next, end).await?;
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
                captures += row.captures.len() as u64;
            }
        }
        Ok((next, captures))
    }

    /// What the first `end` rows of a feed name; of several passes the part that is this one's.
    async fn feed(&mut self, writer: Writer, end: u64, (pass, passes): (u64, u64)) -> store::Result<()> {
        let mut next = 0;
        while next < end {
            let rows = self.rows(writer, next, end).await?;
            let Some(last) = rows.last() else { break };
            next = last.position + 1;
            // Two servers may have committed one, each in its own feed: it is one all the same.
            let is_shared = self.service.store.is_shared();
            let mut is_new = |id: &CaptureId| {
                let half = half(id.0);
                half % u128::from(passes) == u128::from(pass) && (!is_shared || self.named.insert(half))
            };
            let captures = rows.into_iter().flat_map(|row| row.captures).filter(|(id, _)| is_new(id)).collect();
            self.captures(captures).await?;
        }
        Ok(())
    }

    /// Looks again at the captures that were under way.
    async fn finished(&mut self) -> store::Result<()> {
        let unfinished = std::mem::take(&mut self.unfinished);
        self.captures(unfinished).await?;
        for (id, _) in std::mem::take(&mut self.unfinished) {
            self.find(|| format!("capture {id}: committed, not applied"));
        }
        Ok(())
    }

    /// Looks at several at a time.
    async fn captures(&mut self, captures: Vec<(CaptureId, u32)>) -> store::Result<()> {
        let (service, known) = (self.service, self.known);
        let parts = captures.into_iter().map(|(id, records)| async move {
            let mut part = Self::new(service, known);
            part.capture(id, records).await?;
            Ok(part)
        });
        self.parts(parts, AUDIT_THINGS_AT_ONCE).await
    }

    /// Takes in what each of these finds, so many at a time, in their order.
    async fn parts<F: Future<Output = store::Result<Self>>>(
        &mut self,
        parts: impl Iterator<Item = F>,
        at_once: usize,
    ) -> store::Result<()> {
        let mut parts = std::pin::pin!(stream::iter(parts).buffered(at_once));
        while let Some(part) = parts.try_next().await? {
            self.add(part);
        }
        Ok(())
    }

    fn put_off(&mut self, id: CaptureId, records: u32) {
        if self.unfinished.len() < AUDIT_FINDINGS_MAX {
            self.unfinished.push((id, records));
        } else {
            self.find(|| format!("capture {id}: committed, not applied"));
        }
    }

    async fn capture(&mut self, id: CaptureId, records: u32) -> store::Result<()> {
        self.report.checked += 1;
        let capture = patiently(|| self.service.store.capture(id)).await;
        let Some(Some(capture)) = self.sound(capture)? else {
            self.find(|| format!("capture {id}: a row of the feed names it, it is not there"));
            return Ok(());
        };
        if capture.finished_ms.is_none() {
            self.put_off(id, records);
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
            let is_first = |record: &RecordId| {
                let seen = repeated.get_mut(&Some(half(record.0)));
                !seen.is_some_and(|seen| std::mem::replace(seen, true))
            };
            let (service, known, capture) = (self.service, self.known, &capture);
            let parts = applied.into_iter().filter(is_first).map(|record| async move {
                let mut part = Self::new(service, known);
                part.record(record, capture).await?;
                Ok(part)
            });
            self.parts(parts, AUDIT_RECORDS_AT_ONCE).await?;
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
}

/// Half of the id of a record or a capture: enough to tell them apart.
fn half(id: [u8; 32]) -> u128 {
    let [half @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = id;
    u128::from_be_bytes(half)
}
