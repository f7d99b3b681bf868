//! The store's audit of itself: every key, its hash, its way back, the counts, the feed's chain.

use super::{
    commit::feed_row,
    head::Mark,
    key::{self, Table},
    marker::{self, Marker},
    read,
    tables::View,
    value::{self, CaptureRow},
};
use crate::{
    limits,
    store::{Error, Report, Result, Writer},
};

impl Report {
    fn check<T>(&mut self, checked: Result<T>) -> Option<T> {
        checked.map_err(|error| self.fault(error)).ok()
    }
}

/// Reads everything that one moment of the store holds.
pub fn verify(view: &View) -> Report {
    let mut report = Report::default();
    let newest = report.check(newest_marker(view)).unwrap_or_else(Marker::origin);
    for table in Table::ALL.iter().copied() {
        let found = verify_table(view, table, &mut report);
        let expected = match table {
            Table::Marker => newest.number.min(limits::MARKERS_KEPT),
            table => newest.counts.get(table.index()).copied().unwrap_or_default(),
        };
        if found != expected {
            let found = format!("{found} keys are there; {expected} were written");
            report.fault(Error::Corrupt { table: table.name(), key: "*".to_owned(), found });
        }
    }
    for writer in report.check(read::writers(view)).unwrap_or_default() {
        verify_feed(view, writer, &mut report);
    }
    let chain = newest_mark(view).and_then(|mark| marker::check_chain(view, mark));
    report.check(chain);
    report
}

/// The marker of the newest group: it counts the keys of each table.
pub fn newest_marker(view: &View) -> Result<Marker> {
    let newest = view.range(&[Table::Marker as u8], None, false).next_back();
    Ok(newest.map(|item| item?.value()).transpose()?.unwrap_or_else(Marker::origin))
}

/// The newest marker as the head would name it, for a check of the chain alone.
fn newest_mark(view: &View) -> Result<Mark> {
    let Some(item) = view.range(&[Table::Marker as u8], None, false).next_back().transpose()? else {
        return Ok(Mark::default());
    };
    let digest = marker::digest(value::open(&item.key, &item.sealed)?.0);
    Ok(Mark { number: u64::from_be_bytes(item.tail()?), digest, ..Mark::default() })
}

/// Reads a table's keys, each of which must hold what was written and be found by itself; how many there are.
fn verify_table(view: &View, table: Table, report: &mut Report) -> u64 {
    let mut keys = 0;
    for item in view.range(&[table as u8], None, false) {
        // The engine cannot go on behind a block that it cannot read; the count will tell what is missed.
        let Some(item) = report.check(item) else { break };
        keys += 1;
        report.check(value::open(&item.key, &item.sealed));
        let again = report.check(view.sealed(&item.key));
        if again.is_some_and(|again| again.as_deref() != Some(&*item.sealed)) {
            report.fault(value::corrupt(&item.key, "it is listed, but not found by its key".to_owned()));
        }
    }
    report.keys += keys;
    match table {
        Table::Record => report.records = keys,
        Table::Entry => report.entries = keys,
        _ => {}
    }
    keys
}

/// Rows must be dense and chained, and name exactly the captures that there are.
fn verify_feed(view: &View, writer: Writer, report: &mut Report) {
    let (mut next, mut previous) = (0, [0; 32]);
    for item in view.range(&key::feed_of(writer), None, false) {
        let Some(row) = report.check(item.and_then(|item| feed_row(&item))) else { return };
        if (row.position, row.previous) != (next, previous) {
            let found = format!("the row does not follow row {}", next.saturating_sub(1));
            report.fault(value::corrupt(&key::feed_row(writer, row.position), found));
        }
        for (capture, _) in &row.captures {
            let named = report.check(view.get::<CaptureRow>(&key::capture(*capture)));
            if matches!(named, Some(None)) {
                let found = format!("row {} names it, but it is not there", row.position);
                report.fault(value::corrupt(&key::capture(*capture), found));
            }
        }
        (next, previous) = (row.position + 1, row.digest(writer));
    }
}
