//! The fold: from the entries that bear on a code to its status. The order in which entries arrived plays no part.

use std::collections::{HashMap, HashSet};

use super::{
    Bearing, Conflict, Entry, EventHash, Instance, Mark, Measures, OrganizationId, Part, Role, Scope, State, Status,
    WholeStatus,
    authority::{self, Right},
    containment::{Containment, life_at, lives, rank},
    custody::{Custody, Move, Word},
    status::{says_activated, says_destroyed, says_opened, state_after},
};
use crate::epcis::{Action, BizStep, Disposition};

/// An entry, and the ledger that it stands in.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What was said.
    pub entry: &'a Entry,
    /// The unit that it was said of; `None` where it names the code itself.
    pub of: Option<&'a Instance>,
}

/// Whose goods they are: their word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owners {
    /// The organization that issued the code; custody begins with it.
    pub issuer: OrganizationId,
    /// The importer of the batch.
    pub importer: OrganizationId,
}

impl Owners {
    /// Of a batch as a whole, and of codes that its importer issued.
    pub fn one(importer: OrganizationId) -> Self {
        Self { issuer: importer, importer }
    }

    /// By what right an organization in a role speaks of the goods.
    fn word(self, entry: &Entry) -> Word {
        if entry.role == Role::Inspector {
            Word::Authority
        } else if entry.organization == self.issuer || entry.organization == self.importer {
            Word::Owner
        } else {
            Word::Other
        }
    }
}

/// The declarations of error among entries, by the event that they declare.
pub(super) struct Declarations<'a>(HashMap<EventHash, Vec<&'a Entry>>);

impl<'a> Declarations<'a> {
    pub(super) fn of(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut declarations: HashMap<_, Vec<_>> = HashMap::new();
        for declaration in entries.filter(|entry| entry.declares_error) {
            declarations.entry(declaration.event).or_default().push(declaration);
        }
        Self(declarations)
    }

    /// Whether one of them voids the entry.
    pub(super) fn void(&self, entry: &Entry) -> bool {
        let of_event = self.0.get(&entry.event).map(Vec::as_slice).unwrap_or_default();
        of_event.iter().any(|declaration| authority::voids(declaration, entry))
    }
}

/// Brings entries into the order in which the fold meets them: by event time; at equal times packing first and
/// unpacking last; then by place. One that stands in two ledgers of the same code is met once.
pub fn in_order(told: &mut Vec<Told<'_>>) {
    told.sort_by_key(|told| (told.entry.place.event_time_ms, rank(told.entry), told.entry.place, told.of));
    told.dedup_by_key(|told| (told.entry.place, told.of));
}

/// Folds what is told of one code, in order, and of the whole that it belongs to.
pub fn fold(told: &[Told<'_>], whole: &WholeStatus, owners: Owners) -> Status {
    let mut fold = Fold::new(told, whole, owners);
    for (at, one) in told.iter().enumerate() {
        let bearing = fold.meet(at, *one);
        fold.bearings.push(bearing);
    }
    fold.measures_and_sensors();
    fold.lifts_in_vain();
    fold.finish(whole)
}

struct Fold<'a, 't> {
    told: &'t [Told<'a>],
    owners: Owners,
    declarations: Declarations<'a>,
    containment: Containment<'a>,
    custody: Custody,
    measures: Measures,
    state: State,
    state_ms: i64,
    activated: bool,
    voided: bool,
    doubted: bool,
    bearings: Vec<Option<Bearing>>,
}

