//! Any sequence of calls leaves a store that answers as a few maps in memory do, before and after it is opened again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use coldproof::{
    registration::{Kind, Parent, Statement},
    store::{Capture, Chunk, Error, ScanSum, Slice, Store, Writer, Writes, local::LocalStore},
    trace::{BatchId, CaptureId, Entry, Place, Record, RecordId, Scope, Subject},
};
use proptest::prelude::*;

use super::sample::{self, block, statement};

/// A call; small numbers, so that calls meet.
#[derive(Clone, Debug)]
pub enum Call {
    Append { capture: u8, atomic: bool, contents: Vec<u8> },
    Stage { capture: u8, chunk: u8, contents: Vec<u8> },
    Apply { capture: u8, chunk: u8, contents: Vec<u8> },
    Finish { capture: u8, at: u8 },
    Sweep { before: u8 },
    Swap { name: u8, expected: Option<u8>, new: u8 },
    Scans { serials: Vec<(u8, u8)> },
    Reopen { close: bool },
}

pub fn calls() -> impl Strategy<Value = Vec<Call>> {
    let contents = || prop::collection::vec(any::<u8>(), 0..4);
    let call = prop_oneof![
        4 => (0..6u8, any::<bool>(), contents()).prop_map(|(capture, atomic, contents)| Call::Append { capture, atomic, contents }),
        3 => (0..6u8, 0..2u8, contents()).prop_map(|(capture, chunk, contents)| Call::Stage { capture, chunk, contents }),
        3 => (0..6u8, 0..2u8, contents()).prop_map(|(capture, chunk, contents)| Call::Apply { capture, chunk, contents }),
        2 => (0..6u8, any::<u8>()).prop_map(|(capture, at)| Call::Finish { capture, at }),
        1 => (0..4u8).prop_map(|before| Call::Sweep { before }),
        3 => (0..2u8, prop::option::of(0..3u8), 0..3u8).prop_map(|(name, expected, new)| Call::Swap { name, expected, new }),
        1 => prop::collection::vec((0..3u8, any::<u8>()), 0..3).prop_map(|serials| Call::Scans { serials }),
        1 => any::<bool>().prop_map(|close| Call::Reopen { close }),
    ];
    prop::collection::vec(call, 1..60)
}

/// A record out of eight, in one of four forms that differ in when they were accepted.
fn record(content: u8) -> Record {
    Record { record_time_ms: i64::from(content / 64), ..sample::record(u64::from(content % 8)) }
}

fn writes(contents: &[u8]) -> Writes {
    let mut writes = Writes::default();
    for content in contents.iter().copied() {
        let (subject, scope) = match content % 3 {
            0 => (Subject::Batch(BatchId(1)), Scope::All),
            1 => (Subject::Block(block(1, 0)), sample::single(1, u32::from(content % 5))),
            _ => (Subject::Block(block(1, 0)), sample::span(1, 0, u32::from(content % 5) + 1)),
        };
        let entry = sample::entry(u64::from(content % 8), i64::from(content % 4) - 2, scope);
        writes.records.push(record(content));
        writes.entries.push((subject, entry));
        let parents = vec![Parent::All, Parent::Batch(u64::from(content / 128))];
        writes.statements.push(statement(Kind::Run, u64::from(content % 2), 1 + u32::from(content % 7), parents));
    }
    writes
}

/// What a store should hold.
#[derive(Default)]
struct Model {
    records: BTreeMap<RecordId, Record>,
    /// By subject, cluster as the contract has it (a single serial, or none) and place.
    entries: BTreeMap<(Subject, Option<u32>, Place), Entry>,
    statements: BTreeMap<(u64, u32), Statement>,
    children: BTreeSet<(Parent, u64)>,
    captures: BTreeMap<CaptureId, Capture>,
    committed: Vec<CaptureId>,
    staged: BTreeMap<(CaptureId, u32), Vec<Record>>,
    applied: BTreeMap<(CaptureId, u32), Vec<RecordId>>,
    claims: BTreeMap<String, Vec<u8>>,
    scans: BTreeMap<u16, ScanSum>,
}

