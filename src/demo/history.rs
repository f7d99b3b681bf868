//! What happens day by day, captured in documents as enterprises upload them: each collects its reports until they are
//! a thousand, and sends the rest in the end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::civil::Date;
use tokio::task::JoinSet;

use super::{
    fill::{Error, Result},
    report::{By, Report},
    tell::{Cast, Labels, event, midnight_ms},
};
use crate::{
    epcis::DocumentError,
    limits::{DEMO_CAPTURES_AT_ONCE, DEMO_DOCUMENT_EVENTS},
    service::Service,
};

/// A report with the codes that it speaks of.
type Said = (Report, Arc<Labels>);

/// Reports on their way into the service.
pub struct History {
    service: Arc<Service>,
    cast: Arc<Cast>,
    labels: HashMap<u32, Arc<Labels>>,
    /// Reports of days to come.
    ahead: BTreeMap<i64, Vec<Report>>,
    /// What each has not sent yet.
    waiting: HashMap<By, Vec<Report>>,
    sending: JoinSet<Result<u64>>,
    first_ms: i64,
    events: u64,
}

impl History {
    /// Nothing has happened before the first day.
    pub fn new(service: Arc<Service>, cast: Arc<Cast>, first_day: Date) -> Self {
        Self {
            service,
            cast,
            labels: HashMap::new(),
            ahead: BTreeMap::new(),
            waiting: HashMap::new(),
            sending: JoinSet::new(),
            first_ms: midnight_ms(first_day),
            events: 0,
        }
    }

    /// How many events were captured.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Adds what will be reported of a batch.
    pub fn add(&mut self, batch: u32, labels: &Arc<Labels>, reports: Vec<Report>) {
        self.labels.insert(batch, Arc::clone(labels));
        for report in reports {
            self.ahead.entry(self.day(report.at_ms)).or_default().push(report);
        }
    }

    /// What happened before the first day is told on it.
    fn day(&self, at_ms: i64) -> i64 {
        (at_ms - self.first_ms).div_euclid(super::journey::DAY_MS).max(0)
    }

    /// Collects the reports of a day and of those before it, and sends full documents.
    ///
    /// # Errors
    /// Where one is refused.
    pub async fn end_day(&mut self, day: Date) -> Result<()> {
        let later = self.ahead.split_off(&(self.day(midnight_ms(day)) + 1));
        for report in std::mem::replace(&mut self.ahead, later).into_values().flatten() {
            let waiting = self.waiting.entry(report.by).or_default();
            waiting.push(report);
            if waiting.len() >= DEMO_DOCUMENT_EVENTS {
                let reports = std::mem::take(waiting);
                self.send(report.by, reports).await?;
            }
        }
        Ok(())
    }

    /// Sends everything that is left.
    ///
    /// # Errors
    /// Where a document is refused.
    pub async fn end(&mut self) -> Result<()> {
        let mut left: Vec<_> = std::mem::take(&mut self.waiting).into_iter().collect();
        left.sort_unstable_by_key(|(by, _)| *by);
        for (by, reports) in left {
            self.send(by, reports).await?;
        }
        while let Some(sent) = self.sending.join_next().await {
            self.events += sent??;
        }
        Ok(())
    }

    async fn send(&mut self, by: By, reports: Vec<Report>) -> Result<()> {
        while self.sending.len() >= DEMO_CAPTURES_AT_ONCE
            && let Some(sent) = self.sending.join_next().await
        {
            self.events += sent??;
        }
        if reports.is_empty() {
            return Ok(());
        }
        let said = reports.into_iter();
        let said: Vec<Said> =
            said.filter_map(|report| Some((report, Arc::clone(self.labels.get(&report.batch)?)))).collect();
        let (service, cast) = (Arc::clone(&self.service), Arc::clone(&self.cast));
        self.sending.spawn(async move { capture(&service, &cast, by, said).await });
        Ok(())
    }
}

/// Captures one document; gives how many events it has.
pub async fn capture(service: &Service, cast: &Cast, by: By, said: Vec<Said>) -> Result<u64> {
    let caller = cast.caller(by).ok_or(Error::Lacks("organization"))?;
    let bodies = tokio::task::block_in_place(|| {
        let bodies = said.iter().map(|(report, labels)| Ok(event(report, labels, cast, &service.hosts)?.body));
        bodies.collect::<std::result::Result<Vec<String>, DocumentError>>()
    })?;
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    service.capture_made(caller, &bodies).await?;
    Ok(bodies.len() as u64)
}
