//! The journey of a batch, planned: from the producer's cold store by sea or air through port, customs and central
//! supervision to distributors and shops.
//!
//! A plan runs on into the future; what lies there is left out, and so some goods are on the way and some on the shelf.

use super::{
    chance::Chance,
    network::Network,
    plan::{PlannedBatch, PlannedConsignment},
    report::{By, Goods, Parent, Report, What},
};
use crate::registration::Activation;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Pallets of a batch, least and most; and codes that make a batch large enough for the most.
const PALLETS: (u32, u32) = (2, 5);
/// Shops that share a pallet, least and most.
const SHOPS_A_PALLET: (u32, u32) = (1, 3);
/// Codes of one sale, least and most: a day's of a shop.
const SOLD_AT_ONCE: (u32, u32) = (3, 9);
/// Of a hundred shops so many never say that they received anything.
const SILENT_SHOPS_PERCENT: u32 = 6;
/// Of so many pallets one has a logger of its own.
const LOGGED_PALLETS: u32 = 4;
/// Of so many pallets one stays in the warehouse.
const KEPT_PALLETS: u32 = 6;

/// A batch among all of a world.
#[derive(Clone, Copy, Debug)]
pub struct Traveller<'a> {
    /// Its number, from 0.
    pub number: u32,
    /// It.
    pub batch: &'a PlannedBatch,
    /// The consignment that it comes in.
    pub consignment: &'a PlannedConsignment,
    /// Midnight of the day of entry where it enters, milliseconds since 1970-01-01 UTC.
    pub entry_ms: i64,
    /// Midnight of the last day of production.
    pub produced_ms: i64,
    /// Minutes between two readings of the reefer's logger.
    pub step_min: u16,
    /// Whether its reefer breaks down.
    pub broken: bool,
    /// Whether its codes move at all.
    pub moves: bool,
    /// Whether its last pallet stays in the warehouse.
    pub keeps_a_pallet: bool,
}

/// When a batch is registered on the day of entry.
pub const REGISTERED_MS: i64 = 9 * HOUR + 30 * MINUTE;
/// When its codes are ordered and applied.
pub const LABELLED_MS: i64 = REGISTERED_MS + 50 * MINUTE;

/// Everything that is reported of a batch, in no fixed order.
pub fn journey(chance: &mut Chance, traveller: &Traveller<'_>, network: &Network) -> Vec<Report> {
    let mut journey = Journey { chance, of: traveller, network, reports: Vec::new() };
    journey.abroad();
    if traveller.moves {
        let codes = traveller.batch.applied();
        let warehouse = journey.by_carrier(codes);
        journey.onward(codes, warehouse);
    }
    journey.reports
}

struct Journey<'a> {
    chance: &'a mut Chance,
    of: &'a Traveller<'a>,
    network: &'a Network,
    reports: Vec<Report>,
}

