//! What the service does, one file per job. Everything that changes goes through [`Service::commit`].

pub mod alert;
pub mod audit;
pub mod backup;
pub mod capture;
mod contents;
pub mod follow;
mod gather;
mod growth;
pub mod inspection;
pub mod issue;
pub mod look;
pub mod measure;
pub mod movement;
mod number;
mod party;
pub mod provenance;
pub mod quarantine;
pub mod register;
pub mod scan;
pub mod split;
pub mod stock;
pub mod temperature;
pub mod timeline;
mod turn;
pub mod unit;
mod void;
mod watch;
pub mod whereabouts;
#[cfg(test)]
pub(crate) mod world;

use std::{collections::HashSet, hash::Hash, sync::Arc};

use jiff::tz::TimeZone;
use moka::sync::Cache;
use object_store::ObjectStore;
use tokio::sync::{Mutex, Semaphore};

use self::alert::AlertQueue;
use self::measure::{MeasureTable, TableChange};
pub use self::number::{Counter, Numbers};
pub use self::party::Parties;
use self::scan::{BlockView, FirstTexts, KnownOrganization, RunFacts, ScanCounts, SharedLedgers, Whole, WholeLot};
pub use self::watch::{Basis, Watch, Watched};
use self::{capture::Applying, follow::AppliedHere, growth::Growth, turn::Turns};
use crate::{
    code::{Host, KeyRing, LinkCase, LinkScheme, RunId},
    cold_chain::Rule,
    epcis::Hosts,
    limits::{
        BLOCK_CACHE_BYTES_MAX, CAPTURES_KIB_MAX, CLASS_CACHE_BYTES_MAX, DOWNLOADS_KIB_MAX, LEDGER_CACHE_BYTES_MAX,
        ORGANIZATION_CACHE_BYTES_MAX, RUN_CACHE_BYTES_MAX, UPLOADS_MAX,
    },
    registration::{Content, Kind, Parent, Profiles, Statement, parse_key_text},
    store::{Capture, Store, Writer, Writes},
    trace::{BatchId, Block, CaptureId, KeyId, MisuseRules, OrganizationId, Role},
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

impl Caller {
    /// A capture by this caller that is applied whole when it is committed: of so many records, and of statements.
    pub fn capture(&self, id: CaptureId, records: u32, statements: &[Statement], now_ms: i64) -> Capture {
        Capture {
            id,
            organization: self.organization,
            role: self.role,
            created_ms: now_ms,
            records,
            chunks: records.min(1),
            statements: statements.iter().map(|made| (made.kind, made.id, made.version)).collect(),
            finished_ms: Some(now_ms),
        }
    }
}

/// What an operator decides about the service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The canonical host of every link; fixed when the store is created.
    pub host: Host,
    /// Other hosts whose links are ours.
    pub aliases: Vec<Host>,
    /// Scheme of printed links.
    pub link_scheme: LinkScheme,
    /// Letters of printed links.
    pub link_case: LinkCase,
    /// The zone in which a day begins.
    pub zone: TimeZone,
    /// By how much the live codes of a level may pass the batch's quantity for it, in thousandths.
    pub issuing_tolerance_permille: u32,
    /// After how long a silence of the store safety is not confirmed any more, in milliseconds; where other servers write too.
    pub unconfirmed_after_ms: i64,
    /// When a cold chain is broken.
    pub cold_chain: Rule,
    /// When scans of a code are noticed.
    pub misuse: MisuseRules,
    /// Which papers a batch needs before codes are issued.
    pub profiles: Profiles,
}

/// The running service.
pub struct Service {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Where uploaded files are kept, by their hash.
    pub files: Arc<dyn ObjectStore>,
    /// This server's feed.
    pub writer: Writer,
    /// The time.
    pub clock: Clock,
    /// What proves codes.
    pub keys: KeyRing,
    /// What the operator decided.
    pub settings: Settings,
    /// The hosts whose links are ours.
    pub hosts: Hosts,
    /// When all that others wrote was last known here.
    pub heard: follow::Heard,
    /// Which caches a write makes stale.
    pub watch: Arc<Watch>,
    /// How often codes were scanned.
    pub scans: ScanCounts,
    /// Notices of scans that wait to be written as alerts.
    pub alerts: AlertQueue,
    /// The words of standing measures.
    pub measures: Arc<MeasureTable>,
    /// The organizations that GLNs name as parties.
    pub parties: Arc<Parties>,
    /// Numbers for new things.
    pub numbers: Numbers,
    /// Bounds the uploads that are in memory.
    pub uploads: Semaphore,
    /// Bounds the bodies of captures that are in memory: one permit a KiB.
    pub captures: Arc<Semaphore>,
    /// The large captures that are being applied.
    applying: Arc<Applying>,
    /// The captures that it has applied.
    applied_here: Arc<AppliedHere>,
    /// How fast others' ledgers may grow.
    growth: Growth,
    /// Bounds the files that are in memory because they are being sent: one permit a KiB.
    pub downloads: Arc<Semaphore>,
    /// While an order is reserved and written, by batch.
    issuing: Turns,
    /// From reading something to writing its next version, so that no change is lost; by what is changed. A consignment's
    /// turn is that of its batches and documents too.
    changing: Turns,
    /// From looking for a declaration's line to writing the batch that takes it, by declaration. Taken after `changing`.
    lines: Turns,
    /// The final backup for which writes are paused.
    final_backup: Mutex<Option<backup::FinalBackup>>,
    blocks: Cache<Block, Arc<BlockView>>,
    first_texts: Arc<FirstTexts>,
    runs: Cache<RunId, Arc<RunFacts>>,
    ledgers: Cache<Block, Arc<SharedLedgers>>,
    batches: Cache<BatchId, Arc<Whole>>,
    lots: Cache<Parent, Arc<WholeLot>>,
    organizations: Cache<OrganizationId, Arc<KnownOrganization>>,
}

