//! The schema: versions that are applied once and in order, and what a start asks of a keyspace.

use std::{collections::HashMap, sync::Arc, time::Duration};

use scylla::{
    client::session::Session,
    cluster::Node,
    policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy},
    response::query_result::QueryRowsResult,
    statement::{Consistency, SerialConsistency, unprepared::Statement},
    value::{CqlTimestamp, CqlValue, Row},
};
use tokio::time::{Instant, sleep};

use super::{
    claims::random_name,
    open::{Access, connect},
    requests::unavailable,
    restoring::refuse_unfinished,
    stamps::now_us,
};
use crate::{
    limits::{CQL_ENTER_MS, CQL_PASS_PAGE_MS, CQL_SCHEMA_LOCK_MS, CQL_SCHEMA_WAIT_MS, STORE_TRY_PAUSE_MS},
    store::{Error, Result},
};

const KEYSPACE: &str = include_str!("../../../schema/keyspace.cql");
/// What tells the version: made where it is absent, before everything else.
const BOOKKEEPING: &str = include_str!("../../../schema/versioned/0000_versions.cql");
/// Every version by its number, from 1, without a gap.
const VERSIONS: &[(i32, &str, &str)] = &[
    (1, "first_tables", include_str!("../../../schema/versioned/0001_first_tables.cql")),
    (2, "closed_feeds", include_str!("../../../schema/versioned/0002_closed_feeds.cql")),
    (3, "told_scans", include_str!("../../../schema/versioned/0003_told_scans.cql")),
    (4, "copies", include_str!("../../../schema/versioned/0004_copies.cql")),
];

/// The version of the schema that this program works with.
pub const SCHEMA_VERSION: i32 = match VERSIONS.last() {
    Some((version, _, _)) => *version,
    None => 0,
};

/// How many replicas there are of everything, by data center.
type Replication = Vec<(String, u32)>;

/// The statements of a file: comments fall away, a semicolon ends each.
fn statements(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let statements: Vec<_> = text.split(';').map(|statement| statement.trim().to_owned()).collect();
    statements.into_iter().filter(|statement| !statement.is_empty())
}

/// Makes the keyspace where it is absent, with so many replicas by data center (none: three, or as many as there are
/// nodes), and applies what its tables lack. Returns the versions that were applied.
/// Several may do so at the same time: one does it, the others wait for it.
///
/// # Errors
/// [`Error::Unavailable`] where the cluster refuses or does not agree, the replication asks for more nodes than there are,
/// or the tables are of a later version.
pub async fn migrate(access: &Access, replication: &[(String, u32)]) -> Result<Vec<i32>> {
    let session = connect(access).await?;
    if keyspace_replication(&session, &access.keyspace).await?.is_none() {
        make_keyspace(&session, access, replication).await?;
    }
    enter(&session, &access.keyspace).await?;
    for statement in statements(BOOKKEEPING) {
        change(&session, &statement).await?;
    }
    let holder = random_name()?;
    let mut applied = Vec::new();
    lock(&session, &holder).await?;
    let done = async {
        let newest = newest_version(&session, &access.keyspace).await?;
        if newest > SCHEMA_VERSION {
            return Err(newer(access, newest));
        }
        for (version, name, text) in VERSIONS.iter().filter(|(version, ..)| *version > newest) {
            for statement in statements(text) {
                change(&session, &statement).await?;
            }
            let note = "INSERT INTO schema_versions (list, version, name, applied) VALUES (0, ?, ?, ?)";
            let values = (*version, *name, CqlTimestamp(now_us() / 1_000));
            session.query_unpaged(quorum(note), values).await.map_err(unavailable)?;
            applied.push(*version);
        }
        Ok(())
    };
    let done = done.await;
    unlock(&session, &holder).await?;
    done.map(|()| applied)
}

/// Goes into a keyspace that somebody may have made only now: a node may say that it is there before it lets anyone in.
async fn enter(session: &Session, keyspace: &str) -> Result<()> {
    let begun = Instant::now();
    loop {
        match session.use_keyspace(keyspace, false).await {
            Ok(()) => return Ok(()),
            Err(error) if begun.elapsed() > Duration::from_millis(CQL_ENTER_MS) => return Err(unavailable(error)),
            Err(_) => sleep(Duration::from_millis(STORE_TRY_PAUSE_MS)).await,
        }
    }
}

