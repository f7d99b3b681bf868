//! Captures over the size that the store applies at once: staged chunk by chunk, committed by one row, then applied
//! chunk by chunk. After a stop behind the commit whoever comes next does the rest.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::task::JoinHandle;

use crate::{
    limits::{CAPTURE_CHUNK_BYTES, STAGED_KEPT_MS},
    service::{Service, Watched, make_stale},
    store::{self, Capture, Chunk, Writes},
    trace::{CaptureId, Record, entries_of},
};

/// The captures that this process is committing or applying: each by one task.
#[derive(Debug, Default)]
pub struct Applying(Mutex<HashSet<CaptureId>>);

/// The right to apply a capture, given back when it is dropped.
#[derive(Debug)]
pub(in crate::service) struct Turn<'a> {
    applying: &'a Applying,
    capture: CaptureId,
}

impl Applying {
    pub(in crate::service) fn begin(&self, capture: CaptureId) -> Option<Turn<'_>> {
        // A turn that is not given must not be made: dropping it would take the other's.
        self.captures().insert(capture).then(|| Turn { applying: self, capture })
    }

    pub(in crate::service) fn is_at(&self, capture: CaptureId) -> bool {
        self.captures().contains(&capture)
    }

    fn captures(&self) -> MutexGuard<'_, HashSet<CaptureId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.applying.captures().remove(&self.capture);
    }
}

/// Records of one capture on their way into chunks, of which each is one write of bounded size when it is applied. Where
/// they are cut depends on the records alone, so that a repeated capture is cut alike.
pub(super) struct Staging<'s> {
    service: &'s Service,
    capture: CaptureId,
    /// Chunks that are staged.
    chunks: u32,
    records: Vec<Record>,
    /// What the records at hand take with their entries.
    bytes: usize,
    /// The chunk that is being written while the next one comes together.
    writing: Writing,
}

/// A write under way on a task of its own; one at a time, so that what is in memory stays bounded.
#[derive(Default)]
struct Writing(Option<JoinHandle<store::Result<()>>>);

impl Writing {
    /// Begins the next one, when the one before is done.
    async fn begin(&mut self, write: impl Future<Output = store::Result<()>> + Send + 'static) -> store::Result<()> {
        self.done().await?;
        self.0 = Some(tokio::spawn(write));
        Ok(())
    }

    async fn done(&mut self) -> store::Result<()> {
        let Some(task) = self.0.take() else { return Ok(()) };
        task.await.unwrap_or_else(|error| Err(store::Error::Unavailable(error.to_string())))
    }
}

impl<'s> Staging<'s> {
    pub(super) fn new(service: &'s Service, capture: CaptureId) -> Self {
        Self { service, capture, chunks: 0, records: Vec::new(), bytes: 0, writing: Writing::default() }
    }

    /// Takes the next record, which takes so many bytes with its entries.
    pub(super) async fn push(&mut self, record: Record, bytes: usize) -> store::Result<()> {
        if !self.records.is_empty() && self.bytes + bytes > CAPTURE_CHUNK_BYTES {
            self.stage().await?;
        }
        self.records.push(record);
        self.bytes += bytes;
        Ok(())
    }

    async fn stage(&mut self) -> store::Result<()> {
        let (store, capture, chunk) = (Arc::clone(&self.service.store), self.capture, self.chunks);
        let records = std::mem::take(&mut self.records);
        self.chunks += 1;
        self.bytes = 0;
        self.writing.begin(async move { store.stage(capture, chunk, &records).await }).await
    }

    /// Stages what is left, commits the capture with its statements, and applies it.
    pub(super) async fn commit(mut self, capture: Capture, writes: Writes) -> store::Result<Capture> {
        if !self.records.is_empty() {
            self.stage().await?;
        }
        self.writing.done().await?;
        let id = capture.id;
        let capture = Capture { chunks: self.chunks, finished_ms: None, ..capture };
        // Before the commit, so that nobody else begins to apply it.
        let turn = self.service.applying.begin(id);
        self.service.commit(capture, writes).await?;
        if turn.is_some() {
            self.service.apply_chunks(id, true).await?;
        }
        self.service.store.capture(id).await?.ok_or(store::Error::NotCommitted(id))
    }
}