impl Journey<'_> {
    fn add(&mut self, at_ms: i64, by: By, what: What) {
        self.reports.push(Report { at_ms, by, batch: self.of.number, what });
    }

    fn importer(&self) -> By {
        By::Importer(u16::try_from(self.of.consignment.importer).unwrap_or_default())
    }

    fn hours(&mut self, least: u32, most: u32) -> i64 {
        i64::from(self.chance.within(least * 60, most * 60)) * MINUTE
    }

    /// What is long by sea is short by air: a day is a few hours.
    fn days(&mut self, least: u32, most: u32) -> i64 {
        let hours = if self.of.consignment.air { 4 } else { 24 };
        self.hours(least * hours, most * hours)
    }

    /// Until customs let it in.
    fn abroad(&mut self) {
        let Traveller { entry_ms, produced_ms, step_min, broken, .. } = *self.of;
        let importer = self.importer();
        let arrived_ms = entry_ms + self.hours(1, 5);
        let loaded_ms = (produced_ms + 15 * HOUR + self.hours(0, 3)).min(arrived_ms - 8 * HOUR);
        let departed_ms = (loaded_ms + self.days(1, 2)).min(arrived_ms - 4 * HOUR);
        self.add(loaded_ms, importer, What::PackedForExport);
        self.add(departed_ms, importer, What::Departed);
        self.add(arrived_ms, importer, What::Arrived);
        self.add(arrived_ms + 40 * MINUTE, importer, What::Voyage { from_ms: loaded_ms, step_min, broken });
        let cleared_ms = entry_ms + 7 * HOUR + self.hours(0, 2);
        self.add(cleared_ms, By::Inspector, What::Cleared);
    }

    /// From the port to central supervision, by a carrier; gives the warehouse and the time from which goods may go on.
    fn by_carrier(&mut self, codes: u32) -> (By, i64) {
        let Traveller { entry_ms, consignment, batch, .. } = *self.of;
        let importer = self.importer();
        let carriers = self.network.carriers.clone();
        let carrier = operator(self.chance.within(carriers.start as u32, carriers.end as u32 - 1) as usize);
        let warehouse = operator(self.network.warehouses.start + consignment.warehouse);
        let all = Goods::All(codes, batch.cases);
        let shipped_ms = entry_ms + 11 * HOUR + self.hours(0, 3);
        let driven_ms = shipped_ms + self.hours(5, 9);
        self.add(shipped_ms, importer, What::Ship(all, carrier));
        self.add(shipped_ms + 20 * MINUTE, carrier, What::Receive(all, importer));
        self.add(driven_ms, carrier, What::Ship(all, warehouse));
        self.add(driven_ms + 35 * MINUTE, warehouse, What::Receive(all, carrier));
        let released_ms = driven_ms + self.days(1, 1);
        if consignment.consignment.supervision.is_some() {
            self.add(released_ms, By::Inspector, What::Released);
        }
        (warehouse, released_ms + 30 * MINUTE)
    }

    /// Onto pallets, to distributors, to shops.
    fn onward(&mut self, codes: u32, (warehouse, mut ready_ms): (By, i64)) {
        let (least, most) = PALLETS;
        let pallets = self.chance.within(least, most).min(codes.max(1));
        let per_case = self.of.batch.per_case.max(1);
        for pallet in 0..pallets {
            // Whole cases, where there are any.
            let border = |part: u32| {
                let border = u64::from(codes) * u64::from(part) / u64::from(pallets);
                let border = u32::try_from(border).unwrap_or(codes);
                if part == pallets || self.of.batch.cases == 0 { border } else { border / per_case * per_case }
            };
            let (first, end) = (border(pallet), border(pallet + 1));
            if first >= end {
                continue;
            }
            let number = self.of.number * 8 + pallet;
            let loaded = self.load((first, end - 1), number, warehouse, ready_ms);
            let kept = if self.of.keeps_a_pallet { pallet + 1 == pallets } else { self.is_one_of(KEPT_PALLETS) };
            if !kept {
                self.distribute((first, end - 1), number, warehouse, loaded);
            }
            ready_ms = loaded + self.days(0, 3);
        }
    }

    fn is_one_of(&mut self, many: u32) -> bool {
        self.chance.within(1, many) == 1
    }

    /// The cases that hold these codes.
    fn cases(&self, (first, last): (u32, u32)) -> Option<(u32, u32)> {
        let per_case = self.of.batch.per_case.max(1);
        (self.of.batch.cases > 0).then(|| (first / per_case, last / per_case))
    }

    fn goods(&self, span: (u32, u32)) -> Goods {
        let codes = Goods::Codes(span.0, span.1);
        self.cases(span).map_or(codes, |(first, last)| Goods::Cases(first, last))
    }

    /// Packs codes into cases where there are any, and onto a pallet; gives when that was done.
    fn load(&mut self, span: (u32, u32), pallet: u32, warehouse: By, at_ms: i64) -> i64 {
        let per_case = self.of.batch.per_case.max(1);
        let (first, last) = self.cases(span).unwrap_or((1, 0));
        for case in first..=last {
            let codes = Goods::Codes(case * per_case, (case * per_case + per_case - 1).min(span.1));
            self.add(at_ms + i64::from(case - first) * MINUTE, warehouse, What::Pack(codes, Parent::Case(case)));
        }
        let packed_ms = at_ms + HOUR + i64::from((last + 1).saturating_sub(first)) * MINUTE;
        self.add(packed_ms, warehouse, What::Pack(self.goods(span), Parent::Pallet(pallet)));
        packed_ms
    }

    /// A pallet to a distributor, and from there to shops.
    fn distribute(&mut self, span: (u32, u32), pallet: u32, warehouse: By, loaded_ms: i64) {
        let distributors = self.network.distributors.clone();
        let distributor = self.chance.within(distributors.start as u32, distributors.end as u32 - 1) as usize;
        let by = operator(distributor);
        let shipped_ms = loaded_ms + self.hours(1, 4);
        let received_ms = shipped_ms + self.hours(2, 11);
        self.add(shipped_ms, warehouse, What::Ship(Goods::Pallet(pallet), by));
        self.add(received_ms, by, What::Receive(Goods::Pallet(pallet), warehouse));
        if self.is_one_of(LOGGED_PALLETS) {
            self.add(received_ms + 10 * MINUTE, by, What::Leg { pallet, from_ms: loaded_ms + 30 * MINUTE });
        }
        let opened_ms = received_ms + self.days(0, 2) + HOUR;
        self.add(opened_ms, by, What::Unpack(Parent::Pallet(pallet)));
        let shops = self.network.served_by(distributor);
        let (least, most) = SHOPS_A_PALLET;
        let count = self.chance.within(least, most).min(shops.len() as u32).max(1);
        let begin = self.chance.within(0, shops.len().saturating_sub(1) as u32);
        let size = (span.1 - span.0 + 1).div_ceil(count);
        let unit = if self.of.batch.cases > 0 { self.of.batch.per_case.max(1) } else { 1 };
        let size = size.div_ceil(unit) * unit;
        let mut first = span.0;
        for at in 0..count {
            let last = first.saturating_add(size - 1).min(span.1);
            let Some(shop) = shops.get((begin + at) as usize % shops.len().max(1)) else { break };
            if first > span.1 {
                break;
            }
            self.sell((first, last), operator(*shop), by, opened_ms);
            first = last + 1;
        }
    }

    /// A span to a shop, onto its shelf, and over its counter. The last code is never sold.
    fn sell(&mut self, span: (u32, u32), shop: By, distributor: By, opened_ms: i64) {
        let goods = self.goods(span);
        let shipped_ms = opened_ms + self.hours(1, 20);
        self.add(shipped_ms, distributor, What::Ship(goods, shop));
        if self.chance.within(1, 100) <= SILENT_SHOPS_PERCENT {
            return;
        }
        let received_ms = shipped_ms + self.hours(1, 6);
        self.add(received_ms, shop, What::Receive(goods, distributor));
        let stocked_ms = received_ms + self.hours(1, 8);
        if let Some((first, last)) = self.cases(span) {
            for case in first..=last {
                self.add(stocked_ms - 30 * MINUTE, shop, What::Unpack(Parent::Case(case)));
            }
        }
        self.add(stocked_ms, shop, What::Stock(Goods::Codes(span.0, span.1)));
        let demand = self.chance.within(30, 100);
        let sold_end = span.0 + (span.1 - span.0) * demand / 100;
        let (mut first, mut at_ms) = (span.0, stocked_ms);
        while first < sold_end {
            let (least, most) = SOLD_AT_ONCE;
            let last = (first + self.chance.within(least, most) - 1).min(sold_end - 1);
            at_ms += self.days(0, 2) + HOUR;
            self.add(at_ms, shop, What::Sell(Goods::Codes(first, last)));
            first = last + 1;
        }
    }
}

