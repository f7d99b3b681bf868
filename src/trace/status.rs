//! What follows from what happened: the state that goods are in, and the verdicts.

use serde::{Deserialize, Serialize};

use super::{Entry, Mark, OrganizationId, Part, Standing, Stay, Verdict};
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
    /// Opened, to be sold in portions.
    Opened,
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
            Self::Opened => "opened",
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

impl Bearing {
    /// Its word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::Report => "report",
            Self::DeclaredInError => "declared_in_error",
            Self::ErrorDeclaration => "error_declaration",
        }
    }
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
    /// Whether the package was opened to be sold in portions, or consumed.
    pub is_opened: bool,
    /// Whether authenticated reports speak of two things under one code, or an inspector said so.
    pub suspicious: bool,
    /// Measures that stand, by number.
    pub measures: Vec<Standing>,
    /// Who has the goods, as far as shippers and receivers agree.
    pub holder: OrganizationId,
    /// The units that the goods were inside of, and are.
    pub stays: Vec<Stay>,
    /// What each entry counts for, in the order given; `None` for one that does not bear on the code.
    pub bearings: Vec<Option<Bearing>>,
    /// What each entry that speaks of custody is marked with, in the order given.
    pub marks: Vec<Option<Mark>>,
}

impl Status {
    /// Adds what holds of the goods that these were made of: holds and recalls, and doubts.
    pub fn inherit(&mut self, measures: &[Standing], suspicious: bool) {
        self.suspicious |= suspicious;
        for measure in measures {
            let same = |own: &&mut Standing| (own.measure, own.recall) == (measure.measure, measure.recall);
            match self.measures.iter_mut().find(same) {
                Some(own) => own.since_ms = own.since_ms.min(measure.since_ms),
                None => self.measures.push(*measure),
            }
        }
        self.measures.sort_by_key(|standing| (standing.measure.is_none(), standing.measure, standing.recall));
    }

    /// The verdicts that follow, gravest first. `expired` tells whether the last expiry date is past, `chain_broken`
    /// whether the goods were too warm by the published rule. Never empty: `genuine` alone where nothing speaks
    /// against the goods.
    pub fn verdicts(&self, expired: bool, chain_broken: bool) -> Vec<Verdict> {
        let recalled = self.measures.iter().any(|standing| standing.recall);
        let held = self.measures.iter().any(|standing| !standing.recall);
        let found = [
            (self.voided, Verdict::Void),
            (recalled, Verdict::Recalled),
            (self.destroyed, Verdict::Destroyed),
            (self.suspicious, Verdict::Suspicious),
            (held, Verdict::OnHold),
            (chain_broken, Verdict::ColdChainBroken),
            (expired, Verdict::Expired),
            // A label that was declared void is not going to be applied.
            (!self.activated && !self.voided, Verdict::NotActivated),
        ];
        let mut verdicts: Vec<_> = found.into_iter().filter_map(|(holds, verdict)| holds.then_some(verdict)).collect();
        if verdicts.is_empty() {
            verdicts.push(Verdict::Genuine);
        }
        verdicts
    }
}

/// Whether an entry says that the goods are destroyed.
pub(super) fn says_destroyed(entry: &Entry) -> bool {
    matches!(entry.biz_step, Some(BizStep::Destroying)) || matches!(entry.disposition, Some(Disposition::Destroyed))
}

/// Whether an entry says that the package was opened to be sold in portions.
pub(super) fn says_opened(entry: &Entry) -> bool {
    entry.part == Part::Input || matches!(entry.disposition, Some(Disposition::ContainerOpen))
}

/// Whether an entry puts the label on goods: it is commissioned, or its goods come out of a transformation.
pub(super) fn says_activated(entry: &Entry) -> bool {
    match entry.part {
        Part::Output => true,
        Part::Input => false,
        _ => matches!(entry.biz_step, Some(BizStep::Commissioning)),
    }
}

/// The state that an entry leaves the goods in; `None` where it does not tell. The disposition says what holds after
/// the event (CBV 2.0, clause 7.2), so it is asked first.
pub(super) fn state_after(entry: &Entry) -> Option<State> {
    if entry.part == Part::Output {
        return Some(State::Active);
    }
    let by_disposition = match entry.disposition.as_ref() {
        Some(Disposition::InTransit) => Some(State::InTransit),
        Some(Disposition::SellableAccessible) => Some(State::OnSale),
        Some(Disposition::SellableNotAccessible) => Some(State::Stored),
        Some(Disposition::RetailSold) => Some(State::Sold),
        Some(Disposition::Returned) => Some(State::Returned),
        Some(Disposition::ContainerOpen) => Some(State::Opened),
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
        BizStep::Repackaging if entry.part == Part::Input => Some(State::Opened),
        _ => None,
    })
}