impl Model {
    fn put(&mut self, writes: Writes) {
        for record in writes.records {
            self.records.entry(record.id).or_insert(record);
        }
        for (subject, entry) in writes.entries {
            let serial = match (&subject, &entry.scope) {
                (Subject::Block(_), Scope::Span(span)) if span.codes() == 1 => Some(span.first().get()),
                _ => None,
            };
            self.entries.entry((subject, serial, entry.place)).or_insert(entry);
        }
        for statement in writes.statements {
            for parent in &statement.parents {
                self.children.insert((parent.clone(), statement.id));
            }
            self.statements.entry((statement.id, statement.version)).or_insert(statement);
        }
    }
    fn ids(writes: &Writes) -> Vec<RecordId> {
        writes.records.iter().map(|record| record.id).collect()
    }
    fn append(&mut self, capture: Capture, writes: Writes) -> Result<Capture, &'static str> {
        if let Some(first) = self.captures.get(&capture.id) {
            return Ok(first.clone());
        }
        if capture.finished_ms.is_none() {
            if (0..capture.chunks).any(|chunk| !self.staged.contains_key(&(capture.id, chunk))) {
                return Err("not staged");
            }
        } else if !writes.records.is_empty() {
            self.applied.insert((capture.id, 0), Self::ids(&writes));
        }
        self.put(writes);
        self.captures.insert(capture.id, capture.clone());
        self.committed.push(capture.id);
        Ok(capture)
    }
    fn apply(&mut self, id: CaptureId, chunk: u32, writes: Writes) -> Result<(), &'static str> {
        if !self.captures.contains_key(&id) {
            return Err("not committed");
        }
        self.applied.entry((id, chunk)).or_insert(Self::ids(&writes));
        self.staged.remove(&(id, chunk));
        self.put(writes);
        Ok(())
    }
    fn sweep(&mut self, before_ms: i64) -> u64 {
        let before = self.staged.len();
        let captures = &self.captures;
        self.staged.retain(|(id, _), records| {
            captures.contains_key(id) || records.iter().any(|record| record.record_time_ms >= before_ms)
        });
        (before - self.staged.len()) as u64
    }
}

/// Makes one call on both and compares what they say.
async fn call(store: &dyn Store, model: &mut Model, call: Call) {
    let id = |capture: u8| sample::capture(u64::from(capture), 0).id;
    match call {
        Call::Append { capture, atomic, contents } => {
            let writes = if atomic { writes(&contents) } else { Writes::default() };
            let capture = sample::capture(u64::from(capture), contents.len() as u32);
            let chunks = if atomic { 1 } else { 2 };
            let capture = Capture { chunks, finished_ms: atomic.then_some(3), ..capture };
            let said = store.append(capture.clone(), writes.clone()).await;
            let said = said.map_err(|error| if matches!(error, Error::NotStaged { .. }) { "not staged" } else { "?" });
            assert_eq!(said, model.append(capture, writes));
        }
        Call::Stage { capture, chunk, contents } => {
            let records: Vec<_> = contents.into_iter().map(record).collect();
            store.stage(id(capture), u32::from(chunk), &records).await.unwrap();
            if !model.captures.contains_key(&id(capture)) {
                model.staged.insert((id(capture), u32::from(chunk)), records);
            }
        }
        Call::Apply { capture, chunk, contents } => {
            let said = store.apply(id(capture), u32::from(chunk), writes(&contents)).await;
            let said =
                said.map_err(|error| if matches!(error, Error::NotCommitted(_)) { "not committed" } else { "?" });
            assert_eq!(said, model.apply(id(capture), u32::from(chunk), writes(&contents)));
        }
        Call::Finish { capture, at } => {
            // Whoever finishes a capture has applied all of it; one that is not is a fault.
            let chunks = model.captures.get(&id(capture)).map_or(0, |held| held.chunks);
            for chunk in 0..chunks {
                store.apply(id(capture), chunk, Writes::default()).await.unwrap();
                model.apply(id(capture), chunk, Writes::default()).unwrap();
            }
            let said = store.finish(id(capture), i64::from(at)).await;
            let held = model.captures.get_mut(&id(capture));
            assert_eq!(said.is_ok(), held.is_some());
            held.into_iter().for_each(|held| held.finished_ms = held.finished_ms.or(Some(i64::from(at))));
        }
        Call::Sweep { before } => {
            assert_eq!(store.sweep(i64::from(before)).await.unwrap(), model.sweep(i64::from(before)));
        }
        Call::Swap { name, expected, new } => {
            let (name, expected) = (format!("claim/{name}"), expected.map(|expected| vec![expected]));
            let right = model.claims.get(&name) == expected.as_ref();
            assert_eq!(store.swap(&name, expected.as_deref(), &[new]).await.unwrap(), right);
            if right {
                model.claims.insert(name, vec![new]);
            }
        }
        Call::Scans { serials } => {
            let sum = |count: u8| ScanSum { count: u64::from(count), first_ms: 1, last_ms: 2, ..ScanSum::default() };
            let sums: BTreeMap<u16, ScanSum> =
                serials.into_iter().map(|(s, count)| (u16::from(s), sum(count))).collect();
            store
                .put_scans(block(2, 0), Writer(0), &sums.iter().map(|(s, sum)| (*s, sum.clone())).collect::<Vec<_>>())
                .await
                .unwrap();
            model.scans.extend(sums);
        }
        Call::Reopen { .. } => {}
    }
}

