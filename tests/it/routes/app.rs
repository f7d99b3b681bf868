//! The whole service in this process, over a store of its own, with a clock that the test moves.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use coldproof::{
    code::{Code, KeyRing, KeySlot, RunId, Serial, key_table},
    config::{Config, parse_setting},
    http::{
        App,
        layers::{Front, layered},
        router::router,
    },
    service::{
        Caller, Service, Settings,
        backup::{BackupError, Restoration},
    },
    store::Store,
    trace::{OrganizationId, Role},
};
use object_store::local::LocalFileSystem;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{
    document,
    engine::{Closed, Engine},
    lay_over, number, text,
};

/// The GTIN of the product that [`TestApp::goods`] registers.
pub const GTIN: &str = "09506000134352";
/// The lot of its batch, as text and as AI 10.
pub const LOT: &str = "L-2026-07";
/// When a test begins: 2026-06-01T00:00:00Z.
pub const START_MS: i64 = 1_780_272_000_000;
pub const HOUR_MS: i64 = 3_600_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// The keys of four organizations: 1 and 2 import, 3 operates, 4 inspects.
#[derive(Clone, Default)]
pub struct Keys {
    pub importer: String,
    pub other: String,
    pub operator: String,
    pub inspector: String,
}

pub struct TestApp {
    pub router: Front,
    pub service: Arc<Service>,
    pub store: Engine,
    pub keys: Keys,
    clock: Arc<AtomicI64>,
    folder: tempfile::TempDir,
}

/// A batch of 20,000 items of 0.4 kg.
#[derive(Clone, Copy)]
pub struct Goods {
    pub product: u64,
    pub consignment: u64,
    pub batch: u64,
}

/// A run, as an order answers it.
#[derive(Clone, Debug)]
pub struct Run {
    pub name: String,
    pub count: u32,
    pub first: String,
    pub last: String,
}

/// The key ring of a new store: one key in slot 0.
pub fn ring() -> String {
    key_table(KeySlot::new(0).unwrap(), &[7, 8].repeat(16).try_into().unwrap(), "2026-01-01T00:00:00Z").to_string()
}

/// A ring with the key of slot 0 retired, and a second one.
pub fn rotated_ring() -> String {
    let second = key_table(KeySlot::new(1).unwrap(), &[9, 8].repeat(16).try_into().unwrap(), "2026-05-01T00:00:00Z");
    format!("{}retired = true\n{}", ring(), *second)
}

