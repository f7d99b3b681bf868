//! Scan sums: a row a code and server, overwritten.

use futures_util::{StreamExt, TryStreamExt, stream};
use scylla::{DeserializeRow, value::CqlTimestamp};
use serde::{Deserialize, de::IntoDeserializer};

use super::{
    Cluster,
    words::{self, corrupt},
};
use crate::{
    limits::CQL_ROWS_AT_ONCE,
    store::{Result, ScanSum, Writer},
    trace::{Block, PlaceSum, Region},
};

const TABLE: &str = "scans";

/// A row of the table of scans.
#[derive(Clone, DeserializeRow)]
pub struct ScanRow {
    pub writer: i64,
    pub serial: i32,
    pub scans: i64,
    pub first_scan: CqlTimestamp,
    pub last_scan: CqlTimestamp,
    pub places: Vec<PlaceColumns>,
    pub run: String,
    pub block: i32,
}

/// A region, scans in it, and the first and last second of them.
pub type PlaceColumns = (String, i64, i64, i64);

/// The places of a sum as a column has them.
pub fn place_columns(sum: &ScanSum) -> Vec<PlaceColumns> {
    let columns = |place: &PlaceSum| {
        let (first, last) = (i64::from(place.first_s), i64::from(place.last_s));
        (place.region.to_string(), i64::from(place.count), first, last)
    };
    sum.places.iter().map(columns).collect()
}

/// One writer's sums by serial.
pub type Sums = (Writer, Vec<(u16, ScanSum)>);

impl ScanRow {
    /// The block that it names, with the writer, the serial in the block and the sum.
    pub fn in_block(self) -> Result<(Block, Writer, u16, ScanSum)> {
        let (run, index) = (self.run.clone(), self.block);
        let odd = || corrupt(TABLE, format!("{run}/{index}"), "it names no block");
        let block = words::parse_block(&run, index).ok_or_else(odd)?;
        let (writer, serial, sum) = self.sum(&run, index)?;
        Ok((block, writer, serial, sum))
    }

    fn sum(self, run: &str, block: i32) -> Result<(Writer, u16, ScanSum)> {
        let key = format!("{run}/{block}/{}/{}", self.writer, self.serial);
        let wrong = |found: String| corrupt(TABLE, &key, found);
        let serial = u16::try_from(self.serial).map_err(|_| wrong("the serial is outside a block".to_owned()))?;
        let place = |(region, count, first, last): &PlaceColumns| {
            let number = |number: &i64| u32::try_from(*number).map_err(|_| wrong(format!("{number} in a place")));
            let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
                region.as_str().into_deserializer();
            let region = Region::deserialize(text).map_err(|error| wrong(error.to_string()))?;
            Ok(PlaceSum { region, count: number(count)?, first_s: number(first)?, last_s: number(last)? })
        };
        let places = self.places.iter().map(place).collect::<Result<Vec<_>>>()?;
        let sum = ScanSum {
            count: self.scans.cast_unsigned(),
            first_ms: self.first_scan.0,
            last_ms: self.last_scan.0,
            places: places.into(),
        };
        Ok((Writer(self.writer.cast_unsigned()), serial, sum))
    }
}

impl Cluster {
    pub async fn put_scans(&self, block: Block, writer: Writer, sums: &[(u16, ScanSum)]) -> Result<()> {
        let (run, index) = (block.run.to_string(), i32::from(block.index));
        let (run, by) = (run.as_str(), writer.0.cast_signed());
        let listing = format!("scans/{run}/{index}/{}", writer.0);
        if !self.listed.knows(&listing) {
            let stamp = self.stamps.stays();
            self.requests.write(&self.statements.put_scan_writer, stamp, (run, index, by)).await?;
            self.listed.add(listing);
        }
        let put = |(serial, sum): &(u16, ScanSum)| {
            let (serial, stamp) = (i32::from(*serial), self.stamps.replaces());
            let places = place_columns(sum);
            let (first, last) = (CqlTimestamp(sum.first_ms), CqlTimestamp(sum.last_ms));
            let count = sum.count.cast_signed();
            async move {
                let values = (run, index, by, serial, count, first, last, places);
                self.requests.write(&self.statements.put_scan, stamp, values).await
            }
        };
        let puts: Vec<_> = sums.iter().map(put).collect();
        stream::iter(puts).buffer_unordered(CQL_ROWS_AT_ONCE).try_collect().await
    }

    pub async fn scans(&self, block: Block) -> Result<Vec<Sums>> {
        let (run, index) = (block.run.to_string(), i32::from(block.index));
        let at = ("scan_writers", format!("{run}/{index}"));
        let writers = self.requests.list::<(i64,)>(&self.statements.scan_writers, (run.as_str(), index), at).await?;
        let run = run.as_str();
        let of_writer = |(writer,): (i64,)| async move {
            let at = (TABLE, format!("{run}/{index}/{writer}"));
            let rows = self.requests.list::<ScanRow>(&self.statements.scans, (run, index, writer), at).await?;
            let sums = rows.into_iter().map(|row| row.sum(run, index).map(|(_, serial, sum)| (serial, sum)));
            Ok((Writer(writer.cast_unsigned()), sums.collect::<Result<Vec<_>>>()?))
        };
        let sums: Vec<Sums> = stream::iter(writers).map(of_writer).buffered(CQL_ROWS_AT_ONCE).try_collect().await?;
        Ok(sums.into_iter().filter(|(_, sums)| !sums.is_empty()).collect())
    }
}
