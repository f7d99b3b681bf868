//! `[misuse]`.

use serde::Deserialize;

use super::{Error, Result};
use crate::{
    limits::SCAN_REGIONS_MAX,
    trace::{LevelRule, MisuseRules},
};

/// The most scans that can be a bound.
const SCANS_MAX: u32 = 1_000_000_000;
/// A year: no time is longer.
const HOURS_MAX: u32 = 366 * 24;
/// The longest shelf life of frozen goods, and more.
const DAYS_MAX: u32 = 3_660;

/// When scans of a code are noticed; `docs/spec/misuse.md` is the rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misuse {
    /// A region counts from so many per cent of a code's scans with a region on, 0 to 100.
    pub region_percent: u32,
    /// Retail items. The most scans that one retail item gets in all.
    pub item_scans_max: u32,
    /// Retail items. The most regions that it gets to.
    pub item_regions_max: u32,
    /// Retail items. So many regions within `item_travel_hours` are too many to travel, from 2.
    pub item_travel_regions: u32,
    /// Retail items. The time in which it does not get through so many regions, in hours.
    pub item_travel_hours: u32,
    /// Retail items. The most scans where the latest comes more than `item_sold_days` after the sale.
    pub item_sold_scans_max: u32,
    /// Retail items. For how long after the sale a buyer still scans, in days.
    pub item_sold_days: u32,
    /// Inner boxs. The most scans that one inner box gets in all.
    pub display_scans_max: u32,
    /// Inner boxs. The most regions that it gets to.
    pub display_regions_max: u32,
    /// Inner boxs. So many regions within `display_travel_hours` are too many to travel, from 2.
    pub display_travel_regions: u32,
    /// Inner boxs. The time in which it does not get through so many regions, in hours.
    pub display_travel_hours: u32,
    /// Inner boxs. The most scans where the latest comes more than `display_sold_days` after the sale.
    pub display_sold_scans_max: u32,
    /// Inner boxs. For how long after the sale a buyer still scans, in days.
    pub display_sold_days: u32,
    /// Cartons. The most scans that one carton gets in all.
    pub case_scans_max: u32,
    /// Cartons. The most regions that it gets to.
    pub case_regions_max: u32,
    /// Cartons. So many regions within `case_travel_hours` are too many to travel, from 2.
    pub case_travel_regions: u32,
    /// Cartons. The time in which it does not get through so many regions, in hours.
    pub case_travel_hours: u32,
    /// Cartons. The most scans where the latest comes more than `case_sold_days` after the sale.
    pub case_sold_scans_max: u32,
    /// Cartons. For how long after the sale a buyer still scans, in days.
    pub case_sold_days: u32,
}

/// The keys of one level.
struct Level {
    /// Their names, in this order.
    keys: [&'static str; 6],
    scans_max: u32,
    regions_max: u32,
    travel_regions: u32,
    travel_hours: u32,
    sold_scans_max: u32,
    sold_days: u32,
}

impl Level {
    fn check(&self) -> Result<()> {
        let regions = SCAN_REGIONS_MAX as u32;
        let bounds = [
            (self.scans_max, 1, SCANS_MAX),
            // With as many as are counted apart, no number of regions would be too many.
            (self.regions_max, 1, regions - 1),
            (self.travel_regions, 2, regions),
            (self.travel_hours, 0, HOURS_MAX),
            (self.sold_scans_max, 1, SCANS_MAX),
            (self.sold_days, 0, DAYS_MAX),
        ];
        for (key, (value, least, most)) in self.keys.into_iter().zip(bounds) {
            if !(least..=most).contains(&value) {
                return Err(Error::range(key, value, format!("expected {least} to {most}")));
            }
        }
        Ok(())
    }

    fn rule(&self) -> LevelRule {
        LevelRule {
            scans_max: self.scans_max.into(),
            regions_max: self.regions_max as usize,
            travel_regions: self.travel_regions as usize,
            travel_ms: i64::from(self.travel_hours) * 3_600_000,
            sold_scans_max: self.sold_scans_max.into(),
            sold_ms: i64::from(self.sold_days) * 86_400_000,
        }
    }
}

impl Misuse {
    fn levels(&self) -> [Level; 3] {
        [
            Level {
                keys: [
                    "misuse.item_scans_max",
                    "misuse.item_regions_max",
                    "misuse.item_travel_regions",
                    "misuse.item_travel_hours",
                    "misuse.item_sold_scans_max",
                    "misuse.item_sold_days",
                ],
                scans_max: self.item_scans_max,
                regions_max: self.item_regions_max,
                travel_regions: self.item_travel_regions,
                travel_hours: self.item_travel_hours,
                sold_scans_max: self.item_sold_scans_max,
                sold_days: self.item_sold_days,
            },
            Level {
                keys: [
                    "misuse.display_scans_max",
                    "misuse.display_regions_max",
                    "misuse.display_travel_regions",
                    "misuse.display_travel_hours",
                    "misuse.display_sold_scans_max",
                    "misuse.display_sold_days",
                ],
                scans_max: self.display_scans_max,
                regions_max: self.display_regions_max,
                travel_regions: self.display_travel_regions,
                travel_hours: self.display_travel_hours,
                sold_scans_max: self.display_sold_scans_max,
                sold_days: self.display_sold_days,
            },
            Level {
                keys: [
                    "misuse.case_scans_max",
                    "misuse.case_regions_max",
                    "misuse.case_travel_regions",
                    "misuse.case_travel_hours",
                    "misuse.case_sold_scans_max",
                    "misuse.case_sold_days",
                ],
                scans_max: self.case_scans_max,
                regions_max: self.case_regions_max,
                travel_regions: self.case_travel_regions,
                travel_hours: self.case_travel_hours,
                sold_scans_max: self.case_sold_scans_max,
                sold_days: self.case_sold_days,
            },
        ]
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.region_percent > 100 {
            return Err(Error::range("misuse.region_percent", self.region_percent, "expected 0 to 100"));
        }
        self.levels().iter().try_for_each(Level::check)
    }

    /// The rules that these values make.
    pub fn rules(&self) -> MisuseRules {
        let [item, display, case] = self.levels().map(|level| level.rule());
        MisuseRules { item, display, case, region_permille: u64::from(self.region_percent) * 10 }
    }
}
