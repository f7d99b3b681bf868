//! What the page says of a temperature record.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::{Lang, Temperatures, curve, words::Words};
use crate::cold_chain::{Breach, Clause, ColdChain, Excursion, Side, Temperature};

/// Excursions that a page lists: the longest.
const EXCURSIONS_SHOWN_MAX: usize = 5;

/// A record in the language of its page.
pub(super) struct Shown<'a> {
    of: &'a Temperatures,
    lang: Lang,
    t: &'static Words,
}

impl<'a> Shown<'a> {
    pub(super) fn new(of: &'a Temperatures, lang: Lang, t: &'static Words) -> Self {
        Self { of, lang, t }
    }

    pub(super) fn confirmed(&self) -> bool {
        self.of.confirmed
    }

    pub(super) fn breach(&self) -> Option<String> {
        breach_sentence(&self.of.chain, self.lang).filter(|_| self.of.confirmed)
    }

    pub(super) fn coldest(&self) -> String {
        celsius(self.of.chain.min)
    }

    pub(super) fn warmest(&self) -> String {
        celsius(self.of.chain.max)
    }

    pub(super) fn mean(&self) -> Option<String> {
        self.of.chain.mean.map(celsius)
    }

    pub(super) fn curve(&self) -> String {
        curve::draw(self.of, self.lang, self.t)
    }

    pub(super) fn from(&self) -> String {
        self.minute(self.of.chain.from_ms)
    }

    pub(super) fn to(&self) -> String {
        self.minute(self.of.chain.to_ms)
    }

    pub(super) fn outside(&self) -> Option<String> {
        let ColdChain { above_ms, below_ms, limits, .. } = &self.of.chain;
        (limits.max.is_some() || limits.min.is_some()).then(|| duration(above_ms + below_ms, self.lang))
    }

    pub(super) fn gaps(&self) -> Option<String> {
        let ColdChain { gaps, gaps_further, .. } = &self.of.chain;
        let longest = gaps.iter().map(|gap| gap.to_ms - gap.from_ms).max()?;
        let (count, longest) = (gaps.len() as u64 + gaps_further, duration(longest, self.lang));
        Some(match self.lang {
            Lang::Zh => format!("{count} 次，最长 {longest}"),
            Lang::En => format!("{count}, the longest {longest}"),
        })
    }

    /// The longest, in the order in which they were.
    pub(super) fn excursions(&self) -> Vec<String> {
        let mut longest: Vec<&Excursion> = self.of.chain.excursions.iter().collect();
        longest.sort_by_key(|excursion| Reverse(excursion.outside_ms));
        longest.truncate(EXCURSIONS_SHOWN_MAX);
        longest.sort_by_key(|excursion| excursion.from_ms);
        longest.into_iter().map(|excursion| self.excursion(excursion)).collect()
    }

    fn excursion(&self, excursion: &Excursion) -> String {
        let (from, peak) = (self.minute(excursion.from_ms), celsius(excursion.peak));
        let lasted = duration(excursion.outside_ms, self.lang);
        match (self.lang, excursion.side) {
            (Lang::Zh, Side::Above) => format!("{from} 起 {lasted}，最高 {peak}"),
            (Lang::Zh, Side::Below) => format!("{from} 起 {lasted}，最低 {peak}"),
            (Lang::En, Side::Above) => format!("{from}, for {lasted}, up to {peak}"),
            (Lang::En, Side::Below) => format!("{from}, for {lasted}, down to {peak}"),
        }
    }

    fn minute(&self, ms: i64) -> String {
        let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        super::words::minute(&at.to_zoned(self.of.zone.clone()).datetime())
    }
}

/// A temperature with its unit and a real minus sign.
pub(super) fn celsius(temperature: Temperature) -> String {
    format!("{temperature} °C").replace('-', "\u{2212}")
}

/// A duration as people say it: `2 d 3 h`, `1 h 5 min`, `35 min`.
pub(super) fn duration(ms: i64, lang: Lang) -> String {
    let minutes = (ms + 30_000) / 60_000;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let [day, hour, minute] = match lang {
        Lang::Zh => ["天", "小时", "分钟"],
        Lang::En => ["d", "h", "min"],
    };
    let parts = match (days, hours) {
        (0, 0) => vec![(rest, minute)],
        (0, _) => vec![(hours, hour), (rest, minute)],
        _ => vec![(days, day), (hours, hour)],
    };
    let whole = parts.len() == 1;
    let said =
        parts.into_iter().filter(|(count, _)| whole || *count > 0).map(|(count, unit)| format!("{count} {unit}"));
    said.collect::<Vec<_>>().join(" ")
}

/// Which clause of the rule a cold chain broke, in a sentence with its figures; `None` where it is whole.
pub fn breach_sentence(chain: &ColdChain, lang: Lang) -> Option<String> {
    let Breach { clause, side, found_ms, allowed_ms, tolerance_hundredths } = chain.breach?;
    let limit = celsius(chain.limits.on(side)?);
    let (found, allowed) = (duration(found_ms, lang), duration(allowed_ms, lang));
    let tolerance = f64::from(tolerance_hundredths) / 100.0;
    Some(match lang {
        Lang::Zh => {
            let side = if side == Side::Above { "高于" } else { "低于" };
            match clause {
                Clause::Beyond => format!("{side}限值 {limit} 超过 {tolerance} °C，持续 {found}（允许 {allowed}）。"),
                Clause::BeyondTotal => {
                    format!("{side}限值 {limit} 超过 {tolerance} °C，累计 {found}（允许 {allowed}）。")
                }
                Clause::Outside => format!("{side}限值 {limit}，持续 {found}（允许 {allowed}）。"),
            }
        }
        Lang::En => {
            let side = if side == Side::Above { "warmer" } else { "colder" };
            match clause {
                Clause::Beyond => format!(
                    "More than {tolerance} °C {side} than the limit of {limit} for {found} at a stretch (allowed: {allowed})."
                ),
                Clause::BeyondTotal => format!(
                    "More than {tolerance} °C {side} than the limit of {limit} for {found} in all (allowed: {allowed})."
                ),
                Clause::Outside => {
                    format!(
                        "{} than the limit of {limit} for {found} at a stretch (allowed: {allowed}).",
                        capital(side)
                    )
                }
            }
        }
    })
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}
