//! Records: bodies, in pieces where they are long, and the two look-up tables that lead to them.

use futures_util::future::BoxFuture;
use scylla::{
    DeserializeRow,
    value::{CqlTimestamp, MaybeUnset},
};
use sha2::{Digest, Sha256};

use super::{
    Cluster,
    words::{self, corrupt, digest, hex},
};
use crate::{
    limits::CQL_PIECE_BYTES,
    store::Result,
    trace::{CaptureId, EventHash, OrganizationId, Record, RecordId},
};

/// A row of the table of records.
#[derive(Clone, DeserializeRow)]
pub struct RecordRow {
    record: Vec<u8>,
    event: Vec<u8>,
    capture: Vec<u8>,
    organization: i64,
    role: String,
    event_time: CqlTimestamp,
    record_time: CqlTimestamp,
    given_event_id: Option<String>,
    body: Option<String>,
    pieces: Option<i32>,
    /// The timestamp of its first write.
    pub stamp: Option<i64>,
}

const TABLE: &str = "records";

/// Bytes of a given event id as they stand in a key.
pub fn given_sha256(given: &str) -> [u8; 32] {
    Sha256::digest(given.as_bytes()).into()
}

/// A text in pieces that are no longer than a server takes, each whole characters.
fn text_pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = rest.floor_char_boundary(CQL_PIECE_BYTES.min(rest.len()));
        let (piece, behind) = rest.split_at(at);
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

impl Cluster {
    /// The writes that put a record's body.
    pub fn put_record<'s>(&'s self, record: &'s Record) -> BoxFuture<'s, Result<()>> {
        let stamp = self.stamps.stays();
        Box::pin(async move {
            let id = record.id.0.as_slice();
            let long = record.body.len() > CQL_PIECE_BYTES;
            let mut pieces = 0_i32;
            for piece in text_pieces(&record.body).filter(|_| long) {
                self.requests.write(&self.statements.put_body, stamp, (id, pieces, piece)).await?;
                pieces += 1;
            }
            let body = if long { MaybeUnset::Unset } else { MaybeUnset::Set(record.body.as_str()) };
            let pieces = if long { MaybeUnset::Set(pieces) } else { MaybeUnset::Unset };
            let values = (
                id,
                record.event.0.as_slice(),
                record.capture.0.as_slice(),
                record.organization.0.cast_signed(),
                words::role(record.role),
                CqlTimestamp(record.event_time_ms),
                CqlTimestamp(record.record_time_ms),
                MaybeUnset::from_option(record.given_event_id.as_deref()),
                body,
                pieces,
            );
            self.requests.write(&self.statements.put_record, stamp, values).await
        })
    }

    /// The writes that make a record found.
    pub fn put_record_keys<'s>(&'s self, record: &'s Record) -> BoxFuture<'s, Result<()>> {
        let stamp = self.stamps.stays();
        Box::pin(async move {
            let (id, event) = (record.id.0.as_slice(), record.event.0.as_slice());
            let of_event = self.requests.write(&self.statements.put_event, stamp, (event, id));
            let Some(given) = &record.given_event_id else { return of_event.await };
            let hash = given_sha256(given);
            let values = (record.organization.0.cast_signed(), hash.as_slice(), id);
            let of_given = self.requests.write(&self.statements.put_given, stamp, values);
            tokio::try_join!(of_event, of_given).map(drop)
        })
    }

    pub async fn record(&self, id: RecordId) -> Result<Option<Record>> {
        let at = (TABLE, hex(&id.0));
        let row = self.requests.one::<RecordRow>(&self.statements.record, (id.0.as_slice(),), at).await?;
        match row {
            Some(row) => self.whole_record(row).await.map(Some),
            None => Ok(None),
        }
    }

    /// A row with its body, which may lie in pieces.
    pub async fn whole_record(&self, row: RecordRow) -> Result<Record> {
        let key = hex(&row.record).to_string();
        let digest = |column, bytes: &[u8]| digest(TABLE, &key, column, bytes);
        let id = RecordId(digest("record", &row.record)?);
        let body = match (row.body, row.pieces) {
            (Some(body), None) => body,
            (None, Some(pieces)) => self.pieces_of(id, pieces).await?,
            (body, pieces) => {
                let found = format!("body {}, pieces {pieces:?}: expected one of them", body.is_some());
                return Err(corrupt(TABLE, key, found));
            }
        };
        Ok(Record {
            id,
            event: EventHash(digest("event", &row.event)?),
            capture: CaptureId(digest("capture", &row.capture)?),
            organization: OrganizationId(row.organization.cast_unsigned()),
            role: words::parse_role(&row.role)
                .ok_or_else(|| corrupt(TABLE, &key, format!("{:?} is no role", row.role)))?,
            event_time_ms: row.event_time.0,
            record_time_ms: row.record_time.0,
            given_event_id: row.given_event_id,
            body,
        })
    }

    async fn pieces_of(&self, id: RecordId, pieces: i32) -> Result<String> {
        let mut body = String::new();
        for piece in 0..pieces {
            let at = ("record_bodies", format!("{id}/{piece}"));
            let found = self.requests.one::<(String,)>(&self.statements.body, (id.0.as_slice(), piece), at).await?;
            let (text,) = found.ok_or_else(|| corrupt("record_bodies", format!("{id}/{piece}"), "it is missing"))?;
            body.push_str(&text);
        }
        Ok(body)
    }

    pub async fn records_of_event(&self, event: EventHash, limit: usize) -> Result<Vec<RecordId>> {
        let at = ("records_by_event", hex(&event.0));
        let values = (event.0.as_slice(), limit_of(limit));
        record_ids(self.requests.list(&self.statements.of_event, values, at).await?, "records_by_event")
    }

    pub async fn records_of_given_id(
        &self,
        organization: OrganizationId,
        given: &str,
        limit: usize,
    ) -> Result<Vec<RecordId>> {
        let hash = given_sha256(given);
        let at = ("records_by_given_id", format!("{organization}/{}", hex(&hash)));
        let values = (organization.0.cast_signed(), hash.as_slice(), limit_of(limit));
        record_ids(self.requests.list(&self.statements.of_given, values, at).await?, "records_by_given_id")
    }
}

fn record_ids(rows: Vec<(Vec<u8>,)>, table: &'static str) -> Result<Vec<RecordId>> {
    rows.into_iter().map(|(id,)| Ok(RecordId(digest(table, hex(&id), "record", &id)?))).collect()
}

/// A number of rows as CQL takes it, at least one.
pub fn limit_of(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_nothing_of_it_is_lost() {
        let text = "鱼".repeat(CQL_PIECE_BYTES);
        let pieces: Vec<_> = text_pieces(&text).collect();
        assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.len() <= CQL_PIECE_BYTES));
        assert_eq!(pieces.concat(), text);
        assert_eq!(text_pieces("").count(), 0);
    }
}
