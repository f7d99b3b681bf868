//! What is kept of a run and of a view once something was rendered of them: little, so that a scan of any of ten thousand
//! batches asks no store.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use jiff::civil::Date;

use super::{
    facts::BatchFacts,
    text::{FirstText, Text},
    view::{History, View},
};
use crate::{
    code::{Gtin, Lot, RunKey},
    pages::{Gaps, Lang},
    registration::{Level, Run},
    service::Basis,
    trace::{BatchId, OrganizationId, Verdict},
};

/// A number of touches that there will not be.
pub(super) const NEVER: u64 = u64::MAX;
/// What a view takes among its run's, in bytes.
const AMONG_BYTES: usize = 96;

/// A form in which views are rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RenderedAs {
    /// For programs.
    Json,
    /// The page in a language.
    Page(Lang),
}

/// Something for each form.
#[derive(Debug, Default)]
struct ByForm<T> {
    json: T,
    page_zh: T,
    page_en: T,
}

impl<T> ByForm<T> {
    fn of(&self, form: RenderedAs) -> &T {
        match form {
            RenderedAs::Json => &self.json,
            RenderedAs::Page(Lang::Zh) => &self.page_zh,
            RenderedAs::Page(Lang::En) => &self.page_en,
        }
    }

    fn all(&self) -> [&T; 3] {
        [&self.json, &self.page_zh, &self.page_en]
    }
}

/// The first text of each form that was rendered here.
#[derive(Debug, Default)]
pub struct FirstTexts(ByForm<OnceLock<Bytes>>);

/// What every scan of a run's codes rests on, without what their views were made from.
#[derive(Debug)]
pub struct KeptRun {
    /// What proves its codes.
    pub key: RunKey,
    /// How many codes it has.
    pub count: u32,
    /// What bears its codes.
    pub level: Level,
    /// Its batch.
    pub batch: BatchId,
    /// Who imported the batch.
    pub importer: OrganizationId,
    /// The product's GTIN, where it has one.
    gtin: Option<Gtin>,
    /// The lot as AI 10 carries it, where it can.
    lot: Option<Lot>,
    /// What its facts were made from.
    basis: Basis,
    /// The first text of each form: the later ones are kept by how they differ.
    firsts: ByForm<OnceLock<Arc<FirstText>>>,
    /// The first of all runs, from which these differ.
    firsts_of_all: Arc<FirstTexts>,
    /// Views by the entries that they rest on, so that codes with the same history share one.
    views: Mutex<HashMap<History, Weak<KeptView>>>,
}

impl KeptRun {
    pub(super) fn new(
        run: &Run,
        key: RunKey,
        facts: &BatchFacts,
        basis: Basis,
        firsts_of_all: &Arc<FirstTexts>,
    ) -> Self {
        Self {
            key,
            count: run.count,
            level: run.level,
            batch: run.batch,
            importer: facts.batch.organization,
            gtin: facts.product.as_ref().and_then(|product| product.gtin),
            lot: facts.batch.ai10.clone(),
            basis: basis.shrunk(),
            firsts: ByForm::default(),
            firsts_of_all: Arc::clone(firsts_of_all),
            views: Mutex::default(),
        }
    }

    /// Whether a link that names this GTIN or this lot names another product or lot than the run's.
    pub fn contradicts(&self, gtin: Option<Gtin>, lot: Option<&Lot>) -> bool {
        gtin.is_some_and(|named| Some(named) != self.gtin) || lot.is_some_and(|named| Some(named) != self.lot.as_ref())
    }

    pub(super) fn is_current(&self) -> bool {
        self.basis.is_current()
    }

    /// The view in memory of codes with this history.
    pub(super) fn view(&self, history: &History) -> Option<Arc<KeptView>> {
        self.lock().get(history)?.upgrade()
    }

    /// Lets other codes with the same history find a view, as long as somebody holds it.
    pub(super) fn keep(&self, view: &Arc<KeptView>) {
        let mut views = self.lock();
        if views.len() == views.capacity() {
            views.retain(|_, view| view.strong_count() > 0);
        }
        views.insert(view.history, Arc::downgrade(view));
    }

