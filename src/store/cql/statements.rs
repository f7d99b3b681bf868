//! Every statement that is sent, prepared once. Each names its partition's whole key, so that the driver sends it to a
//! replica.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use scylla::{
    client::session::Session,
    statement::{Consistency, SerialConsistency, prepared::PreparedStatement},
};

use super::requests::unavailable;
use crate::{
    limits::{CQL_PASS_PAGE_MS, CQL_ROWS_AT_ONCE},
    store::Result,
};

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident: $prepare:ident = $cql:expr;)*) => {
        /// The statements by name.
        pub struct Statements { $($(#[$doc])* pub $name: PreparedStatement,)* }

        impl Statements {
            /// Prepares all of them for the tables of a keyspace, many at a time: a node notes each in a table of its own, and
            /// answers when its commit log is synced.
            pub async fn prepare(session: &Session, keyspace: &str) -> Result<Self> {
                let all = [$($prepare(session, in_keyspace(keyspace, $cql)).boxed(),)*];
                let prepared: Vec<_> = stream::iter(all).buffered(CQL_ROWS_AT_ONCE).try_collect().await?;
                let mut prepared = prepared.into_iter();
                let mut next = || prepared.next().ok_or_else(|| unavailable("a statement was not prepared"));
                Ok(Self { $($name: next()?,)* })
            }
        }
    };
}

/// Names the keyspace before the table: which one a session uses is not told to a node with each statement.
fn in_keyspace(keyspace: &str, cql: &str) -> String {
    let name = |cql: String, word: &str| cql.replace(word, &format!("{word}{keyspace}."));
    ["INTO ", "FROM ", "UPDATE "].into_iter().fold(cql.to_owned(), name)
}

/// One that may be repeated, by the driver too.
async fn idempotent(session: &Session, cql: String) -> Result<PreparedStatement> {
    let mut statement = session.prepare(cql).await.map_err(unavailable)?;
    statement.set_consistency(Consistency::LocalQuorum);
    statement.set_is_idempotent(true);
    Ok(statement)
}

/// A page of a pass over a whole table: nobody waits for one of them, so it may take longer than a scan's read.
async fn pass(session: &Session, cql: String) -> Result<PreparedStatement> {
    let mut statement = idempotent(session, cql).await?;
    statement.set_request_timeout(Some(Duration::from_millis(CQL_PASS_PAGE_MS)));
    Ok(statement)
}

/// A lightweight transaction: the driver must not repeat it.
async fn swap(session: &Session, cql: String) -> Result<PreparedStatement> {
    let mut statement = session.prepare(cql).await.map_err(unavailable)?;
    statement.set_consistency(Consistency::LocalQuorum);
    statement.set_serial_consistency(Some(SerialConsistency::LocalSerial));
    statement.set_is_idempotent(false);
    Ok(statement)
}

/// A read of what lightweight transactions write: it sees every one that was answered, and ends those under way. It is a round
/// of Paxos itself. Were it idempotent, the driver would send a second one beside it, and each would make the other fail.
async fn serial(session: &Session, cql: String) -> Result<PreparedStatement> {
    let mut statement = swap(session, cql).await?;
    statement.set_consistency(Consistency::LocalSerial);
    Ok(statement)
}

const RECORD: &str =
    "record, event, capture, organization, role, event_time, record_time, given_event_id, body, pieces";
const ENTRY: &str = "cluster, event_time, record, ordinal, event, organization, role, record_time, scope, span_run, \
    span_first, span_last, plays, other_code, other_epc, action, biz_step, disposition, dispositions_set, \
    dispositions_unset, measure, declares_error, handed_from, handed_to, owner, observed_from, observed_to";
const STATEMENT: &str = "kind, number, version, author, written, parents, content";
const CAPTURE: &str = "capture, organization, role, created, records, chunks, statements, staged_writes, finishes, \
    committed, finished";
const SCAN: &str = "run, block, writer, serial, scans, first_scan, last_scan, places";

/// What is read beside a row: when it was first written.
const STAMPED_RECORD: &str = "WRITETIME(organization) AS stamp";
const STAMPED_ENTRY: &str = "subject, bucket, WRITETIME(organization) AS stamp";
const STAMPED_STATEMENT: &str = "WRITETIME(author) AS stamp";
const STAMPED_CAPTURE: &str = "WRITETIME(committed) AS stamp, WRITETIME(finished) AS finished_stamp";

/// An INSERT of so many columns, each with a marker.
fn insert(table: &str, columns: &str) -> String {
    let markers = columns.split(',').map(|_| "?").collect::<Vec<_>>().join(", ");
    format!("INSERT INTO {table} ({columns}) VALUES ({markers})")
}

statements! {
    put_record: idempotent = &insert("records", RECORD);
    put_body: idempotent = "INSERT INTO record_bodies (record, piece, body) VALUES (?, ?, ?)";
    put_event: idempotent = "INSERT INTO records_by_event (event, record) VALUES (?, ?)";
    put_given: idempotent = "INSERT INTO records_by_given_id (organization, given_sha256, record) VALUES (?, ?, ?)";
    record: idempotent = &format!("SELECT {RECORD}, {STAMPED_RECORD} FROM records WHERE record = ?");
    body: idempotent = "SELECT body FROM record_bodies WHERE record = ? AND piece = ?";
    of_event: idempotent = "SELECT record FROM records_by_event WHERE event = ? LIMIT ?";
    of_given: idempotent = "SELECT record FROM records_by_given_id WHERE organization = ? AND given_sha256 = ? LIMIT ?";
    is_of_event: idempotent = "SELECT record FROM records_by_event WHERE event = ? AND record = ?";
    is_of_given: idempotent =
        "SELECT record FROM records_by_given_id WHERE organization = ? AND given_sha256 = ? AND record = ?";

    put_entry: idempotent = &insert("ledgers", &format!("subject, bucket, {ENTRY}"));
    put_level: idempotent = "INSERT INTO ledger_levels (subject, level) VALUES (?, ?)";
    levels: idempotent = "SELECT level FROM ledger_levels WHERE subject = ?";
    count_entries: idempotent = "SELECT COUNT(*) FROM ledgers WHERE subject = ? AND bucket = ?";
    entries: idempotent = &format!("SELECT {ENTRY}, {STAMPED_ENTRY} FROM ledgers WHERE subject = ? AND bucket = ? AND cluster = ? LIMIT ?");
    // ScyllaDB takes no equality beside the comparison of several columns, which must be the first ones of the key.
    entries_after: idempotent = &format!(
        "SELECT {ENTRY}, {STAMPED_ENTRY} FROM ledgers WHERE subject = ? AND bucket = ? \
         AND (cluster, event_time, record, ordinal) > (?, ?, ?, ?) AND (cluster) <= (?) LIMIT ?");
    entry: idempotent = &format!(
        "SELECT {ENTRY}, {STAMPED_ENTRY} FROM ledgers WHERE subject = ? AND bucket = ? \
         AND cluster = ? AND event_time = ? AND record = ? AND ordinal = ?");
    whole_bucket: idempotent = &format!("SELECT {ENTRY}, {STAMPED_ENTRY} FROM ledgers WHERE subject = ? AND bucket = ?");

    put_statement: idempotent = &insert("statements", STATEMENT);
    newest: idempotent = &format!(
        "SELECT {STATEMENT}, {STAMPED_STATEMENT} FROM statements WHERE kind = ? AND number = ? ORDER BY version DESC LIMIT 1");
    versions: idempotent = &format!(
        "SELECT {STATEMENT}, {STAMPED_STATEMENT} FROM statements WHERE kind = ? AND number = ? AND version >= ? LIMIT ?");
    put_child: idempotent = "INSERT INTO children (parent, kind, bucket, number) VALUES (?, ?, ?, ?)";
    put_child_bucket: idempotent = "INSERT INTO child_buckets (parent, kind, bucket) VALUES (?, ?, ?)";
    child_buckets: idempotent = "SELECT bucket FROM child_buckets WHERE parent = ? AND kind = ?";
    children: idempotent =
        "SELECT number FROM children WHERE parent = ? AND kind = ? AND bucket = ? LIMIT ?";
    children_after: idempotent =
        "SELECT number FROM children WHERE parent = ? AND kind = ? AND bucket = ? AND number > ? LIMIT ?";
    is_child: idempotent =
        "SELECT number FROM children WHERE parent = ? AND kind = ? AND bucket = ? AND number = ?";

    put_capture: idempotent = "INSERT INTO captures (capture, organization, role, created, records, chunks, statements, \
        staged_writes, finishes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    commit_capture: idempotent = "UPDATE captures SET committed = true WHERE capture = ?";
    finish_capture: idempotent = "UPDATE captures SET committed = true, finished = ? WHERE capture = ?";
    capture: idempotent = &format!("SELECT {CAPTURE}, {STAMPED_CAPTURE} FROM captures WHERE capture = ?");

    put_piece: idempotent = "INSERT INTO staged (capture, chunk, piece, data) VALUES (?, ?, ?, ?)";
    put_last_piece: idempotent = "INSERT INTO staged (capture, chunk, piece, data, pieces, latest, sha256) \
        VALUES (?, ?, ?, ?, ?, ?, ?)";
    pieces: idempotent = "SELECT pieces, sha256, piece, data FROM staged WHERE capture = ? AND chunk = ?";
    is_staged: idempotent = "SELECT DISTINCT pieces FROM staged WHERE capture = ? AND chunk = ?";
    unstage: idempotent = "DELETE FROM staged WHERE capture = ? AND chunk = ?";
    all_staged: pass = "SELECT DISTINCT capture, chunk, pieces, latest FROM staged";
    put_applied: idempotent = "INSERT INTO applied (capture, chunk, records) VALUES (?, ?, ?)";
    applied: idempotent = "SELECT records FROM applied WHERE capture = ? AND chunk = ?";

    add_feed: swap = "INSERT INTO feeds (list, writer, opened) VALUES (0, ?, ?) IF NOT EXISTS";
    feeds: idempotent = "SELECT writer FROM feeds WHERE list = 0 AND writer > ?";
    put_closed: idempotent = "INSERT INTO closed_feeds (list, writer, rows) VALUES (0, ?, ?)";
    closed: idempotent = "SELECT writer, rows FROM closed_feeds WHERE list = 0";
    put_row: idempotent = "INSERT INTO feed_rows (writer, bucket, position, previous, captures) VALUES (?, ?, ?, ?, ?)";
    rows: idempotent = "SELECT position, previous, captures FROM feed_rows \
        WHERE writer = ? AND bucket = ? AND position >= ? LIMIT ?";
    last_row: idempotent = "SELECT position, previous, captures FROM feed_rows WHERE writer = ? AND bucket = ? \
        ORDER BY position DESC LIMIT 1";
    put_cursor: idempotent = "INSERT INTO feed_cursors (writer, position) VALUES (?, ?)";
    cursor: idempotent = "SELECT position FROM feed_cursors WHERE writer = ?";

    claim: serial = "SELECT value, swap FROM claims WHERE name = ?";
    glance: idempotent = "SELECT value FROM claims WHERE name = ?";
    first_claim: swap = "INSERT INTO claims (name, value, swap) VALUES (?, ?, ?) IF NOT EXISTS";
    next_claim: swap = "UPDATE claims SET value = ?, swap = ? WHERE name = ? IF value = ?";

    answer_copy: idempotent = "INSERT INTO copy_answers (copy, writer, pauses, stamp) VALUES (?, ?, ?, ?)";
    copy_answers: idempotent = "SELECT writer, pauses, stamp FROM copy_answers WHERE copy = ?";
    note_claim: idempotent = "INSERT INTO claims_before (copy, name, value) VALUES (?, ?, ?)";
    claim_before: idempotent = "SELECT value FROM claims_before WHERE copy = ? AND name = ?";

    put_scan: idempotent = "INSERT INTO scans (run, block, writer, serial, scans, first_scan, last_scan, places) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    put_scan_writer: idempotent = "INSERT INTO scan_writers (run, block, writer) VALUES (?, ?, ?)";
    scan_writers: idempotent = "SELECT writer FROM scan_writers WHERE run = ? AND block = ?";
    scans: idempotent = &format!("SELECT {SCAN} FROM scans WHERE run = ? AND block = ? AND writer = ?");

    tell_scans: idempotent = "INSERT INTO told_scans (bucket, at, writer, part, sums) VALUES (?, ?, ?, ?, ?)";
    told_scans: idempotent = "SELECT writer, sums FROM told_scans WHERE bucket = ?";

    all_claims: pass = "SELECT name, value FROM claims";
    all_statements: pass = &format!("SELECT {STATEMENT}, {STAMPED_STATEMENT} FROM statements");
    all_captures: pass = &format!("SELECT {CAPTURE}, {STAMPED_CAPTURE} FROM captures");
    all_applied: pass = "SELECT capture, chunk, records, WRITETIME(records) AS stamp FROM applied";
    all_records: pass = &format!("SELECT {RECORD}, {STAMPED_RECORD} FROM records");
    all_record_stamps: pass = "SELECT WRITETIME(organization) AS stamp FROM records";
    all_entries: pass = &format!("SELECT {ENTRY}, {STAMPED_ENTRY} FROM ledgers");
    all_entry_stamps: pass = "SELECT WRITETIME(organization) AS stamp FROM ledgers";
    all_scans: pass = &format!("SELECT {SCAN} FROM scans");
    all_children: pass = "SELECT parent, kind, bucket, number FROM children";
    all_of_event: pass = "SELECT event, record FROM records_by_event";
    all_of_given: pass = "SELECT organization, given_sha256, record FROM records_by_given_id";
}
