//! Several servers on one keyspace, as binaries, each with a folder of its own. Skipped where there is no cluster, as
//! in `store::cluster`.

mod copied;
mod follow;
pub mod killed;
mod stopped;
mod together;

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use coldproof::code::{KeyRing, RunId, Serial};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{
    routes::{GTIN, LOT, Run, document, number, text},
    store::keyspace::Keyspace,
};

/// How long anything may take before a test gives up, on a machine that has other things to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Servers on one keyspace, and the keys of an importer and an inspector.
pub struct Cluster {
    pub keyspace: Keyspace,
    pub servers: Vec<Server>,
    folder: tempfile::TempDir,
    pub importer: String,
    pub inspector: String,
}

/// A server that is running.
pub struct Server {
    process: Child,
    pub base_url: String,
    pub client: Client,
    log: PathBuf,
}

/// An answer, read whole.
pub struct Reply {
    pub status: StatusCode,
    pub body: Value,
}

impl Reply {
    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

impl Cluster {
    /// So many servers, with an importer and an inspector; `None` where there is no cluster.
    pub async fn start(servers: usize) -> Option<Self> {
        Some(Self::on(Keyspace::take().await?, servers).await)
    }

    /// The same on a keyspace that is there.
    pub async fn on(keyspace: Keyspace, servers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (importer, inspector) = Default::default();
        let mut cluster = Self { keyspace, servers: Vec::new(), folder, importer, inspector };
        cluster.coldproof(0, &["keygen"]);
        for number in 0..servers {
            cluster.add(number).await;
        }
        let admin = cluster.coldproof(0, &["keygen", "--admin"]);
        let server = &cluster.servers[0];
        let mut keys = Vec::new();
        for (role, name) in [("importer", "湖南冷链进出口有限公司"), ("inspector", "长沙海关")] {
            let body = json!({ "legal_name": name, "roles": [role], "country": "CN" });
            let made = server.make("/v1/organizations", admin.trim(), body).await;
            let body = json!({ "organization": made["id"], "role": role });
            let key = server.make("/v1/keys", admin.trim(), body).await;
            keys.push(text(&key["key"]));
        }
        (cluster.importer, cluster.inspector) = (keys.remove(0), keys.remove(0));
        cluster
    }

    /// Starts a server with the key ring of the first one.
    pub async fn add(&mut self, number: usize) -> &Server {
        let folder = self.folder_of(number);
        fs::create_dir_all(&folder).unwrap();
        if number > 0 {
            fs::copy(self.folder_of(0).join("keyring.toml"), folder.join("keyring.toml")).unwrap();
        }
        let free = free_address();
        let log = folder.join("log");
        let mut process = Command::new(env!("CARGO_BIN_EXE_coldproof"))
            .args(["serve", "--host", "trace.example", "--listen", &free.to_string()])
            .args(["--set", "rate.loopback_exempt=true"])
            .args(self.of(number))
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let base_url = format!("http://{free}");
        while reqwest::get(format!("{base_url}/readyz")).await.is_err() {
            let said = || fs::read_to_string(&log).unwrap();
            assert!(process.try_wait().unwrap().is_none(), "the server ended before it answered: {}", said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.servers.push(Server { process, base_url, client: Client::new(), log });
        self.servers.last().unwrap()
    }

    fn folder_of(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("server-{number}"))
    }

    /// Where the store and the folder of a server are.
    fn of(&self, number: usize) -> Vec<String> {
        let access = &self.keyspace.access;
        let store = format!("cql://{}/{}", access.nodes.join(","), access.keyspace);
        let folder = format!("store.folder={}", self.folder_of(number).display());
        let loss = format!("store.accept_data_loss={}", access.accept_data_loss);
        vec!["--store".to_owned(), store, "--set".to_owned(), folder, "--set".to_owned(), loss]
    }

    /// A command on the keyspace, beside a server.
    fn command(&self, number: usize, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldproof"));
        command.args(args).args(self.of(number));
        command
    }

    /// Runs a command to its end, again where the cluster has too much else to do; what it printed.
    #[track_caller]
    pub fn coldproof(&self, number: usize, args: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let done = self.command(number, args).output().unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (said, complained) = (text(&done.stdout), text(&done.stderr));
            let is_busy = !done.status.success() && complained.contains("(503)");
            if !is_busy || begun.elapsed() > PATIENCE {
                assert!(done.status.success(), "{args:?}: {said}{complained}");
                return said;
            }
        }
    }

    /// A registered batch of 20,000 items, by a server.
    pub async fn batch(&self, server: &Server) -> u64 {
        let key = &self.importer;
        let product = json!({ "gtin": GTIN, "name_zh": "冻南美白虾", "category": "seafood",
            "packaging": [{ "level": "item", "items": 1, "net": { "value": 0.4, "uom": "KGM" } }],
            "storage": { "max_celsius": -18 }, "hs_code": "0306171900" });
        let product = server.make("/v1/products", key, product).await;
        let consignment = json!({ "declaration": "222920261000123456", "origin": "EC", "entry_date": "2026-05-20",
            "port_of_entry": "上海洋山", "consignor": "Sea Ecuador S.A.",
            "quarantine_certificate": { "number": "123456789012", "issuer": "上海海关" },
            "producer": { "name": "Sea Ecuador S.A.", "registration": "CECU16011601150001" } });
        let consignment = server.make("/v1/consignments", key, consignment).await;
        let batch = json!({ "product": product["id"], "lot": LOT, "ai10": LOT,
            "production": { "first": "2026-05-01", "last": "2026-05-03" },
            "expiry": { "first": "2068-06-30", "last": "2068-07-02" },
            "net_weight": { "value": 8000, "uom": "KGM" }, "quantities": { "item": 20_000 } });
        let path = format!("/v1/consignments/{}/batches", consignment["id"]);
        number(&server.make(&path, key, batch).await["id"])
    }

