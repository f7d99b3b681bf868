//! How a cluster is reached, and what is asked of it before anything is kept there.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use moka::sync::Cache;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use scylla::{
    client::{execution_profile::ExecutionProfile, session::Session, session_builder::SessionBuilder},
    errors::{
        ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, MetadataError, NewSessionError,
    },
    policies::{load_balancing::DefaultPolicy, speculative_execution::SimpleSpeculativeExecutionPolicy},
    statement::{Consistency, SerialConsistency},
};
use tokio::sync::{Mutex, RwLock};
use zeroize::Zeroizing;

use super::{
    Cluster, CqlStore, Locks, feed::FeedWriter, feeds::Feeds, keeper::keep, ledger::Growths, migrate,
    moment::take_part, registered::Listed, requests::Requests, silence::SilentLast, stamps::Stamps,
    statements::Statements,
};
use crate::{
    limits::{
        CQL_AGREEMENT_MS, CQL_BEGUN_KNOWN_MAX, CQL_CONNECT_MS, CQL_FINISHED_KNOWN_MAX, CQL_KEEPALIVE_MS,
        CQL_SPECULATE_MS, CQL_SPECULATIONS_MAX, CQL_TIMEOUT_MS,
    },
    store::{Error, Intake, RETIRED_CLAIM, Result, patiently},
};

/// How a keyspace is reached.
#[derive(Clone)]
pub struct Access {
    /// Nodes that are asked first, `HOST` or `HOST:PORT` each; they name the others.
    pub nodes: Vec<String>,
    /// The keyspace: letters, digits and underscores, a letter first.
    pub keyspace: String,
    /// Who logs in; empty where the cluster asks nobody.
    pub user: String,
    /// With what.
    pub password: Zeroizing<String>,
    /// Certificates that sign those of the nodes, as PEM: connections are encrypted then.
    pub tls_ca: Option<PathBuf>,
    /// The data center whose nodes are asked; empty for any, where there is but one.
    pub data_center: String,
    /// Whether a cluster is taken that may lose what it acknowledged.
    pub accept_data_loss: bool,
}

/// Without the password.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cql://{}/{}", self.nodes.join(","), self.keyspace)
    }
}

impl CqlStore {
    /// Opens the store in a keyspace that [`migrate()`] has made, with a feed of its own.
    ///
    /// # Errors
    /// [`Error::Unavailable`], a sentence each, where no node answers, the login is refused, there is no such keyspace,
    /// its tables are of another version, its replication asks for more nodes than there are, or a node may lose what it
    /// acknowledged.
    pub async fn open(access: &Access) -> Result<Arc<Self>> {
        let session = connect(access).await?;
        migrate::check(&session, access).await?;
        Self::over(session, access).await
    }

    /// As [`CqlStore::open`], of a keyspace that has been checked.
    pub(super) async fn over(session: Session, access: &Access) -> Result<Arc<Self>> {
        let statements = Statements::prepare(&session, &access.keyspace).await?;
        let cluster = Arc::new(Cluster {
            requests: Requests::new(session),
            statements,
            stamps: Stamps::new(),
            feeds: Feeds::default(),
            growths: Growths::new(),
            listed: Listed::new(),
            finished: Cache::new(CQL_FINISHED_KNOWN_MAX),
        });
        patiently(|| cluster.load_feeds()).await?;
        let holding = patiently(|| cluster.open_feed()).await?;
        tracing::info!(feed = holding.writer.0, "this server writes a new feed");
        // Behind its feed, which whoever retires the store looks for.
        let retired = patiently(|| cluster.claim(RETIRED_CLAIM)).await?.is_some();
        let store = Arc::new(Self {
            cluster,
            door: RwLock::new(if retired { Intake::Retired } else { Intake::Open }),
            feed: FeedWriter::new(holding),
            followed: Mutex::default(),
            begun: Cache::new(CQL_BEGUN_KNOWN_MAX),
            locks: Arc::new(Locks::new()),
            copies: Arc::default(),
            is_closed: AtomicBool::new(false),
        });
        // Before anything is written: a copy may be taken just now.
        patiently(|| store.look_at_copies()).await?;
        if !retired {
            // What a server left between its row and its mark is no capture before it has one.
            patiently(|| store.follow(Duration::ZERO)).await?;
        }
        keep(&store);
        take_part(&store);
        Ok(store)
    }
}

