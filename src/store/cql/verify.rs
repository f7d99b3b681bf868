//! The store's audit of itself: every row is read and understood, whatever leads to a record leads to one that is there
//! and the other way round, and the feeds are whole. A row that is damaged hides no other.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use scylla::statement::prepared::PreparedStatement;

use super::{
    Cluster,
    capture::CaptureRow,
    entry::{EntryRow, TABLE},
    record::{RecordRow, given_sha256},
    registered::{StatementRow, bucket_under},
    requests::Owned,
    scans::ScanRow,
    words::{self, corrupt},
};
use crate::{
    limits::{AUDIT_FEED_ROWS, CQL_ROWS_AT_ONCE},
    registration::Statement,
    store::{Error, FeedRow, Report, Result, Writer, patiently},
    trace::Record,
};

impl Cluster {
    /// Reads everything. What cannot be read because the cluster does not answer is an error, not a fault.
    pub async fn verify<'s>(&'s self) -> Result<Report> {
        let mut report = Report::default();
        // Records to which an organization gave an id.
        let given = &AtomicU64::new(0);
        let record = |store: &'s Self, row| store.verify_record(row, given);
        report.records = self.each(&mut report, "records", &self.statements.all_records, record).await?;
        report.entries = self.each(&mut report, TABLE, &self.statements.all_entries, Self::verify_entry).await?;
        self.each(&mut report, "statements", &self.statements.all_statements, Self::verify_statement).await?;
        self.each(&mut report, "captures", &self.statements.all_captures, Self::verify_capture).await?;
        self.each(&mut report, "scans", &self.statements.all_scans, Self::verify_scan).await?;
        let of_event = ("records_by_event", &self.statements.all_of_event, report.records);
        self.leads(&mut report, of_event, Self::verify_of_event).await?;
        let of_given = ("records_by_given_id", &self.statements.all_of_given, given.load(Ordering::Relaxed));
        self.leads(&mut report, of_given, Self::verify_of_given).await?;
        self.each(&mut report, "children", &self.statements.all_children, Self::verify_child).await?;
        for writer in patiently(|| self.writers()).await? {
            self.verify_feed(&mut report, writer).await?;
        }
        Ok(report)
    }

    /// Checks each row of a table, many at a time; how many there are.
    async fn each<'s, R: Owned + Clone, F: Future<Output = Result<()>>>(
        &'s self,
        report: &mut Report,
        table: &'static str,
        all: &PreparedStatement,
        check: impl Fn(&'s Self, R) -> F,
    ) -> Result<u64> {
        let rows = self.requests.pass::<R>(all, table);
        let check = &check;
        let checks = rows.map(|row| async move {
            let row = row?;
            patiently(|| check(self, row.clone())).await
        });
        let mut found = 0;
        let mut checked = std::pin::pin!(checks.buffer_unordered(CQL_ROWS_AT_ONCE));
        while let Some(outcome) = checked.next().await {
            found += 1;
            match outcome {
                Ok(()) => {}
                Err(error @ Error::Corrupt { .. }) => report.fault(error),
                Err(error) => return Err(error),
            }
        }
        report.keys += found;
        Ok(found)
    }

    /// Checks the rows of a table that leads to so many records. That each is led to was seen: where all is sound so far and
    /// there are as many rows, none leads elsewhere, and where they lead is not looked at.
    async fn leads<'s, R: Owned + Clone, F: Future<Output = Result<()>>>(
        &'s self,
        report: &mut Report,
        (table, all, records): (&'static str, &PreparedStatement, u64),
        check: impl Fn(&'s Self, R) -> F,
    ) -> Result<()> {
        let mut counted = Report::default();
        let rows = self.each(&mut counted, table, all, |_, _: R| async { Ok(()) }).await?;
        if report.is_clean() && counted.is_clean() && rows == records {
            report.keys += rows;
            return Ok(());
        }
        self.each(report, table, all, check).await.map(drop)
    }

    /// A record must be found by its event id and its given one, which `given` counts.
    async fn verify_record(&self, row: RecordRow, given: &AtomicU64) -> Result<()> {
        let record = self.whole_record(row).await?;
        let (id, event) = (record.id.0.as_slice(), record.event.0.as_slice());
        let at = ("records_by_event", record.id);
        let found = self.requests.one::<(Vec<u8>,)>(&self.statements.is_of_event, (event, id), at).await?;
        if found.is_none() {
            return Err(corrupt("records_by_event", record.event, format!("it does not name record {}", record.id)));
        }
        let Some(given_id) = &record.given_event_id else { return Ok(()) };
        let hash = given_sha256(given_id);
        let values = (record.organization.0.cast_signed(), hash.as_slice(), id);
        let at = ("records_by_given_id", record.id);
        match self.requests.one::<(Vec<u8>,)>(&self.statements.is_of_given, values, at).await? {
            Some(_) => {
                given.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            None => Err(corrupt("records_by_given_id", given_id, format!("it does not name record {}", record.id))),
        }
    }

    async fn verify_entry(&self, row: EntryRow) -> Result<()> {
        row.in_subject().map(drop)
    }

    /// A statement must be listed under its parents.
    async fn verify_statement(&self, row: StatementRow) -> Result<()> {
        let Statement { kind, id, parents, .. } = row.statement()?;
        for parent in parents {
            let bucket = bucket_under(&parent, kind, id);
            let (parent, kind) = (words::parent(&parent)?, words::kind(kind));
            let values = (parent.as_str(), kind, bucket, id.cast_signed());
            let at = ("children", format!("{parent}/{kind}/{id}"));
            if self.requests.one::<(i64,)>(&self.statements.is_child, values, at).await?.is_none() {
                return Err(corrupt("children", format!("{parent}/{kind}"), format!("{id} is not listed")));
            }
        }
        Ok(())
    }

    /// What is applied must be there.
    async fn verify_capture(&self, row: CaptureRow) -> Result<()> {
        let committed = row.is_committed();
        let capture = row.capture()?;
        if !committed {
            return Ok(());
        }
        for chunk in 0..capture.chunks {
            let key = format!("{}/{chunk}", capture.id);
            let there = match self.applied(capture.id, chunk).await? {
                Some(_) => true,
                None => capture.finished_ms.is_none() && self.is_staged(capture.id, chunk).await?,
            };
            if !there && capture.records > 0 {
                return Err(corrupt("applied", key, "neither applied nor staged"));
            }
        }
        Ok(())
    }

    async fn verify_scan(&self, row: ScanRow) -> Result<()> {
        row.in_block().map(drop)
    }

    async fn verify_of_event(&self, (event, record): (Vec<u8>, Vec<u8>)) -> Result<()> {
        let found = self.named("records_by_event", &record).await?;
        if found.event.0.as_slice() == event {
            return Ok(());
        }
        Err(corrupt("records_by_event", words::hex(&event), format!("it names record {}, of another event", found.id)))
    }

    async fn verify_of_given(&self, row: (i64, Vec<u8>, Vec<u8>)) -> Result<()> {
        let (organization, given, record) = row;
        let found = self.named("records_by_given_id", &record).await?;
        let same = found.given_event_id.as_deref().is_some_and(|id| given_sha256(id).as_slice() == given);
        if same && found.organization.0.cast_signed() == organization {
            return Ok(());
        }
        let key = format!("{organization}/{}", words::hex(&given));
        Err(corrupt("records_by_given_id", key, format!("it names record {}, of another id", found.id)))
    }

    async fn named(&self, table: &'static str, record: &[u8]) -> Result<Record> {
        let key = words::hex(record);
        let id = crate::trace::RecordId(words::digest(table, &key, "record", record)?);
        self.record(id).await?.ok_or_else(|| corrupt(table, &key, "it is named, but not there"))
    }

    async fn verify_child(&self, (parent, kind, _, number): (String, String, i64, i64)) -> Result<()> {
        let key = format!("{parent}/{kind}/{}", number.cast_unsigned());
        let odd = |found: &str| corrupt("children", &key, found);
        words::parse_parent(&parent).ok_or_else(|| odd("it names no parent"))?;
        let kind = words::parse_kind(&kind).ok_or_else(|| odd("it names no kind"))?;
        self.statement(kind, number.cast_unsigned()).await?.map(drop).ok_or_else(|| odd("it is listed, but not there"))
    }

    /// Rows must be dense and chained, and name captures that there are.
    async fn verify_feed(&self, report: &mut Report, writer: Writer) -> Result<()> {
        let head = patiently(|| self.feed_head(writer)).await?;
        let (mut next, mut previous) = (0, [0; 32]);
        while next < head.rows {
            let rows = patiently(|| self.rows(writer, next, AUDIT_FEED_ROWS)).await?;
            if rows.is_empty() {
                let found = format!("it is missing; the feed has {} rows", head.rows);
                report.fault(corrupt("feed_rows", format!("{}/{next}", writer.0), found));
                return Ok(());
            }
            for row in &rows {
                let key = || format!("{}/{}", writer.0, row.position);
                if row.previous != previous {
                    report.fault(corrupt("feed_rows", key(), "it does not name the row before"));
                }
                (next, previous) = (row.position + 1, row.digest(writer));
                report.keys += 1;
            }
            let names = |row: &FeedRow| {
                let position = row.position;
                row.captures.iter().map(move |(id, _)| (position, *id)).collect::<Vec<_>>()
            };
            let named: Vec<_> = rows.iter().flat_map(names).collect();
            let looked = stream::iter(named).map(|(position, id)| async move {
                patiently(|| self.capture_row(id)).await.map(|row| (position, id, row.is_some()))
            });
            let looked: Vec<_> = looked.buffered(CQL_ROWS_AT_ONCE).try_collect().await?;
            for (position, id, _) in looked.into_iter().filter(|(.., there)| !there) {
                let found = format!("row {}/{position} names it, but it is not there", writer.0);
                report.fault(corrupt("captures", id, found));
            }
        }
        Ok(())
    }
}
