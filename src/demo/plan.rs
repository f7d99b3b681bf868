//! A consignment and its batches, planned.

use jiff::{ToSpan, civil::Date};

use super::{
    chance::Chance,
    goods::{KINDS, Kind, kinds_of},
    number,
    party::{CONTAINER_OWNERS, PLATES, PORTS, Port, WAREHOUSES},
    world::{FIRST_RUN_CODES, gtin_of, pieces, weight},
};
use crate::{
    registration::{
        Activation, Batch, Consignment, Country, DateRange, Level, LevelCounts, Organization, Paper, Producer,
        Supervision,
    },
    trace::{ConsignmentId, OrganizationId},
};

/// Items for which the first batch is registered, so that a large order is lawful.
const FIRST_BATCH_ITEMS: u64 = 20_000_000;
/// Of so many batches one has expired.
const EXPIRED_EVERY: u32 = 20;
/// Of so many batches one has codes that become active by report.
const ON_REPORT_EVERY: u32 = 9;
/// Of so many batches one has codes on its cases too.
const CASES_EVERY: u32 = 5;
/// Of so many consignments one is still young; the others had the time to be sold.
const YOUNG_EVERY: usize = 3;
/// How old those others are at least, in days.
const OLD_DAYS: u32 = 30;

/// A consignment to register.
#[derive(Clone, Debug)]
pub struct PlannedConsignment {
    /// The place of its importer.
    pub importer: usize,
    /// Whether it comes by air.
    pub air: bool,
    /// The place of its central supervision warehouse.
    pub warehouse: usize,
    /// The consignment.
    pub consignment: Consignment,
    /// Its batches.
    pub batches: Vec<PlannedBatch>,
}

/// A batch to register, and its order of codes.
#[derive(Clone, Debug)]
pub struct PlannedBatch {
    /// The place of its kind of goods.
    pub kind: usize,
    /// The batch without its product.
    pub batch: Batch,
    /// Codes to order.
    pub codes: u32,
    /// What bears them.
    pub level: Level,
    /// When they become active.
    pub activate: Activation,
    /// Codes for whole cases, beside those for items; mostly none.
    pub cases: u32,
    /// Items in a case.
    pub per_case: u32,
}

/// Plans a consignment of `importer` (its place, and itself) by a route (its place, origin, and whether by air), one
/// batch for each order of codes. `first_batch` counts the batches before it.
pub(super) fn consignment(
    chance: &mut Chance,
    today: Date,
    importer: (usize, &Organization),
    route: (usize, &str, bool),
    first_batch: u32,
    orders: &[u32],
) -> Option<PlannedConsignment> {
    let (at, origin, air) = route;
    let kinds = kinds_of(origin, air);
    // Nothing may have expired by now that is not meant to have.
    let fresh_days = kinds.iter().filter_map(|kind| KINDS.get(*kind)).map(fresh_days_after_entry).min()?;
    let oldest = fresh_days.min(90);
    let youngest = if at % YOUNG_EVERY == 1 { 2 } else { OLD_DAYS.min(oldest) };
    let entry_date = days_before(today, chance.within(youngest, oldest));
    let mut batches = Vec::new();
    for (line, codes) in orders.iter().enumerate() {
        let kind = *kinds.get(line % kinds.len())?;
        let mut planned = batch(chance, kind, entry_date, first_batch + line as u32, *codes)?;
        planned.batch.line = u16::try_from(line + 1).ok();
        if is_expired(first_batch + line as u32) {
            let last = days_before(today, 1);
            planned.batch.expiry = DateRange::new(entry_date.max(days_before(last, 5)), last).ok();
            let production = days_before(last, KINDS.get(kind)?.shelf_days);
            planned.batch.production = DateRange::new(days_before(production, 5), production).ok();
        }
        batches.push(planned);
    }
    let consignor = KINDS.get(*kinds.first()?)?.producer;
    let warehouse = chance.within(0, WAREHOUSES.len() as u32 - 1) as usize;
    let consignment = shipment(chance, entry_date, importer.1, (origin, air, warehouse), consignor)?;
    Some(PlannedConsignment { importer: importer.0, air, warehouse, consignment, batches })
}

fn is_expired(batch: u32) -> bool {
    batch % EXPIRED_EVERY == 8
}

fn fresh_days_after_entry(kind: &Kind) -> u32 {
    // Five days of production lie before the last one; and a demo is looked at for a few days.
    kind.shelf_days.saturating_sub(kind.transit_days.1 + 5 + 3).max(2)
}

fn days_before(day: Date, days: u32) -> Date {
    day.saturating_sub(i64::from(days).days())
}

