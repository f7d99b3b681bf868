//! What is said of a whole batch or lot: it bears on every code, and is summed up once for all of them.

use super::{
    Bearing, Entry, Measures, Owners, Part, RecordId, Standing, State, authority,
    fold::{Declarations, doubted_after},
    status::{says_activated, says_destroyed, state_after},
};
use crate::epcis::BizStep;

/// What follows for every code from entries on a whole class. Only its owner's and inspectors' count: nobody
/// else can have custody of a whole class.
#[derive(Clone, Debug, Default)]
pub struct WholeStatus {
    /// Whether all labels were reported as applied.
    pub activated: bool,
    /// Whether all labels were declared void.
    pub voided: bool,
    /// Whether all goods were destroyed.
    pub destroyed: bool,
    /// Whether an inspector doubts what they are.
    pub doubted: bool,
    /// The latest state that was said of all, and its event time.
    pub state: Option<(i64, State)>,
    /// Holds and recalls of all.
    pub measures: Measures,
    /// Records that say by right that it, or some of it, came out of a transformation, in order of event time.
    pub made: Vec<RecordId>,
    /// Holds and recalls that stand on what it was made of.
    pub inherited: Vec<Standing>,
}

impl WholeStatus {
    /// Sums up entries on a class in ascending order of place; also tells what each of them counts for.
    pub fn of(entries: &[Entry], owners: Owners) -> (Self, Vec<Bearing>) {
        let declarations = Declarations::of(entries.iter());
        let (mut whole, mut bearings) = (Self::default(), Vec::with_capacity(entries.len()));
        for entry in entries {
            let bearing = if entry.declares_error {
                Bearing::ErrorDeclaration
            } else if declarations.void(entry) {
                Bearing::DeclaredInError
            } else if authority::has_effect(entry, owners.importer) {
                whole.note_made(entry);
                whole.take_effect(entry);
                Bearing::Effective
            } else {
                if authority::is_by_right(entry, owners.importer) {
                    whole.note_made(entry);
                }
                Bearing::Report
            };
            bearings.push(bearing);
        }
        for (entry, bearing) in entries.iter().zip(&mut bearings) {
            if *bearing == Bearing::Effective && whole.measures.lifts_in_vain(entry) {
                *bearing = Bearing::Report;
            }
        }
        (whole, bearings)
    }

    /// What was made of recalled goods is suspect as a whole, however much of it the event names.
    fn note_made(&mut self, entry: &Entry) {
        if entry.part == Part::Output {
            self.made.push(entry.place.record);
        }
    }

    fn take_effect(&mut self, entry: &Entry) {
        self.activated |= says_activated(entry);
        self.voided |= matches!(entry.biz_step, Some(BizStep::Decommissioning));
        self.destroyed |= says_destroyed(entry);
        self.doubted = doubted_after(entry, self.doubted);
        self.measures.add(entry);
        if let Some(state) = state_after(entry) {
            self.state = Some((entry.place.event_time_ms, state));
        }
    }
}