impl Service {
    /// A service over a store and its files; nothing is cached yet.
    pub fn new(
        store: Arc<dyn Store>,
        files: Arc<dyn ObjectStore>,
        writer: Writer,
        keys: KeyRing,
        settings: Settings,
        clock: Clock,
    ) -> Self {
        let blocks = cache(BLOCK_CACHE_BYTES_MAX, BlockView::bytes);
        let runs = cache(RUN_CACHE_BYTES_MAX, RunFacts::bytes);
        let ledgers = cache(LEDGER_CACHE_BYTES_MAX, SharedLedgers::bytes);
        let batches = cache(CLASS_CACHE_BYTES_MAX, Whole::bytes);
        let lots = cache(CLASS_CACHE_BYTES_MAX, WholeLot::bytes);
        let (watch, scans) = (Arc::new(Watch::default()), ScanCounts::new(writer));
        let hosts = Hosts::new(settings.host.clone(), settings.aliases.iter().cloned());
        let (numbers, uploads) = (Numbers::default(), Semaphore::new(UPLOADS_MAX));
        Self {
            store,
            files,
            writer,
            clock,
            keys,
            settings,
            hosts,
            heard: follow::Heard::default(),
            watch,
            scans,
            alerts: AlertQueue::default(),
            measures: Arc::default(),
            parties: Arc::default(),
            numbers,
            uploads,
            captures: Arc::new(Semaphore::new(CAPTURES_KIB_MAX as usize)),
            applying: Arc::default(),
            applied_here: Arc::default(),
            growth: Growth::default(),
            downloads: Arc::new(Semaphore::new(DOWNLOADS_KIB_MAX as usize)),
            issuing: Turns::new("issuing"),
            changing: Turns::new("changing"),
            lines: Turns::new("lines"),
            final_backup: Mutex::default(),
            blocks,
            first_texts: Arc::default(),
            runs,
            ledgers,
            batches,
            lots,
            organizations: cache(ORGANIZATION_CACHE_BYTES_MAX, KnownOrganization::bytes),
        }
    }

    /// The time, milliseconds since 1970-01-01 UTC.
    pub fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// Makes a capture durable with all that it writes, and makes what was cached about it stale. Returns the
    /// capture in its first form where it was committed before.
    pub async fn commit(&self, capture: Capture, writes: Writes) -> crate::store::Result<Capture> {
        let (store, watch, blocks) = (Arc::clone(&self.store), Arc::clone(&self.watch), self.blocks.clone());
        let (measures, parties) = (Arc::clone(&self.measures), Arc::clone(&self.parties));
        let (applying, applied_here) = (Arc::clone(&self.applying), Arc::clone(&self.applied_here));
        // On a task of its own: a client that hangs up must not come between the write and what it makes stale.
        let task = tokio::spawn(async move {
            // Until it is known to be applied here, or not: see [`Service::follow`]. One with chunks has its turn already.
            let _turn = applying.begin(capture.id);
            let (touched, change) = (Watched::by(&writes), TableChange::by(&writes));
            // Before the write: a GLN names nobody until it is claimed, and whose it is never changes.
            parties.change(&writes);
            let capture = store.append(capture, writes).await;
            // Before views become stale: the next ones find the words.
            measures.change(change, capture.is_ok());
            // Touched after an error too: it is not known then whether the write took effect.
            make_stale(&watch, &blocks, &touched);
            if let Ok(Capture { id, finished_ms: Some(_), .. }) = &capture {
                applied_here.add(*id);
            }
            capture
        });
        task.await.unwrap_or_else(|error| Err(crate::store::Error::Unavailable(error.to_string())))
    }

    /// The caller that an API key's text proves; `None` where it is unknown, wrong or revoked, or the organization has
    /// not the key's role any more.
    pub async fn caller(&self, text: &str) -> crate::store::Result<Option<Caller>> {
        let Ok((id, secret)) = parse_key_text(text) else { return Ok(None) };
        let Some(statement) = self.statement(Kind::Key, id.0).await? else { return Ok(None) };
        let Content::Key(key) = statement.content else { return Ok(None) };
        let service = (key.organization, key.role) == (OrganizationId::SERVICE, Role::Admin);
        if !key.admits(&secret) || !(service || self.has_role(key.organization, key.role).await?) {
            return Ok(None);
        }
        Ok(Some(Caller { key: Some(id), organization: key.organization, role: key.role }))
    }

    async fn has_role(&self, organization: OrganizationId, role: Role) -> crate::store::Result<bool> {
        Ok(match self.statement(Kind::Organization, organization.0).await?.map(|statement| statement.content) {
            Some(Content::Organization(organization)) => organization.roles.contains(&role),
            _ => false,
        })
    }

    /// The highest version of a statement.
    pub async fn statement(&self, kind: Kind, id: u64) -> crate::store::Result<Option<Statement>> {
        self.store.statement(kind, id).await
    }
}

/// An empty cache of at most `bytes_max`, of which a value takes what `bytes` says.
fn cache<K, V>(bytes_max: u64, bytes: fn(&V) -> u32) -> Cache<K, Arc<V>>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    Cache::builder().weigher(move |_, value: &Arc<V>| bytes(value)).max_capacity(bytes_max).build()
}

/// Makes stale what was made from any of `touched`.
fn make_stale(watch: &Watch, blocks: &Cache<Block, Arc<BlockView>>, touched: &HashSet<Watched>) {
    watch.touch(touched);
    for touched in touched {
        if let Watched::Code(block, offset) = touched
            && let Some(block) = blocks.get(block)
        {
            block.forget(*offset);
        }
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