/// One change of the schema, on which all nodes agree on return.
async fn change(session: &Session, statement: &str) -> Result<()> {
    let mut statement = Statement::new(statement);
    // Longer than a row takes: every node takes part. It says IF NOT EXISTS, and may be repeated.
    statement.set_request_timeout(Some(Duration::from_secs(30)));
    statement.set_is_idempotent(false);
    // The driver waits for the agreement.
    session.query_unpaged(statement, ()).await.map(drop).map_err(unavailable)
}

async fn make_keyspace(session: &Session, access: &Access, replication: &[(String, u32)]) -> Result<()> {
    let nodes = nodes_by_data_center(session);
    let replication: Replication = match replication {
        [] => nodes.iter().map(|(name, nodes)| (name.clone(), (*nodes).min(3))).collect(),
        given => given.to_vec(),
    };
    replicas_fit(access, &replication, &nodes)?;
    let server = if is_scylla(session) { "-- server: scylla" } else { "-- server: cassandra" };
    let text = KEYSPACE.split_once(server).map(|(_, text)| text).unwrap_or_default();
    let replicas: Vec<_> = replication.iter().map(|(name, replicas)| format!("'{name}': {replicas}")).collect();
    let statement = statements(text).next().unwrap_or_default();
    let statement = statement.replace("$KEYSPACE", &access.keyspace).replace("$REPLICATION", &replicas.join(", "));
    change(session, &statement).await
}

/// A request of a start or a migration, for which nobody waits: under load it may take longer than a scan's.
pub(super) fn quorum(text: &str) -> Statement {
    let mut statement = Statement::new(text);
    statement.set_request_timeout(Some(Duration::from_millis(CQL_PASS_PAGE_MS)));
    statement.set_consistency(Consistency::LocalQuorum);
    statement.set_serial_consistency(Some(SerialConsistency::LocalSerial));
    statement
}

/// A read of what lightweight transactions write.
pub(super) fn serial(text: &str) -> Statement {
    let mut statement = quorum(text);
    statement.set_consistency(Consistency::LocalSerial);
    statement
}

