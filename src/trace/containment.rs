//! What a thing is inside of, and was: cases in pallets in containers, as the fold meets packing and unpacking.

use std::collections::HashMap;

use super::{Entry, Instance, Part};
use crate::{
    epcis::{Action, BizStep},
    limits::CONTAINMENT_LEVELS_MAX,
};

/// From when to when a thing was inside a unit, directly or inside another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The unit.
    pub unit: Instance,
    /// When it came in, milliseconds since 1970-01-01 UTC.
    pub from_ms: i64,
    /// When it came out; `None` while it is inside.
    pub until_ms: Option<i64>,
}

/// Where a thing is, while events are met in order.
#[derive(Debug, Default)]
pub(super) struct Containment<'a> {
    /// The parent of the thing itself (`None`) and of each unit around it.
    parents: HashMap<Option<&'a Instance>, &'a Instance>,
    /// Where it was and is.
    pub(super) stays: Vec<Stay>,
}

impl<'a> Containment<'a> {
    /// Takes in that `child` (`None`: the thing itself) was put into `parent`.
    pub(super) fn pack(&mut self, child: Option<&'a Instance>, parent: &'a Instance, at_ms: i64) {
        self.parents.insert(child, parent);
        self.moved(at_ms);
    }

    /// Takes in that `child` was taken out of `parent`.
    pub(super) fn unpack(&mut self, child: Option<&'a Instance>, parent: &Instance, at_ms: i64) {
        if self.parents.get(&child) == Some(&parent) {
            self.parents.remove(&child);
            self.moved(at_ms);
        }
    }

    /// Takes in that everything was taken out of `parent`.
    pub(super) fn unpack_all(&mut self, parent: &Instance, at_ms: i64) {
        self.parents.retain(|_, inside| *inside != parent);
        self.moved(at_ms);
    }

    /// Whether the thing is inside `unit` now; inside itself (`None`) it always is.
    pub(super) fn is_inside(&self, unit: Option<&Instance>) -> bool {
        unit.is_none_or(|unit| self.around().any(|around| around == unit))
    }

    /// The units around the thing, innermost first.
    fn around(&self) -> impl Iterator<Item = &'a Instance> {
        let parent = |child: Option<&'a Instance>| self.parents.get(&child).copied();
        std::iter::successors(parent(None), move |unit| parent(Some(*unit))).take(CONTAINMENT_LEVELS_MAX)
    }

    /// Ends the stays in units that are around no more, and begins those in units that are new.
    fn moved(&mut self, at_ms: i64) {
        let around: Vec<_> = self.around().collect();
        for stay in self.stays.iter_mut().filter(|stay| stay.until_ms.is_none()) {
            if !around.contains(&&stay.unit) {
                stay.until_ms = Some(at_ms);
            }
        }
        for unit in around {
            let is_open = |stay: &Stay| stay.until_ms.is_none() && stay.unit == *unit;
            if !self.stays.iter().any(is_open) {
                self.stays.push(Stay { unit: unit.clone(), from_ms: at_ms, until_ms: None });
            }
        }
    }
}

/// Among events of the same time, packing comes before all others and unpacking after them.
pub(super) fn rank(entry: &Entry) -> u8 {
    match (&entry.part, entry.action) {
        (Part::Child(_) | Part::Parent { .. }, Some(Action::Add)) => 0,
        (Part::Child(_) | Part::Parent { .. }, Some(Action::Delete)) => 2,
        _ => 1,
    }
}

/// When the lives of a unit began, after the first of those told of: a unit that was emptied, decommissioned or destroyed
/// and is then packed or commissioned again carries other goods under the same number. `entries` are the unit's
/// own, in ascending order.
pub(super) fn lives<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<i64> {
    let (mut starts, mut ended) = (Vec::new(), false);
    for entry in entries {
        let emptied = entry.part == Part::Parent { all: true } && entry.action == Some(Action::Delete);
        let gone = matches!(entry.part, Part::Object)
            && matches!(entry.biz_step, Some(BizStep::Decommissioning | BizStep::Destroying));
        let packed = matches!(entry.part, Part::Parent { .. }) && entry.action == Some(Action::Add);
        if emptied || gone {
            ended = true;
        } else if ended && (packed || matches!(entry.biz_step, Some(BizStep::Commissioning))) {
            starts.push(entry.place.event_time_ms);
            ended = false;
        }
    }
    starts
}

/// Which of a unit's lives an instant lies in.
pub(super) fn life_at(starts: &[i64], at_ms: i64) -> usize {
    starts.partition_point(|start| *start <= at_ms)
}
