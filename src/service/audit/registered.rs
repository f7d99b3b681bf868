//! What is registered: uploaded files are there and unaltered, every run is its batch's own, issued totals and counters
//! lie above what they count.

use super::Audit;
use crate::{
    limits::{AUDIT_THINGS_AT_ONCE, PAGE_ITEMS_MAX},
    registration::{Alert, Content, FileHash, Kind, Live, Parent, Run, StoredFile},
    service::{Counter, issue, register::RegisterError},
    store::{self, patiently},
    trace::{BatchId, MeasureId, Part, Scope},
};

/// The kinds that are numbered by a counter of their own.
const COUNTED: [(Kind, Counter); 9] = [
    (Kind::Organization, Counter::Organizations),
    (Kind::Key, Counter::Keys),
    (Kind::Product, Counter::Products),
    (Kind::Consignment, Counter::Consignments),
    (Kind::Batch, Counter::Batches),
    (Kind::Document, Counter::Documents),
    (Kind::Measure, Counter::Measures),
    (Kind::Alert, Counter::Alerts),
    (Kind::Look, Counter::Looks),
];

/// The number that a counter gave to a statement: alerts are listed backward.
fn number_of(kind: Kind, id: u64) -> u64 {
    if kind == Kind::Alert { Alert::statement_id(id) } else { id }
}

