//! Alerts: what scans of a code say of copies, told once to whose goods they are.
//!
//! A scan puts what it notices into memory; whoever flushes scan sums writes it. The capture of an alert has its code and
//! rule in its name, so that it is written once, on any number of servers and after any restart.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::{Caller, Counter, Service, scan::KeptRun};
use crate::{
    code::{Code, RunId, Serial},
    limits::{ALERTS_KNOWN_MAX, ALERTS_OF_BATCH_MAX, ALERTS_WAITING_MAX, PAGE_ITEMS_MAX},
    registration::{Alert, Content, Kind, Level, Parent, Statement},
    store::{self, Writes},
    trace::{BatchId, CaptureId, Notice, OrganizationId, Role, ScanSum},
};

/// What a scan noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    run: RunId,
    serial: Serial,
    batch: BatchId,
    organization: OrganizationId,
    level: Level,
    notice: Notice,
    noticed_ms: i64,
    scans: u64,
    regions: u32,
}

impl Raised {
    /// Of a code's scans at a time.
    pub fn new(code: &Code, run: &KeptRun, sum: &ScanSum, notice: Notice, now_ms: i64) -> Self {
        Self {
            run: code.run,
            serial: code.serial,
            batch: run.batch,
            organization: run.importer,
            level: run.level,
            notice,
            noticed_ms: now_ms,
            scans: sum.count,
            regions: u32::try_from(sum.places.regions()).unwrap_or(u32::MAX),
        }
    }

    fn key(&self) -> Told {
        (self.run, self.serial, self.notice)
    }
}

/// A code and a rule.
type Told = (RunId, Serial, Notice);

/// The identity of the capture that carries an alert:
/// `SHA-256("coldproof/alert/1" || u32be run || u32be serial || notice)`.
pub fn alert_capture_id(run: RunId, serial: Serial, notice: Notice) -> CaptureId {
    let mut digest = Sha256::new();
    digest.update(b"coldproof/alert/1");
    digest.update(run.bits().to_be_bytes());
    digest.update(serial.get().to_be_bytes());
    digest.update(notice.word());
    CaptureId(digest.finalize().into())
}

/// What was noticed and is not written yet.
#[derive(Debug, Default)]
pub struct AlertQueue(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Raised>,
    /// What waits or was written.
    known: HashSet<Told>,
}

impl AlertQueue {
    /// Remembers what a scan noticed, once for each code and rule.
    pub fn raise(&self, raised: Raised) {
        let queue = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.waiting.len() < ALERTS_WAITING_MAX && !queue.known.contains(&raised.key()) {
            if queue.known.len() >= ALERTS_KNOWN_MAX {
                queue.known.clear();
            }
            queue.known.insert(raised.key());
            queue.waiting.push(raised);
        }
    }

    fn take(&self) -> Vec<Raised> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting)
    }

    fn put_back(&self, unwritten: impl IntoIterator<Item = Raised>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting.extend(unwritten);
    }
}

impl Service {
    /// Writes what scans noticed. What the store does not take stays. Returns how many alerts are new.
    ///
    /// # Errors
    /// The first of the store's.
    pub async fn write_alerts(&self) -> store::Result<usize> {
        let mut waiting = self.alerts.take().into_iter();
        let mut written = 0;
        while let Some(raised) = waiting.next() {
            match self.write_alert(&raised).await {
                Ok(new) => written += usize::from(new),
                Err(error) => {
                    self.alerts.put_back(std::iter::once(raised).chain(waiting));
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    async fn write_alert(&self, raised: &Raised) -> store::Result<bool> {
        let id = alert_capture_id(raised.run, raised.serial, raised.notice);
        if self.store.capture(id).await?.is_some() {
            return Ok(false);
        }
        let of_batch = Parent::Batch(raised.batch.0);
        if self.store.children(&of_batch, Kind::Alert, None, ALERTS_OF_BATCH_MAX).await?.len() >= ALERTS_OF_BATCH_MAX {
            tracing::warn!(batch = %raised.batch, "scans were noticed, and the batch has all the alerts that are kept");
            return Ok(false);
        }
        let number = self.next_number(Counter::Alerts).await?;
        let Raised { run, serial, batch, organization, level, notice, noticed_ms, scans, regions } = *raised;
        let alert = Alert { number, organization, batch, run, serial, level, notice, noticed_ms, scans, regions };
        let statement = Statement {
            kind: Kind::Alert,
            id: Alert::statement_id(number),
            version: 1,
            parents: vec![Parent::All, Parent::Organization(organization.0), of_batch],
            content: Content::Alert(alert),
            author: OrganizationId::SERVICE,
            written_ms: self.now_ms(),
        };
        let service = Caller { key: None, organization: OrganizationId::SERVICE, role: Role::Admin };
        let ours = statement.id;
        let capture = service.capture(id, 0, std::slice::from_ref(&statement), statement.written_ms);
        let capture = self.commit(capture, Writes { statements: vec![statement], ..Writes::default() }).await?;
        let is_new = capture.statements.iter().any(|(_, id, _)| *id == ours);
        if is_new {
            metrics::counter!("coldproof_copy_notices_total", "notice" => notice.word()).increment(1);
        }
        Ok(is_new)
    }

    /// Alerts on an importer's goods, or on all, newest first, those before number `before`; at most `limit` and
    /// `PAGE_ITEMS_MAX`.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn alerts(
        &self,
        of: Option<OrganizationId>,
        before: Option<u64>,
        limit: usize,
    ) -> store::Result<Vec<Alert>> {
        let parent = of.map_or(Parent::All, |of| Parent::Organization(of.0));
        let after = before.map(Alert::statement_id);
        let mut alerts = Vec::new();
        for id in self.store.children(&parent, Kind::Alert, after, limit.min(PAGE_ITEMS_MAX)).await? {
            if let Some(Content::Alert(alert)) = self.statement(Kind::Alert, id).await?.map(|found| found.content) {
                alerts.push(alert);
            }
        }
        Ok(alerts)
    }
}
