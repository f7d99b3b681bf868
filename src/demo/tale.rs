//! The batches that stories are told of, and what tools need to know of them.

use std::collections::HashMap;

use jiff::{ToSpan, civil::Date};

use super::{
    goods::KINDS,
    plan::{PlannedBatch, PlannedConsignment},
    report::{By, Goods, Parent, Report, What},
};
use crate::registration::{Activation, Level};

/// What is told of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tale {
    /// It is registered for 20 million items, and its codes are left alone.
    First,
    /// An ordinary one, some of it sold.
    Genuine,
    /// An ordinary one, on sale.
    Warm,
    /// An inspector recalls it.
    Recalled,
    /// One of its codes is sold twice in two provinces.
    Copied,
    /// Its importer puts its lot on hold.
    Held,
    /// Its reefer broke down.
    Broken,
    /// A shop's report of it came late, and one was corrected.
    Corrected,
    /// One of its cases is split into portions.
    Split,
}

/// So many days a story's codes keep, so that a demo may be kept for a while.
const KEEPS_DAYS: i64 = 180;
/// How long ago goods came that a story is told of, in days at least.
const OLD_DAYS: i64 = 21;

/// Which batch each story is told of, by its number in the world: the first that is right for it and has none yet.
pub fn tales(consignments: &[PlannedConsignment], today: Date) -> HashMap<u32, Tale> {
    let mut told: HashMap<u32, Tale> = HashMap::new();
    let batches = || {
        let all =
            consignments.iter().flat_map(|consignment| consignment.batches.iter().map(move |it| (consignment, it)));
        (0_u32..).zip(all)
    };
    for tale in [
        Tale::First,
        Tale::Genuine,
        Tale::Warm,
        Tale::Broken,
        Tale::Recalled,
        Tale::Copied,
        Tale::Held,
        Tale::Corrected,
        Tale::Split,
    ] {
        let mut free = batches().filter(|(number, _)| !told.contains_key(number));
        let found = free.find(|(number, (consignment, batch))| match tale {
            Tale::First => *number == 0,
            Tale::Split => batch.level == Level::Case && is_old(consignment, today),
            Tale::Broken => is_frozen(batch) && is_good(batch, today) && is_old(consignment, today),
            _ => batch.batch.ai10.is_some() && is_good(batch, today) && is_old(consignment, today),
        });
        if let Some((number, _)) = found {
            told.insert(number, tale);
        }
    }
    told
}

fn is_old(consignment: &PlannedConsignment, today: Date) -> bool {
    let entered = consignment.consignment.entry_date;
    !consignment.air && entered.is_some_and(|day| day <= today.saturating_sub(OLD_DAYS.days()))
}

fn is_good(batch: &PlannedBatch, today: Date) -> bool {
    let late = today.saturating_add(KEEPS_DAYS.days());
    batch.activate == Activation::OnIssue && batch.batch.expiry.is_some_and(|expiry| expiry.last > late)
}

fn is_frozen(batch: &PlannedBatch) -> bool {
    batch.level == Level::Item && KINDS.get(batch.kind).is_some_and(|kind| kind.storage_celsius.1 <= -18)
}

/// A code on a shop's shelf by `now_ms` that nobody has sold: the batch's serial, the shop, and since when.
pub fn on_shelf(reports: &[Report], now_ms: i64) -> Option<(u32, By, i64)> {
    let mut stocked: Vec<_> = reports
        .iter()
        .filter(|report| report.at_ms <= now_ms)
        .filter_map(|report| match report.what {
            What::Stock(Goods::Codes(_, last)) => Some((last, report.by, report.at_ms)),
            _ => None,
        })
        .collect();
    stocked.sort_unstable_by_key(|(serial, _, at_ms)| (*at_ms, *serial));
    stocked.first().copied()
}

/// A code that was sold by `now_ms`.
pub fn sold(reports: &[Report], now_ms: i64) -> Option<u32> {
    reports.iter().filter(|report| report.at_ms <= now_ms).find_map(|report| match report.what {
        What::Sell(Goods::Codes(first, _)) => Some(first),
        _ => None,
    })
}

/// A pallet that goods are on by `now_ms`.
pub fn pallet(reports: &[Report], now_ms: i64) -> Option<u32> {
    let unpacked = |pallet: u32| reports.iter().any(|report| report.what == What::Unpack(Parent::Pallet(pallet)));
    reports.iter().filter(|report| report.at_ms <= now_ms).find_map(|report| match report.what {
        What::Pack(_, Parent::Pallet(pallet)) if !unpacked(pallet) => Some(pallet),
        _ => None,
    })
}

/// Takes a shop's receipt out of the reports: it is to come late.
pub fn take_receipt(reports: &mut Vec<Report>) -> Option<Report> {
    let shop = reports.iter().find(|report| matches!(report.what, What::Stock(_)))?.by;
    let receipt = reports.iter().position(|report| report.by == shop && matches!(report.what, What::Receive(..)))?;
    Some(reports.remove(receipt))
}