fn shipment(
    chance: &mut Chance,
    entry_date: Date,
    importer: &Organization,
    (origin, air, warehouse): (&str, bool, usize),
    consignor: &str,
) -> Option<Consignment> {
    let city = importer.uscc.as_ref().and_then(|uscc| uscc.as_str().get(2..6));
    let near = |port: &&Port| port.air == air && Some(port.city) == city;
    let mut ports: Vec<&Port> = PORTS.iter().filter(near).collect();
    // An importer without a port in its city takes any.
    if ports.is_empty() {
        ports = PORTS.iter().filter(|port| port.air == air).collect();
    }
    let port = *chance.of(&ports);
    let owner = *chance.of(CONTAINER_OWNERS);
    let containers = if air { 0 } else { chance.within(1, 4) };
    let containers = (0..containers).map(|_| number::container(chance, owner)).collect::<Option<_>>()?;
    let country = Country::parse(origin).ok()?;
    let warehouse = WAREHOUSES.get(warehouse)?;
    let year = entry_date.year();
    let declared = entry_date;
    let paper =
        |number: String, issuer: &str, date: Date| Paper { number, issuer: Some(issuer.to_owned()), date: Some(date) };
    let supervised = chance.within(0, 2) > 0;
    Some(Consignment {
        id: ConsignmentId(0),
        organization: OrganizationId(0),
        declaration: Some(number::declaration(chance, port.office, year)?),
        bill_of_lading: Some(if air {
            format!("HAWB{}", chance.digits(8))
        } else {
            format!("{owner}U{}", chance.digits(9))
        }),
        containers,
        origin: Some(country),
        consignor: Some(consignor.to_owned()),
        consignee: Some(importer.legal_name.clone()),
        consignee_uscc: importer.uscc.clone(),
        port_of_entry: Some(port.name.to_owned()),
        entry_date: Some(entry_date),
        quarantine_certificate: Some(paper(
            format!("{}{:02}{}", port.office, year % 100, chance.digits(9)),
            port.customs,
            entry_date.saturating_add(1.day()),
        )),
        vehicle_plate: Some(format!("{}{}", chance.of(PLATES), plate(chance))),
        supervision: supervised.then(|| Supervision {
            warehouse: warehouse.name.to_owned(),
            release_number: Some(format!("CC{}{}", declared.strftime("%Y%m%d"), chance.digits(4))),
            release_date: Some(entry_date.saturating_add(1.day())),
        }),
        first_warehouse: Some(warehouse.first.to_owned()),
        producer: None,
        origin_certificate: Some(paper(
            format!("{}{:02}-{}", country.alpha3(), year % 100, chance.digits(6)),
            &format!("{}原产地签证机构", country.name_zh()),
            days_before(entry_date, if air { 2 } else { 22 }),
        )),
        test_report: None,
        disinfection_certificate: None,
    })
}

/// Five characters of a plate: a letter among digits.
fn plate(chance: &mut Chance) -> String {
    let letter = *chance.of(&['A', 'B', 'D', 'F', 'H', 'K', 'M', 'Q']);
    format!("{letter}{}", chance.digits(4))
}

fn batch(chance: &mut Chance, kind: usize, entry_date: Date, number: u32, codes: u32) -> Option<PlannedBatch> {
    let goods = KINDS.get(kind)?;
    let (transit_least, transit_most) = goods.transit_days;
    let last = days_before(entry_date, chance.within(transit_least, transit_most));
    let production = DateRange::new(days_before(last, chance.within(0, 5)), last).ok()?;
    let shelf = i64::from(goods.shelf_days).days();
    let expiry = DateRange::new(production.first.saturating_add(shelf), last.saturating_add(shelf)).ok()?;
    let lot = lot(chance, goods, last);
    let count = if number == 0 { FIRST_BATCH_ITEMS } else { u64::from(codes) };
    let (level, quantities) = if goods.per_case == 0 {
        (Level::Case, LevelCounts { case: Some(count), ..LevelCounts::default() })
    } else {
        let cases = count.div_ceil(goods.per_case.into());
        (Level::Item, LevelCounts { item: Some(count), display: None, case: Some(cases) })
    };
    let label = chance.within(0, 1) == 0;
    let batch = Batch {
        ai10: gtin_of(kind).and_then(|_| lot.parse().ok()),
        lot: Some(lot),
        production: Some(production),
        expiry: Some(expiry),
        quantity: pieces(quantities.case.unwrap_or(count), "XCT"),
        net_weight: weight(goods.net_grams * count),
        quantities,
        producer: Some(Producer { name: goods.producer.to_owned(), registration: Some(goods.registration.to_owned()) }),
        chinese_label: label.then(|| Paper {
            number: format!("ZWBQ{}{}", entry_date.strftime("%Y"), chance.digits(7)),
            issuer: None,
            date: Some(entry_date),
        }),
        ..Batch::blank(OrganizationId(0), ConsignmentId(0), 0)
    };
    let by_report = number > 0 && number % ON_REPORT_EVERY == 4;
    let activate = if by_report { Activation::OnReport } else { Activation::OnIssue };
    let codes = if number == 0 { FIRST_RUN_CODES.min(codes) } else { codes };
    let cased = number > 0 && number % CASES_EVERY == 1 && activate == Activation::OnIssue && level == Level::Item;
    let cases = if cased { codes.div_ceil(goods.per_case) } else { 0 };
    Some(PlannedBatch { kind, batch, codes, level, activate, cases, per_case: goods.per_case })
}

/// A lot as its maker writes it: letters of the brand, year and day of production, a line.
fn lot(chance: &mut Chance, goods: &Kind, day: Date) -> String {
    let letters: String = goods.brand.chars().filter(char::is_ascii_uppercase).collect();
    format!("{letters}{:02}{:03}-{:02}", day.year() % 100, day.day_of_year(), chance.within(1, 24))
}
