//! Everything out of this store, and into it.

use async_trait::async_trait;

use super::{
    Door, LocalStore,
    commit::Queue,
    draft::{Bytes, Encoded, Pair},
    encode::{self, pair},
    key, snapshot, stopped,
    value::CaptureRow,
};
use crate::store::{Chunk, Copies, Error, FeedRow, Intake, Kept, RETIRED_CLAIM, Result, Snapshot, Writer, Writes};

#[async_trait]
impl Copies for LocalStore {
    async fn snapshot(&self) -> Result<Snapshot> {
        snapshot::snapshot(self.tables.view())
    }

    async fn load(&self, things: Vec<Kept>) -> Result<()> {
        let (loaded, bytes) = Loaded::new(things)?;
        self.write(bytes, move |draft| {
            draft.put_writes(loaded.writes)?;
            for pair in loaded.pairs {
                draft.put_absent(pair)?;
            }
            loaded.rows.into_iter().try_for_each(|(writer, row)| draft.load_row(writer, row))
        })
        .await
    }

    async fn set_intake(&self, intake: Intake) -> Result<()> {
        // Waits for every write that was let in, and keeps others out meanwhile.
        let mut door = self.door.write().await;
        match (door.intake, intake) {
            (Intake::Retired, Intake::Retired) => return Ok(()),
            (Intake::Retired, _) => return Err(Error::Retired),
            (_, Intake::Retired) => retire(&door).await?,
            _ => {}
        }
        door.intake = intake;
        Ok(())
    }
}

async fn retire(door: &Door) -> Result<()> {
    let queue: &Queue = door.queue.as_ref().ok_or_else(|| stopped("the store is closed"))?;
    let key = key::claim(RETIRED_CLAIM)?;
    queue.write(key.len(), None, move |draft| draft.put(key, &Bytes(Vec::new()))).await
}

/// Things of another store as this one's keys and values.
struct Loaded {
    writes: Encoded,
    pairs: Vec<Pair>,
    rows: Vec<(Writer, FeedRow)>,
}

impl Loaded {
    /// Encodes things; also says how many bytes their keys and values have.
    fn new(things: Vec<Kept>) -> Result<(Self, usize)> {
        let (mut writes, mut pairs, mut rows) = (Writes::default(), Vec::new(), Vec::new());
        for thing in things {
            match thing {
                Kept::Record(record) => writes.records.push(record),
                Kept::Entry(subject, entry) => writes.entries.push((subject, entry)),
                Kept::Statement(statement) => writes.statements.push(*statement),
                Kept::Row(writer, row) => rows.push((writer, row)),
                Kept::Claim { name, value } => pairs.push(pair(key::claim(&name)?, &Bytes(value))?),
                Kept::Capture(capture) => {
                    pairs.push(pair(key::capture(capture.id), &CaptureRow::from(&capture))?);
                    if capture.finished_ms.is_none() {
                        pairs.push(pair(key::unfinished(capture.id), &())?);
                    }
                }
                Kept::Chunk { capture, number, chunk: Chunk::Staged(records) } => {
                    pairs.extend(encode::staged(capture, number, &records)?);
                }
                Kept::Chunk { capture, number, chunk: Chunk::Applied(ids) } => {
                    pairs.push(pair(key::applied(capture, number), &ids)?);
                }
                Kept::Scans { block, writer, sums } => {
                    for (serial, sum) in sums {
                        pairs.push(pair(key::scan(block, writer, serial), &sum)?);
                    }
                }
            }
        }
        let (writes, bytes) = Encoded::new(&writes)?;
        let bytes = bytes + pairs.iter().map(|(key, sealed)| key.len() + sealed.len()).sum::<usize>();
        Ok((Self { writes, pairs, rows }, bytes))
    }
}
