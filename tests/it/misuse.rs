//! The rules of `docs/spec/misuse.md` over a simulated year: which copies they find, and whom they wrong.

use std::collections::BTreeMap;

use coldproof::{
    config::Config,
    registration::Level,
    trace::{MisuseRules, Notice, Region, ScanSum},
};

const PAGE: &str = include_str!("../../docs/spec/misuse.md");

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// 2026-01-01T00:00:00Z.
const YEAR_MS: i64 = 1_767_225_600_000;

const ITEMS: usize = 200_000;
const CASES: usize = 5_000;
const COPIED_ITEMS: usize = 1_000;
/// GB/T 2260: thirty provinces.
const PROVINCES: [u8; 30] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 61, 62, 63, 64,
    65,
];
/// Thousandths of scans that an address puts into a wrong province.
const WRONG_PERMILLE: u64 = 20;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// With so many millionths.
    fn happens(&mut self, millionths: u64) -> bool {
        self.below(1_000_000) < millionths
    }

    /// How many of rare things there are, of which `hundredths` are expected.
    fn count(&mut self, hundredths: u64) -> u64 {
        // So many tries of one in a hundred: nearly a Poisson distribution.
        (0..hundredths).map(|_| u64::from(self.below(100) == 0)).sum()
    }

    fn province(&mut self) -> Region {
        Region::parse(&PROVINCES[self.below(30) as usize].to_string()).unwrap()
    }

    fn within(&mut self, days: u64) -> i64 {
        self.below(days * 24 * 60) as i64 * MINUTE_MS
    }
}

/// The scans of one code, before they are counted in order of time.
struct Scans {
    chance: Chance,
    all: Vec<(i64, Region)>,
}

impl Scans {
    fn new(seed: u64) -> Self {
        Self { chance: Chance(seed), all: Vec::new() }
    }

    fn add(&mut self, at_ms: i64, region: Region) {
        let wrong = self.chance.below(1_000) < WRONG_PERMILLE;
        let region = if wrong { self.chance.province() } else { region };
        self.all.push((at_ms, region));
    }

    fn times(&mut self, count: u64, from_ms: i64, days: u64, region: Region) {
        for _ in 0..count {
            let at_ms = from_ms + self.chance.within(days);
            self.add(at_ms, region);
        }
    }

    /// Of one package: customers before the shelf, then whoever bought it. Returns when it was sold.
    fn package(&mut self, from_ms: i64, region: Region, scanned_percent: u64) -> i64 {
        let sold_ms = from_ms + self.chance.within(30);
        let front = self.chance.happens(10_000);
        let shelf = self.chance.count(if front { 800 } else { 25 });
        self.times(shelf, from_ms, 30, region);
        if self.chance.below(100) < scanned_percent {
            // Once at the table, and again while others are sceptical.
            let more = (0..20).take_while(|_| self.chance.below(10) < 3).count() as u64;
            self.times(1 + more, sold_ms, 60, region);
        }
        sold_ms
    }

    fn sum(mut self) -> ScanSum {
        self.all.sort_unstable();
        let mut sum = ScanSum::default();
        self.all.iter().for_each(|(at_ms, region)| sum.scan(Some(*region), *at_ms));
        sum
    }
}

