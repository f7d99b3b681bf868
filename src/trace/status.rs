//! The fold: from the entries that bear on a code to its state. The order in which entries arrived plays no part.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Entry, EventHash, MeasureId, OrganizationId, Role, Verdict, authority};
use crate::epcis::{BizStep, Disposition};

/// Where the goods are in their life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The code is issued; no goods carry it yet.
    Reserved,
    /// The label is on goods.
    Active,
    /// On the way.
    InTransit,
    /// In a warehouse or store room.
    Stored,
    /// Where customers take it.
    OnSale,
    /// Sold to a consumer.
    Sold,
    /// Came back.
    Returned,
    /// Destroyed.
    Destroyed,
    /// The label was declared void.
    Void,
}

impl State {
    /// Its word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Active => "active",
            Self::InTransit => "in_transit",
            Self::Stored => "stored",
            Self::OnSale => "on_sale",
            Self::Sold => "sold",
            Self::Returned => "returned",
            Self::Destroyed => "destroyed",
            Self::Void => "void",
        }
    }
}

/// What an entry counts for in a code's timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearing {
    /// It took effect.
    Effective,
    /// Somebody's report that changes no state.
    Report,
    /// It was declared in error.
    DeclaredInError,
    /// It declares another in error.
    ErrorDeclaration,
}

/// A hold or recall that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its number, where the event named one.
    pub measure: Option<MeasureId>,
    /// Whether it is a recall; otherwise a hold.
    pub recall: bool,
}

/// What follows from all entries that bear on a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where the goods are in their life.
    pub state: State,
    /// Whether the label has been reported as applied.
    pub activated: bool,
    /// Whether the label was declared void.
    pub voided: bool,
    /// Whether the goods were destroyed.
    pub destroyed: bool,
    /// Measures that stand, by number.
    pub measures: Vec<Standing>,
    /// What each entry counts for, in the order given.
    pub bearings: Vec<Bearing>,
}

impl Status {
    /// The verdicts that follow, gravest first; `expired` tells whether the last expiry date is past.
    /// Never empty: `genuine` alone where nothing speaks against the goods.
    pub fn verdicts(&self, expired: bool) -> Vec<Verdict> {
        let recalled = self.measures.iter().any(|standing| standing.recall);
        let held = self.measures.iter().any(|standing| !standing.recall);
        let found = [
            (self.voided, Verdict::Void),
            (recalled, Verdict::Recalled),
            (self.destroyed, Verdict::Destroyed),
            (held, Verdict::OnHold),
            (expired, Verdict::Expired),
            (!self.activated, Verdict::NotActivated),
        ];
        let mut verdicts: Vec<_> = found.into_iter().filter_map(|(holds, verdict)| holds.then_some(verdict)).collect();
        if verdicts.is_empty() {
            verdicts.push(Verdict::Genuine);
        }
        verdicts
    }
}

/// Folds the entries that bear on one code, in ascending order of place, into its status. `issuer` is the organization
/// that issued the code.
pub fn fold(entries: &[&Entry], issuer: OrganizationId) -> Status {
    let mut declarations: HashMap<EventHash, Vec<&Entry>> = HashMap::new();
    for declaration in entries.iter().filter(|entry| entry.declares_error) {
        declarations.entry(declaration.event).or_default().push(declaration);
    }
    let voided = |entry: &Entry| {
        let of_event = declarations.get(&entry.event).map(Vec::as_slice).unwrap_or_default();
        of_event.iter().any(|declaration| authority::voids(declaration, entry))
    };
    let bearings: Vec<_> = entries
        .iter()
        .map(|entry| {
            if entry.declares_error {
                Bearing::ErrorDeclaration
            } else if voided(entry) {
                Bearing::DeclaredInError
            } else if authority::has_effect(entry, issuer) {
                Bearing::Effective
            } else {
                Bearing::Report
            }
        })
        .collect();
    let effective = entries.iter().zip(&bearings).filter(|(_, bearing)| **bearing == Bearing::Effective);
    let mut status = Status {
        state: State::Reserved,
        activated: false,
        voided: false,
        destroyed: false,
        measures: Vec::new(),
        bearings: Vec::new(),
    };
    let mut measures = Measures::default();
    for (entry, _) in effective {
        status.activated |= matches!(entry.biz_step, Some(BizStep::Commissioning));
        status.voided |= matches!(entry.biz_step, Some(BizStep::Decommissioning));
        status.destroyed |= says_destroyed(entry);
        status.state = state_after(entry).unwrap_or(status.state);
        measures.add(entry);
    }
    // Final, whatever event time a later report claims.
    if status.destroyed {
        status.state = State::Destroyed;
    }
    if status.voided {
        status.state = State::Void;
    }
    status.measures = measures.standing();
    status.bearings = bearings;
    status
}

