//! A service on a store of its own with one importer, for unit tests.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use object_store::memory::InMemory;

use super::{
    Caller, Service, Settings,
    issue::{Issued, Order},
};
use crate::{
    code::{KeyRing, KeySlot, key_table},
    config::{Config, parse_setting},
    http::App,
    registration::{Activation, Batch, Content, Country, Level, Organization, Product, samples},
    store::{Writer, local::LocalStore},
    trace::{BatchId, ConsignmentId, OrganizationId, ProductId, Role},
};

/// What the admin socket is.
pub(crate) const ADMIN: Caller = Caller { key: None, organization: OrganizationId::SERVICE, role: Role::Admin };

pub(crate) struct World {
    pub service: Arc<Service>,
    pub store: Arc<LocalStore>,
    pub files: Arc<InMemory>,
    pub app: App,
    pub importer: Caller,
    _dir: tempfile::TempDir,
}

impl World {
    /// With product 1 and consignment 1 of the importer.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::open(dir.path()).unwrap();
        let files = Arc::new(InMemory::new());
        let master = std::array::from_fn(|at| at as u8 * 7 + 3);
        let keys = KeyRing::parse(&key_table(KeySlot::new(0).unwrap(), &master, "2026-01-01T00:00:00Z")).unwrap();
        let config = Config::load(None, [], &[parse_setting("server.host=trace.example").unwrap()]).unwrap();
        let settings = Settings {
            host: config.server.host.clone().unwrap(),
            aliases: Vec::new(),
            link_scheme: config.server.link_scheme,
            link_case: config.qr.case,
            zone: config.dates.utc_offset.time_zone(),
            issuing_tolerance_permille: 20,
            unconfirmed_after_ms: 10_000,
            cold_chain: config.cold_chain.rule(),
            misuse: config.misuse.rules(),
            profiles: config.papers.profiles.clone(),
        };
        let now = AtomicI64::new(1_780_000_000_000);
        let clock = Arc::new(move || now.fetch_add(1, Ordering::Relaxed));
        let service = Arc::new(Service::new(store.clone(), files.clone(), Writer(0), keys, settings, clock));
        let app = App::new(service.clone(), config);
        let organization = Organization {
            id: OrganizationId(0),
            legal_name: "厦门海洋食品有限公司".to_owned(),
            public_name: None,
            roles: vec![Role::Importer],
            uscc: None,
            country: Country::parse("CN").unwrap(),
            gs1_prefix: None,
            gln: None,
        };
        let made = service.create_organization(&ADMIN, organization).await.unwrap();
        let importer = Caller { key: None, organization: OrganizationId(made.id), role: Role::Importer };
        service.create_product(&importer, samples::product()).await.unwrap();
        service.create_consignment(&importer, samples::consignment()).await.unwrap();
        Self { service, store, files, app, importer, _dir: dir }
    }

    /// Registers batches of product 1 in consignment 1.
    pub async fn batches(&self, batches: Vec<Batch>) -> Vec<Batch> {
        let made = self.service.create_batches(&self.importer, ConsignmentId(1), batches).await.unwrap();
        made.into_iter().map(|statement| batch_of(statement.content)).collect()
    }

    pub async fn batch(&self, id: BatchId) -> Batch {
        batch_of(self.service.statement(crate::registration::Kind::Batch, id.0).await.unwrap().unwrap().content)
    }

    /// Another product; its number.
    pub async fn product(&self) -> ProductId {
        let product = Product { gtin: "09506000149301".parse().ok(), ..samples::product() };
        ProductId(self.service.create_product(&self.importer, product).await.unwrap().id)
    }

    pub async fn issue(&self, batch: BatchId, count: u32) -> Vec<Issued> {
        let order = Order { count, level: Level::Item, content: None, activate: Activation::OnIssue };
        self.service.issue(&self.importer, batch, &order).await.unwrap()
    }
}

fn batch_of(content: Content) -> Batch {
    match content {
        Content::Batch(batch) => batch,
        other => panic!("{other:?}"),
    }
}