/// Takes the lock, or takes it over from one that has held it for too long.
async fn lock(session: &Session, holder: &[u8]) -> Result<()> {
    let begun = Instant::now();
    loop {
        let now_ms = now_us() / 1_000;
        let until = CqlTimestamp(now_ms + CQL_SCHEMA_LOCK_MS);
        let first = "INSERT INTO schema_lock (list, holder, until) VALUES (0, ?, ?) IF NOT EXISTS";
        if swapped(session, first, (holder, until)).await? {
            return Ok(());
        }
        let over = "UPDATE schema_lock SET holder = ?, until = ? WHERE list = 0 IF until < ?";
        if swapped(session, over, (holder, until, CqlTimestamp(now_ms))).await? {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_millis(CQL_SCHEMA_WAIT_MS) {
            return Err(Error::Unavailable("somebody else has been changing the schema for minutes".to_owned()));
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn unlock(session: &Session, holder: &[u8]) -> Result<()> {
    let free = "UPDATE schema_lock SET until = ? WHERE list = 0 IF holder = ?";
    swapped(session, free, (CqlTimestamp(0), holder)).await.map(drop)
}

/// Whether a lightweight transaction took effect.
pub(super) async fn swapped(
    session: &Session,
    text: &str,
    values: impl scylla::serialize::row::SerializeRow,
) -> Result<bool> {
    let result = session.query_unpaged(quorum(text), values).await.map_err(unavailable)?;
    let rows = result.into_rows_result().map_err(unavailable)?;
    let row = rows.first_row::<Row>().map_err(unavailable)?;
    Ok(matches!(row.columns.first(), Some(Some(CqlValue::Boolean(true)))))
}

/// The version of the keyspace's tables, 0 where there are none.
async fn newest_version(session: &Session, keyspace: &str) -> Result<i32> {
    let text = format!("SELECT version FROM {keyspace}.schema_versions WHERE list = 0");
    let result = session.query_unpaged(quorum(&text), ()).await.map_err(unavailable)?;
    let rows = result.into_rows_result().map_err(unavailable)?;
    let versions = rows.rows::<(i32,)>().map_err(unavailable)?;
    let mut newest = 0;
    for version in versions {
        newest = newest.max(version.map_err(unavailable)?.0);
    }
    Ok(newest)
}

/// What a start asks of a keyspace; each refusal is a sentence that says what to do.
pub(super) async fn check(session: &Session, access: &Access) -> Result<()> {
    check_tables(session, access).await?;
    refuse_unfinished(session, access).await
}

/// What whoever fills a keyspace asks of it too.
pub(super) async fn check_tables(session: &Session, access: &Access) -> Result<()> {
    let keyspace = &access.keyspace;
    let Some(replication) = keyspace_replication(session, keyspace).await? else {
        let said = format!("there is no keyspace {keyspace}: `coldproof migrate --store {access}` makes it");
        return Err(Error::Unavailable(said));
    };
    replicas_fit(access, &replication, &nodes_by_data_center(session))?;
    refuse_tablets(session, access).await?;
    let newest = match newest_version(session, keyspace).await {
        Ok(newest) => newest,
        Err(_) if !has_versions(session, keyspace).await? => 0,
        Err(error) => return Err(error),
    };
    match newest {
        SCHEMA_VERSION => {}
        newest if newest > SCHEMA_VERSION => return Err(newer(access, newest)),
        older => {
            return Err(Error::Unavailable(format!(
                "the tables of {keyspace} are of version {older}, this program works with {SCHEMA_VERSION}: \
                 `coldproof migrate --store {access}` brings them there"
            )));
        }
    }
    check_commit_logs(session, access).await
}

/// Of ScyllaDB: claims want a keyspace without tablets, as [`migrate`] makes it.
async fn refuse_tablets(session: &Session, access: &Access) -> Result<()> {
    if !is_scylla(session) {
        return Ok(());
    }
    let text = "SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = ?";
    let result = session.query_unpaged(text, (&access.keyspace,)).await.map_err(unavailable)?;
    let rows = result.into_rows_result().map_err(unavailable)?;
    match rows.maybe_first_row::<(Option<i32>,)>().map_err(unavailable)? {
        Some((Some(_),)) => Err(Error::Unavailable(format!(
            "the keyspace {0} was made with tablets, on which its lightweight transactions are not to be relied on: drop it, and \
             let `coldproof migrate --store {access}` make it",
            access.keyspace
        ))),
        _ => Ok(()),
    }
}

async fn has_versions(session: &Session, keyspace: &str) -> Result<bool> {
    let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'schema_versions'";
    let result = session.query_unpaged(text, (keyspace,)).await.map_err(unavailable)?;
    Ok(result.into_rows_result().map_err(unavailable)?.rows_num() > 0)
}

fn newer(access: &Access, found: i32) -> Error {
    Error::Unavailable(format!(
        "the tables of {} are of version {found}, this program works with {SCHEMA_VERSION}: install the newer program",
        access.keyspace
    ))
}

/// The replicas of a keyspace by data center; `None` where there is no such keyspace.
async fn keyspace_replication(session: &Session, keyspace: &str) -> Result<Option<Replication>> {
    let text = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
    let result = session.query_unpaged(text, (keyspace,)).await.map_err(unavailable)?;
    let rows = result.into_rows_result().map_err(unavailable)?;
    let row = rows.maybe_first_row::<(HashMap<String, String>,)>().map_err(unavailable)?;
    let Some((options,)) = row else { return Ok(None) };
    // Of the simple strategy the whole cluster is one.
    let replicas = options.into_iter().filter_map(|(name, replicas)| Some((name, replicas.parse().ok()?)));
    Ok(Some(replicas.collect()))
}

fn nodes_by_data_center(session: &Session) -> HashMap<String, u32> {
    let mut nodes = HashMap::new();
    for node in session.get_cluster_state().get_nodes_info() {
        *nodes.entry(node.datacenter.clone().unwrap_or_default()).or_default() += 1;
    }
    nodes
}

/// More replicas than nodes would leave every write without its quorum, or without its safety.
fn replicas_fit(access: &Access, replication: &[(String, u32)], nodes: &HashMap<String, u32>) -> Result<()> {
    for (name, replicas) in replication {
        let there = match name.as_str() {
            "replication_factor" => nodes.values().sum(),
            name => nodes.get(name).copied().unwrap_or(0),
        };
        if *replicas > there {
            let mut known: Vec<_> = nodes.iter().map(|(name, nodes)| format!("{name} has {nodes}")).collect();
            known.sort();
            return Err(Error::Unavailable(format!(
                "{} is to have {replicas} replicas in {name}, which has {there} nodes ({}): start the other nodes, or \
                 change the replication (store.replication for `coldproof migrate`, ALTER KEYSPACE for what is there)",
                access.keyspace,
                known.join(", ")
            )));
        }
    }
    Ok(())
}

/// Every node must have on disk what it acknowledges. One that is away cannot be asked, and keeps no server from its start: that
/// would turn the loss of a node into that of the service.
async fn check_commit_logs(session: &Session, access: &Access) -> Result<()> {
    for node in session.get_cluster_state().get_nodes_info() {
        let risk = match commit_log_sync(session, node).await {
            Ok(sync) if is_synced(is_scylla(session), &sync) => continue,
            Ok(sync) => format!("node {} syncs its commit log {sync}", node.address),
            Err(_) if !node.is_connected() => {
                tracing::warn!(node = %node.address, "it is away: how it syncs its commit log is not known");
                continue;
            }
            Err(error) => format!("node {} does not say how it syncs its commit log ({error})", node.address),
        };
        if !access.accept_data_loss {
            return Err(Error::Unavailable(format!(
                "{risk}: acknowledged writes can be lost when all replicas stop at once; set commitlog_sync to group \
                 (batch on ScyllaDB) on every node, or start with --accept-data-loss"
            )));
        }
        tracing::warn!("{risk}: acknowledged writes can be lost, and that has been accepted");
    }
    Ok(())
}

/// Whether what a node acknowledges is on disk. ScyllaDB has no `group`, and takes every word but `batch` for `periodic`, in
/// capitals too.
fn is_synced(is_scylla: bool, sync: &str) -> bool {
    if is_scylla { sync == "batch" } else { ["group", "batch"].iter().any(|word| sync.eq_ignore_ascii_case(word)) }
}

/// Whether the nodes are ScyllaDB's: they alone name their shards.
fn is_scylla(session: &Session) -> bool {
    session.get_cluster_state().get_nodes_info().iter().any(|node| node.sharder().is_some())
}

/// What a node says: Cassandra in its virtual table of settings, ScyllaDB in its own.
async fn commit_log_sync(session: &Session, node: &Arc<Node>) -> Result<String> {
    let table = if is_scylla(session) { "system.config" } else { "system_views.settings" };
    let text = format!("SELECT value FROM {table} WHERE name = 'commitlog_sync'");
    let rows = system_rows(session, &text, node).await?;
    let row = rows.maybe_first_row::<(Option<String>,)>().map_err(unavailable)?;
    let value = row.and_then(|(value,)| value).unwrap_or_else(|| "in no way that it knows of".to_owned());
    Ok(value.trim_matches('"').to_owned())
}

/// What one node answers from its own tables.
async fn system_rows(session: &Session, text: &str, node: &Arc<Node>) -> Result<QueryRowsResult> {
    let mut statement = Statement::new(text);
    statement.set_consistency(Consistency::One);
    let policy = SingleTargetLoadBalancingPolicy::new(NodeIdentifier::Node(Arc::clone(node)), None);
    statement.set_load_balancing_policy(Some(policy));
    let result = session.query_unpaged(statement, ()).await.map_err(unavailable)?;
    result.into_rows_result().map_err(unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dense_and_every_statement_may_be_repeated() {
        for ((version, name, text), expected) in VERSIONS.iter().zip(1..) {
            assert_eq!(*version, expected, "{name}");
            assert!(statements(text).count() > 0);
            for statement in statements(text).chain(statements(BOOKKEEPING)) {
                assert!(statement.starts_with("CREATE TABLE IF NOT EXISTS") || statement.starts_with("ALTER TABLE"));
            }
        }
        assert_eq!(statements(KEYSPACE).count(), 2);
    }
    #[test]
    fn a_node_that_may_lose_what_it_acknowledged_is_told_by_the_word_and_by_what_it_is() {
        for (sync, cassandra, scylla) in [
            ("group", true, false),
            ("batch", true, true),
            ("BATCH", true, false),
            ("periodic", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_synced(false, sync), is_synced(true, sync)), (cassandra, scylla), "{sync}");
        }
    }
    #[test]
    fn the_specification_names_every_table_with_its_key_and_no_other() {
        let page = include_str!("../../../docs/spec/cql-schema.md");
        let schema = include_str!("../../../schema/schema.cql");
        let mut expected = Vec::new();
        for table in schema.split("CREATE TABLE ").skip(1) {
            let name = table.split_whitespace().next().unwrap();
            let key = table.split("PRIMARY KEY (").nth(1).unwrap().lines().next().unwrap();
            expected.push(format!("| `{name}` | {} |", key.strip_suffix(')').unwrap()));
        }
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        let named: Vec<_> = rows.map(|row| row.rsplitn(3, '|').nth(2).unwrap().to_owned() + "|").collect();
        assert_eq!(named, expected);
    }
}
