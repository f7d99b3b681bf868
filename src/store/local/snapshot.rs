//! One moment of the store as things of the contract, read on a thread of its own while writes go on.

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use super::{
    commit::{WRITER, feed_row},
    draft::Bytes,
    key::{self, Table},
    marker::Counts,
    read,
    tables::{Item, View},
    value::{self, CaptureRow, EntryRow, RecordRow, StagedRow},
    verify::newest_marker,
};
use crate::{
    limits::{SNAPSHOT_BATCH_BYTES, SNAPSHOT_BATCHES_WAITING},
    registration::Statement,
    store::{Chunk, Error, FeedHead, Kept, Result, ScanSum, Snapshot, Stop, Writer},
    trace::{CaptureId, RecordId},
};

/// The tables from which all others follow, in the order in which they are read.
const TABLES: [Table; 10] = [
    Table::Claim,
    Table::Statement,
    Table::Capture,
    Table::Staged,
    Table::Applied,
    Table::Feed,
    Table::Moved,
    Table::Record,
    Table::Entry,
    Table::Scan,
];

/// Begins to read everything that `view` shows.
pub fn snapshot(view: View) -> Result<Snapshot> {
    let counts = newest_marker(&view)?.counts;
    let count = |table: Table| counts.get(table.index()).copied().unwrap_or_default();
    let heads = read::writers(&view)?.into_iter().map(|writer| head(&view, writer)).collect::<Result<_>>()?;
    let (records, entries) = (count(Table::Record), count(Table::Entry));
    let (to, mut from) = mpsc::channel(SNAPSHOT_BATCHES_WAITING);
    tokio::task::spawn_blocking(move || {
        let mut reading = Reading { view, counts, batch: Vec::new(), bytes: 0, to };
        if let Err(Stop::Failed(error)) = reading.everything() {
            let _ = reading.to.blocking_send(Err(error));
        }
    });
    let things = stream::poll_fn(move |context| from.poll_recv(context)).boxed();
    Ok(Snapshot { heads, records, entries, things })
}

/// Where a feed ends.
fn head(view: &View, writer: Writer) -> Result<FeedHead> {
    let last = view.range(&key::feed_of(writer), None, false).next_back().transpose()?;
    let last = last.as_ref().map(feed_row).transpose()?;
    let (rows, digest) = last.map_or((0, [0; 32]), |row| (row.position + 1, row.digest(writer)));
    Ok(FeedHead { writer, rows, digest })
}

struct Reading {
    view: View,
    /// How many keys each table has, as the newest marker says.
    counts: Counts,
    batch: Vec<Kept>,
    /// Keys and values of `batch`, in bytes.
    bytes: usize,
    to: mpsc::Sender<Result<Vec<Kept>>>,
}

impl Reading {
    fn everything(&mut self) -> std::result::Result<(), Stop> {
        for table in TABLES {
            let mut found = 0;
            // Collected in pages, so that `self` is free between them.
            let mut after: Option<Vec<u8>> = None;
            loop {
                let page = self.page(table, after.as_deref())?;
                let Some(last) = page.last() else { break };
                after = Some(last.key.to_vec());
                found += page.len() as u64;
                for item in page {
                    self.item(table, &item)?;
                }
            }
            let expected = self.counts.get(table.index()).copied().unwrap_or_default();
            if found != expected {
                let found = format!("{found} keys are there; {expected} were written");
                return Err(Error::Corrupt { table: table.name(), key: "*".to_owned(), found }.into());
            }
        }
        self.send()
    }

    /// The next keys of a table with their values: about as many as make a batch.
    fn page(&self, table: Table, after: Option<&[u8]>) -> Result<Vec<Item>> {
        let (mut page, mut bytes) = (Vec::new(), 0);
        for item in self.view.range(&[table as u8], after, after.is_some()) {
            let item = item?;
            bytes += item.key.len() + item.sealed.len();
            page.push(item);
            if bytes >= SNAPSHOT_BATCH_BYTES {
                break;
            }
        }
        Ok(page)
    }

    fn item(&mut self, table: Table, item: &Item) -> std::result::Result<(), Stop> {
        let Some(kept) = self.kept(table, item)? else { return Ok(()) };
        self.bytes += item.key.len() + item.sealed.len();
        match (self.batch.last_mut(), kept) {
            (Some(Kept::Scans { block, writer, sums }), Kept::Scans { block: of, writer: by, sums: more })
                if (*block, *writer) == (of, by) =>
            {
                sums.extend(more);
            }
            (_, kept) => self.batch.push(kept),
        }
        if self.bytes < SNAPSHOT_BATCH_BYTES { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> std::result::Result<(), Stop> {
        self.bytes = 0;
        self.to.blocking_send(Ok(std::mem::take(&mut self.batch))).map_err(|_| Stop::Unheard)
    }

    /// The thing of the contract under a key; none where it is only staged, and none for the head of a staged chunk.
    fn kept(&self, table: Table, item: &Item) -> Result<Option<Kept>> {
        let odd = || value::corrupt(&item.key, format!("the key has {} bytes", item.key.len()));
        let number = || item.tail().map(u32::from_be_bytes);
        let chunk_of = || item.key.get(1..).and_then(|key| key.first_chunk()).copied().map(CaptureId).ok_or_else(odd);
        Ok(Some(match table {
            Table::Claim => {
                let name = key::claim_name(&item.key).ok_or_else(odd)?;
                Kept::Claim { name, value: item.value::<Bytes>()?.0 }
            }
            Table::Statement => Kept::Statement(Box::new(item.value::<Statement>()?)),
            Table::Capture => Kept::Capture(item.value::<CaptureRow>()?.capture(CaptureId(item.tail()?))),
            Table::Staged => {
                if item.key.starts_with(&key::staged_heads()) {
                    return Ok(None);
                }
                let (capture, number) = key::staged_tail(&item.key).ok_or_else(odd)?;
                if self.view.sealed(&key::capture(capture))?.is_none() {
                    return Ok(None);
                }
                Kept::Chunk { capture, number, chunk: Chunk::Staged(item.value::<StagedRow>()?) }
            }
            Table::Applied => {
                Kept::Chunk { capture: chunk_of()?, number: number()?, chunk: Chunk::Applied(item.value()?) }
            }
            Table::Feed => Kept::Row(WRITER, feed_row(item)?),
            Table::Moved => Kept::Row(key::moved_writer(&item.key).ok_or_else(odd)?, feed_row(item)?),
            Table::Record => Kept::Record(item.value::<RecordRow>()?.record(RecordId(item.tail()?))),
            Table::Entry => {
                let place = key::place_of(&item.key).ok_or_else(odd)?;
                let subject = key::subject_of(&item.key).ok_or_else(odd)?;
                Kept::Entry(subject, item.value::<EntryRow>()?.entry(place))
            }
            Table::Scan => {
                let (block, writer, serial) = key::scan_of(&item.key).ok_or_else(odd)?;
                Kept::Scans { block, writer, sums: vec![(serial, item.value::<ScanSum>()?)] }
            }
            _ => return Ok(None),
        }))
    }
}
