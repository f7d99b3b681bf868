//! The store under the service of a test: the embedded one, or, where `IT_STORE` says `cql`, a keyspace of a real server.

use std::{ops::Deref, path::Path, sync::Arc};

use coldproof::{
    service::backup::{BackupError, BackupReader, Restoration, Summary, restore},
    store::{Store, Writer, cql, cql::CqlStore, local, local::LocalStore},
};
use object_store::ObjectStore;

use crate::store::keyspace::Keyspace;

/// Whether tests stand on a cluster.
pub fn on_cluster() -> bool {
    match std::env::var("IT_STORE").as_deref() {
        Ok("cql") => true,
        Ok("embedded") | Err(_) => false,
        Ok(other) => panic!("IT_STORE is {other:?}, expected embedded or cql"),
    }
}

/// A store that is open.
pub enum Engine {
    Embedded(Arc<LocalStore>),
    Cluster(Arc<CqlStore>, Keyspace),
}

/// A place for a store that is closed, or was never opened.
#[derive(Debug)]
pub enum Closed {
    /// In the service's folder.
    Embedded,
    Cluster(Keyspace),
}

impl Closed {
    /// An empty one.
    pub async fn new() -> Self {
        if !on_cluster() {
            return Self::Embedded;
        }
        let keyspace = Keyspace::take().await;
        Self::Cluster(keyspace.expect("IT_STORE=cql needs CASSANDRA_TEST_NODES (tests/cassandra start)"))
    }

    /// Opens what is kept there; `folder` is the embedded store's.
    pub async fn open(self, folder: &Path) -> Engine {
        match self {
            Self::Embedded => Engine::Embedded(LocalStore::open(folder).unwrap()),
            Self::Cluster(keyspace) => Engine::Cluster(CqlStore::open(&keyspace.access).await.unwrap(), keyspace),
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
            Self::Cluster(keyspace) => {
                let mut reader = BackupReader::new(backup)?;
                let digest = reader.header().digest()?;
                let (restoring, _) = cql::Restoring::begin(&keyspace.access, digest, b"").await?;
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
            Self::Cluster(store, keyspace) => {
                store.close().await;
                Closed::Cluster(keyspace)
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
