//! Rows as one writes them into a cluster without Coldproof: prepared, sent to the node that has them, many under way.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures_util::{TryStreamExt, future::try_join_all};
use scylla::{
    client::session::Session,
    statement::{Consistency, prepared::PreparedStatement},
    value::{CqlValue, MaybeUnset, Row},
};
use tokio::runtime::Runtime;

use super::keyspace::Cluster;

/// Somebody who writes rows.
pub struct Writer {
    runtime: Runtime,
    session: Arc<Session>,
}

/// A row with its statement.
type Bound = (Arc<PreparedStatement>, Vec<MaybeUnset<CqlValue>>);

impl Writer {
    pub fn new(cluster: &Cluster) -> Result<Self> {
        let runtime = Runtime::new()?;
        let session = Arc::new(cluster.session(&runtime)?);
        Ok(Self { runtime, session })
    }

    fn prepare(&self, text: &str) -> Result<PreparedStatement> {
        let mut statement = self.runtime.block_on(self.session.prepare(text))?;
        statement.set_consistency(Consistency::LocalQuorum);
        statement.set_is_idempotent(true);
        Ok(statement)
    }

    /// Makes the table of a row for each code.
    pub fn code_table(&self, keyspace: &str) -> Result<()> {
        let text = format!(
            "CREATE TABLE IF NOT EXISTS {keyspace}.row_a_code (code text PRIMARY KEY, goods bigint, run text, serial int, \
             issued timestamp)"
        );
        self.runtime.block_on(self.session.query_unpaged(text, ()))?;
        Ok(())
    }

    /// Writes a row for each code for so long, so many under way; rows a second. `round` keeps rounds apart.
    pub fn codes(&self, keyspace: &str, round: u32, in_flight: usize, length: Duration) -> Result<f64> {
        let text =
            format!("INSERT INTO {keyspace}.row_a_code (code, goods, run, serial, issued) VALUES (?, ?, ?, ?, ?)");
        let statement = Arc::new(self.prepare(&text)?);
        let begun = Instant::now();
        let writing = (0..in_flight).map(|at| {
            let (session, statement) = (Arc::clone(&self.session), Arc::clone(&statement));
            tokio::spawn(async move {
                let mut rows = 0_u32;
                while begun.elapsed() < length {
                    let code = format!("{round:04X}{at:06X}{rows:010X}");
                    let issued = scylla::value::CqlTimestamp(1_780_272_000_000);
                    let values = (code.as_str(), 1_i64, &code[..6], rows.cast_signed(), issued);
                    session.execute_unpaged(&statement, values).await?;
                    rows += 1;
                }
                anyhow::Ok(rows)
            })
        });
        let rows = self.runtime.block_on(async { try_join_all(writing.collect::<Vec<_>>()).await })?;
        let rows: u32 = rows.into_iter().sum::<Result<u32>>()?;
        Ok(f64::from(rows) / begun.elapsed().as_secs_f64())
    }

    /// The rows of a keyspace's tables that were not seen before, ready to be written into another keyspace.
    pub fn new_rows(&self, from: &str, to: &str, tables: &[&str], seen: &mut HashSet<String>) -> Result<Vec<Bound>> {
        let mut new = Vec::new();
        for table in tables {
            let rows = self.session.query_iter(format!("SELECT * FROM {from}.{table}"), ());
            let pager = self.runtime.block_on(rows)?;
            let names: Vec<_> = pager.column_specs().iter().map(|spec| spec.name().to_owned()).collect();
            let markers = vec!["?"; names.len()].join(", ");
            let text = format!("INSERT INTO {to}.{table} ({}) VALUES ({markers})", names.join(", "));
            let statement = Arc::new(self.prepare(&text)?);
            let rows = pager.rows_stream::<Row>()?.try_collect::<Vec<_>>();
            for row in self.runtime.block_on(rows)? {
                if seen.insert(format!("{table}{:?}", row.columns)) {
                    let values = row.columns.into_iter().map(MaybeUnset::from_option).collect();
                    new.push((Arc::clone(&statement), values));
                }
            }
        }
        Ok(new)
    }

    /// Writes these rows, so many under way; the seconds that it took.
    pub fn write(&self, rows: Vec<Bound>, in_flight: usize) -> Result<f64> {
        let (rows, next) = (Arc::new(rows), Arc::new(AtomicUsize::new(0)));
        let begun = Instant::now();
        let writing = (0..in_flight).map(|_| {
            let (session, rows, next) = (Arc::clone(&self.session), Arc::clone(&rows), Arc::clone(&next));
            tokio::spawn(async move {
                while let Some((statement, values)) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    session.execute_unpaged(statement, values).await?;
                }
                anyhow::Ok(())
            })
        });
        let written = self.runtime.block_on(async { try_join_all(writing.collect::<Vec<_>>()).await });
        written.context("a writer panicked")?.into_iter().collect::<Result<()>>()?;
        Ok(begun.elapsed().as_secs_f64())
    }
}