/// What a code went through, and what was noticed.
type Outcome = (&'static str, Option<Notice>);

/// A retail item that is what it says.
fn honest_item(seed: u64, rules: &MisuseRules) -> Outcome {
    let mut scans = Scans::new(seed);
    let (home, from_ms) = (scans.chance.province(), YEAR_MS + scans.chance.within(300));
    let sold_ms = scans.package(from_ms, home, 40);
    let (kind, elsewhere) = (scans.chance.below(1_000_000), scans.chance.province());
    let life = match kind {
        0..5_000 => {
            // Children scan whatever they find.
            let count = scans.chance.count(1_200);
            scans.times(count, sold_ms, 30, home);
            "a curious family"
        }
        5_000..35_000 => {
            let count = 1 + scans.chance.count(100);
            scans.times(count, sold_ms + 2 * DAY_MS, 20, elsewhere);
            "a gift carried to another province"
        }
        35_000..55_000 => {
            // Sold on by a shop elsewhere, and once in a while again.
            scans.package(sold_ms + 3 * DAY_MS, elsewhere, 40);
            if scans.chance.happens(100_000) {
                let third = scans.chance.province();
                scans.package(sold_ms + 40 * DAY_MS, third, 40);
            }
            "resale"
        }
        55_000..58_000 => {
            // A picture goes to the relatives, who live in a province or two.
            let (there, too) = (scans.chance.province(), scans.chance.province());
            let (first, second) = (1 + scans.chance.below(3), scans.chance.below(2));
            scans.times(first, sold_ms, 2, there);
            scans.times(second, sold_ms, 2, too);
            "a picture among relatives"
        }
        58_000..58_100 => {
            // One item in ten thousand: a picture is passed on by strangers.
            let count = 5 + scans.chance.below(60);
            for _ in 0..count {
                let somewhere = scans.chance.province();
                scans.times(1, sold_ms, 3, somewhere);
            }
            "a picture among strangers"
        }
        58_100..58_200 => {
            // Found again at the bottom of the freezer.
            scans.times(3, sold_ms + 250 * DAY_MS, 5, home);
            "an old freezer"
        }
        _ => "an ordinary sale",
    };
    (life, rules.notice(Level::Item, &scans.sum(), Some(sold_ms)))
}

/// A carton; one in five stands open on a market, where everybody scans it.
fn honest_case(seed: u64, rules: &MisuseRules) -> Outcome {
    let mut scans = Scans::new(seed);
    let (home, from_ms) = (scans.chance.province(), YEAR_MS + scans.chance.within(300));
    scans.times(2, from_ms, 3, home);
    let (market, second) = (scans.chance.province(), scans.chance.province());
    let on_market = scans.chance.below(5) == 0;
    let count = if on_market { 100 + scans.chance.below(800) } else { scans.chance.count(400) };
    scans.times(count, from_ms + 5 * DAY_MS, 12, market);
    if scans.chance.below(10) == 0 {
        let count = scans.chance.count(300);
        scans.times(count, from_ms + 20 * DAY_MS, 10, second);
    }
    let life = if on_market { "a carton on a market" } else { "a carton in trade" };
    (life, rules.notice(Level::Case, &scans.sum(), None))
}

/// One code on 50 to 500 boxes in 3 to 12 provinces, sold over two to six months; of each so many per cent are scanned
/// by their buyers.
fn copied(seed: u64, rules: &MisuseRules, scanned_percent: u64) -> bool {
    let mut scans = Scans::new(seed);
    let boxes = 50 + scans.chance.below(451);
    let provinces: Vec<_> = (0..3 + scans.chance.below(10)).map(|_| scans.chance.province()).collect();
    let (from_ms, days) = (YEAR_MS + scans.chance.within(150), 60 + scans.chance.below(121));
    let mut sold_ms = i64::MAX;
    for _ in 0..boxes {
        let region = provinces[scans.chance.below(provinces.len() as u64) as usize];
        let at_ms = from_ms + scans.chance.within(days);
        sold_ms = sold_ms.min(scans.package(at_ms, region, scanned_percent));
    }
    rules.notice(Level::Item, &scans.sum(), Some(sold_ms)).is_some()
}

/// What the simulation measures, as the page shows it.
fn measured(rules: &MisuseRules) -> (String, f64, f64) {
    let mut lives: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let items = (0..ITEMS as u64).map(|seed| honest_item(seed, rules));
    let cases = (0..CASES as u64).map(|seed| honest_case(1 << 32 | seed, rules));
    for (life, notice) in items.chain(cases) {
        let (codes, noticed) = lives.entry(life).or_default();
        (*codes, *noticed) = (*codes + 1, *noticed + u64::from(notice.is_some()));
    }
    let mut shown = String::new();
    let (mut codes, mut noticed) = (0, 0);
    for (life, (of, wrong)) in &lives {
        (codes, noticed) = (codes + of, noticed + wrong);
        shown += &format!("{life}: {wrong} of {of}\n");
    }
    let false_alarms = noticed as f64 / codes as f64;
    shown += &format!("false alarms: {noticed} of {codes}, {:.4} %\n", false_alarms * 100.0);
    let mut detection = 0.0;
    for percent in [40, 20, 10, 5] {
        let found = (0..COPIED_ITEMS as u64).filter(|seed| copied(2 << 32 | seed, rules, percent)).count();
        let rate = found as f64 / COPIED_ITEMS as f64;
        shown += &format!("copies found where {percent} % of buyers scan: {found} of {COPIED_ITEMS}\n");
        if percent == 40 {
            detection = rate;
        }
    }
    (shown, false_alarms, detection)
}

#[test]
fn copies_are_found_and_few_are_wronged() {
    let rules = Config::default_values().unwrap().misuse.rules();
    let (shown, false_alarms, detection) = measured(&rules);
    println!("{shown}");
    assert!(false_alarms <= 0.0005, "{shown}");
    assert!(detection >= 0.95, "{shown}");
    let block = PAGE.split("```measured\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    assert!(block == shown, "the page should show:\n{shown}");
}

#[test]
fn the_page_shows_the_thresholds_that_are_the_defaults() {
    let rules = Config::default_values().unwrap().misuse.rules();
    for (level, rule) in [("item", rules.item), ("display", rules.display), ("case", rules.case)] {
        let row = format!(
            "| {level} | {} | {} | {} in {} h | {} after {} days |",
            rule.scans_max,
            rule.regions_max,
            rule.travel_regions,
            rule.travel_ms / 3_600_000,
            rule.sold_scans_max,
            rule.sold_ms / DAY_MS,
        );
        assert!(PAGE.contains(&row), "the page should show:\n{row}");
    }
    assert!(PAGE.contains(&format!("{} % of", rules.region_permille / 10)));
}
