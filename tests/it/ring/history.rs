//! What was acknowledged, and whether it is there.

use std::{
    collections::HashSet,
    fmt,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use reqwest::StatusCode;
use serde_json::Value;

use super::load::{Answer, Asked, Took};
use crate::cluster::{Cluster, PATIENCE, Server};

/// Look-ups at the same time.
const AT_ONCE: usize = 8;

/// All that was answered, and what was acknowledged: captured events by their paths, ordered runs with their first codes.
#[derive(Default)]
pub struct History {
    pub answers: Vec<Answer>,
    pub events: Vec<String>,
    pub orders: Vec<(String, String)>,
}

impl History {
    pub fn add(&mut self, other: Self) {
        self.answers.extend(other.answers);
        self.events.extend(other.events);
        self.orders.extend(other.orders);
    }

    pub fn failed(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|answer| !answer.is_success())
    }

    #[track_caller]
    pub fn is_without_failure(&self) {
        let failed: Vec<_> = self.failed().collect();
        assert!(
            failed.is_empty(),
            "{} of {} failed: {:?}",
            failed.len(),
            self.answers.len(),
            &failed[..failed.len().min(5)]
        );
    }

    /// The longest time in which no capture was acknowledged.
    pub fn longest_silence(&self) -> Duration {
        let good = self.answers.iter().filter(|answer| answer.asked == Asked::Capture && answer.is_success());
        let mut at: Vec<_> = good.map(|answer| answer.sent + answer.took).collect();
        at.sort();
        at.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(Duration::MAX)
    }

    pub fn took(&self, asked: Asked) -> Took {
        Took::of(&self.answers, asked)
    }

    /// Only what was asked before a moment.
    pub fn took_before(&self, moment: Instant, asked: Asked) -> Took {
        let before: Vec<_> = self.answers.iter().filter(|answer| answer.sent < moment).copied().collect();
        Took::of(&before, asked)
    }

    /// Reads everything back on a server that has nothing of it in memory, and has it audited. Of an event that was never
    /// captured it must find that it is not there.
    pub async fn is_there(&mut self, cluster: &mut Cluster) {
        let begun = Instant::now();
        let fresh = cluster.servers.len();
        cluster.add(fresh).await;
        let never = never(&self.events);
        self.events.push(never.clone());
        let lost = self.lost(&cluster.servers[fresh], &cluster.importer).await;
        self.events.pop();
        assert_eq!(lost, [never], "what was acknowledged, and one that never was");
        assert_eq!(self.doubled(), [] as [&str; 0], "numbers that were given twice");
        let (events, orders) = (self.events.len(), self.orders.len());
        println!("{events} events and {orders} orders read back in {:.1?}: 0 lost", begun.elapsed());
        println!("{}", cluster.coldproof(fresh, &["audit"]));
    }

    /// What was acknowledged and is not there, or not once.
    pub async fn lost(&self, server: &Server, key: &str) -> Vec<String> {
        let events = stream::iter(&self.events).map(|path| async move {
            let found = patiently(server, path, key).await;
            let is_there = found.as_ref().is_some_and(|found| {
                found["epcisBody"]["eventList"].as_array().is_some_and(|events| events.len() == 1)
            });
            (!is_there).then(|| path.clone())
        });
        let mut lost: Vec<_> = events.buffered(AT_ONCE).filter_map(std::future::ready).collect().await;
        let orders = stream::iter(&self.orders).map(|(run, first)| async move {
            let found = patiently(server, &format!("/{first}"), "").await;
            let is_there = found.is_some_and(|scan| scan["verdict"] == "genuine");
            (!is_there).then(|| run.clone())
        });
        lost.extend(orders.buffered(AT_ONCE).filter_map(std::future::ready).collect::<Vec<_>>().await);
        lost
    }

    /// Runs whose name was given more than once.
    pub fn doubled(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        self.orders.iter().map(|(run, _)| run.as_str()).filter(|run| !seen.insert(*run)).collect()
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failed().count();
        write!(f, "{} events and {} orders acknowledged, {failed} failed; ", self.events.len(), self.orders.len())?;
        if self.events.len() > 1 {
            write!(f, "longest silence {:.0?}", self.longest_silence())?;
        }
        write!(f, "\n  captures {}", self.took(Asked::Capture))?;
        write!(f, "\n  orders {}\n  scans {}", self.took(Asked::Order), self.took(Asked::Scan))
    }
}

/// The path of an event that nobody captured: another hash.
fn never(events: &[String]) -> String {
    let path = events.first().unwrap();
    let end = path.rfind("%3F").unwrap_or(path.len());
    let last = if path[..end].ends_with('0') { "1" } else { "0" };
    format!("{}{last}{}", &path[..end - 1], &path[end..])
}

/// What a server says, once it is not too busy; `None` for anything but success.
async fn patiently(server: &Server, path: &str, key: &str) -> Option<Value> {
    let begun = Instant::now();
    loop {
        let reply = server.get(path, key).await;
        if reply.status != StatusCode::SERVICE_UNAVAILABLE || begun.elapsed() > PATIENCE {
            return reply.status.is_success().then_some(reply.body);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