impl TestApp {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With settings over the defaults, such as `rate.failed_tag_cost=7`.
    pub async fn with(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("files")).unwrap();
        let clock = Arc::new(AtomicI64::new(START_MS));
        let mut app =
            Self::open(Closed::new().await, folder, &ring(), settings, Keys::default(), clock, |store| store).await;
        for (role, name) in [
            ("importer", "湖南冷链进出口有限公司"),
            ("importer", "厦门海洋食品有限公司"),
            ("operator", "长沙北站冷库有限公司"),
            ("inspector", "长沙海关"),
        ] {
            let body = json!({ "legal_name": name, "roles": [role], "country": "CN" });
            let organization = app.post("/v1/organizations", "", body).await.expect(StatusCode::CREATED);
            let key = app.new_key(organization["id"].as_u64().unwrap(), role).await;
            match organization["id"].as_u64() {
                Some(1) => app.keys.importer = key,
                Some(2) => app.keys.other = key,
                Some(3) => app.keys.operator = key,
                _ => app.keys.inspector = key,
            }
        }
        app
    }

    async fn open(
        closed: Closed,
        folder: tempfile::TempDir,
        ring: &str,
        settings: &[&str],
        keys: Keys,
        clock: Arc<AtomicI64>,
        wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Self {
        let store = closed.open(&folder.path().join("store")).await;
        let (kept, writer) = store.store();
        let files = LocalFileSystem::new_with_prefix(folder.path().join("files")).unwrap();
        let location = format!("store.location=embedded:{}", folder.path().join("store").display());
        let fixed = [parse_setting("server.host=trace.example").unwrap(), parse_setting(&location).unwrap()];
        let settings: Vec<_> = settings.iter().map(|setting| parse_setting(setting).unwrap()).chain(fixed).collect();
        let config = Config::load(None, [], &settings).unwrap();
        let settings = Settings {
            host: config.server.host.clone().unwrap(),
            aliases: Vec::new(),
            link_scheme: config.server.link_scheme,
            link_case: config.qr.case,
            zone: config.dates.utc_offset.time_zone(),
            issuing_tolerance_permille: config.issuing.tolerance_permille,
            unconfirmed_after_ms: config.store.unconfirmed_after_ms,
            cold_chain: config.cold_chain.rule(),
            misuse: config.misuse.rules(),
            profiles: config.papers.profiles.clone(),
        };
        let time = clock.clone();
        let time = Arc::new(move || time.load(Ordering::Relaxed));
        let ring = KeyRing::parse(ring).unwrap();
        let service = Arc::new(Service::new(wrap(kept), Arc::new(files), writer, ring, settings, time));
        let app = App::new(service.clone(), config);
        Self { router: layered(router(app.clone()), app, 1), service, store, keys, clock, folder }
    }

    /// Stops cleanly and starts again on the same folder, with another key ring.
    pub async fn restart(self, ring: &str) -> Self {
        self.restart_over(ring, |store| store).await
    }

    /// As [`TestApp::restart`], with the store wrapped for the service.
    pub async fn restart_over(self, ring: &str, wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        let Self { router, service, store, keys, clock, folder } = self;
        let closed = store.close().await;
        drop((router, service));
        let app = Self::open(closed, folder, ring, &[], keys, clock, wrap).await;
        app.service.load_measures().await.unwrap();
        app.service.load_parties().await.unwrap();
        app
    }

    /// A backup, as it comes through the admin socket.
    pub async fn backup(&self) -> Vec<u8> {
        let reply = self.post("/v1/backup", "", json!({})).await;
        reply.expect(StatusCode::OK);
        reply.body
    }

    /// The service over a store restored from a backup, with the same clock; what was restored is in its folder.
    pub async fn restored(&self, backup: &[u8], ring: &str) -> Result<Self, BackupError> {
        let folder = tempfile::tempdir().unwrap();
        let closed = restore_into(folder.path(), backup).await?;
        Ok(Self::open(closed, folder, ring, &[], self.keys.clone(), self.clock.clone(), |store| store).await)
    }

    /// The folder of the store.
    pub fn store_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("store")
    }

    /// Stops, lets `change` work on the store's folder, and starts again.
    pub async fn tampered(self, change: impl AsyncFnOnce(&Path)) -> Self {
        let Self { router, service, store, keys, clock, folder } = self;
        let closed = store.close().await;
        drop((router, service));
        change(&folder.path().join("store")).await;
        Self::open(closed, folder, &ring(), &[], keys, clock, |store| store).await
    }

    pub fn move_clock(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn set_clock(&self, rfc3339: &str) {
        let time: jiff::Timestamp = rfc3339.parse().unwrap();
        self.clock.store(time.as_millisecond(), Ordering::Relaxed);
    }

    pub async fn new_key(&self, organization: u64, role: &str) -> String {
        let body = json!({ "organization": organization, "role": role });
        let key = self.post("/v1/keys", "", body).await.expect(StatusCode::CREATED);
        key["key"].as_str().unwrap().to_owned()
    }

    /// A request; without a key it is anybody's.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        Call { router: self.router.clone(), request }
    }

    /// A request with JSON and a key; an empty key is the admin socket's.
    pub async fn post(&self, path: &str, key: &str, body: Value) -> Reply {
        self.call("POST", path).key(key).json(&body).send().await
    }

    pub async fn patch(&self, path: &str, key: &str, body: Value) -> Reply {
        self.call("PATCH", path).key(key).json(&body).send().await
    }

    pub async fn get(&self, path: &str, key: &str) -> Reply {
        self.call("GET", path).key(key).send().await
    }

    /// The JSON of anybody's scan.
    pub async fn scan(&self, path: &str) -> Value {
        self.call("GET", path).send().await.expect(StatusCode::OK)
    }

    /// Verdict and state of a code, without counting as a scan.
    pub async fn status(&self, code: &str) -> (String, String) {
        let scan = self.get(&format!("/{code}"), &self.keys.inspector).await.expect(StatusCode::OK);
        (text(&scan["verdict"]), text(&scan["state"]))
    }

    /// A registered batch of the importer: 8,000 kg net, 20,000 items, expiring from 2028-06-30 to 2028-07-02.
    pub async fn goods(&self) -> Goods {
        self.goods_of(&self.keys.importer, json!({})).await
    }

    /// The same of anybody; `batch` overrides fields.
    pub async fn goods_of(&self, key: &str, batch: Value) -> Goods {
        let product = json!({ "gtin": GTIN, "name_zh": "冻南美白虾", "name_en": "Vannamei shrimp", "category": "seafood",
            "packaging": [{ "level": "item", "items": 1, "net": { "value": 0.4, "uom": "KGM" } }],
            "storage": { "max_celsius": -18 }, "hs_code": "0306171900" });
        let product = self.post("/v1/products", key, product).await.expect(StatusCode::CREATED);
        let consignment = json!({ "declaration": "222920261000123456", "origin": "EC", "entry_date": "2026-05-20",
            "port_of_entry": "上海洋山", "consignor": "Sea Ecuador S.A.",
            "quarantine_certificate": { "number": "123456789012", "issuer": "上海海关" },
            "producer": { "name": "Sea Ecuador S.A.", "registration": "CECU16011601150001" } });
        let consignment = self.post("/v1/consignments", key, consignment).await.expect(StatusCode::CREATED);
        let goods = Goods { product: number(&product["id"]), consignment: number(&consignment["id"]), batch: 0 };
        Goods { batch: self.batch(key, goods, batch).await, ..goods }
    }

    /// Another batch of the same product and consignment.
    pub async fn batch(&self, key: &str, goods: Goods, over: Value) -> u64 {
        let mut batch = json!({ "product": goods.product, "lot": LOT, "ai10": LOT,
            "production": { "first": "2026-05-01", "last": "2026-05-03" },
            "expiry": { "first": "2028-06-30", "last": "2028-07-02" },
            "net_weight": { "value": 8000, "uom": "KGM" }, "quantities": { "item": 20_000 } });
        lay_over(&mut batch, over);
        let path = format!("/v1/consignments/{}/batches", goods.consignment);
        number(&self.post(&path, key, batch).await.expect(StatusCode::CREATED)["id"])
    }

    /// Orders codes as the importer.
    pub async fn order(&self, batch: u64, order: Value) -> Vec<Run> {
        self.order_as(&self.keys.importer, batch, order).await
    }

    /// Codes of a batch, ordered with a key.
    pub async fn order_as(&self, key: &str, batch: u64, order: Value) -> Vec<Run> {
        let path = format!("/v1/batches/{batch}/runs");
        let runs = self.post(&path, key, order).await.expect(StatusCode::CREATED);
        let run = |run: &Value| Run {
            name: text(&run["run"]),
            count: number(&run["count"]) as u32,
            first: text(&run["first"]),
            last: text(&run["last"]),
        };
        runs["runs"].as_array().unwrap().iter().map(run).collect()
    }

    /// A run of a batch of its own, its codes active.
    pub async fn run(&self, count: u32) -> (Goods, Run) {
        let goods = self.goods().await;
        let run = self.order(goods.batch, json!({ "count": count })).await.remove(0);
        (goods, run)
    }

    /// The code of any serial of a run, issued or not: with a tag that proves it.
    pub fn code(&self, run: &str, serial: u32) -> String {
        let run: RunId = run.parse().unwrap();
        let code: Code = self.service.keys.run_key(run).unwrap().code(Serial::new(serial).unwrap());
        code.to_string()
    }

    /// Captures a document of these events.
    pub async fn capture(&self, key: &str, events: Vec<Value>) -> Reply {
        self.call("POST", "/epcis/capture").key(key).json(&document(events)).send().await
    }

    /// How many keys the store holds.
    pub async fn stored_keys(&self) -> u64 {
        let report = self.store.verify().await.unwrap();
        assert!(report.is_clean(), "{report:?}");
        report.keys
    }

    /// The findings of an audit.
    pub async fn audit(&self) -> Vec<String> {
        self.service.audit().await.unwrap().findings
    }
}