/// Compares everything that can be read.
async fn compare(store: &dyn Store, model: &Model) {
    for number in 0..8 {
        let record = sample::record(number);
        assert_eq!(store.record(record.id).await.unwrap(), model.records.get(&record.id).cloned());
        let of_event = model.records.values().filter(|found| found.event == record.event).map(|found| found.id);
        assert_eq!(store.records_of_event(record.event, 10).await.unwrap(), of_event.collect::<Vec<_>>());
    }
    let batch = Subject::Batch(BatchId(1));
    let of_block = Subject::Block(block(1, 0));
    let read = |subject: &Subject, of: &dyn Fn(Option<u32>) -> bool| {
        let found = model.entries.iter().filter(|((s, serial, _), _)| s == subject && of(*serial));
        let mut found: Vec<_> = found.map(|(_, entry)| entry.clone()).collect();
        found.sort_by_key(|entry| entry.place);
        found
    };
    assert_eq!(store.entries(&batch, Slice::Whole, None, 100).await.unwrap(), read(&batch, &|_| true));
    assert_eq!(store.entries(&of_block, Slice::Shared, None, 100).await.unwrap(), read(&of_block, &|s| s.is_none()));
    for serial in 0..5 {
        let slice = store.entries(&of_block, Slice::Serial(serial), None, 100).await.unwrap();
        assert_eq!(slice, read(&of_block, &|s| s == Some(serial)));
    }
    for id in 0..2 {
        let versions: Vec<_> = model.statements.range((id, 0)..(id + 1, 0)).map(|(_, s)| s.clone()).collect();
        assert_eq!(store.versions(Kind::Run, id, 0, 100).await.unwrap(), versions);
        assert_eq!(store.statement(Kind::Run, id).await.unwrap(), versions.last().cloned());
        let parent = Parent::Batch(id);
        let children: Vec<_> = model.children.iter().filter(|(p, _)| *p == parent).map(|(_, id)| *id).collect();
        assert_eq!(store.children(&parent, Kind::Run, None, 10).await.unwrap(), children);
    }
    compare_captures(store, model).await;
    for (name, value) in &model.claims {
        assert_eq!(store.claim(name).await.unwrap().as_ref(), Some(value));
    }
    let sums: Vec<_> = model.scans.iter().map(|(serial, sum)| (*serial, sum.clone())).collect();
    let expected = if sums.is_empty() { vec![] } else { vec![(Writer(0), sums)] };
    assert_eq!(store.scans(block(2, 0)).await.unwrap(), expected);
}

async fn compare_captures(store: &dyn Store, model: &Model) {
    for number in 0..6 {
        let id = sample::capture(number, 0).id;
        assert_eq!(store.capture(id).await.unwrap(), model.captures.get(&id).cloned());
        for chunk in 0..2 {
            let applied = model.applied.get(&(id, chunk)).cloned().map(Chunk::Applied);
            let staged = model.staged.get(&(id, chunk)).cloned().map(Chunk::Staged);
            assert_eq!(store.chunk(id, chunk).await.unwrap(), applied.or(staged));
        }
    }
    let unfinished = model.captures.values().filter(|capture| capture.finished_ms.is_none()).map(|capture| capture.id);
    assert_eq!(store.unfinished(10).await.unwrap(), unfinished.collect::<Vec<_>>());
    let mut named = Vec::new();
    // In the order in which they were opened: whoever opens a store again may have a feed of his own.
    for writer in store.writers().await.unwrap() {
        let rows = store.rows(writer, 0, 100).await.unwrap();
        named.extend(rows.iter().flat_map(|row| row.captures.iter().map(|(id, _)| *id)));
    }
    assert_eq!(named, model.committed);
}

/// Makes the calls on a store and on the model, and compares what both hold whenever it is opened again, and at the end.
/// `open` opens what the calls before left, or `close`d.
pub async fn follow<S: Store>(calls: Vec<Call>, open: impl AsyncFn() -> Arc<S>, close: impl AsyncFn(&S)) {
    let mut store = open().await;
    let mut model = Model::default();
    for next in calls {
        if let Call::Reopen { close: closes } = next {
            if closes {
                close(&store).await;
            }
            drop(store);
            store = open().await;
            compare(&*store, &model).await;
        }
        call(&*store, &mut model, next).await;
    }
    compare(&*store, &model).await;
    let report = store.verify().await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_calls_leaves_what_the_model_says(calls in calls()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            follow(
                calls,
                async || LocalStore::open(folder.path()).unwrap(),
                async |store: &LocalStore| store.close().await.unwrap(),
            )
            .await;
        });
    }
}