fn operator(place: usize) -> By {
    By::Operator(u16::try_from(place).unwrap_or_default())
}

impl PlannedBatch {
    /// How many of its codes are on goods.
    pub fn applied(&self) -> u32 {
        match self.activate {
            Activation::OnIssue => self.codes,
            Activation::OnReport => self.codes * 6 / 10,
        }
    }
}

/// A day in milliseconds.
pub const DAY_MS: i64 = DAY;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;
    use crate::demo::{
        fill::traveller,
        tale::tales,
        tell::midnight_ms,
        world::{Size, World},
    };

    /// Every batch's number and reports up to a day.
    fn reports(size: Size) -> Vec<(u32, Vec<Report>)> {
        let today = date(2026, 11, 22);
        let world = World::new(size, today, 1).unwrap();
        let stories = tales(&world.consignments, today);
        let batches = world.consignments.iter().flat_map(|of| of.batches.iter().map(move |batch| (of, batch)));
        let plan = |(number, (consignment, batch)): (u32, (&PlannedConsignment, &PlannedBatch))| {
            let traveller = traveller(number, consignment, batch, stories.get(&number).copied());
            let mut reports = journey(&mut Chance::new(u64::from(number) + 1), &traveller, &world.network);
            reports.retain(|report| report.at_ms <= midnight_ms(today));
            (number, reports)
        };
        (0..).zip(batches).map(plan).collect()
    }

    #[test]
    fn a_full_world_has_a_million_events() {
        let all: usize = reports(Size::FULL).iter().map(|(_, reports)| reports.len()).sum();
        assert!((1_000_000..1_400_000).contains(&all), "{all} events");
    }

    #[test]
    fn goods_are_received_after_they_were_shipped_and_each_code_is_sold_once_from_a_shelf() {
        for (_, mut reports) in reports(Size { batches: 300, codes: 250_000 }) {
            reports.sort_by_key(|report| report.at_ms);
            let (mut shipped, mut shelf) = (Vec::new(), BTreeMap::new());
            for report in &reports {
                match report.what {
                    What::Ship(goods, to) => shipped.push((goods, report.by, to)),
                    What::Receive(goods, from) => assert!(shipped.contains(&(goods, from, report.by)), "{report:?}"),
                    What::Stock(Goods::Codes(first, last)) => {
                        shelf.extend((first..=last).map(|serial| (serial, report.by)));
                    }
                    What::Sell(Goods::Codes(first, last)) => {
                        for serial in first..=last {
                            assert_eq!(shelf.remove(&serial), Some(report.by), "{serial} in {report:?}");
                        }
                    }
                    _ => {}
                }
            }
            let stocked = reports.iter().any(|report| matches!(report.what, What::Stock(_)));
            assert_eq!(stocked, !shelf.is_empty(), "the last code of a shop is never sold");
        }
    }
}