impl<'a, 't> Fold<'a, 't> {
    fn new(told: &'t [Told<'a>], whole: &WholeStatus, owners: Owners) -> Self {
        Self {
            told,
            owners,
            declarations: Declarations::of(told.iter().map(|told| told.entry)),
            containment: Containment::default(),
            custody: Custody::new(owners.issuer, told.len()),
            measures: whole.measures.clone(),
            state: State::Reserved,
            state_ms: i64::MIN,
            activated: whole.activated,
            voided: whole.voided,
            doubted: whole.doubted,
            bearings: Vec::with_capacity(told.len()),
        }
    }

    /// Meets one entry. Measures and what sensors saw are looked at once all stays are known.
    fn meet(&mut self, at: usize, told: Told<'a>) -> Option<Bearing> {
        let Told { entry, of } = told;
        let own = of.is_none();
        if entry.declares_error {
            return own.then_some(Bearing::ErrorDeclaration);
        }
        if self.declarations.void(entry) {
            return own.then_some(Bearing::DeclaredInError);
        }
        if entry.scope == Scope::Some {
            return own.then_some(Bearing::Report);
        }
        if says_measure(entry) || !self.containment.is_inside(of) {
            return None;
        }
        // What else goes into or out of a unit does not bear on what is inside.
        if !own && entry.part == (Part::Parent { all: false }) {
            return None;
        }
        let counts = self.counts(at, entry);
        if counts {
            self.take_effect(told);
        }
        Some(if counts { Bearing::Effective } else { Bearing::Report })
    }

    /// Whether an entry counts: everything that it says is said by right.
    fn counts(&mut self, at: usize, entry: &Entry) -> bool {
        let word = self.owners.word(entry);
        let custody = self.custody.meet(at, entry, word);
        // Whoever opened a split run reserved its codes, in whichever role: the door takes that from importers alone.
        if matches!(entry.biz_step, Some(BizStep::Reserving)) && entry.organization == self.owners.issuer {
            return true;
        }
        authority::entry_sayings(entry).into_iter().all(|saying| match authority::right(saying, entry.role) {
            Right::Refused | Right::Report => false,
            Right::OwnOnly => word != Word::Other,
            // Of goods in its custody a trade partner's word counts as the owner's.
            Right::OwnElseReport => custody,
            Right::Effect => true,
        })
    }

    fn take_effect(&mut self, told: Told<'a>) {
        let Told { entry, of } = told;
        let at_ms = entry.place.event_time_ms;
        match (&entry.part, entry.action) {
            (Part::Child(parent), Some(Action::Add)) => self.containment.pack(of, parent, at_ms),
            (Part::Child(parent), Some(Action::Delete)) => self.containment.unpack(of, parent, at_ms),
            (Part::Parent { all: true }, Some(Action::Delete)) => {
                if let Some(unit) = of {
                    self.containment.unpack_all(unit, at_ms);
                }
            }
            _ => {}
        }
        self.activated |= says_activated(entry);
        self.voided |= matches!(entry.biz_step, Some(BizStep::Decommissioning)) && of.is_none();
        self.custody.destroyed |= says_destroyed(entry);
        self.custody.opened |= says_opened(entry) && of.is_none();
        self.doubted = doubted_after(entry, self.doubted);
        if let Some(state) = state_after(entry) {
            (self.state, self.state_ms) = (state, at_ms);
        }
    }

    /// A measure on a unit bears on everything that was ever inside that life of it; what a sensor saw, on what was
    /// inside meanwhile, because loggers are read out after unloading.
    fn measures_and_sensors(&mut self) {
        let mut starts: HashMap<&Instance, Vec<i64>> = HashMap::new();
        for (at, told) in self.told.iter().enumerate() {
            let met = self.bearings.get(at).is_some_and(Option::is_some);
            let late = says_measure(told.entry) || told.entry.observed_ms.is_some();
            if met || !late || told.entry.declares_error || self.declarations.void(told.entry) {
                continue;
            }
            let bears = told.of.is_none_or(|unit| {
                let starts = starts.entry(unit).or_insert_with(|| self.lives_of(unit));
                self.was_inside(unit, told.entry, starts)
            });
            if !bears {
                continue;
            }
            let counts = self.counts(at, told.entry);
            if counts {
                self.measures.add(told.entry);
                self.doubted = doubted_after(told.entry, self.doubted);
            }
            if let Some(slot) = self.bearings.get_mut(at) {
                *slot = Some(if counts { Bearing::Effective } else { Bearing::Report });
            }
        }
    }

    /// A lift of what is not for its organization to lift is a report, once all that was set is known.
    fn lifts_in_vain(&mut self) {
        for (told, bearing) in self.told.iter().zip(&mut self.bearings) {
            if *bearing == Some(Bearing::Effective) && self.measures.lifts_in_vain(told.entry) {
                *bearing = Some(Bearing::Report);
            }
        }
    }

    fn lives_of(&self, unit: &Instance) -> Vec<i64> {
        let of_unit = self.told.iter().filter(|told| told.of == Some(unit)).map(|told| told.entry);
        lives(of_unit.filter(|entry| !self.declarations.void(entry)))
    }

    fn was_inside(&self, unit: &Instance, entry: &Entry, starts: &[i64]) -> bool {
        let mut stays = self.containment.stays.iter().filter(|stay| stay.unit == *unit);
        match entry.observed_ms {
            Some((first, last)) if !says_measure(entry) => {
                stays.any(|stay| stay.from_ms <= last && stay.until_ms.is_none_or(|until| first <= until))
            }
            _ => stays.any(|stay| life_at(starts, stay.from_ms) == life_at(starts, entry.place.event_time_ms)),
        }
    }

    fn finish(mut self, whole: &WholeStatus) -> Status {
        let measures = self.measures.standing();
        let recalled_ms = measures.iter().filter(|standing| standing.recall).map(|standing| standing.since_ms).min();
        self.mark_moves_since(recalled_ms);
        let (mut state, destroyed) = (self.state, self.custody.destroyed || whole.destroyed);
        if let Some((at_ms, of_whole)) = whole.state
            && at_ms >= self.state_ms
        {
            state = of_whole;
        }
        // Final, whatever event time a later report claims.
        if destroyed {
            state = State::Destroyed;
        }
        if self.voided {
            state = State::Void;
        }
        let conflicts = |mark: &Option<Mark>| matches!(mark, Some(Mark::Conflicting(it)) if it.is_suspicious());
        let mut status = Status {
            state,
            activated: self.activated,
            voided: self.voided,
            destroyed,
            is_opened: self.custody.opened,
            suspicious: self.doubted || self.custody.marks.iter().any(conflicts),
            measures,
            holder: self.custody.holder,
            stays: self.containment.stays,
            bearings: self.bearings,
            marks: self.custody.marks,
        };
        status.inherit(&whole.inherited, false);
        status
    }

    /// Marks shipments and sales from the time on at which a recall stood.
    fn mark_moves_since(&mut self, recalled_ms: Option<i64>) {
        let Some(recalled_ms) = recalled_ms else { return };
        let moved: HashSet<usize> = (self.told.iter().enumerate())
            .filter(|(at, told)| {
                matches!(Move::of(told.entry), Some(Move::Ship | Move::Sell))
                    && told.entry.place.event_time_ms > recalled_ms
                    && self.bearings.get(*at).copied().flatten().is_some_and(|it| it != Bearing::DeclaredInError)
            })
            .map(|(at, _)| at)
            .collect();
        for at in moved {
            if !matches!(self.custody.marks.get(at), Some(Some(Mark::Conflicting(_)))) {
                self.custody.conflict(at, Conflict::MovedWhileRecalled);
            }
        }
    }
}