/// Restores a backup into an empty store and the folder of a service.
pub async fn restore_into(folder: &Path, backup: &[u8]) -> Result<Closed, BackupError> {
    std::fs::create_dir_all(folder.join("files")).unwrap();
    let files = LocalFileSystem::new_with_prefix(folder.join("files")).unwrap();
    let closed = Closed::new().await;
    let restoration = Restoration { ring: None, begun_ms: START_MS };
    closed.restore(&folder.join("store"), &files, backup, restoration).await?;
    Ok(closed)
}

/// A request being made.
pub struct Call {
    router: Front,
    request: Request<Body>,
}

impl Call {
    pub fn key(mut self, key: &str) -> Self {
        if key.is_empty() {
            let admin = Caller { key: None, organization: OrganizationId(0), role: Role::Admin };
            self.request.extensions_mut().insert(admin);
            return self;
        }
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().unwrap());
        self
    }

    pub fn from(mut self, address: &str) -> Self {
        let address: SocketAddr = format!("{address}:4711").parse().unwrap();
        self.request.extensions_mut().insert(ConnectInfo(address));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn body(mut self, media_type: &str, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self.header("content-type", media_type)
    }

    /// The response with its body unread.
    pub async fn open(self) -> axum::response::Response {
        self.router.oneshot(self.request).await.unwrap()
    }

    pub async fn send(self) -> Reply {
        let (parts, body) = self.open().await.into_parts();
        let body = to_bytes(body, 64 << 20).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

/// An answer, read whole.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Its JSON, where it has this status.
    #[track_caller]
    pub fn expect(&self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Its problem, where it has this status and is one that says something.
    #[track_caller]
    pub fn refused(&self, status: StatusCode) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{problem}");
        assert_eq!(problem["status"], status.as_u16(), "{problem}");
        assert!(
            problem["type"].is_string() && problem["detail"].as_str().is_some_and(|it| !it.is_empty()),
            "{problem}"
        );
        problem
    }

    /// A capture that was accepted: the id of the job.
    #[track_caller]
    pub fn accepted(&self) -> String {
        let job = self.expect(StatusCode::ACCEPTED);
        assert_eq!((&job["running"], &job["success"]), (&json!(false), &json!(true)), "{job}");
        assert_eq!(self.header(header::LOCATION.as_str()), format!("/epcis/capture/{}", text(&job["captureID"])));
        text(&job["captureID"])
    }
}
