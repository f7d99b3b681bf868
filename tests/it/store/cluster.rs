//! The store on a cluster under the contract, over a real server, each test in a keyspace of its own; and what is its own.

use std::{collections::BTreeSet, ops::Deref, sync::Arc};

use coldproof::{
    code::RunId,
    registration::Kind,
    store::{
        Chunk, CodeSum, Feed, Records, ScanSum, Slice, Store, Verify, Writer, Writes,
        cql::{Access, CqlStore, SCHEMA_VERSION, migrate},
    },
    trace::{BatchId, Block, Entry, Place, Region, Scope, Subject},
};
use futures_util::future::join_all;
use proptest::prelude::*;
use scylla::client::session::Session;
use sha2::{Digest, Sha256};

use super::{contract::contract_tests, keyspace::Keyspace, model, sample};

/// A store, and the keyspace that it has for itself.
struct Temporary {
    store: Arc<CqlStore>,
    keyspace: Keyspace,
}

impl Deref for Temporary {
    type Target = dyn Store;
    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

async fn open() -> Option<Temporary> {
    let keyspace = Keyspace::take().await?;
    Some(Temporary { store: CqlStore::open(&keyspace.access).await.unwrap(), keyspace })
}

contract_tests!(open);

/// The columns of a keyspace's tables: name, type, and its place in the key.
async fn columns(session: &Session, keyspace: &str) -> BTreeSet<[String; 5]> {
    let text = "SELECT table_name, column_name, type, kind, clustering_order FROM system_schema.columns \
                WHERE keyspace_name = ?";
    let result = session.query_unpaged(text, (keyspace,)).await.unwrap().into_rows_result().unwrap();
    let rows = result.rows::<(String, String, String, String, String)>().unwrap().map(Result::unwrap);
    rows.map(|(table, column, of, kind, order)| [table, column, of, kind, order]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_snapshot_of_the_schema_is_what_the_versions_come_to() {
    let (Some(migrated), Some(snapshot)) = (Keyspace::take().await, Keyspace::absent()) else { return };
    let name = &snapshot.access.keyspace;
    let session = snapshot.session().await;
    let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    session.query_unpaged(format!("CREATE KEYSPACE {name} WITH replication = {replication}"), ()).await.unwrap();
    session.use_keyspace(name, false).await.unwrap();
    let text = include_str!("../../../schema/schema.cql");
    let text: String = text.lines().map(|line| line.split("--").next().unwrap().to_owned() + "\n").collect();
    for statement in text.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        session.query_unpaged(statement, ()).await.unwrap();
    }
    let found = columns(&session, name).await;
    assert!(found.len() > 100, "{}", found.len());
    assert_eq!(found, columns(&session, &migrated.access.keyspace).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_migrations_at_once_make_each_table_once() {
    let Some(keyspace) = Keyspace::absent() else { return };
    let access = &keyspace.access;
    migrate_all(access).await;
    assert_eq!(migrate(access, &[]).await.unwrap(), [] as [i32; 0]);
    CqlStore::open(access).await.unwrap();
}

async fn migrate_all(access: &Access) {
    let applied = join_all((0..3).map(|_| migrate(access, &[]))).await;
    let applied: Vec<_> = applied.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(applied, (1..=SCHEMA_VERSION).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_cannot_be_says_why_and_what_to_do() {
    let Some(keyspace) = Keyspace::absent() else { return };
    let access = &keyspace.access;
    let refusal = async |access: &Access| CqlStore::open(access).await.err().unwrap().to_string();
    let says = |refusal: String, words: [&str; 2]| {
        assert!(words.iter().all(|word| refusal.contains(word)), "{refusal}");
        assert!(!refusal.contains('\n'), "{refusal}");
    };
    says(refusal(access).await, ["there is no keyspace", "coldproof migrate --store cql://"]);
    let nowhere = Access { nodes: vec!["127.0.0.1:1".to_owned()], ..access.clone() };
    says(refusal(&nowhere).await, ["no node answers at 127.0.0.1:1", "store.location"]);
    let unnamed = Access { nodes: vec!["no-such-host.invalid".to_owned()], ..access.clone() };
    says(refusal(&unnamed).await, ["no-such-host.invalid", "store.location"]);

    let many = migrate(access, &[("datacenter1".to_owned(), 9)]).await.unwrap_err().to_string();
    says(many, ["9 replicas in datacenter1", "start the other nodes"]);
    migrate(access, &[]).await.unwrap();
    let version = async |change: &str| keyspace.run(change).await;
    version("INSERT INTO $K.schema_versions (list, version, name) VALUES (0, 99, 'later')").await;
    says(refusal(access).await, ["of version 99", "install the newer program"]);
    version("DELETE FROM $K.schema_versions WHERE list = 0").await;
    says(refusal(access).await, ["of version 0", "coldproof migrate"]);
    version(&format!("INSERT INTO $K.schema_versions (list, version, name) VALUES (0, {SCHEMA_VERSION}, 'ours')"))
        .await;
    CqlStore::open(access).await.unwrap();
    let replicas = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 9}";
    version(&format!("ALTER KEYSPACE $K WITH replication = {replicas}")).await;
    says(refusal(access).await, ["9 replicas in datacenter1", "ALTER KEYSPACE"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_read_is_named_and_hides_no_other() {
    let Some(store) = open().await else { return };
    for number in 0..4 {
        store.append(sample::load_capture(number), sample::writes(number)).await.unwrap();
    }
    let bad = &sample::writes(0).records[0];
    let update = format!("UPDATE $K.records SET role = 'nobody' WHERE record = 0x{}", bad.id);
    store.keyspace.run(&update).await;
    let error = store.record(bad.id).await.unwrap_err().to_string();
    assert_eq!(error, format!("records/{}: \"nobody\" is no role", bad.id));
    let good = &sample::writes(1).records[0];
    assert_eq!(store.record(good.id).await.unwrap().as_ref(), Some(good));
    let report = store.verify().await.unwrap();
    // The record itself, and what leads to it.
    assert!(report.faults.iter().all(|fault| fault.to_string().contains("nobody")), "{report:?}");
    let records: usize = (0..4).map(|number| sample::writes(number).records.len()).sum();
    assert_eq!(report.records, records as u64);

    // One that lacks what every row has.
    store.keyspace.run("INSERT INTO $K.records (record, organization) VALUES (0xab01, 1)").await;
    let report = store.verify().await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.to_string().starts_with("records/0xab01: ")), "{report:?}");
    assert_eq!(report.records, records as u64 + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_servers_tell_of_scans_is_heard_by_time() {
    let Some(store) = open().await else { return };
    let block = Block { run: RunId::from_bits(7).unwrap(), index: 3 };
    let sum = |serial: u16, count: u64| {
        let mut sum = ScanSum { count, first_ms: 5_000, last_ms: 6_000, ..ScanSum::NONE };
        sum.scan(Region::parse("CN-HN"), 7_000);
        (block, serial, sum)
    };
    let many: Vec<_> = (0..250).map(|serial| sum(serial, serial.into())).collect();
    store.tell_scans(Writer(1), 1_000_000, &many).await.unwrap();
    store.tell_scans(Writer(2), 1_020_000, &[sum(3, 9)]).await.unwrap();
    let told = async |from_ms, until_ms| {
        let mut sums: Vec<_> = Vec::new();
        for (writer, told) in store.told_scans(from_ms, until_ms).await.unwrap() {
            sums.extend(told.into_iter().map(|(_, serial, sum)| (writer, serial, sum)));
        }
        sums.sort_by_key(|(writer, serial, _)| (*writer, *serial));
        sums
    };
    let of = |writer: u64, told: &[CodeSum]| {
        told.iter().map(|(_, serial, sum)| (Writer(writer), *serial, sum.clone())).collect::<Vec<_>>()
    };
    assert_eq!(told(999_000, 1_001_000).await, of(1, &many));
    assert_eq!(told(1_019_000, 1_021_000).await, of(2, &[sum(3, 9)]));
    assert_eq!(told(1_000_000, 1_020_000).await.len(), 251);
    assert_eq!(told(2_000_000, 2_010_000).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_body_lies_in_pieces_and_comes_back_whole() {
    let Some(store) = open().await else { return };
    let long = sample::record_of(1, 3 << 20);
    let writes = Writes { records: vec![long.clone()], ..Writes::default() };
    store.append(sample::capture(1, 1), writes).await.unwrap();
    assert_eq!(store.record(long.id).await.unwrap(), Some(long.clone()));
    let large = sample::large_capture(2, 1, 1);
    store.stage(large.id, 0, std::slice::from_ref(&long)).await.unwrap();
    assert_eq!(store.chunk(large.id, 0).await.unwrap(), Some(Chunk::Staged(vec![long])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_lands_late_or_twice_changes_nothing() {
    let Some(store) = open().await else { return };
    let first = sample::record(1);
    let writes = Writes { records: vec![first.clone()], ..Writes::default() };
    store.append(sample::capture(1, 1), writes).await.unwrap();
    assert_eq!(store.record(first.id).await.unwrap(), Some(first.clone()));
    // A server whose request was under way for a minute: its timestamp counts down from a later time.
    let now_us = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap();
    let late = 3_000_000_000_000_000 - (now_us + 60_000_000);
    for _ in 0..2 {
        let update = format!(
            "UPDATE $K.records USING TIMESTAMP {late} SET record_time = 0, role = 'admin' WHERE record = 0x{}",
            first.id
        );
        store.keyspace.run(&update).await;
    }
    assert_eq!(store.record(first.id).await.unwrap(), Some(first));
}

/// The same of a ledger and of a statement, read before and behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_write_that_lands_behind_a_reading_changes_neither_entry_nor_statement() {
    let Some(store) = open().await else { return };
    let (subject, entry) = (Subject::Batch(BatchId(7)), sample::entry(1, 5, Scope::All));
    let statement = sample::writes(7).statements.remove(0);
    let writes = Writes {
        entries: vec![(subject.clone(), entry.clone())],
        statements: vec![statement.clone()],
        ..Writes::default()
    };
    store.append(sample::capture(1, 0), writes).await.unwrap();
    let read = async || {
        let entries = store.entries(&subject, Slice::Whole, None, 9).await.unwrap();
        (entries, store.statement(statement.kind, statement.id).await.unwrap())
    };
    let before = read().await;
    assert_eq!(before, (vec![entry.clone()], Some(statement.clone())));
    let now_us = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap();
    let late = 3_000_000_000_000_000 - (now_us + 60_000_000);
    for _ in 0..2 {
        store
            .keyspace
            .run(&format!(
                "UPDATE $K.ledgers USING TIMESTAMP {late} SET organization = 99, role = 'admin', record_time = 0 \
                 WHERE subject = 'batch/7' AND bucket = 0 AND cluster = 0 AND event_time = {} AND record = 0x{} \
                 AND ordinal = {}",
                entry.place.event_time_ms, entry.place.record, entry.place.ordinal
            ))
            .await;
        store
            .keyspace
            .run(&format!(
                "UPDATE $K.statements USING TIMESTAMP {late} SET author = 99, written = 0 \
                 WHERE kind = 'batch' AND number = {} AND version = {}",
                statement.id, statement.version
            ))
            .await;
    }
    assert_eq!(read().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stop_leaves_behind_a_row_of_a_feed_is_finished_by_the_next_start() {
    let Some(store) = open().await else { return };
    let (capture, writes) = (sample::load_capture(7), sample::writes(7));
    store.append(capture.clone(), writes.clone()).await.unwrap();
    // As if its server had been killed behind the row: no mark, nothing applied, the writes still staged.
    let staged = rmp_serde::to_vec(&(&writes.records, &writes.entries, &writes.statements)).unwrap();
    let blob = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (id, sha256) = (capture.id, blob(&Sha256::digest(&staged)));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    for statement in [
        "TRUNCATE $K.records".to_owned(),
        "TRUNCATE $K.ledgers".to_owned(),
        "TRUNCATE $K.statements".to_owned(),
        "TRUNCATE $K.captures".to_owned(),
        "TRUNCATE $K.applied".to_owned(),
        format!(
            "INSERT INTO $K.staged (capture, chunk, pieces, latest, sha256, piece, data) \
             VALUES (0x{id}, -1, 1, 0, 0x{sha256}, 0, 0x{})",
            blob(&staged)
        ),
        format!(
            "INSERT INTO $K.captures (capture, organization, role, created, records, chunks, statements, \
             staged_writes, finishes) VALUES (0x{id}, {}, 'importer', {}, {}, 1, [('batch', 7, 1)], true, {})",
            capture.organization,
            capture.created_ms,
            capture.records,
            capture.finished_ms.unwrap()
        ),
    ] {
        store.keyspace.run(&statement).await;
    }
    assert_eq!(store.capture(id).await.unwrap(), None);
    let next = CqlStore::open(&store.keyspace.access).await.unwrap();
    assert_eq!(next.capture(id).await.unwrap(), Some(capture));
    for record in &writes.records {
        assert_eq!(next.record(record.id).await.unwrap().as_ref(), Some(record));
    }
    assert_eq!(next.statement(Kind::Batch, 7).await.unwrap(), writes.statements.first().cloned());
    assert_eq!(next.unfinished(9).await.unwrap(), []);
    let report = next.verify().await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_opened_further_buckets_is_read_as_one() {
    let Some(store) = open().await else { return };
    let subject = Subject::Batch(BatchId(7));
    let written: Vec<_> = (0..300).map(|n| sample::entry(n, (n as i64 * 7) % 131, Scope::All)).collect();
    let put = async |store: &dyn Store, capture, entries: &[Entry]| {
        let entries = entries.iter().map(|entry| (subject.clone(), entry.clone())).collect();
        store.append(sample::capture(capture, 0), Writes { entries, ..Writes::default() }).await.unwrap();
    };
    put(&*store, 1, &written[..100]).await;
    store.keyspace.run("INSERT INTO $K.ledger_levels (subject, level) VALUES ('batch/7', 1)").await;
    // One who has written 64 entries looks how full the ledger is, and finds the next level open.
    let other = CqlStore::open(&store.keyspace.access).await.unwrap();
    put(&*other, 2, &written[50..]).await;
    let mut sorted = written.clone();
    sorted.sort_by_key(|entry| entry.place);
    for page in [7, 100, 1_000] {
        let (mut found, mut after): (Vec<Entry>, Option<Place>) = (Vec::new(), None);
        loop {
            let entries = store.entries(&subject, Slice::Whole, after, page).await.unwrap();
            let Some(last) = entries.last() else { break };
            after = Some(last.place);
            found.extend(entries);
        }
        assert!(found == sorted, "pages of {page}");
    }
    for entry in &written {
        assert_eq!(store.entry(&subject, &entry.scope, entry.place).await.unwrap().as_ref(), Some(entry));
    }
    let session = store.keyspace.session().await;
    let text = format!("SELECT DISTINCT subject, bucket FROM {}.ledgers", store.keyspace.access.keyspace);
    let buckets = session.query_unpaged(text, ()).await.unwrap().into_rows_result().unwrap().rows_num();
    assert!(buckets > 8, "{buckets} buckets");
}

proptest! {
    // Each case makes a keyspace.
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_calls_leaves_what_the_model_says(calls in model::calls()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let Some(keyspace) = Keyspace::take().await else { return };
            model::follow(
                calls,
                async || CqlStore::open(&keyspace.access).await.unwrap(),
                async |store: &CqlStore| store.close().await,
            )
            .await;
        });
    }
}
