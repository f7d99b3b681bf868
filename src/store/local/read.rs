//! Reads: each sees one moment of the store.

use std::collections::BinaryHeap;

use super::{
    commit::{WRITER, feed_row},
    draft::Bytes,
    key::{self, Table},
    tables::View,
    value::{self, CaptureRow, EntryRow, RecordRow, StagedRow},
};
use crate::{
    registration::{Kind, Parent, Statement},
    store::{Capture, Chunk, FeedRow, Result, ScanSum, Slice, Writer},
    trace::{Block, CaptureId, Entry, EventHash, OrganizationId, Place, Record, RecordId, Scope, Subject},
};

pub fn record(view: &View, id: RecordId) -> Result<Option<Record>> {
    Ok(view.get::<RecordRow>(&key::record(id))?.map(|row| row.record(id)))
}

pub fn records_of_event(view: &View, event: EventHash, limit: usize) -> Result<Vec<RecordId>> {
    view.range(&key::events(event), None, false).take(limit).map(|item| Ok(RecordId(item?.tail()?))).collect()
}

pub fn records_of_given_id(
    view: &View,
    organization: OrganizationId,
    given: &str,
    limit: usize,
) -> Result<Vec<RecordId>> {
    let prefix = key::givens(organization, given);
    view.range(&prefix, None, false).take(limit).map(|item| Ok(RecordId(item?.tail()?))).collect()
}

pub fn statement(view: &View, kind: Kind, id: u64) -> Result<Option<Statement>> {
    view.range(&key::statements(kind, id), None, false).next_back().map(|item| item?.value()).transpose()
}

pub fn versions(view: &View, kind: Kind, id: u64, from: u32, limit: usize) -> Result<Vec<Statement>> {
    let from = key::statement(kind, id, from);
    view.range(&key::statements(kind, id), Some(&from), false).take(limit).map(|item| item?.value()).collect()
}

pub fn children(view: &View, parent: &Parent, kind: Kind, after: Option<u64>, limit: usize) -> Result<Vec<u64>> {
    let after = after.map(|id| key::child(parent, kind, id)).transpose()?;
    view.range(&key::children(parent, kind)?, after.as_deref(), true)
        .take(limit)
        .map(|item| Ok(u64::from_be_bytes(item?.tail()?)))
        .collect()
}

pub fn entries(view: &View, subject: &Subject, slice: Slice, after: Option<Place>, limit: usize) -> Result<Vec<Entry>> {
    let ledger = key::subject(subject)?;
    let cluster = match (subject, slice) {
        (Subject::Block(_), Slice::Whole) => return block_entries(view, &ledger, after, limit),
        (_, slice) => key::cluster(slice),
    };
    let mut prefix = ledger.clone();
    prefix.extend_from_slice(&cluster.to_be_bytes());
    let after = after.map(|place| key::place(ledger, cluster, place));
    view.range(&prefix, after.as_deref(), true)
        .take(limit)
        .map(|item| {
            let item = item?;
            let place = place_of(&item.key)?;
            Ok(item.value::<EntryRow>()?.entry(place))
        })
        .collect()
}

pub fn entry(view: &View, subject: &Subject, scope: &Scope, place: Place) -> Result<Option<Entry>> {
    Ok(view.get::<EntryRow>(&key::entry(subject, scope, place)?)?.map(|row| row.entry(place)))
}

/// All entries of a block stand in the order of their serials first: the `limit` smallest places are picked.
fn block_entries(view: &View, ledger: &[u8], after: Option<Place>, limit: usize) -> Result<Vec<Entry>> {
    let mut smallest = BinaryHeap::new();
    for item in view.range(ledger, None, false) {
        let item = item?;
        let place = place_of(&item.key)?;
        if after.is_some_and(|after| place <= after) {
            continue;
        }
        smallest.push((place, item.key));
        if smallest.len() > limit {
            smallest.pop();
        }
    }
    let mut entries = Vec::with_capacity(smallest.len());
    for (place, key) in smallest.into_sorted_vec() {
        if let Some(row) = view.get::<EntryRow>(&key)? {
            entries.push(row.entry(place));
        }
    }
    Ok(entries)
}

fn place_of(key: &[u8]) -> Result<Place> {
    key::place_of(key).ok_or_else(|| value::corrupt(key, format!("the key has {} bytes", key.len())))
}

pub fn capture(view: &View, id: CaptureId) -> Result<Option<Capture>> {
    Ok(view.get::<CaptureRow>(&key::capture(id))?.map(|row| row.capture(id)))
}

pub fn chunk(view: &View, capture: CaptureId, chunk: u32) -> Result<Option<Chunk>> {
    if let Some(ids) = view.get::<Vec<RecordId>>(&key::applied(capture, chunk))? {
        return Ok(Some(Chunk::Applied(ids)));
    }
    Ok(view.get::<StagedRow>(&key::staged(capture, chunk))?.map(Chunk::Staged))
}

pub fn unfinished(view: &View, limit: usize) -> Result<Vec<CaptureId>> {
    view.range(&[Table::Unfinished as u8], None, false).take(limit).map(|item| Ok(CaptureId(item?.tail()?))).collect()
}

pub fn rows(view: &View, writer: Writer, position: u64, limit: usize) -> Result<Vec<FeedRow>> {
    let (feed, from) = (key::feed_of(writer), key::feed_row(writer, position));
    let rows = view.range(&feed, Some(&from), false).take(limit);
    rows.map(|item| feed_row(&item?)).collect()
}

/// This store's own feed, and those that came from another.
pub fn writers(view: &View) -> Result<Vec<Writer>> {
    let mut writers = vec![WRITER];
    let mut behind = vec![Table::Moved as u8];
    loop {
        let first = view.range(&[Table::Moved as u8], Some(&behind), true).next().transpose()?;
        let Some(item) = first else { return Ok(writers) };
        let odd = || value::corrupt(&item.key, format!("the key has {} bytes", item.key.len()));
        let writer = key::moved_writer(&item.key).ok_or_else(odd)?;
        behind = key::feed_row(writer, u64::MAX);
        writers.push(writer);
    }
}

/// Which row named an unfinished capture is kept nowhere: then it is the first one.
pub fn applied(view: &View, writer: Writer) -> Result<u64> {
    if writer != WRITER || !unfinished(view, 1)?.is_empty() {
        return Ok(0);
    }
    let last = view.range(&[Table::Feed as u8], None, false).next_back();
    last.map_or(Ok(0), |item| Ok(feed_row(&item?)?.position + 1))
}

pub fn claim(view: &View, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(view.get::<Bytes>(&key::claim(name)?)?.map(|bytes| bytes.0))
}

/// One writer's sums by serial.
type Sums = (Writer, Vec<(u16, ScanSum)>);

pub fn scans(view: &View, block: Block) -> Result<Vec<Sums>> {
    let mut writers: Vec<Sums> = Vec::new();
    for item in view.range(&key::block_scans(block), None, false) {
        let item = item?;
        let [writer @ .., high, low] = item.tail::<10>()?;
        let (writer, serial) = (Writer(u64::from_be_bytes(writer)), u16::from_be_bytes([high, low]));
        let sum = (serial, item.value::<ScanSum>()?);
        match writers.last_mut() {
            Some((last, sums)) if *last == writer => sums.push(sum),
            _ => writers.push((writer, vec![sum])),
        }
    }
    Ok(writers)
}