    /// Roughly how much memory it takes, in bytes, without its views.
    pub(super) fn bytes(&self) -> usize {
        let firsts = self.firsts.all().into_iter().filter_map(OnceLock::get).map(|first| first.bytes()).sum::<usize>();
        size_of::<Self>() + self.basis.bytes() + firsts
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<History, Weak<KeptView>>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept of the view of codes with the same history, on one day: what scans ask of it, and what is rendered.
#[derive(Debug)]
pub struct KeptView {
    history: History,
    /// The gravest verdict.
    pub verdict: Verdict,
    /// When the goods were sold, where they are: milliseconds since 1970-01-01 UTC.
    pub sold_ms: Option<i64>,
    /// Whether something tells of two things under one code.
    pub suspicious: bool,
    /// The day that the verdict is of.
    today: Date,
    rendered: ByForm<OnceLock<Rendered>>,
    /// What it was made from beside its run's facts and its codes' own entries: units around them, names.
    basis: Basis,
    /// How many touches there had been when it was last found to be current.
    current_at: AtomicU64,
}

/// A view in one form.
#[derive(Debug)]
pub struct Rendered {
    /// What is the same for all its codes.
    pub text: Text,
    /// Where what differs is put in; nowhere in JSON, which is the middle of the answer.
    pub gaps: Gaps,
}

impl KeptView {
    pub(super) fn new(view: &View, basis: Basis) -> Self {
        Self {
            history: view.history,
            verdict: view.verdict(),
            sold_ms: view.sold_ms(),
            suspicious: view.status.suspicious,
            today: view.today,
            rendered: ByForm::default(),
            basis: basis.shrunk(),
            current_at: AtomicU64::new(NEVER),
        }
    }

    /// Whether nothing that it alone was made from has changed, and it is of the day. `touches` is how many there have been
    /// of anything.
    pub(super) fn is_current(&self, today: Date, touches: u64) -> bool {
        self.today == today && was_current(&self.current_at, touches, || self.basis.is_current())
    }

    /// It in one form, where it was rendered in it.
    pub fn rendered(&self, form: RenderedAs) -> Option<&Rendered> {
        self.rendered.of(form).get()
    }

    /// Keeps it in a form. What was rendered of a view that has another history by now is not kept: the codes that share
    /// this one may not have it.
    pub fn keep(&self, run: &KeptRun, form: RenderedAs, view: &View, text: &Bytes, gaps: &Gaps) {
        if (view.history, view.today) == (self.history, self.today) {
            let (first, of_all) = (run.firsts.of(form), run.firsts_of_all.0.of(form));
            self.rendered
                .of(form)
                .get_or_init(|| Rendered { text: Text::new(text, first, of_all), gaps: gaps.clone() });
        }
    }

    /// Roughly how much memory it takes by now, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let rendered = self.rendered.all().into_iter().filter_map(OnceLock::get);
        let rendered = rendered.map(|rendered| rendered.text.bytes() + rendered.gaps.bytes()).sum::<usize>();
        size_of::<Self>() + AMONG_BYTES + self.basis.bytes() + rendered
    }
}

/// Whether something is current that was found to be at `current_at` touches. While there is none, one comparison tells;
/// `touches` was read before, so that one that comes meanwhile is seen the next time.
pub(super) fn was_current(current_at: &AtomicU64, touches: u64, is_current: impl FnOnce() -> bool) -> bool {
    if current_at.load(Ordering::Relaxed) == touches {
        return true;
    }
    let current = is_current();
    if current {
        current_at.store(touches, Ordering::Relaxed);
    }
    current
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        code::Serial,
        registration::samples,
        service::{
            scan::{ScanBy, Scanned},
            world::World,
        },
    };

    #[tokio::test]
    async fn what_was_rendered_of_another_history_or_day_is_not_kept() {
        let world = World::new().await;
        let batch = world.batches(vec![samples::batch()]).await.remove(0);
        let code = world.issue(batch.id, 2).await.remove(0).key.code(Serial::FIRST);
        let scanned = world.service.scan(&code, ScanBy::Other).await;
        let Scanned::Issued { run, kept, view: Some(mut view), .. } = scanned else { panic!("{scanned:?}") };
        let gaps = crate::pages::Spliced::whole(Vec::new()).gaps;
        let (history, form) = (view.history, RenderedAs::Json);
        view.history = History::of(&[]);
        assert_ne!(view.history, history);
        kept.keep(&run, form, &view, &Bytes::from_static(b"newer"), &gaps);
        assert!(kept.rendered(form).is_none());
        view.history = history;
        let today = std::mem::replace(&mut view.today, Date::MIN);
        kept.keep(&run, form, &view, &Bytes::from_static(b"of another day"), &gaps);
        assert!(kept.rendered(form).is_none());
        view.today = today;
        kept.keep(&run, form, &view, &Bytes::from_static(b"of this one"), &gaps);
        assert_eq!(kept.rendered(form).unwrap().text.get(0).0, b"of this one"[..]);
        assert!(kept.rendered(RenderedAs::Page(Lang::Zh)).is_none());
    }
}
