//! Who has the goods: hand-overs that shipper and receiver agree on, and reports that contradict each other.
//!
//! Custody begins with the organization that issued the code. It passes when the holder's shipment and the receiver's
//! report name each other. Nothing is refused for being early or late: marks are computed from all reports there are, in order
//! of event time, and a later report revises them.

use serde::{Deserialize, Serialize};

use super::{Entry, OrganizationId, PartyId};
use crate::epcis::{BizStep, Disposition};

/// What becomes of a report on custody when it is held against the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Shipper and receiver agree.
    Confirmed,
    /// Nobody has agreed yet.
    Unconfirmed,
    /// Another report contradicts it.
    Conflicting(Conflict),
}

impl Mark {
    /// Its word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unconfirmed => "unconfirmed",
            Self::Conflicting(conflict) => conflict.word(),
        }
    }
}

/// How reports contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// Received, and whoever had the goods never shipped them.
    ReceivedNotShipped,
    /// Shipped again before anybody received them.
    ShippedTwice,
    /// Received by another than the shipper named, or from another than shipped.
    HandOverDisagrees,
    /// Sold again, and not returned in between.
    SoldTwice,
    /// Moved or sold after they were destroyed.
    MovedAfterDestruction,
    /// Moved or sold after the package was opened.
    OpenedMoved,
    /// Shipped or sold while a recall stood.
    MovedWhileRecalled,
}

impl Conflict {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ReceivedNotShipped,
        Self::ShippedTwice,
        Self::HandOverDisagrees,
        Self::SoldTwice,
        Self::MovedAfterDestruction,
        Self::OpenedMoved,
        Self::MovedWhileRecalled,
    ];

    /// Its word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ReceivedNotShipped => "received_not_shipped",
            Self::ShippedTwice => "shipped_twice",
            Self::HandOverDisagrees => "hand_over_disagrees",
            Self::SoldTwice => "sold_twice",
            Self::MovedAfterDestruction => "moved_after_destruction",
            Self::OpenedMoved => "opened_moved",
            Self::MovedWhileRecalled => "moved_while_recalled",
        }
    }

    /// Whether it makes the goods `suspicious`: there seem to be two of one code. The others are gaps in the record.
    pub const fn is_suspicious(self) -> bool {
        matches!(self, Self::SoldTwice | Self::MovedAfterDestruction | Self::OpenedMoved)
    }
}

/// What a report says of custody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Ship,
    VoidShip,
    Receive,
    Return,
    Sell,
}

impl Move {
    /// `None` where an entry says nothing of custody.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        if matches!(entry.disposition, Some(Disposition::Returned)) {
            return Some(Self::Return);
        }
        match entry.biz_step.as_ref()? {
            BizStep::Shipping => Some(Self::Ship),
            BizStep::VoidShipping => Some(Self::VoidShip),
            BizStep::Receiving | BizStep::Accepting => Some(Self::Receive),
            BizStep::RetailSelling => Some(Self::Sell),
            _ => None,
        }
    }
}

/// By what right an entry is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// An inspector's.
    Authority,
    /// That of the organization whose goods they are.
    Owner,
    /// Anybody else's: it counts while that organization has custody.
    Other,
}

/// A shipment that nobody has received yet.
#[derive(Debug)]
struct Shipment {
    at: usize,
    by: OrganizationId,
    to: Option<PartyId>,
    owner: Option<PartyId>,
}

impl Shipment {
    /// Whether a receipt is that of this shipment: one of the two names the other, and neither names somebody else.
    fn agrees(&self, receipt: &Entry) -> bool {
        let receiver = Some(PartyId::Organization(receipt.organization));
        let shipper = Some(PartyId::Organization(self.by));
        let from = receipt.hand_over.from;
        let names_receiver = self.to == receiver || self.owner == receiver;
        let names_nobody = self.to.is_none() && self.owner.is_none();
        (names_receiver && (from.is_none() || from == shipper)) || (names_nobody && from == shipper)
    }
}

/// Custody while events are met in order.
#[derive(Debug)]
pub(super) struct Custody {
    /// Who has the goods.
    pub(super) holder: OrganizationId,
    /// What each entry is marked with, by its position.
    pub(super) marks: Vec<Option<Mark>>,
    shipment: Option<Shipment>,
    sale: Option<usize>,
    pub(super) destroyed: bool,
    pub(super) opened: bool,
}

