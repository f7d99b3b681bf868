//! The published rules that tell of copies: what the scans of one code say. `docs/spec/misuse.md` is the rule.
//!
//! Anybody can scan a photo of a label from anywhere. So scans raise a notice, never a verdict: see [`super::Conflict`]
//! for what makes goods suspicious.

use serde::{Deserialize, Serialize};

use super::{PlaceSum, Region, ScanSum};
use crate::registration::Level;

/// What is noticed about the scans of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// More scans than one package of this level gets.
    ScannedOften,
    /// Scans in more regions than one package gets to.
    ScannedInManyPlaces,
}

impl Notice {
    /// Its word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ScannedOften => "scanned_often",
            Self::ScannedInManyPlaces => "scanned_in_many_places",
        }
    }

    /// A sentence for who holds the goods.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ScannedOften => {
                "This code was scanned unusually often. If the package was sealed when you got it, its label may be a copy: compare the lot and the dates on the package."
            }
            Self::ScannedInManyPlaces => {
                "This code was scanned in more places than one package gets to. Its label may have been copied: compare the lot and the dates on the package, and report what differs."
            }
        }
    }
}

/// What is said of scans of goods that were sold, where nothing is noticed.
pub const SOLD_SENTENCE: &str = "Scanned after the sale: normal for a buyer.";

/// When scans of codes of one level are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelRule {
    /// The most scans that one package gets in all.
    pub scans_max: u64,
    /// The most regions that one package gets to.
    pub regions_max: usize,
    /// So many regions, with scans in all of them inside of `travel_ms`, are too many to travel.
    pub travel_regions: usize,
    /// The time in which a package does not get through `travel_regions`, in milliseconds.
    pub travel_ms: i64,
    /// The most scans where the latest comes more than `sold_ms` after the sale.
    pub sold_scans_max: u64,
    /// For how long after the sale a buyer still scans, in milliseconds.
    pub sold_ms: i64,
}

/// The rules of all levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MisuseRules {
    /// Retail items.
    pub item: LevelRule,
    /// Inner boxes.
    pub display: LevelRule,
    /// Cartons.
    pub case: LevelRule,
    /// A region counts from so many thousandths of a code's scans with a region on: some addresses are put into a wrong
    /// province.
    pub region_permille: u64,
}

impl MisuseRules {
    /// The rule of a level.
    pub const fn of(&self, level: Level) -> &LevelRule {
        match level {
            Level::Item => &self.item,
            Level::Display => &self.display,
            Level::Case => &self.case,
        }
    }

    /// What is noticed about the scans of a code: the gravest, or nothing. `sold_ms` is when the goods were sold, where
    /// they are, in milliseconds since 1970-01-01 UTC.
    pub fn notice(&self, level: Level, sum: &ScanSum, sold_ms: Option<i64>) -> Option<Notice> {
        let rule = self.of(level);
        if self.in_many_places(rule, sum) {
            return Some(Notice::ScannedInManyPlaces);
        }
        let long_after = sold_ms.is_some_and(|sold_ms| sum.last_ms.saturating_sub(sold_ms) > rule.sold_ms);
        let often = sum.count > rule.scans_max || (long_after && sum.count > rule.sold_scans_max);
        often.then_some(Notice::ScannedOften)
    }

    fn in_many_places(&self, rule: &LevelRule, sum: &ScanSum) -> bool {
        // Most codes are scanned in one or two regions: nothing has to be counted for them.
        if sum.places.regions() < rule.travel_regions.min(rule.regions_max + 1) {
            return false;
        }
        let all = sum.places.iter().map(|place| u64::from(place.count)).sum::<u64>();
        let counts = |place: &&PlaceSum| {
            place.region != Region::OTHER && u64::from(place.count) * 1_000 >= all * self.region_permille
        };
        let counting = || sum.places.iter().filter(counts);
        if counting().count() > rule.regions_max {
            return true;
        }
        // Of each region the first and the latest scan are known. The shortest time with enough regions begins at one.
        let times = || counting().flat_map(|place| [place.first_s, place.last_s]);
        times().any(|from_s| {
            let until_s = i64::from(from_s) + rule.travel_ms / 1_000;
            let within = |time_s: u32| time_s >= from_s && i64::from(time_s) <= until_s;
            counting().filter(|place| within(place.first_s) || within(place.last_s)).count() >= rule.travel_regions
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    const DAY_MS: i64 = 24 * HOUR_MS;

    const RULE: LevelRule = LevelRule {
        scans_max: 30,
        regions_max: 4,
        travel_regions: 3,
        travel_ms: 6 * HOUR_MS,
        sold_scans_max: 10,
        sold_ms: 90 * DAY_MS,
    };
    const RULES: MisuseRules =
        MisuseRules { item: RULE, display: RULE, case: LevelRule { scans_max: 5_000, ..RULE }, region_permille: 100 };

    /// Scans at hours, in provinces by their digits; 0 for none.
    fn sum(scans: &[(i64, u8)]) -> ScanSum {
        let mut sum = ScanSum::default();
        for (hour, province) in scans {
            sum.scan(Region::parse(&province.to_string()), hour * HOUR_MS);
        }
        sum
    }

    fn item(scans: &[(i64, u8)]) -> Option<Notice> {
        RULES.notice(Level::Item, &sum(scans), None)
    }

    #[test]
    fn a_family_a_gift_and_a_shop_raise_nothing() {
        assert_eq!(item(&[]), None);
        assert_eq!(item(&[(0, 43); 30]), None);
        assert_eq!(item(&[(0, 44), (100, 43), (101, 43), (900, 11)]), None);
        assert_eq!(item(&[(0, 0); 30]), None);
    }

    #[test]
    fn more_regions_than_one_package_gets_to_are_many_places() {
        let four = [(0, 43), (200, 44), (400, 45), (600, 46)];
        assert_eq!(item(&four), None);
        let five = [&four[..], &[(800, 50)]].concat();
        assert_eq!(item(&five), Some(Notice::ScannedInManyPlaces));
    }

    #[test]
    fn more_regions_than_one_can_travel_through_are_many_places() {
        assert_eq!(item(&[(10, 43), (12, 11), (16, 65)]), Some(Notice::ScannedInManyPlaces));
        assert_eq!(item(&[(10, 43), (12, 11), (17, 65)]), None);
        // The latest scan of one and the first of others.
        assert_eq!(item(&[(0, 43), (100, 43), (101, 11), (105, 65)]), Some(Notice::ScannedInManyPlaces));
    }

    #[test]
    fn a_region_with_a_small_share_is_a_wrong_address() {
        let market = [[(0, 43); 28].as_slice(), &[(1, 11), (2, 65)]].concat();
        assert_eq!(item(&market), None);
    }

    #[test]
    fn the_number_of_scans_that_is_often_depends_on_the_level() {
        let scans = [(0, 43); 31];
        assert_eq!(item(&scans), Some(Notice::ScannedOften));
        assert_eq!(RULES.notice(Level::Case, &sum(&scans), None), None);
    }

    #[test]
    fn a_buyer_scans_for_a_while_and_not_for_ever() {
        let scans = [[(0, 43); 10].as_slice(), &[(24 * 100, 43)]].concat();
        let noticed = |sold_day: i64| RULES.notice(Level::Item, &sum(&scans), Some(sold_day * DAY_MS));
        assert_eq!(noticed(10), None);
        assert_eq!(noticed(9), Some(Notice::ScannedOften));
        assert_eq!(RULES.notice(Level::Item, &sum(&scans[1..]), Some(0)), None);
    }
}