    /// Orders codes at a server.
    pub async fn order(&self, server: &Server, batch: u64, count: u32) -> Reply {
        server.post(&format!("/v1/batches/{batch}/runs"), &self.importer, json!({ "count": count })).await
    }

    /// A run of codes, ordered at a server.
    pub async fn run(&self, server: &Server, batch: u64, count: u32) -> Run {
        let path = format!("/v1/batches/{batch}/runs");
        let made = server.make(&path, &self.importer, json!({ "count": count })).await["runs"][0].clone();
        let (name, first, last) = (text(&made["run"]), text(&made["first"]), text(&made["last"]));
        Run { name, count: number(&made["count"]) as u32, first, last }
    }

    /// The code of a serial of a run.
    pub fn code(&self, run: &Run, serial: u32) -> String {
        let ring = KeyRing::parse(&fs::read_to_string(self.folder_of(0).join("keyring.toml")).unwrap()).unwrap();
        let run: RunId = run.name.parse().unwrap();
        ring.run_key(run).unwrap().code(Serial::new(serial).unwrap()).to_string()
    }

    /// Captures events at a server; again, as a client does, where the cluster has too much else to do.
    pub async fn capture(&self, server: &Server, events: Vec<Value>) -> Reply {
        let (document, begun) = (document(events), Instant::now());
        loop {
            let reply = server.post("/epcis/capture", &self.importer, document.clone()).await;
            if reply.status != StatusCode::SERVICE_UNAVAILABLE || begun.elapsed() > PATIENCE {
                return reply;
            }
        }
    }
}

impl Server {
    pub async fn call(&self, method: Method, path: &str, key: &str, body: Option<Value>) -> Reply {
        Self::sent(self.request(method, path, key, body)).await
    }

    fn request(&self, method: Method, path: &str, key: &str, body: Option<Value>) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.base_url));
        request = request.header("Accept", "application/json");
        if !key.is_empty() {
            request = request.bearer_auth(key);
        }
        match body {
            Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
            None => request,
        }
    }

    async fn sent(request: RequestBuilder) -> Reply {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body = answer.text().await.unwrap();
        Reply { status, body: serde_json::from_str(&body).unwrap_or(Value::String(body)) }
    }

    pub async fn post(&self, path: &str, key: &str, body: Value) -> Reply {
        self.call(Method::POST, path, key, Some(body)).await
    }

    /// What a test needs to begin: sent again, as what it is, where the cluster has too much else to do.
    pub async fn make(&self, path: &str, key: &str, body: Value) -> Value {
        let mut request = self.request(Method::POST, path, key, Some(body));
        // A repeated answer would leave out the secret.
        if path != "/v1/keys" {
            let name = jiff::Timestamp::now().as_nanosecond().to_string();
            request = request.header("Idempotency-Key", name);
        }
        let begun = Instant::now();
        loop {
            let reply = Self::sent(request.try_clone().unwrap()).await;
            if reply.status != StatusCode::SERVICE_UNAVAILABLE || begun.elapsed() > PATIENCE {
                return reply.expect(StatusCode::CREATED);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    pub async fn get(&self, path: &str, key: &str) -> Reply {
        self.call(Method::GET, path, key, None).await
    }

    /// The JSON of anybody's scan.
    pub async fn scan(&self, code: &str) -> Value {
        self.get(&format!("/{code}"), "").await.expect(StatusCode::OK)
    }

    /// Scans a code until `is` holds; what the scan said, and how long that took.
    pub async fn scan_until(&self, code: &str, is: impl Fn(&Value) -> bool) -> (Value, Duration) {
        let begun = Instant::now();
        loop {
            // A server that has heard nothing of the store for a while says so with 503.
            let Reply { status, body: scan } = self.get(&format!("/{code}"), "").await;
            assert!([StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE].contains(&status), "{status}: {scan}");
            if status == StatusCode::OK && is(&scan) {
                return (scan, begun.elapsed());
            }
            assert!(begun.elapsed() < PATIENCE, "it still says {scan}; the log: {}", self.said());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has logged.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it takes another server for dead and has closed its feed.
    pub async fn has_closed_feed_of(&self, other: &Self) {
        let said = other.said();
        let feed = said.lines().find_map(|line| line.split_once("this server writes a new feed feed="));
        let (_, feed) = feed.unwrap_or_else(|| panic!("which feed it writes is not said: {said}"));
        let closed = format!("is not heard of any more was closed feed={feed} ");
        let begun = Instant::now();
        while !self.said().contains(&closed) {
            assert!(begun.elapsed() < PATIENCE, "{closed:?} expected: {}", self.said());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!("its feed was closed after {:.1?}", begun.elapsed());
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// As if the machine had lost its power.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address that nobody listens on. Not of those that the kernel gives to connections, of which others make many.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 100) as u16 * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 1_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// An event that is happening now.
pub fn now(fields: Value) -> Value {
    let mut event = json!({ "type": "ObjectEvent", "action": "OBSERVE", "eventTimeZoneOffset": "+08:00",
        "eventTime": jiff::Timestamp::now().to_string() });
    crate::routes::lay_over(&mut event, fields);
    event
}
