//! What servers tell each other of scans: rows by time, which end by themselves. So a server that has ten thousand blocks in
//! memory asks as little as one that has ten.

use futures_util::{StreamExt, TryStreamExt, stream};
use scylla::{DeserializeRow, value::CqlTimestamp};

use super::{
    Cluster,
    scans::{PlaceColumns, ScanRow, place_columns},
};
use crate::{
    limits::{CQL_ROWS_AT_ONCE, CQL_SCANS_TOLD_AT_ONCE, CQL_SCANS_TOLD_BUCKET_MS},
    store::{CodeSum, Result, Writer},
};

const TABLE: &str = "told_scans";

/// Run, block, serial within it, scans, the first and the latest of them, places.
type SumColumns = (String, i32, i32, i64, CqlTimestamp, CqlTimestamp, Vec<PlaceColumns>);

#[derive(DeserializeRow)]
struct ToldRow {
    writer: i64,
    sums: Vec<SumColumns>,
}

fn columns((block, serial, sum): &CodeSum) -> SumColumns {
    let (first, last) = (CqlTimestamp(sum.first_ms), CqlTimestamp(sum.last_ms));
    let (run, index, serial) = (block.run.to_string(), i32::from(block.index), i32::from(*serial));
    (run, index, serial, sum.count.cast_signed(), first, last, place_columns(sum))
}

impl ToldRow {
    fn told(self) -> Result<(Writer, Vec<CodeSum>)> {
        let writer = self.writer;
        let sum = |(run, block, serial, scans, first_scan, last_scan, places)| {
            let row = ScanRow { writer, serial, scans, first_scan, last_scan, places, run, block };
            row.in_block().map(|(block, _, serial, sum)| (block, serial, sum))
        };
        Ok((Writer(writer.cast_unsigned()), self.sums.into_iter().map(sum).collect::<Result<_>>()?))
    }
}

fn bucket_of(ms: i64) -> i64 {
    ms.div_euclid(CQL_SCANS_TOLD_BUCKET_MS)
}

impl Cluster {
    pub async fn tell_scans(&self, writer: Writer, at_ms: i64, sums: &[CodeSum]) -> Result<()> {
        let put = |(part, sums): (i32, &[CodeSum])| {
            let sums: Vec<_> = sums.iter().map(columns).collect();
            let values = (bucket_of(at_ms), CqlTimestamp(at_ms), writer.0.cast_signed(), part, sums);
            let stamp = self.stamps.replaces();
            async move { self.requests.write(&self.statements.tell_scans, stamp, values).await }
        };
        let puts: Vec<_> = (0..).zip(sums.chunks(CQL_SCANS_TOLD_AT_ONCE)).map(put).collect();
        stream::iter(puts).buffer_unordered(CQL_ROWS_AT_ONCE).try_collect().await
    }

    pub async fn told_scans(&self, from_ms: i64, until_ms: i64) -> Result<Vec<(Writer, Vec<CodeSum>)>> {
        let mut told = Vec::new();
        for bucket in bucket_of(from_ms)..=bucket_of(until_ms) {
            let rows = self.requests.list::<ToldRow>(&self.statements.told_scans, (bucket,), (TABLE, bucket)).await?;
            told.extend(rows.into_iter().map(ToldRow::told).collect::<Result<Vec<_>>>()?);
        }
        Ok(told)
    }
}
