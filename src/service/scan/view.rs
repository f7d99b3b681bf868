//! Views: what a scan says of all codes with the same history.

use std::{
    cmp::Reverse,
    sync::{Arc, OnceLock},
};

use jiff::civil::Date;

use super::{facts::RunFacts, origins::MadeOf, weight::text_bytes};
use crate::{
    epcis::{BizStep, Disposition},
    limits::PUBLIC_TIMELINE_LINES_MAX,
    pages::Spliced,
    registration::{City, Organization, Quantity, Run, city_of, content_of_level},
    service::{Basis, scan::facts::BatchFacts, temperature::ColdRecord},
    trace::{Bearing, Entry, EventHash, Part, Place, Scope, State, Status, Verdict},
};

/// What a view takes at least, in bytes: itself, its verdicts, and its place among its run's views.
const VIEW_BYTES: usize = size_of::<View>() + 256;

/// What a scan says of every code with the same history, on one day.
#[derive(Debug)]
pub struct View {
    /// The run, batch and product.
    pub facts: Arc<RunFacts>,
    /// What follows from the history.
    pub status: Status,
    /// The day that the verdicts are of.
    today: Date,
    /// Gravest first; never empty.
    pub verdicts: Vec<Verdict>,
    /// The temperatures that the goods went through, where anybody reported one.
    pub cold_record: Option<Arc<ColdRecord>>,
    /// What the public sees of the history, latest first, at most `PUBLIC_TIMELINE_LINES_MAX`.
    pub lines: Vec<Arc<Line>>,
    /// How many lines more there are.
    pub lines_further: usize,
    /// When the goods were sold, where they are.
    sold_ms: Option<i64>,
    /// What the goods were made of, where that is told.
    pub made_of: Option<Box<MadeOf>>,
    /// What is rendered of it, kept as long as it is.
    pub rendered: Rendered,
    /// What it was made from beside its run's facts and its codes' own entries: units around them, names.
    basis: Basis,
    /// What it takes in memory without what is rendered, in bytes.
    own_bytes: usize,
}

/// A view in each form in which it was asked for.
#[derive(Debug, Default)]
pub struct Rendered {
    /// For programs.
    pub json: OnceLock<Piece>,
    /// The page in Chinese.
    pub page_zh: OnceLock<Piece>,
    /// The page in English.
    pub page_en: OnceLock<Piece>,
}

/// A view in one form, without what differs between codes.
#[derive(Debug)]
pub enum Piece {
    /// JSON between the code and its scans.
    Json(Box<[u8]>),
    /// A page with gaps.
    Page(Spliced),
}

/// A line of the public timeline.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it happened, and by which record.
    pub place: Place,
    /// The public event id.
    pub event: EventHash,
    /// The business step.
    pub biz_step: Option<BizStep>,
    /// The disposition.
    pub disposition: Option<Disposition>,
    /// Persistent dispositions set.
    pub set: Box<[Disposition]>,
    /// Persistent dispositions unset.
    pub unset: Box<[Disposition]>,
    /// What it counts for.
    pub bearing: Bearing,
    /// Who said it, where that is public.
    pub party: Option<Box<str>>,
    /// Whether it was said of what the goods were made of, before they were.
    pub before: bool,
    /// Where, as far as that is public.
    pub location: Option<LinePlace>,
}

/// Where a line of the public timeline happened, or where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinePlace {
    /// The country that the batch comes from.
    Origin,
    /// The port where the consignment came in.
    PortOfEntry,
    /// The city in which whoever said it is registered.
    City(&'static City),
}

impl LinePlace {
    /// Of an entry: a whole batch is packed and departs where it comes from, and arrives where it came in. Anything else is
    /// told with the city of `party`, who said it; a logger's readings are of the whole way.
    fn of(entry: &Entry, party: &Organization) -> Option<Self> {
        match (&entry.biz_step, entry.scope) {
            (Some(BizStep::SensorReporting), _) => None,
            (Some(BizStep::Packing | BizStep::Departing), Scope::All) if entry.part == Part::Object => {
                Some(Self::Origin)
            }
            (Some(BizStep::Arriving), Scope::All) if entry.part == Part::Object => Some(Self::PortOfEntry),
            _ => party.uscc.as_ref().and_then(city_of).map(Self::City),
        }
    }
}

impl Line {
    /// What the public sees of an entry.
    pub(super) fn new(entry: &Entry, bearing: Bearing, party: &Organization, name: Option<String>) -> Self {
        Self {
            place: entry.place,
            event: entry.event,
            biz_step: entry.biz_step.clone(),
            disposition: entry.disposition.clone(),
            set: entry.set.as_slice().into(),
            unset: entry.unset.as_slice().into(),
            bearing,
            party: name.map(String::into_boxed_str),
            before: false,
            location: LinePlace::of(entry, party),
        }
    }

    /// Whether it is the sale to a consumer, by somebody whose word counts.
    fn sells(&self) -> bool {
        let says = self.biz_step == Some(BizStep::RetailSelling) || self.disposition == Some(Disposition::RetailSold);
        says && self.bearing == Bearing::Effective
    }

