//! Writes as keys and sealed values, made on the caller's thread.

use super::{
    draft::{Encoded, Pair},
    key,
    value::{self, EntryRow, RecordRow, StagedHead},
};
use crate::{
    store::{Result, Writes},
    trace::{CaptureId, Record},
};

impl Encoded {
    /// Encodes writes; also says how many bytes their keys and values have.
    pub fn new(writes: &Writes) -> Result<(Self, usize)> {
        let mut encoded = Self::default();
        for record in &writes.records {
            encoded.ids.push(record.id);
            encoded.records.push(encode_record(record)?);
        }
        for (subject, entry) in &writes.entries {
            let key = key::entry(subject, &entry.scope, entry.place)?;
            encoded.others.push(pair(key, &EntryRow::from(entry))?);
        }
        for statement in &writes.statements {
            let key = key::statement(statement.kind, statement.id, statement.version);
            encoded.others.push(pair(key, statement)?);
            for parent in &statement.parents {
                encoded.others.push(pair(key::child(parent, statement.kind, statement.id)?, &())?);
            }
        }
        let size = |(key, sealed): &Pair| key.len() + sealed.len();
        let records =
            encoded.records.iter().map(|(record, indexes)| size(record) + indexes.iter().map(size).sum::<usize>());
        let bytes = records.sum::<usize>() + encoded.others.iter().map(size).sum::<usize>();
        Ok((encoded, bytes))
    }
}

/// A record's body and the index entries that lead to it.
fn encode_record(record: &Record) -> Result<(Pair, Vec<Pair>)> {
    let body = pair(key::record(record.id), &RecordRow::from(record))?;
    let mut indexes = vec![pair(key::event(record.event, record.id), &())?];
    if let Some(given) = &record.given_event_id {
        indexes.push(pair(key::given(record.organization, given, record.id), &())?);
    }
    Ok((body, indexes))
}

/// A staged chunk: its head and its records.
pub fn staged(capture: CaptureId, chunk: u32, records: &[Record]) -> Result<[Pair; 2]> {
    let latest_ms: StagedHead = records.iter().map(|record| record.record_time_ms).max().unwrap_or(i64::MIN);
    Ok([pair(key::staged_head(capture, chunk), &latest_ms)?, pair(key::staged(capture, chunk), &records)?])
}

/// A key with its value, sealed.
pub fn pair<T: serde::Serialize>(key: Vec<u8>, row: &T) -> Result<Pair> {
    let sealed = value::encode(&key, row)?;
    Ok((key, sealed))
}