/// Whether an entry sets or lifts a hold or recall.
fn says_measure(entry: &Entry) -> bool {
    entry.set.iter().chain(&entry.unset).any(authority::is_measure)
}

/// Whether an inspector doubts that the goods are what they seem, after an entry (CBV 2.0, clause 7.2:
/// `mismatch_instance`, `mismatch_class`, `no_pedigree_match`, as persistent dispositions).
pub(super) fn doubted_after(entry: &Entry, before: bool) -> bool {
    let doubts = |disposition: &Disposition| {
        matches!(disposition, Disposition::MismatchInstance | Disposition::MismatchClass | Disposition::NoPedigreeMatch)
    };
    if entry.role != Role::Inspector {
        return before;
    }
    (before || entry.set.iter().any(doubts)) && !entry.unset.iter().any(doubts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        epcis::BizStep,
        trace::{HandOver, MeasureId, PartyId, Place, RecordId},
    };

    const IMPORTER: u64 = 1;
    const SHOP: u64 = 2;
    const STRANGER: u64 = 3;
    const INSPECTOR: u64 = 9;

    fn case() -> Instance {
        Instance::Epc("https://id.gs1.org/00/195060000000000017".to_owned())
    }

    fn pallet() -> Instance {
        Instance::Epc("https://id.gs1.org/00/195060000000000024".to_owned())
    }

    /// What an organization said at a time; the record is told apart by both.
    fn said(at: i64, by: u64, step: BizStep) -> Entry {
        let mut record = [by as u8; 32];
        record[..8].copy_from_slice(&at.to_be_bytes());
        let role = match by {
            IMPORTER => Role::Importer,
            INSPECTOR => Role::Inspector,
            _ => Role::Operator,
        };
        Entry {
            place: Place { event_time_ms: at, record: RecordId(record), ordinal: 0 },
            event: EventHash(record),
            organization: OrganizationId(by),
            role,
            record_time_ms: at,
            scope: Scope::All,
            part: Part::Object,
            action: Some(Action::Observe),
            biz_step: Some(step),
            disposition: None,
            set: Vec::new(),
            unset: Vec::new(),
            measure: None,
            declares_error: false,
            hand_over: HandOver::default(),
            observed_ms: None,
        }
    }

    fn applied() -> Entry {
        Entry { action: Some(Action::Add), ..said(0, IMPORTER, BizStep::Commissioning) }
    }

    fn shipped(at: i64, by: u64, to: u64) -> Entry {
        let to = Some(PartyId::Organization(OrganizationId(to)));
        Entry { hand_over: HandOver { to, ..HandOver::default() }, ..said(at, by, BizStep::Shipping) }
    }

    fn received(at: i64, by: u64) -> Entry {
        said(at, by, BizStep::Receiving)
    }

    fn sold(at: i64, by: u64) -> Entry {
        said(at, by, BizStep::RetailSelling)
    }

    fn packed(at: i64, by: u64, into: Instance) -> Entry {
        Entry { part: Part::Child(into), action: Some(Action::Add), ..said(at, by, BizStep::Packing) }
    }

    fn unpacked(at: i64, by: u64, from: Instance) -> Entry {
        Entry { part: Part::Child(from), action: Some(Action::Delete), ..said(at, by, BizStep::Unpacking) }
    }

    fn emptied(at: i64, by: u64) -> Entry {
        Entry { part: Part::Parent { all: true }, action: Some(Action::Delete), ..said(at, by, BizStep::Unpacking) }
    }

    fn recalled(at: i64) -> Entry {
        let (set, measure) = (vec![Disposition::Recalled], Some(MeasureId(1)));
        Entry { set, measure, ..said(at, INSPECTOR, BizStep::Holding) }
    }

    fn observed(at: i64, first: i64, last: i64) -> Entry {
        Entry { observed_ms: Some((first, last)), ..said(at, IMPORTER, BizStep::SensorReporting) }
    }

    /// Folds entries on the code itself and on units.
    fn status(own: &[Entry], units: &[(Instance, Vec<Entry>)]) -> Status {
        let mut told: Vec<_> = own.iter().map(|entry| Told { entry, of: None }).collect();
        for (unit, entries) in units {
            told.extend(entries.iter().map(|entry| Told { entry, of: Some(unit) }));
        }
        in_order(&mut told);
        fold(&told, &WholeStatus::default(), Owners::one(OrganizationId(IMPORTER)))
    }

    fn marks(status: &Status) -> Vec<Mark> {
        status.marks.iter().copied().flatten().collect()
    }

    #[test]
    fn custody_passes_when_shipper_and_receiver_agree() {
        let found = status(&[applied(), shipped(1, IMPORTER, SHOP), received(2, SHOP), sold(3, SHOP)], &[]);
        assert_eq!((found.state, found.holder), (State::Sold, OrganizationId(SHOP)));
        assert_eq!(marks(&found), [Mark::Confirmed, Mark::Confirmed]);
    }

    #[test]
    fn a_word_without_custody_changes_nothing() {
        let found = status(&[applied(), received(2, STRANGER), said(3, STRANGER, BizStep::Destroying)], &[]);
        assert_eq!((found.state, found.destroyed, found.holder), (State::Active, false, OrganizationId(IMPORTER)));
        assert_eq!(marks(&found), [Mark::Conflicting(Conflict::ReceivedNotShipped)]);
        let found = status(&[applied(), shipped(1, IMPORTER, SHOP), received(2, STRANGER)], &[]);
        assert_eq!(found.holder, OrganizationId(IMPORTER));
        assert_eq!(marks(&found)[1], Mark::Conflicting(Conflict::HandOverDisagrees));
    }

    #[test]
    fn a_second_sale_is_suspicious_and_one_after_a_return_is_not() {
        let back = Entry { disposition: Some(Disposition::Returned), ..received(4, SHOP) };
        let once = [applied(), shipped(1, IMPORTER, SHOP), received(2, SHOP), sold(3, SHOP)];
        assert!(!status(&once, &[]).suspicious);
        assert!(status(&[&once[..], &[sold(5, STRANGER)]].concat(), &[]).suspicious);
        let returned = status(&[&once[..], &[back, sold(5, SHOP)]].concat(), &[]);
        assert_eq!((returned.suspicious, returned.state), (false, State::Sold));
    }

    #[test]
    fn a_sale_after_destruction_and_an_opened_package_that_moves_on_are_suspicious() {
        let destroyed = said(1, IMPORTER, BizStep::Destroying);
        let found = status(&[applied(), destroyed, sold(2, SHOP)], &[]);
        assert_eq!((found.suspicious, found.state), (true, State::Destroyed));
        let opened = Entry { disposition: Some(Disposition::ContainerOpen), ..said(1, IMPORTER, BizStep::Repackaging) };
        let found = status(&[applied(), opened.clone()], &[]);
        assert_eq!((found.suspicious, found.state), (false, State::Opened));
        assert!(status(&[applied(), opened, shipped(2, IMPORTER, SHOP)], &[]).suspicious);
    }

    #[test]
    fn what_happens_to_a_pallet_happens_to_the_items_in_its_cases_while_they_are_inside() {
        let own = [applied(), packed(1, IMPORTER, case()), unpacked(9, SHOP, case())];
        let of_case = vec![packed(2, IMPORTER, pallet())];
        let of_pallet =
            vec![shipped(3, IMPORTER, SHOP), received(4, SHOP), emptied(5, SHOP), shipped(6, SHOP, STRANGER)];
        let found = status(&own, &[(case(), of_case), (pallet(), of_pallet)]);
        assert_eq!((found.state, found.holder), (State::Stored, OrganizationId(SHOP)));
        let stays: Vec<_> = found.stays.iter().map(|stay| (&stay.unit, stay.from_ms, stay.until_ms)).collect();
        assert_eq!(stays, [(&case(), 1, Some(9)), (&pallet(), 2, Some(5))]);
    }

    #[test]
    fn a_recall_reaches_what_was_unpacked_but_not_what_another_life_of_the_pallet_carried() {
        let own = [applied(), packed(1, IMPORTER, pallet())];
        let first_life = vec![emptied(2, IMPORTER), recalled(3)];
        assert!(
            status(&own, &[(pallet(), first_life)]).verdicts(false, false).contains(&crate::trace::Verdict::Recalled)
        );
        let packs = Entry {
            part: Part::Parent { all: false },
            action: Some(Action::Add),
            ..said(3, IMPORTER, BizStep::Packing)
        };
        let reused = vec![emptied(2, IMPORTER), packs, recalled(4)];
        assert_eq!(status(&own, &[(pallet(), reused)]).measures, []);
    }

    #[test]
    fn a_loggers_record_bears_on_what_was_inside_meanwhile_although_it_was_read_out_later() {
        let own = [applied(), packed(10, IMPORTER, pallet()), unpacked(20, IMPORTER, pallet())];
        let bearing = |first, last| {
            let found = status(&own, &[(pallet(), vec![observed(30, first, last)])]);
            found.bearings[3].is_some()
        };
        assert!(bearing(0, 10) && bearing(12, 15) && bearing(20, 29));
        assert!(!bearing(0, 9) && !bearing(21, 29));
    }

    #[test]
    fn a_strangers_packing_claims_nothing() {
        let own = [applied(), packed(1, STRANGER, pallet())];
        let found = status(&own, &[(pallet(), vec![said(2, IMPORTER, BizStep::Destroying), recalled(3)])]);
        assert_eq!((found.state, found.measures.len()), (State::Active, 0));
    }

    #[test]
    fn goods_that_move_while_a_recall_stands_are_marked() {
        let found = status(&[applied(), recalled(1), shipped(2, IMPORTER, SHOP), received(3, SHOP)], &[]);
        assert_eq!(marks(&found), [Mark::Conflicting(Conflict::MovedWhileRecalled), Mark::Confirmed]);
    }

    #[test]
    fn an_error_declared_takes_back_what_followed() {
        let sale = sold(3, SHOP);
        let wrong = Entry { declares_error: true, place: Place { ordinal: 1, ..sale.place }, ..sale.clone() };
        let before = [applied(), shipped(1, IMPORTER, SHOP), received(2, SHOP)];
        let found = status(&[&before[..], &[sale, wrong, sold(4, SHOP)]].concat(), &[]);
        assert_eq!((found.suspicious, found.state), (false, State::Sold));
        assert_eq!(found.bearings[3], Some(Bearing::DeclaredInError));
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_decides_nothing(keys in prop::collection::vec(any::<u32>(), 9)) {
            let entries = [
                applied(), packed(1, IMPORTER, pallet()), shipped(2, IMPORTER, SHOP), received(3, SHOP),
                unpacked(4, SHOP, pallet()), sold(5, SHOP), sold(6, STRANGER), recalled(7), received(8, STRANGER),
            ];
            let mut shuffled: Vec<_> = keys.iter().zip(&entries).collect();
            shuffled.sort_by_key(|(key, _)| **key);
            let shuffled: Vec<_> = shuffled.into_iter().map(|(_, entry)| entry.clone()).collect();
            let of_pallet = vec![(pallet(), vec![observed(9, 1, 2)])];
            prop_assert_eq!(status(&shuffled, &of_pallet), status(&entries, &of_pallet));
        }
    }
}