impl Custody {
    /// It begins with the issuer; `entries` will be met.
    pub(super) fn new(issuer: OrganizationId, entries: usize) -> Self {
        let marks = vec![None; entries];
        Self { holder: issuer, marks, shipment: None, sale: None, destroyed: false, opened: false }
    }

    /// Meets the entry at position `at`; returns whether it counts.
    pub(super) fn meet(&mut self, at: usize, entry: &Entry, word: Word) -> bool {
        let holds = entry.organization == self.holder;
        let counts = word != Word::Other || holds;
        let Some(step) = Move::of(entry) else { return counts };
        if word == Word::Authority {
            return true;
        }
        let counts = match step {
            Move::Ship => self.ship(at, entry, counts),
            Move::VoidShip => self.void_ship(entry, counts),
            Move::Receive | Move::Return => self.receive(at, entry, step, counts),
            Move::Sell => self.sell(at, counts),
        };
        if step != Move::VoidShip && self.destroyed {
            self.conflict(at, Conflict::MovedAfterDestruction);
        } else if step != Move::VoidShip && self.opened {
            self.conflict(at, Conflict::OpenedMoved);
        }
        counts
    }

    /// Marks the entry at position `at` as contradicting others.
    pub(super) fn conflict(&mut self, at: usize, conflict: Conflict) {
        self.mark(at, Mark::Conflicting(conflict));
    }

    fn mark(&mut self, at: usize, mark: Mark) {
        if let Some(slot) = self.marks.get_mut(at) {
            *slot = Some(mark);
        }
    }

    fn ship(&mut self, at: usize, entry: &Entry, counts: bool) -> bool {
        self.mark(at, Mark::Unconfirmed);
        if counts {
            if let Some(before) = &self.shipment {
                let before = before.at;
                self.conflict(before, Conflict::ShippedTwice);
                self.conflict(at, Conflict::ShippedTwice);
            }
            let (to, owner) = (entry.hand_over.to, entry.hand_over.owner);
            self.shipment = Some(Shipment { at, by: entry.organization, to, owner });
        }
        counts
    }

    fn void_ship(&mut self, entry: &Entry, counts: bool) -> bool {
        if self.shipment.as_ref().is_some_and(|shipment| shipment.by == entry.organization) {
            self.shipment = None;
        }
        counts
    }

    fn receive(&mut self, at: usize, entry: &Entry, step: Move, counts: bool) -> bool {
        let counts = match self.shipment.take_if(|shipment| shipment.agrees(entry)) {
            Some(shipment) => {
                self.holder = entry.organization;
                for at in [shipment.at, at] {
                    if !matches!(self.marks.get(at), Some(Some(Mark::Conflicting(_)))) {
                        self.mark(at, Mark::Confirmed);
                    }
                }
                true
            }
            None if self.shipment.is_some() => {
                self.conflict(at, Conflict::HandOverDisagrees);
                counts
            }
            // Whoever has them may move them within its own house, and take them back from a customer.
            None if entry.organization == self.holder => counts,
            None => {
                self.conflict(at, Conflict::ReceivedNotShipped);
                counts
            }
        };
        if counts && step == Move::Return {
            self.sale = None;
        }
        counts
    }

    fn sell(&mut self, at: usize, counts: bool) -> bool {
        match self.sale {
            Some(before) => {
                self.conflict(before, Conflict::SoldTwice);
                self.conflict(at, Conflict::SoldTwice);
            }
            None => {
                self.sale = Some(at);
                if !counts {
                    self.mark(at, Mark::Unconfirmed);
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/spec/custody.md");

    #[test]
    fn the_page_has_every_mark_and_says_which_are_suspicious() {
        let (_, marks) = PAGE.split_once("## Marks").unwrap();
        let (table, below) = marks.split_once("\n\n`").unwrap();
        let rows: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).collect();
        let rows: Vec<_> = rows.into_iter().map(|(word, _)| word).collect();
        let marks = [Mark::Confirmed, Mark::Unconfirmed].into_iter();
        let marks: Vec<_> = marks.chain(Conflict::ALL.map(Mark::Conflicting)).map(Mark::word).collect();
        assert_eq!(rows, marks);
        let (suspicious, _) = below.split_once(" make a code `suspicious`").unwrap();
        for conflict in Conflict::ALL {
            assert_eq!(suspicious.contains(conflict.word()), conflict.is_suspicious(), "{conflict:?}");
        }
    }
}
