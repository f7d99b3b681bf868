//! Scan sums: how often one code was scanned by the public, since when, and in which regions.

use serde::{Deserialize, Serialize};

use super::Region;
use crate::limits::SCAN_REGIONS_MAX;

/// How often one code was scanned by the public.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanSum {
    /// Scans counted.
    pub count: u64,
    /// The first of them, milliseconds since 1970-01-01 UTC.
    pub first_ms: i64,
    /// The latest of them.
    pub last_ms: i64,
    /// Where they were, as far as a trusted proxy told.
    #[serde(default)]
    pub places: Places,
}

/// Scans of one code in one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceSum {
    /// Where; [`Region::OTHER`] for all that have no place of their own.
    pub region: Region,
    /// Scans counted.
    pub count: u32,
    /// The first of them, seconds since 1970-01-01 UTC.
    pub first_s: u32,
    /// The latest of them.
    pub last_s: u32,
}

impl PlaceSum {
    fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.first_s = self.first_s.min(other.first_s);
        self.last_s = self.last_s.max(other.last_s);
    }
}

/// Scans by region: the first `SCAN_REGIONS_MAX` regions, and all others as one. One region takes no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<PlaceSum>", into = "Vec<PlaceSum>")]
pub struct Places {
    first: Option<PlaceSum>,
    more: Option<Box<[PlaceSum]>>,
}

impl Places {
    /// Counts scans in a region.
    pub fn add(&mut self, place: &PlaceSum) {
        let known = self.len();
        if let Some(same) = self.iter_mut().find(|same| same.region == place.region) {
            return same.add(place);
        }
        let full = known >= SCAN_REGIONS_MAX && place.region != Region::OTHER;
        let place = PlaceSum { region: if full { Region::OTHER } else { place.region }, ..*place };
        if full && let Some(other) = self.iter_mut().find(|same| same.region == Region::OTHER) {
            return other.add(&place);
        }
        match (&self.first, self.more.take()) {
            (None, _) => self.first = Some(place),
            (Some(_), more) => self.more = Some(more.into_iter().flatten().chain([place]).collect()),
        }
    }

    /// Region by region in the order in which they were first counted, the others among them.
    pub fn iter(&self) -> impl Iterator<Item = &PlaceSum> {
        self.first.iter().chain(self.more.as_deref().unwrap_or_default())
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut PlaceSum> {
        self.first.iter_mut().chain(self.more.as_deref_mut().unwrap_or_default())
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.as_ref().map_or(0, |more| more.len())
    }

    /// In how many regions: one more than have a place of their own, where there are others.
    pub fn regions(&self) -> usize {
        self.len()
    }

    /// What they take in memory beside themselves, in bytes.
    pub fn bytes(&self) -> usize {
        self.more.as_ref().map_or(0, |more| size_of_val(&**more) + 16)
    }
}

impl From<Vec<PlaceSum>> for Places {
    fn from(places: Vec<PlaceSum>) -> Self {
        let mut all = Self::default();
        places.iter().for_each(|place| all.add(place));
        all
    }
}

impl From<Places> for Vec<PlaceSum> {
    fn from(places: Places) -> Self {
        places.iter().copied().collect()
    }
}

impl ScanSum {
    /// Of a code that nobody has scanned.
    pub const NONE: Self = Self { count: 0, first_ms: 0, last_ms: 0, places: Places { first: None, more: None } };

    /// Counts one scan.
    pub fn scan(&mut self, region: Option<Region>, now_ms: i64) {
        if self.count == 0 {
            (self.first_ms, self.last_ms) = (now_ms, now_ms);
        }
        self.count = self.count.saturating_add(1);
        self.last_ms = self.last_ms.max(now_ms);
        if let Some(region) = region {
            let now_s = u32::try_from(now_ms / 1_000).unwrap_or_default();
            self.places.add(&PlaceSum { region, count: 1, first_s: now_s, last_s: now_s });
        }
    }

    /// Adds what another server counted.
    pub fn add(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            (self.first_ms, self.last_ms) = (other.first_ms, other.last_ms);
        }
        self.count = self.count.saturating_add(other.count);
        self.first_ms = self.first_ms.min(other.first_ms);
        self.last_ms = self.last_ms.max(other.last_ms);
        other.places.iter().for_each(|place| self.places.add(place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: u8) -> Region {
        Region::parse(&format!("{code}")).unwrap()
    }

    const CODES: [u8; 11] = [11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33];

    #[test]
    fn scans_are_counted_by_region_and_without_one() {
        let mut sum = ScanSum::default();
        for (at_ms, code) in [(5_000, Some(43)), (9_000, None), (7_500, Some(43)), (6_000, Some(11))] {
            sum.scan(code.map(region), at_ms);
        }
        assert_eq!((sum.count, sum.first_ms, sum.last_ms), (4, 5_000, 9_000));
        let places: Vec<_> =
            sum.places.iter().map(|place| (place.region, place.count, place.first_s, place.last_s)).collect();
        assert_eq!(places, [(region(43), 2, 5, 7), (region(11), 1, 6, 6)]);
        assert!(sum.places.bytes() > 0);
    }

    #[test]
    fn one_region_takes_no_memory_of_its_own() {
        let mut sum = ScanSum::default();
        (0..1_000).for_each(|at| sum.scan(Some(region(43)), at));
        assert_eq!((sum.places.bytes(), sum.places.regions()), (0, 1));
    }

    #[test]
    fn regions_beyond_the_bound_are_one() {
        let mut sum = ScanSum::default();
        CODES.iter().for_each(|code| sum.scan(Some(region(*code)), 1_000));
        assert_eq!(sum.places.regions(), SCAN_REGIONS_MAX + 1);
        let other = sum.places.iter().last().unwrap();
        assert_eq!((other.region, other.count), (Region::OTHER, 3));
        let mut twice = sum.clone();
        twice.add(&sum);
        assert_eq!((twice.count, twice.places.regions()), (22, SCAN_REGIONS_MAX + 1));
    }

    #[test]
    fn sums_that_were_stored_before_there_were_places_are_read() {
        let old = rmp_serde::to_vec(&(3_u64, 1_i64, 2_i64)).unwrap();
        let read: ScanSum = rmp_serde::from_slice(&old).unwrap();
        assert_eq!(read, ScanSum { count: 3, first_ms: 1, last_ms: 2, places: Places::default() });
        let mut sum = read;
        CODES.iter().for_each(|code| sum.scan(Some(region(*code)), 7_000));
        let stored = rmp_serde::to_vec(&sum).unwrap();
        assert_eq!(rmp_serde::from_slice::<ScanSum>(&stored).unwrap(), sum);
    }
}
