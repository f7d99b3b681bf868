//! Opens the service over a store, and finds the service that has it open already.

use std::sync::Arc;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use object_store::{ObjectStore, local::LocalFileSystem};
use tokio::task::JoinHandle;

use super::{Error, Result, key_ring_file};
use crate::{
    code::Host,
    config::{self, Config, Location},
    http::{App, admin_client::AdminClient, health, layers::layered, router::router, serve::serve_in_process},
    service::{Clock, Service, Settings, follow::Follower},
    store::{
        self, FolderLock, Store, Writer,
        cql::{Access, CqlStore},
        local::LocalStore,
        patiently,
    },
};

/// Room between a command and the service in its own process, in bytes.
const IN_PROCESS_BYTES: usize = 64 << 10;

/// A service and the store that it holds open.
pub(super) struct Opened {
    pub(super) app: App,
    /// What keeps the service's memory up to date where other servers write too; `None` where there can be none.
    pub(super) follower: Option<Follower>,
    held: Held,
}

/// A store that is open in this process.
enum Held {
    Embedded(Arc<LocalStore>),
    /// With the folder of this server.
    Cluster {
        store: Arc<CqlStore>,
        _folder: FolderLock,
    },
}

impl Held {
    async fn open(config: &config::Store) -> Result<Self> {
        match &config.location {
            Location::Embedded(folder) => Ok(Self::Embedded(LocalStore::open(folder)?)),
            Location::Cluster { nodes, keyspace } => {
                let folder = FolderLock::take(config.folder())?;
                Ok(Self::Cluster { store: CqlStore::open(&access(config, nodes, keyspace)).await?, _folder: folder })
            }
        }
    }

    /// The store, and the name under which this server writes.
    fn store(&self) -> (Arc<dyn Store>, Writer) {
        match self {
            Self::Embedded(store) => (store.clone(), Writer(0)),
            Self::Cluster { store, .. } => (store.clone(), store.writer()),
        }
    }

    async fn close(self) -> Result<()> {
        match self {
            Self::Embedded(store) => store.close().await?,
            Self::Cluster { store, .. } => store.close().await,
        }
        Ok(())
    }
}

/// How the configured cluster is reached.
pub(super) fn access(config: &config::Store, nodes: &[String], keyspace: &str) -> Access {
    Access {
        nodes: nodes.to_vec(),
        keyspace: keyspace.to_owned(),
        user: config.user.clone(),
        password: config.password.0.clone(),
        tls_ca: (!config.tls_ca.as_os_str().is_empty()).then(|| config.tls_ca.clone()),
        data_center: config.data_center.clone(),
        accept_data_loss: config.accept_data_loss,
    }
}

/// Opens the store and the service over it, and finishes what was committed and not applied when it last stopped.
pub(super) async fn open(config: Config) -> Result<Opened> {
    open_at(config, Arc::new(|| jiff::Timestamp::now().as_millisecond())).await
}

/// As [`open`], with a clock of one's own.
pub(super) async fn open_at(config: Config, clock: Clock) -> Result<Opened> {
    let keys = key_ring_file::read(&config.keyring_path())?;
    let held = Held::open(&config.store).await?;
    let (store, writer) = held.store();
    let settings = Settings {
        host: host(&*store, config.server.host.clone()).await?,
        aliases: config.server.host_aliases.clone(),
        link_scheme: config.server.link_scheme,
        link_case: config.qr.case,
        zone: config.dates.utc_offset.time_zone(),
        issuing_tolerance_permille: config.issuing.tolerance_permille,
        unconfirmed_after_ms: config.store.unconfirmed_after_ms,
        cold_chain: config.cold_chain.rule(),
        misuse: config.misuse.rules(),
        profiles: config.papers.profiles.clone(),
    };
    let service = Service::new(store, files(&config)?, writer, keys, settings, clock);
    asked(&*service.store, || service.note_ring()).await?;
    // Before anything is read into memory.
    let follower = asked(&*service.store, || service.begin_following()).await?;
    if let Some(quarantined) = asked(&*service.store, || service.quarantined()).await? {
        tracing::warn!(%quarantined, "no codes are issued");
    }
    if let Err(error) = service.finish_captures().await {
        // The rest of the store is sound; the service tries again while it runs, and an audit names the capture.
        tracing::error!(%error, "a committed capture could not be applied");
    }
    asked(&*service.store, || service.load_measures()).await?;
    asked(&*service.store, || service.load_parties()).await?;
    let app = App::new(Arc::new(service), config);
    let swept = app.spools.sweep();
    swept.map_err(|source| Error::Io { what: "the folder of spooled documents".to_owned(), source })?;
    Ok(Opened { app, follower, held })
}