    pub(super) fn bytes(&self) -> usize {
        let words = self.set.iter().chain(&self.unset).chain(&self.disposition);
        let words = words.map(|word| size_of::<Disposition>() + word.as_str().len()).sum::<usize>();
        let step = self.biz_step.as_ref().map_or(0, |step| step.as_str().len());
        size_of::<Self>() + words + step + self.party.as_ref().map_or(0, |party| party.len())
    }
}

/// What a view is made of, beside its run's facts.
pub(super) struct Told {
    pub(super) status: Status,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) cold_record: Option<Arc<ColdRecord>>,
    pub(super) lines: Vec<Arc<Line>>,
    pub(super) lines_further: usize,
    pub(super) made_of: Option<Box<MadeOf>>,
    pub(super) basis: Basis,
}

impl View {
    /// Of codes whose own entries are at `places`.
    pub(super) fn new(facts: Arc<RunFacts>, told: Told, today: Date, places: &[Place]) -> Self {
        let Told { status, verdicts, cold_record, lines, lines_further, made_of, basis } = told;
        let lines_bytes = lines.iter().map(|line| line.bytes()).sum::<usize>();
        let sold_ms = (status.state == State::Sold).then(|| lines.iter().find(|line| line.sells())).flatten();
        let sold_ms = sold_ms.map(|line| line.place.event_time_ms);
        let stays_bytes = status.stays.iter().map(|stay| size_of_val(stay) + text_bytes(&stay.unit)).sum::<usize>();
        // Batches that it refers to are shared with others of the same origin.
        let made_bytes = made_of.as_ref().map_or(0, |made| made.came_from.len() * 2_048);
        let own_bytes = made_bytes + VIEW_BYTES + lines_bytes + stays_bytes + size_of_val(places) + basis.bytes();
        Self {
            facts,
            status,
            today,
            verdicts,
            cold_record,
            lines,
            lines_further,
            sold_ms,
            made_of,
            rendered: Rendered::default(),
            basis,
            own_bytes,
        }
    }

    /// When the goods were sold, where they are: milliseconds since 1970-01-01 UTC.
    pub fn sold_ms(&self) -> Option<i64> {
        self.sold_ms
    }

    /// Whether nothing that it alone was made from has changed, and it is of the day.
    pub(super) fn is_current(&self, today: Date) -> bool {
        self.today == today && self.basis.is_current()
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.facts.run
    }
    /// The batch with all that it refers to.
    pub fn batch(&self) -> &BatchFacts {
        &self.facts.batch
    }
    /// What one code holds: of a portion as its split says, else of the run, else by the product's packaging.
    pub fn content(&self) -> Option<&Quantity> {
        let portion = self.made_of.as_ref().and_then(|made| made.portion.content.as_ref());
        let own = portion.or(self.run().content.as_ref());
        let packed = || content_of_level(&self.batch().effective(), self.run().level);
        own.or_else(|| if self.run().split { None } else { packed() })
    }
    /// The gravest verdict.
    pub fn verdict(&self) -> Verdict {
        self.verdicts.first().copied().unwrap_or(Verdict::Unverifiable)
    }

    /// Roughly how much memory it takes by now, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let Rendered { json, page_zh, page_en } = &self.rendered;
        let pieces = [json, page_zh, page_en].into_iter().filter_map(OnceLock::get);
        let pieces = pieces.map(|piece| match piece {
            Piece::Json(json) => json.len(),
            Piece::Page(page) => page.size_bytes(),
        });
        self.own_bytes + pieces.sum::<usize>()
    }
}

/// What of entries the public sees: latest first, at most `PUBLIC_TIMELINE_LINES_MAX`, and how many more there are.
pub(super) fn shown<'e>(entries: impl Iterator<Item = (&'e Entry, Bearing)>) -> (Vec<(&'e Entry, Bearing)>, usize) {
    let shown = |(entry, bearing): &(&Entry, Bearing)| {
        entry.scope != Scope::Some && matches!(bearing, Bearing::Effective | Bearing::Report)
    };
    let mut lines: Vec<_> = entries.filter(shown).collect();
    lines.sort_unstable_by_key(|(entry, _)| order(entry.place, entry.biz_step.as_ref()));
    let further = lines.len().saturating_sub(PUBLIC_TIMELINE_LINES_MAX);
    lines.truncate(PUBLIC_TIMELINE_LINES_MAX);
    (lines, further)
}

/// Brings lines into the order of the page, latest first, and cuts them to `PUBLIC_TIMELINE_LINES_MAX`; says how many
/// more there were.
pub(super) fn latest(lines: &mut Vec<Arc<Line>>) -> usize {
    lines.sort_unstable_by_key(|line| order(line.place, line.biz_step.as_ref()));
    // A code and its whole batch may have been made of the same goods.
    lines.dedup_by_key(|line| line.place);
    let further = lines.len().saturating_sub(PUBLIC_TIMELINE_LINES_MAX);
    lines.truncate(PUBLIC_TIMELINE_LINES_MAX);
    further
}

/// The order of the page, latest first. Codes that are active as soon as they are issued were issued first.
fn order(place: Place, step: Option<&BizStep>) -> impl Ord + use<> {
    Reverse((place.event_time_ms, step != Some(&BizStep::Reserving), place))
}
