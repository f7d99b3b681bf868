//! Load on a server: captures and orders one after the other, and scans of codes that are in its memory.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::history::History;
use crate::{
    cluster::{Cluster, PATIENCE, now},
    routes::{Run, both, document, span, text},
};

/// Callers that capture at the same time.
const WRITERS: usize = 2;
/// Codes that are scanned, and so in memory.
const SCANNED: u32 = 50;
/// Codes of the run that is written about.
const CODES: u32 = 10_000;
/// Between two scans, and behind a request that failed.
const PAUSE: Duration = Duration::from_millis(20);
/// Between the beginnings of two captures of a caller, and of two orders, at least. Three nodes, a server and the load may have two
/// processors, for which this is little: busy, they would answer late whatever happens to a node.
const PACE: Duration = Duration::from_millis(200);
const ORDER_PACE: Duration = Duration::from_secs(1);

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Capture,
    Order,
    Scan,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub asked: Asked,
    /// `None` where the connection broke.
    pub status: Option<StatusCode>,
    /// Whether it says when to come again.
    pub says_when: bool,
    pub sent: Instant,
    pub took: Duration,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| status.is_success())
    }
}

/// Whom the load is for: the goods of one batch.
#[derive(Clone)]
pub struct Goods {
    base_url: String,
    client: reqwest::Client,
    key: String,
    batch: u64,
    codes: Arc<Vec<String>>,
    /// The number of the next event.
    next: Arc<AtomicU32>,
}

impl Goods {
    /// A batch of one of a cluster's servers, and the codes of a run, the first of which have been scanned.
    pub async fn of(cluster: &Cluster, server: usize) -> Self {
        let server = &cluster.servers[server];
        let batch = cluster.batch(server).await;
        let run: Run = cluster.run(server, batch, CODES).await;
        let codes: Vec<_> = (0..CODES).map(|serial| cluster.code(&run, serial)).collect();
        for code in codes.iter().take(SCANNED as usize) {
            server.scan_until(code, |scan| scan["verdict"] == "genuine").await;
        }
        let (base_url, client) = (server.base_url.clone(), server.client.clone());
        Self { base_url, client, key: cluster.importer.clone(), batch, codes: Arc::new(codes), next: Arc::default() }
    }

    /// A code that nobody has asked for.
    pub fn cold(&self) -> &str {
        self.codes.last().unwrap()
    }

    /// The event of a number. None is of a code that is scanned, so that those stay in memory as they are.
    fn event(&self) -> Value {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let code = &self.codes[(SCANNED + number % (CODES - SCANNED - 1)) as usize];
        let time = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1_780_000_000 - i64::from(number));
        let mut event = now(both(
            span(self.batch, code, code, 1),
            json!({ "bizStep": "inspecting", "eventTime": time.to_string() }),
        ));
        event["@context"] = document(vec![])["@context"].clone();
        event
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.base_url)).bearer_auth(&self.key);
        request.header("Content-Type", "application/json").timeout(PATIENCE).body(body.to_string())
    }

    /// Writes until it is told to stop: captures, or orders of one code each.
    async fn write(self, asked: Asked, stop: Arc<AtomicBool>) -> History {
        let mut history = History::default();
        while !stop.load(Ordering::Relaxed) {
            let request = match asked {
                Asked::Order => self.post(&format!("/v1/batches/{}/runs", self.batch), &json!({ "count": 1 })),
                _ => self.post("/epcis/events", &self.event()),
            };
            let sent = Instant::now();
            let answered = request.send().await;
            let took = sent.elapsed();
            let status = answered.as_ref().ok().map(|answer| answer.status());
            let header = |name: &str| {
                let value = answered.as_ref().ok()?.headers().get(name)?;
                value.to_str().ok().map(str::to_owned)
            };
            let answer = Answer { asked, status, says_when: header("retry-after").is_some(), sent, took };
            history.answers.push(answer);
            if !answer.is_success() {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            match asked {
                Asked::Order => {
                    let made: Value = answered.unwrap().json().await.unwrap();
                    history.orders.push((text(&made["runs"][0]["run"]), text(&made["runs"][0]["first"])));
                    tokio::time::sleep(ORDER_PACE.saturating_sub(sent.elapsed())).await;
                }
                _ => {
                    history.events.push(header("location").unwrap());
                    tokio::time::sleep(PACE.saturating_sub(sent.elapsed())).await;
                }
            }
        }
        history
    }

    async fn scan(self, stop: Arc<AtomicBool>) -> History {
        let mut history = History::default();
        let mut codes = self.codes.iter().take(SCANNED as usize).cycle();
        while let Some(code) = codes.next().filter(|_| !stop.load(Ordering::Relaxed)) {
            let request = self.client.get(format!("{}/{code}", self.base_url)).header("Accept", "application/json");
            let sent = Instant::now();
            let status = request.timeout(PATIENCE).send().await.ok().map(|answer| answer.status());
            let took = sent.elapsed();
            history.answers.push(Answer { asked: Asked::Scan, status, says_when: false, sent, took });
            tokio::time::sleep(PAUSE).await;
        }
        history
    }
}

/// Load that is under way.
pub struct Load {
    callers: Vec<JoinHandle<History>>,
    stop: Arc<AtomicBool>,
}

impl Load {
    pub fn on(goods: &Goods) -> Self {
        Self::of(goods, WRITERS)
    }

    /// With so many callers that capture.
    pub fn of(goods: &Goods, writers: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let writers = std::iter::repeat_n(Asked::Capture, writers).chain([Asked::Order]);
        let mut callers: Vec<_> =
            writers.map(|asked| tokio::spawn(goods.clone().write(asked, Arc::clone(&stop)))).collect();
        callers.push(tokio::spawn(goods.clone().scan(Arc::clone(&stop))));
        Self { callers, stop }
    }

    /// Ends it, each caller behind the answer that it waits for.
    pub async fn end(self) -> History {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = History::default();
        for caller in self.callers {
            all.add(caller.await.unwrap());
        }
        println!("{all}");
        all
    }
}

/// How long answers of one kind took.
pub struct Took(Vec<Duration>);

impl Took {
    pub fn of(answers: &[Answer], asked: Asked) -> Self {
        let mut took: Vec<_> =
            answers.iter().filter(|answer| answer.asked == asked).map(|answer| answer.took).collect();
        took.sort();
        Self(took)
    }

    pub fn permille(&self, permille: usize) -> Duration {
        self.0.get((self.0.len() * permille / 1_000).min(self.0.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = self.0.len();
        write!(f, "{many}, p50 {:.0?}, p99 {:.0?}", self.permille(500), self.permille(990))?;
        write!(f, ", p99.9 {:.0?}, max {:.0?}", self.permille(999), self.permille(1_000))
    }
}
