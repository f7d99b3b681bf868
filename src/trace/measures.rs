//! Holds and recalls: which of those that were set still stand.

use std::collections::BTreeMap;

use super::{Entry, MeasureId, Role, authority};
use crate::epcis::Disposition;

/// A hold or recall that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its number, where the event named one.
    pub measure: Option<MeasureId>,
    /// Whether it is a recall; otherwise a hold.
    pub recall: bool,
    /// The event time from which it stands, milliseconds since 1970-01-01 UTC.
    pub since_ms: i64,
}

/// What sets one measure, and what would lift it.
#[derive(Clone, Debug, Default)]
struct Sides {
    sets: Vec<Side>,
    lifts: Vec<Side>,
}

/// Who set or lifted a measure, and when.
#[derive(Clone, Copy, Debug)]
struct Side {
    role: Role,
    organization: super::OrganizationId,
    event_time_ms: i64,
}

impl Side {
    fn of(entry: &Entry) -> Self {
        Self { role: entry.role, organization: entry.organization, event_time_ms: entry.place.event_time_ms }
    }
}

/// Sets and lifts by measure. A numbered measure stands until a lift by right names it; no clock takes part. One without
/// a number is lifted by an unnumbered unset of the same disposition with a later event time.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    by_number: BTreeMap<(MeasureId, bool), Sides>,
    unnumbered: BTreeMap<bool, Sides>,
}

impl Measures {
    /// Adds what an entry sets and lifts. The entry has the right to it.
    pub fn add(&mut self, entry: &Entry) {
        let side = Side::of(entry);
        for disposition in entry.set.iter().filter(|set| authority::is_measure(set)) {
            self.sides(entry, disposition).sets.push(side);
        }
        for disposition in entry.unset.iter().filter(|unset| authority::is_measure(unset)) {
            self.sides(entry, disposition).lifts.push(side);
        }
    }

    /// Whether an entry lifts measures of which none is for its organization to lift. One that names none that is known lifts
    /// what may still be told.
    pub fn lifts_in_vain(&self, entry: &Entry) -> bool {
        let lift = Side::of(entry);
        let lifted = entry.unset.iter().filter(|unset| authority::is_measure(unset)).filter_map(|unset| {
            let recall = *unset == Disposition::Recalled;
            match entry.measure {
                Some(number) => self.by_number.get(&(number, recall)),
                None => self.unnumbered.get(&recall),
            }
        });
        let mut sets = lifted.flat_map(|sides| &sides.sets).peekable();
        sets.peek().is_some() && sets.all(|set| !may_lift(&lift, set))
    }

    fn sides(&mut self, entry: &Entry, disposition: &Disposition) -> &mut Sides {
        let recall = *disposition == Disposition::Recalled;
        match entry.measure {
            Some(number) => self.by_number.entry((number, recall)).or_default(),
            None => self.unnumbered.entry(recall).or_default(),
        }
    }

    /// Those that stand, by number.
    pub fn standing(&self) -> Vec<Standing> {
        let numbered = self.by_number.iter().filter_map(|((number, recall), sides)| {
            let since_ms = sides.since(may_lift)?;
            Some(Standing { measure: Some(*number), recall: *recall, since_ms })
        });
        let later = |lift: &Side, set: &Side| may_lift(lift, set) && lift.event_time_ms > set.event_time_ms;
        let unnumbered = self.unnumbered.iter().filter_map(|(recall, sides)| {
            Some(Standing { measure: None, recall: *recall, since_ms: sides.since(later)? })
        });
        numbered.chain(unnumbered).collect()
    }
}

impl Sides {
    /// The first event time of a set that nothing lifts.
    fn since(&self, lifts: impl Fn(&Side, &Side) -> bool) -> Option<i64> {
        let standing = self.sets.iter().filter(|set| !self.lifts.iter().any(|lift| lifts(lift, set)));
        standing.map(|set| set.event_time_ms).min()
    }
}

/// Lifting an inspector's measure needs an inspector; an importer lifts its own.
fn may_lift(lift: &Side, set: &Side) -> bool {
    lift.role == Role::Inspector || (set.role != Role::Inspector && lift.organization == set.organization)
}