impl Audit<'_> {
    /// Everything registered, kind by kind. Counters are read after what they count, so that what comes meanwhile is no
    /// finding.
    pub(super) async fn registered(&mut self) -> store::Result<()> {
        let (service, known) = (self.service, self.known);
        for (kind, counter) in COUNTED {
            let (mut highest, mut after) = (None, None);
            loop {
                let page = patiently(|| self.service.store.children(&Parent::All, kind, after, PAGE_ITEMS_MAX)).await;
                let page = self.sound(page)?.unwrap_or_default();
                let Some(last) = page.last() else { break };
                after = Some(*last);
                highest = highest.max(page.iter().map(|id| number_of(kind, *id)).max());
                let parts = page.into_iter().map(|id| async move {
                    let mut part = Audit::new(service, known);
                    part.one(kind, id).await?;
                    Ok(part)
                });
                self.parts(parts, AUDIT_THINGS_AT_ONCE).await?;
            }
            self.counter(counter, highest).await?;
        }
        self.restored().await?;
        for (slot, highest) in (0..).zip(self.highest_runs) {
            if let Some(slot) = crate::code::KeySlot::new(slot) {
                self.counter(Counter::Runs(slot), highest).await?;
            }
        }
        Ok(())
    }

    async fn one(&mut self, kind: Kind, id: u64) -> store::Result<()> {
        self.report.checked += 1;
        match kind {
            Kind::Product | Kind::Document => self.files(kind, id).await,
            Kind::Batch => self.runs(BatchId(id)).await,
            Kind::Measure => self.measure(MeasureId(id)).await,
            _ => Ok(()),
        }
    }

    /// A counter stands above the highest number in use.
    async fn counter(&mut self, counter: Counter, highest: Option<u64>) -> store::Result<()> {
        let first_free = patiently(|| self.service.first_free_number(counter)).await;
        let Some(first_free) = self.sound(first_free)? else { return Ok(()) };
        if let Some(highest) = highest.filter(|highest| *highest >= first_free) {
            self.find(|| format!("counter of {counter:?}: its next number is {first_free}, {highest} is in use"));
        }
        Ok(())
    }

    /// A batch's runs are its own, and its issued total counts them all.
    async fn runs(&mut self, batch: BatchId) -> store::Result<()> {
        let mut runs = Vec::new();
        for parent in [Parent::Batch(batch.0), Parent::Splits(batch.0)] {
            let listed = patiently(|| self.service.runs_under(&parent)).await;
            runs.extend(self.sound(listed)?.unwrap_or_default());
        }
        for run in runs {
            if run.batch != batch {
                self.find(|| format!("run {}: it is listed under batch {batch} and is of {}", run.id, run.batch));
            }
            if run.split {
                self.portions(&run).await?;
            }
            if let Some(highest) = self.highest_runs.get_mut(usize::from(run.id.key().get())) {
                *highest = (*highest).max(Some(run.id.number().into()));
            }
        }
        // Twice, because labels may become void between reading the runs and the total.
        if self.uncounted(batch).await?.is_some()
            && let Some((live, counted)) = self.uncounted(batch).await?
        {
            self.find(|| {
                format!(
                    "issued/{batch}: it counts {counted} codes for each {}, {} are live",
                    live.level.as_str(),
                    live.codes
                )
            });
        }
        Ok(())
    }

    /// Portions that were made are of serials that were taken, so that none is taken twice.
    async fn portions(&mut self, run: &Run) -> store::Result<()> {
        let entries = patiently(|| self.service.run_entries(run)).await;
        let entries = self.sound(entries)?.unwrap_or_default();
        let made = entries.iter().filter(|entry| entry.part == Part::Output);
        let last = made.filter_map(|entry| match entry.scope {
            Scope::Span(span) => Some(span.last().get()),
            Scope::All | Scope::Some => None,
        });
        let (last, taken) = (last.max(), patiently(|| self.service.taken_portions(run.id)).await);
        let taken = self.sound(taken)?;
        if let (Some(last), Some(taken)) = (last, taken)
            && last >= taken
        {
            self.find(|| format!("split/{}: it says that {taken} serials are taken, serial {last} is in use", run.id));
        }
        Ok(())
    }

    /// Live codes of a batch that are more than its total counts, and that count. The total is read last: an order adds
    /// to it before there are runs.
    async fn uncounted(&mut self, batch: BatchId) -> store::Result<Option<(Live, u64)>> {
        let live = patiently(|| self.service.live_codes(batch)).await;
        let live = self.sound(live)?.unwrap_or_default();
        let name = format!("issued/{batch}");
        let claim = patiently(|| self.service.store.claim(&name)).await;
        let counted = self.sound(claim)?.flatten().map(|bytes| issue::totals(&bytes)).transpose();
        let Some(counted) = self.sound(counted)?.map(Option::unwrap_or_default) else { return Ok(None) };
        let counts = live.into_iter().map(|live| {
            let same = counted.iter().find(|count| count.level == live.level && count.content == live.content);
            (same.map_or(0, |count| count.codes), live)
        });
        let mut short = counts.filter(|(counted, live)| *counted < live.codes);
        Ok(short.next().map(|(counted, live)| (live, counted)))
    }

    /// The files that the versions of a product or document name; one that stays from a version to the next is read once.
    async fn files(&mut self, kind: Kind, id: u64) -> store::Result<()> {
        let (mut from, mut seen): (u32, [Option<FileHash>; 2]) = (1, [None; 2]);
        loop {
            let versions = patiently(|| self.service.store.versions(kind, id, from, PAGE_ITEMS_MAX)).await;
            let versions = self.sound(versions)?.unwrap_or_default();
            let Some(last) = versions.last() else { return Ok(()) };
            from = last.version + 1;
            for statement in versions {
                let named = match statement.content {
                    Content::Product(product) => [product.picture, None],
                    Content::Document(document) => [document.original, document.public],
                    _ => [None, None],
                };
                for (seen, file) in seen.iter_mut().zip(named) {
                    let Some(file) = file.filter(|file| *seen != Some(file.sha256)) else { continue };
                    *seen = Some(file.sha256);
                    self.file(kind, id, &file).await?;
                }
            }
        }
    }

    async fn file(&mut self, kind: Kind, id: u64, file: &StoredFile) -> store::Result<()> {
        self.report.checked += 1;
        let wrong = match self.service.read_file(file).await {
            Ok(bytes) if bytes.len() as u64 == file.size_bytes => return Ok(()),
            Ok(bytes) => format!("it has {} bytes, {} were uploaded", bytes.len(), file.size_bytes),
            Err(RegisterError::Store(error @ store::Error::Unavailable(_))) => return Err(error),
            Err(RegisterError::Files(object_store::Error::NotFound { .. })) => "it is not there".to_owned(),
            Err(error) => error.to_string(),
        };
        self.find(|| format!("file {} of {kind:?} {id}: {wrong}", file.sha256));
        Ok(())
    }
}
