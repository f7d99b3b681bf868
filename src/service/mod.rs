//! What the service does, one file per job. Everything that changes goes through [`Service::commit`].

mod watch;

use std::sync::Arc;

pub use self::watch::{Basis, Watch, Watched};
use crate::{
    registration::{Kind, Statement},
    store::{Capture, Store, Writer, Writes},
    trace::{CaptureId, KeyId, OrganizationId, Role},
};

/// Tells the time: milliseconds since 1970-01-01 UTC. An argument, so that tests move it.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Who is calling, as proved by an API key or by the admin socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key that proved it; `None` on the admin socket.
    pub key: Option<KeyId>,
    /// Whose key it is; 0 on the admin socket.
    pub organization: OrganizationId,
    /// What the key may do.
    pub role: Role,
}

/// The running service.
pub struct Service {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// This server's feed.
    pub writer: Writer,
    /// The time.
    pub clock: Clock,
    /// Which caches a write makes stale.
    pub watch: Watch,
}

impl Service {
    /// The time, milliseconds since 1970-01-01 UTC.
    pub fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// Makes a capture durable with all that it writes, and makes what was cached about it stale. Returns the
    /// capture in its first form where it was committed before.
    pub async fn commit(&self, capture: Capture, writes: Writes) -> crate::store::Result<Capture> {
        let touched = Watched::by(&writes);
        let capture = self.store.append(capture, writes).await?;
        self.watch.touch(&touched);
        Ok(capture)
    }

    /// The caller that an API key's text proves; `None` where it is unknown, wrong or revoked.
    pub async fn caller(&self, _key: &str) -> crate::store::Result<Option<Caller>> {
        Ok(None)
    }

    /// The highest version of a statement.
    pub async fn statement(&self, kind: Kind, id: u64) -> crate::store::Result<Option<Statement>> {
        self.store.statement(kind, id).await
    }
}

/// The identity of a capture that carries statements, with or without records:
/// `SHA-256("coldproof/statements/1" || u64be organization || for each (kind name, u64be id, u32be version))`.
/// Versions are never reused, so that the same statements are the same capture.
pub fn statements_capture_id(organization: OrganizationId, statements: &[Statement]) -> CaptureId {
    use sha2::{Digest, Sha256};

    let mut digest = Sha256::new();
    digest.update(b"coldproof/statements/1");
    digest.update(organization.0.to_be_bytes());
    for statement in statements {
        digest.update(format!("{:?}", statement.kind).as_bytes());
        digest.update(statement.id.to_be_bytes());
        digest.update(statement.version.to_be_bytes());
    }
    CaptureId(digest.finalize().into())
}
