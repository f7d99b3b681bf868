//! Keyspaces of a real server (`tests/cassandra start`).
//!
//! To make one, and to drop it, takes a node seconds, so that tests lend each other theirs: one that is free is emptied and
//! taken, and only where none is free one more is made.
//!
//! `CASSANDRA_TEST_NODES` names the nodes. Without it the tests are skipped, except where `CI` says that they must not.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use coldproof::store::{
    Error,
    cql::{Access, migrate},
};
use scylla::client::{session::Session, session_builder::SessionBuilder};

/// Keyspaces that no test has now, with when each became free. They stay when the tests end, and go with the server.
static FREE: Mutex<VecDeque<(Instant, Access)>> = Mutex::new(VecDeque::new());

/// How long one is left alone before it is emptied: what its last test had under way has landed by then.
const REST: Duration = Duration::from_secs(3);

fn free() -> MutexGuard<'static, VecDeque<(Instant, Access)>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The one that has been free for longest, if that is long enough.
fn rested() -> Option<Access> {
    let mut free = free();
    let is_rested = free.front().is_some_and(|(since, _)| since.elapsed() >= REST);
    is_rested.then(|| free.pop_front()).flatten().map(|(_, access)| access)
}

/// The nodes of the server; `None` where there is none, which is said once a test.
pub fn nodes() -> Option<Vec<String>> {
    let Ok(nodes) = std::env::var("CASSANDRA_TEST_NODES") else {
        assert!(std::env::var("CI").is_err(), "CASSANDRA_TEST_NODES is not set: tests/run starts a server");
        println!("skipped: CASSANDRA_TEST_NODES is not set (tests/cassandra start)");
        return None;
    };
    Some(nodes.split(',').map(str::to_owned).collect())
}

/// What the store says, asked again for minutes where the cluster has too much else to do.
pub async fn patiently<T>(ask: impl AsyncFn() -> coldproof::store::Result<T>) -> T {
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(said) => return said,
            Err(error) => assert!(matches!(error, Error::Unavailable(_)) && begun.elapsed().as_secs() < 180, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A keyspace that nobody else has until this is dropped.
#[derive(Debug)]
pub struct Keyspace {
    pub access: Access,
    /// Whether another test may have it next. Otherwise it goes.
    lends: bool,
}

impl Keyspace {
    /// An empty one with all tables. They must stay as they are.
    pub async fn take() -> Option<Self> {
        let nodes = nodes()?;
        let Some(access) = rested() else {
            let mut made = Self::on(nodes, 0).await;
            made.lends = true;
            return Some(made);
        };
        empty(&access).await;
        Some(Self { access, lends: true })
    }

    /// One on these nodes, with so many replicas; as many as there may be where that is 0.
    pub async fn on(nodes: Vec<String>, replicas: u32) -> Self {
        let made = Self::named(nodes);
        let replication = ("datacenter1".to_owned(), replicas);
        let replication = if replicas == 0 { &[] } else { std::slice::from_ref(&replication) };
        patiently(async || migrate(&made.access, replication).await).await;
        made
    }

    /// A name under which there is none.
    pub fn absent() -> Option<Self> {
        Some(Self::named(nodes()?))
    }

    fn named(nodes: Vec<String>) -> Self {
        let mut name = [0; 8];
        getrandom::fill(&mut name).unwrap();
        let access = Access {
            nodes,
            keyspace: format!("t{:016x}", u64::from_be_bytes(name)),
            user: String::new(),
            password: String::new().into(),
            tls_ca: None,
            data_center: String::new(),
            accept_data_loss: false,
        };
        Self { access, lends: false }
    }

    pub async fn session(&self) -> Session {
        session(&self.access).await
    }

    /// Runs a statement on it, `$K` standing for its name.
    pub async fn run(&self, statement: &str) {
        let statement = statement.replace("$K", &self.access.keyspace);
        self.session().await.query_unpaged(statement, ()).await.unwrap();
    }
}

impl Drop for Keyspace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // It stays as it is, for whoever wants to know why.
            return;
        }
        if self.lends {
            free().push_back((Instant::now(), self.access.clone()));
            return;
        }
        let drop = async {
            let session = SessionBuilder::new().known_nodes(&self.access.nodes).build().await.ok()?;
            // What stays is in nobody's way, and goes with the server.
            session.query_unpaged(format!("DROP KEYSPACE IF EXISTS {}", self.access.keyspace), ()).await.ok()
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(drop));
    }
}

async fn session(access: &Access) -> Session {
    SessionBuilder::new().known_nodes(&access.nodes).build().await.unwrap()
}

async fn rows(session: &Session, text: &str) -> usize {
    session.query_unpaged(text, ()).await.unwrap().into_rows_result().unwrap().rows_num()
}

/// Empties the tables in which something is: a truncation takes longer than a look. What was deleted leaves a mark where nothing
/// is seen.
async fn empty(access: &Access) {
    let session = session(access).await;
    let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?";
    let tables = session.query_unpaged(text, (&access.keyspace,)).await.unwrap().into_rows_result().unwrap();
    for table in tables.rows::<(String,)>().unwrap().map(|row| row.unwrap().0) {
        let name = format!("{}.{table}", access.keyspace);
        let is_used = async || table == "staged" || rows(&session, &format!("SELECT * FROM {name} LIMIT 1")).await > 0;
        if !table.starts_with("schema_") && is_used().await {
            session.query_unpaged(format!("TRUNCATE {name}"), ()).await.unwrap();
        }
    }
}