impl Service {
    /// Applies what a committed capture still lacks, and marks it applied. Any server may do so, at any time, twice. Where
    /// this one is at it already it does nothing; whether it did.
    pub async fn finish_capture(&self, id: CaptureId) -> store::Result<bool> {
        let Some(_turn) = self.applying.begin(id) else { return Ok(false) };
        self.apply_chunks(id, false).await?;
        Ok(true)
    }

    /// Applies the chunks that are not applied, and marks the capture so. `all_here` says whether everything that came with it
    /// so far was touched by this server.
    async fn apply_chunks(&self, id: CaptureId, mut all_here: bool) -> store::Result<()> {
        let Some(capture) = self.store.capture(id).await? else { return Err(store::Error::NotCommitted(id)) };
        if capture.finished_ms.is_some() {
            return Ok(());
        }
        let mut writing = Writing::default();
        for chunk in 0..capture.chunks {
            let records = match self.store.chunk(id, chunk).await? {
                Some(Chunk::Staged(records)) => records,
                Some(Chunk::Applied(_)) => {
                    all_here = false;
                    continue;
                }
                None => return Err(store::Error::NotStaged { capture: id, chunk }),
            };
            let writes = super::heavy(CAPTURE_CHUNK_BYTES, || self.writes_of(records))?;
            let (store, watch, blocks) = (Arc::clone(&self.store), Arc::clone(&self.watch), self.blocks.clone());
            let apply = async move {
                let touched = Watched::by(&writes);
                let applied = store.apply(id, chunk, writes).await;
                // After an error too: it is not known then whether the write took effect.
                make_stale(&watch, &blocks, &touched);
                applied
            };
            writing.begin(apply).await?;
        }
        writing.done().await?;
        if all_here {
            // Before the mark, behind which this server would follow itself and read every record again.
            self.applied_here.add(id);
        }
        self.store.finish(id, self.now_ms()).await
    }

    /// Records with the entries that they make.
    pub(in crate::service) fn writes_of(&self, records: Vec<Record>) -> store::Result<Writes> {
        let mut writes = Writes::default();
        for record in &records {
            writes.entries.extend(entries_of(record, &self.event_of(record)?));
        }
        writes.records = records;
        Ok(writes)
    }

    /// Finishes captures that were committed and not applied when a server stopped. Returns how many.
    pub async fn finish_captures(&self) -> store::Result<usize> {
        let mut finished = 0;
        loop {
            let unfinished = self.store.unfinished(100).await?;
            let before = finished;
            for id in unfinished {
                finished += usize::from(self.finish_capture(id).await?);
            }
            if finished == before {
                return Ok(finished);
            }
        }
    }

    /// Removes what was staged long ago and never committed.
    pub async fn sweep_captures(&self) -> store::Result<u64> {
        let mut swept = 0;
        loop {
            match self.store.sweep(self.now_ms() - STAGED_KEPT_MS).await? {
                0 => return Ok(swept),
                chunks => swept += chunks,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_applied_by_one_at_a_time() {
        let applying = Applying::default();
        let [one, other] = [1, 2].map(|byte| CaptureId([byte; 32]));
        let turn = applying.begin(one).unwrap();
        assert!(applying.begin(one).is_none());
        assert!(applying.begin(one).is_none(), "who is turned away does not end the other's turn");
        assert!(applying.begin(other).is_some());
        assert!(applying.is_at(one) && !applying.is_at(other));
        drop(turn);
        assert!(!applying.is_at(one) && applying.begin(one).is_some());
    }
}