fn says_destroyed(entry: &Entry) -> bool {
    matches!(entry.biz_step, Some(BizStep::Destroying)) || matches!(entry.disposition, Some(Disposition::Destroyed))
}

/// The state that an entry leaves the goods in; `None` where it does not tell. The disposition says what holds after
/// the event (CBV 2.0, clause 7.2), so it is asked first.
fn state_after(entry: &Entry) -> Option<State> {
    let by_disposition = match entry.disposition.as_ref() {
        Some(Disposition::InTransit) => Some(State::InTransit),
        Some(Disposition::SellableAccessible) => Some(State::OnSale),
        Some(Disposition::SellableNotAccessible) => Some(State::Stored),
        Some(Disposition::RetailSold) => Some(State::Sold),
        Some(Disposition::Returned) => Some(State::Returned),
        _ => None,
    };
    by_disposition.or(match entry.biz_step.as_ref()? {
        BizStep::Commissioning => Some(State::Active),
        BizStep::Shipping | BizStep::Departing | BizStep::Transporting | BizStep::StagingOutbound => {
            Some(State::InTransit)
        }
        BizStep::Receiving | BizStep::Accepting | BizStep::Arriving | BizStep::Storing | BizStep::Unloading => {
            Some(State::Stored)
        }
        BizStep::Stocking => Some(State::OnSale),
        BizStep::RetailSelling => Some(State::Sold),
        _ => None,
    })
}

/// What sets one measure, and what would lift it.
#[derive(Default)]
struct Sides<'a> {
    sets: Vec<&'a Entry>,
    lifts: Vec<&'a Entry>,
}

/// Sets and lifts by measure. A numbered measure stands until a lift by right names it; no clock takes part. One without
/// a number is lifted by an unnumbered unset of the same disposition with a later event time.
#[derive(Default)]
struct Measures<'a> {
    by_number: BTreeMap<(MeasureId, bool), Sides<'a>>,
    unnumbered: BTreeMap<bool, Vec<&'a Entry>>,
}

impl<'a> Measures<'a> {
    fn add(&mut self, entry: &'a Entry) {
        for disposition in entry.set.iter().filter(|set| authority::is_measure(set)) {
            let recall = *disposition == Disposition::Recalled;
            match entry.measure {
                Some(number) => self.by_number.entry((number, recall)).or_default().sets.push(entry),
                None => self.unnumbered.entry(recall).or_default().push(entry),
            }
        }
        for disposition in entry.unset.iter().filter(|unset| authority::is_measure(unset)) {
            let recall = *disposition == Disposition::Recalled;
            match entry.measure {
                Some(number) => self.by_number.entry((number, recall)).or_default().lifts.push(entry),
                // Entries come in order of event time: what is lifted here was set before.
                None => self.unnumbered.entry(recall).or_default().retain(|set| !may_lift(entry, set)),
            }
        }
    }

    fn standing(self) -> Vec<Standing> {
        let numbered = self
            .by_number
            .into_iter()
            .filter(|(_, Sides { sets, lifts })| sets.iter().any(|set| !lifts.iter().any(|lift| may_lift(lift, set))));
        let numbered = numbered.map(|((number, recall), _)| Standing { measure: Some(number), recall });
        let unnumbered = self.unnumbered.into_iter().filter(|(_, sets)| !sets.is_empty());
        numbered.chain(unnumbered.map(|(recall, _)| Standing { measure: None, recall })).collect()
    }
}

/// Lifting an inspector's measure needs an inspector; an importer lifts its own.
fn may_lift(lift: &Entry, set: &Entry) -> bool {
    lift.role == Role::Inspector || (set.role != Role::Inspector && lift.organization == set.organization)
}