/// What a cluster does not answer in time is asked again, because it has other things to do. An embedded store would say the same.
async fn asked<T, F: Future<Output = store::Result<T>>>(store: &dyn Store, ask: impl Fn() -> F) -> store::Result<T> {
    if store.is_shared() { patiently(ask).await } else { ask().await }
}

/// Where uploaded files are kept.
pub(super) fn files(config: &Config) -> Result<Arc<dyn ObjectStore>> {
    let folder = config.documents_path();
    let failed = |source| Error::Io { what: format!("the folder of documents, {}", folder.display()), source };
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let files = LocalFileSystem::new_with_prefix(&folder).map_err(|error| failed(std::io::Error::other(error)))?;
    // A document that was acknowledged must outlast a power cut.
    Ok(Arc::new(files.with_fsync(true)))
}

/// The canonical host: the first one that is given stands in the store for ever, because it is on every label.
async fn host(store: &dyn Store, given: Option<Host>) -> Result<Host> {
    const CLAIM: &str = "host";
    let usage = |detail: String| Error::Usage(detail);
    if let Some(fixed) = asked(store, || store.claim(CLAIM)).await? {
        let fixed = String::from_utf8_lossy(&fixed);
        let host: Host = fixed.parse().map_err(|error| usage(format!("the store's host {fixed:?}: {error}")))?;
        return match given {
            Some(given) if given != host => Err(usage(format!(
                "--host is {given}, but labels of this store carry {host}; name {given} in server.host_aliases instead"
            ))),
            _ => Ok(host),
        };
    }
    let host = given.ok_or_else(|| usage("--host is not given: the host that all labels will carry".to_owned()))?;
    store.swap(CLAIM, None, host.as_str().as_bytes()).await?;
    Ok(host)
}

impl Opened {
    /// Every route; those of operations only where there are metrics.
    pub(super) fn router(&self, metrics: Option<PrometheusHandle>) -> Router {
        let routes = router(self.app.clone());
        match metrics {
            Some(metrics) => routes.merge(health::routes(metrics).with_state(self.app.clone())),
            None => routes,
        }
    }

    /// Writes what is still in memory, and closes the store.
    pub(super) async fn close(self) -> Result<()> {
        let flushed = async {
            self.app.service.flush_scans().await?;
            self.app.service.write_alerts().await
        };
        let flushed = flushed.await;
        self.held.close().await?;
        match flushed {
            // Sums that a store counts behind its final backup are nobody's.
            Ok(_) | Err(store::Error::Retired | store::Error::Paused) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The admin's way to a service: the server that holds the store, or one in this process.
pub(super) struct Admin {
    pub(super) client: AdminClient,
    own: Option<(Opened, JoinHandle<()>)>,
}

/// Calls the server that answers in the store's folder; opens the store where none does.
pub(super) async fn admin(config: &Config) -> Result<Admin> {
    if let Some(client) = AdminClient::connect(config.store.folder()).await? {
        return Ok(Admin { client, own: None });
    }
    let opened = open(config.clone()).await?;
    let router = layered(opened.router(None), opened.app.clone(), random_number()?);
    let (near, far) = tokio::io::duplex(IN_PROCESS_BYTES);
    let config = opened.app.config.clone();
    let serving = tokio::spawn(async move { serve_in_process(far, router, &config.server).await });
    let client = AdminClient::over(near).await?;
    Ok(Admin { client, own: Some((opened, serving)) })
}

impl Admin {
    /// Hangs up; closes the store where it was opened for this.
    pub(super) async fn close(self) -> Result<()> {
        drop(self.client);
        if let Some((opened, serving)) = self.own {
            // Ends because the client hung up.
            let _ = serving.await;
            opened.close().await?;
        }
        Ok(())
    }
}

/// Where request ids begin.
pub(super) fn random_number() -> Result<u64> {
    getrandom::u64().map_err(|error| Error::Io { what: "no random bytes".to_owned(), source: error.into() })
}
