//! The store under the service of a test: the embedded one, or, where `IT_STORE` says `cql`, a keyspace of a real server.
//!
//! A keyspace takes seconds to make, so that tests lend each other theirs: one that is free is emptied and taken, and only where
//! none is free one more is made.

use std::{
    ops::Deref,
    path::Path,
    sync::{Arc, Mutex},
};

use coldproof::{
    service::backup::{BackupError, BackupReader, Restoration, Summary, restore},
    store::{
        Store, Writer, cql,
        cql::{Access, CqlStore, migrate},
        local,
        local::LocalStore,
    },
};
use object_store::ObjectStore;
use scylla::client::{session::Session, session_builder::SessionBuilder};

use crate::store::cluster::Keyspace;

/// Keyspaces that no test has now. They stay when the tests end, and go with the server.
static FREE: Mutex<Vec<Access>> = Mutex::new(Vec::new());

/// Whether tests stand on a cluster.
pub fn on_cluster() -> bool {
    match std::env::var("IT_STORE").as_deref() {
        Ok("cql") => true,
        Ok("embedded") | Err(_) => false,
        Ok(other) => panic!("IT_STORE is {other:?}, expected embedded or cql"),
    }
}

/// A keyspace that this test has, and the next one gets.
#[derive(Debug)]
pub struct Lent(Access);

impl Lent {
    async fn take() -> Self {
        let free = FREE.lock().unwrap().pop();
        if let Some(access) = free {
            empty(&access).await;
            return Self(access);
        }
        let access = Keyspace::name().expect("IT_STORE=cql needs CASSANDRA_TEST_NODES (tests/cassandra start)");
        migrate(&access, &[]).await.unwrap();
        Self(access)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // After a panic elsewhere it is a list still.
        FREE.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(self.0.clone());
    }
}

async fn rows(session: &Session, text: &str) -> usize {
    session.query_unpaged(text, ()).await.unwrap().into_rows_result().unwrap().rows_num()
}

/// Empties the tables in which something is: a truncation takes longer than a look.
async fn empty(access: &Access) {
    let session = SessionBuilder::new().known_nodes(&access.nodes).build().await.unwrap();
    let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?";
    let tables = session.query_unpaged(text, (&access.keyspace,)).await.unwrap().into_rows_result().unwrap();
    for table in tables.rows::<(String,)>().unwrap().map(|row| row.unwrap().0) {
        let name = format!("{}.{table}", access.keyspace);
        if !table.starts_with("schema_") && rows(&session, &format!("SELECT * FROM {name} LIMIT 1")).await > 0 {
            session.query_unpaged(format!("TRUNCATE {name}"), ()).await.unwrap();
        }
    }
}

/// A store that is open.
pub enum Engine {
    Embedded(Arc<LocalStore>),
    Cluster(Arc<CqlStore>, Lent),
}

/// A place for a store that is closed, or was never opened.
#[derive(Debug)]
pub enum Closed {
    /// In the service's folder.
    Embedded,
    Cluster(Lent),
}

impl Closed {
    /// An empty one.
    pub async fn new() -> Self {
        if on_cluster() { Self::Cluster(Lent::take().await) } else { Self::Embedded }
    }

    /// Opens what is kept there; `folder` is the embedded store's.
    pub async fn open(self, folder: &Path) -> Engine {
        match self {
            Self::Embedded => Engine::Embedded(LocalStore::open(folder).unwrap()),
            Self::Cluster(lent) => Engine::Cluster(CqlStore::open(&lent.0).await.unwrap(), lent),
        }
    }

    /// Fills an empty one from a backup.
    pub async fn restore(
        &self,
        folder: &Path,
        files: &dyn ObjectStore,
        backup: &[u8],
        restoration: Restoration,
    ) -> Result<Summary, BackupError> {
        let (summary, _) = match self {
            Self::Embedded => {
                let restoring = local::Restoring::begin(folder)?;
                let mut reader = BackupReader::new(backup)?;
                let done = restore(&mut reader, &**restoring.store(), files, restoration, |_| {}).await?;
                restoring.finish().await?;
                done
            }
            Self::Cluster(lent) => {
                let mut reader = BackupReader::new(backup)?;
                let digest = reader.header().digest()?;
                let (restoring, _) = cql::Restoring::begin(&lent.0, digest, b"").await?;
                let done = restore(&mut reader, &**restoring.store(), files, restoration, |_| {}).await?;
                restoring.finish().await?;
                done
            }
        };
        Ok(summary)
    }
}

impl Engine {
    /// The store, and the name under which the service writes.
    pub fn store(&self) -> (Arc<dyn Store>, Writer) {
        match self {
            Self::Embedded(store) => (store.clone(), Writer(0)),
            Self::Cluster(store, _) => (store.clone(), store.writer()),
        }
    }

    pub async fn close(self) -> Closed {
        match self {
            Self::Embedded(store) => {
                store.close().await.unwrap();
                Closed::Embedded
            }
            Self::Cluster(store, lent) => {
                store.close().await;
                Closed::Cluster(lent)
            }
        }
    }
}

impl Deref for Engine {
    type Target = dyn Store;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Embedded(store) => &**store,
            Self::Cluster(store, _) => &**store,
        }
    }
}
