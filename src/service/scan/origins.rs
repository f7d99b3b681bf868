//! What a view tells of the goods that its own were made of.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::civil::Date;

use crate::{
    limits::INPUTS_SHOWN_MAX,
    registration::{Level, Quantity, content_of_level},
    service::{
        gather::TimelineLine,
        provenance::{Portion, Provenance, Source},
        scan::BatchFacts,
    },
    trace::{Bearing, Entry, Part, Place, RecordId},
};

/// What goods were made of, as anyone may know it.
#[derive(Debug)]
pub struct MadeOf {
    /// What the transformation says of the goods themselves.
    pub portion: Portion,
    /// What went into them, nearest first, at most `INPUTS_SHOWN_MAX`.
    pub came_from: Vec<CameFrom>,
    /// How many inputs more there are.
    pub came_from_further: usize,
}

/// Goods of a registered batch that went into others.
#[derive(Debug)]
pub struct CameFrom {
    /// The batch.
    pub batch: Arc<BatchFacts>,
    /// What bore the codes that were consumed; `None` where the event names the batch alone.
    pub level: Option<Level>,
    /// What one of them held.
    pub content: Option<Quantity>,
    /// When they were consumed, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// How many transformations lie between, from 1.
    pub steps: usize,
    /// Whether that took effect; otherwise it is somebody's report.
    pub confirmed: bool,
}

/// What a code's goods were made of by its own entries, and what its whole batch was made of.
#[derive(Clone, Copy)]
pub(super) struct Origins<'f> {
    pub(super) own: Option<&'f Provenance>,
    pub(super) whole: Option<&'f Provenance>,
}

/// The records by which goods came out of a transformation, in order of event time.
pub(in crate::service) fn made_by(lines: &[TimelineLine]) -> Vec<RecordId> {
    let made = |line: &&TimelineLine| {
        line.of.is_none() && line.entry.part == Part::Output && line.bearing == Bearing::Effective
    };
    lines.iter().filter(made).map(|line| line.entry.place.record).collect()
}

impl Origins<'_> {
    pub(super) fn all(&self) -> impl Iterator<Item = &Provenance> {
        self.own.into_iter().chain(self.whole)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.all().any(Provenance::is_broken)
    }

    fn sources(&self) -> impl Iterator<Item = &Source> {
        self.all().flat_map(|found| &found.sources)
    }

    /// What the inputs went through, each entry once.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&Entry, Bearing)> {
        let mut seen = HashSet::new();
        let lines = self.sources().flat_map(|source| &source.lines);
        lines.filter(move |(entry, _)| seen.insert(entry.place)).map(|(entry, bearing)| (entry, *bearing))
    }

    /// Where the lines stand that tell of inputs.
    pub(super) fn places(&self) -> HashSet<Place> {
        self.lines().map(|(entry, _)| entry.place).collect()
    }

    /// What is told of the goods as made ones; `None` where nobody tells that they were made of others.
    /// A portion does not outlast its batch, whatever anybody says: `expiry` is the batch's last day.
    pub(super) fn made_of(&self, expiry: Option<Date>) -> Option<Box<MadeOf>> {
        self.all().next()?;
        let mut portion = self.own.as_ref().map(|own| own.portion.clone()).unwrap_or_default();
        portion.expiry = portion.expiry.map(|own| expiry.map_or(own, |expiry| own.min(expiry)));
        let (came_from, came_from_further) = came_from(self.sources());
        let not_read = self.all().map(|found| found.further).sum::<usize>();
        Some(Box::new(MadeOf { portion, came_from, came_from_further: came_from_further + not_read }))
    }
}

/// The inputs that are of registered batches: cases of one batch that were consumed together are told once.
pub(super) fn came_from<'s>(sources: impl Iterator<Item = &'s Source>) -> (Vec<CameFrom>, usize) {
    let mut told: HashMap<_, usize> = HashMap::new();
    let mut came_from: Vec<CameFrom> = Vec::new();
    let mut further = 0;
    for source in sources {
        let Some(batch) = &source.batch else { continue };
        let level = source.run.as_ref().map(|run| run.level);
        if let Some(at) = told.get(&(batch.batch.id, level)) {
            if let Some(known) = came_from.get_mut(*at) {
                known.confirmed |= source.confirmed;
                known.steps = known.steps.min(source.level);
            }
            continue;
        }
        if came_from.len() >= INPUTS_SHOWN_MAX {
            further += 1;
            continue;
        }
        told.insert((batch.batch.id, level), came_from.len());
        let of_run = source.run.as_ref().filter(|run| !run.split);
        let content = of_run
            .and_then(|run| run.content.clone().or_else(|| content_of_level(&batch.effective(), run.level).cloned()));
        came_from.push(CameFrom {
            batch: Arc::clone(batch),
            level,
            content,
            at_ms: source.at_ms,
            steps: source.level,
            confirmed: source.confirmed,
        });
    }
    (came_from, further)
}