/// A session without a keyspace.
pub(super) async fn connect(access: &Access) -> Result<Session> {
    let mut policy = DefaultPolicy::builder().token_aware(true);
    if !access.data_center.is_empty() {
        policy = policy.prefer_datacenter(access.data_center.clone());
    }
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .serial_consistency(Some(SerialConsistency::LocalSerial))
        .request_timeout(Some(Duration::from_millis(CQL_TIMEOUT_MS)))
        .speculative_execution_policy(Some(Arc::new(SimpleSpeculativeExecutionPolicy {
            max_retry_count: CQL_SPECULATIONS_MAX,
            retry_interval: Duration::from_millis(CQL_SPECULATE_MS),
        })))
        .load_balancing_policy(SilentLast::over(policy.build()));
    let keepalive = Duration::from_millis(CQL_KEEPALIVE_MS);
    let mut builder = SessionBuilder::new()
        .known_nodes(&access.nodes)
        .default_execution_profile_handle(profile.build().into_handle())
        .connection_timeout(Duration::from_millis(CQL_CONNECT_MS))
        .keepalive_interval(keepalive)
        .keepalive_timeout(keepalive)
        .schema_agreement_interval(Duration::from_millis(CQL_AGREEMENT_MS))
        .refresh_metadata_on_auto_schema_agreement(false)
        .tcp_nodelay(true);
    if !access.user.is_empty() {
        builder = builder.user(&access.user, access.password.as_str());
    }
    if let Some(ca) = &access.tls_ca {
        builder = builder.tls_context(Some(tls(ca)?));
    }
    builder.build().await.map_err(|error| refused(access, &error))
}

/// TLS that trusts these certificates alone.
fn tls(ca: &Path) -> Result<Arc<ClientConfig>> {
    let failed = |error: &dyn fmt::Display| Error::Unavailable(format!("{}: {error}", ca.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(|error| failed(&error))? {
        let certificate = certificate.map_err(|error| failed(&error))?;
        roots.add(certificate).map_err(|error| failed(&error))?;
    }
    if roots.is_empty() {
        return Err(failed(&"there is no certificate in it"));
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// Why no session was made, and what to do.
fn refused(access: &Access, error: &NewSessionError) -> Error {
    let nodes = access.nodes.join(", ");
    let broken = match error {
        NewSessionError::MetadataError(MetadataError::ConnectionPoolError(ConnectionPoolError::Broken {
            last_connection_error,
        })) => Some(last_connection_error),
        _ => None,
    };
    let login = match broken {
        Some(ConnectionError::ConnectionSetupRequestError(setup)) => match &setup.error {
            ConnectionSetupRequestErrorKind::DbError(DbError::AuthenticationError, _)
            | ConnectionSetupRequestErrorKind::MissingAuthentication => true,
            ConnectionSetupRequestErrorKind::DbError(_, said) => said.contains("credentials"),
            _ => false,
        },
        _ => false,
    };
    Error::Unavailable(match (login, error) {
        (true, _) if access.user.is_empty() => {
            format!("the cluster at {nodes} asks for a login: set store.user and COLDPROOF_STORE_PASSWORD")
        }
        (true, _) => format!(
            "the cluster at {nodes} refused the user {:?}: check store.user and COLDPROOF_STORE_PASSWORD",
            access.user
        ),
        (false, NewSessionError::FailedToResolveAnyHostname(_)) => {
            format!("no node of {nodes} has an address: check the names in store.location")
        }
        (false, error) => format!("no node answers at {nodes}: check store.location and store.tls_ca ({error})"),
    })
}
