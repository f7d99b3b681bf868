//! Views: what a scan says of all codes with the same history.

use std::{cmp::Reverse, sync::Arc};

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::{facts::RunFacts, origins::MadeOf};
use crate::{
    epcis::{BizStep, Disposition},
    limits::PUBLIC_TIMELINE_LINES_MAX,
    registration::{City, Organization, Quantity, Run, city_of, content_of_level},
    service::{scan::facts::BatchFacts, temperature::ColdRecord},
    trace::{Bearing, Entry, EventHash, Part, Place, Scope, State, Status, Verdict},
};

/// What a scan says of every code with the same history, on one day.
#[derive(Debug)]
pub struct View {
    /// The run, batch and product.
    pub facts: Arc<RunFacts>,
    /// Which history.
    pub(super) history: History,
    /// What follows from it.
    pub status: Status,
    /// The day that the verdicts are of.
    pub(super) today: Date,
    /// Gravest first; never empty.
    pub verdicts: Vec<Verdict>,
    /// The temperatures that the goods went through, where anybody reported one.
    pub cold_record: Option<Arc<ColdRecord>>,
    /// What the public sees of the history, latest first, at most `PUBLIC_TIMELINE_LINES_MAX`.
    pub lines: Vec<Arc<Line>>,
    /// How many lines more there are.
    pub lines_further: usize,
    /// What the goods were made of, where that is told.
    pub made_of: Option<Box<MadeOf>>,
}

/// The entries that a code shares with no other or with some, by their places: its own history as one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct History([u8; 32]);

impl History {
    /// Of entries in order of place.
    pub(super) fn of(entries: &[&Entry]) -> Self {
        let mut digest = Sha256::new();
        for Entry { place: Place { event_time_ms, record, ordinal }, .. } in entries {
            digest.update(event_time_ms.to_be_bytes());
            digest.update(record.0);
            digest.update(ordinal.to_be_bytes());
        }
        Self(digest.finalize().into())
    }
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

impl View {
    /// When the goods were sold, where they are: milliseconds since 1970-01-01 UTC.
    pub fn sold_ms(&self) -> Option<i64> {
        let sale = (self.status.state == State::Sold).then(|| self.lines.iter().find(|line| line.sells())).flatten();
        sale.map(|line| line.place.event_time_ms)
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
