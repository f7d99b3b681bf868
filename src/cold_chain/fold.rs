//! All reports that bear on goods, folded into one record.
//!
//! A reading holds until the sensor's next one, at most for the rule's `gap_ms`. Where several sensors hold, goods are
//! outside a limit as soon as one of them says so; the mean is the mean of theirs, weighted by time.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    Breach, Curve, Excursion, Interval, Limits, Rule, Side, Temperature, TemperatureReport,
    curve::Pen,
    pieces::{Active, Now, Piece, Pieces},
    side::Outside,
};
use crate::limits::{EXCURSIONS_MAX, GAPS_MAX};

/// The temperature record of goods.
#[derive(Clone, Debug, PartialEq)]
pub struct ColdChain {
    /// First reading, milliseconds since 1970-01-01 UTC.
    pub from_ms: i64,
    /// Last reading.
    pub to_ms: i64,
    /// How many readings there are.
    pub readings: u64,
    /// The lowest.
    pub min: Temperature,
    /// The highest.
    pub max: Temperature,
    /// The mean, weighted by time; `None` where no sensor told one.
    pub mean: Option<Temperature>,
    /// For how long the temperature is known, in milliseconds.
    pub covered_ms: i64,
    /// For how long it was above the upper limit, in milliseconds.
    pub above_ms: i64,
    /// For how long it was below the lower limit, in milliseconds.
    pub below_ms: i64,
    /// Times outside a limit, in ascending order, at most `EXCURSIONS_MAX`.
    pub excursions: Vec<Excursion>,
    /// How many more there are.
    pub excursions_further: u64,
    /// Pauses in the record, in ascending order, at most `GAPS_MAX`.
    pub gaps: Vec<Gap>,
    /// How many more there are.
    pub gaps_further: u64,
    /// What the goods were held against.
    pub limits: Limits,
    /// What broke the cold chain, if it is broken.
    pub breach: Option<Breach>,
    /// The curve.
    pub curve: Curve,
}

/// A pause in a record. It never breaks the chain by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Last reading before it, milliseconds since 1970-01-01 UTC.
    pub from_ms: i64,
    /// First reading behind it.
    pub to_ms: i64,
}

/// Folds reports, each with the part of it that bears on the goods. `None` where none does.
pub fn fold(parts: &[(&TemperatureReport, Interval)], limits: Limits, rule: &Rule) -> Option<ColdChain> {
    let mut cursors: Vec<_> =
        parts.iter().map(|(report, interval)| Cursor::new(report, *interval, rule.gap_ms)).collect();
    let from_ms = cursors.iter().filter_map(Cursor::next_ms).min()?;
    let ends = parts.iter().zip(&cursors).filter(|(_, cursor)| cursor.next_ms().is_some());
    let to_ms = ends.map(|((report, interval), _)| report.to_ms.min(interval.to_ms)).max()?;
    let mut tally = Tally::new(from_ms, to_ms, limits, rule);
    let next_of = |(at, cursor): (usize, &Cursor<'_>)| cursor.next_ms().map(|next_ms| Reverse((next_ms, at)));
    let mut queue: BinaryHeap<_> = cursors.iter().enumerate().filter_map(next_of).collect();
    let (mut active, mut moments) = (Active::default(), Vec::new());
    while let Some(&Reverse((now_ms, _))) = queue.peek() {
        while let Some(Reverse((_, at))) = queue.peek().copied().filter(|Reverse((next_ms, _))| *next_ms == now_ms) {
            queue.pop();
            let Some(cursor) = cursors.get_mut(at) else { continue };
            moments.extend(cursor.step(now_ms, &mut active));
            queue.extend(next_of((at, cursor)));
        }
        let moment = active.state();
        moments.drain(..).for_each(|piece| active.remove(&piece));
        let until_ms = queue.peek().map_or(now_ms, |Reverse((next_ms, _))| *next_ms);
        // What was read last holds over a short pause, whichever sensor goes on.
        let held = active.state().or(moment.filter(|_| until_ms - now_ms <= rule.gap_ms));
        tally.add(now_ms, until_ms, moment, held);
    }
    tally.finish(cursors.iter().map(|cursor| cursor.readings).sum())
}

/// Where the fold stands in one report.
struct Cursor<'a> {
    pieces: Pieces<'a>,
    /// What holds.
    current: Option<Piece>,
    next: Option<Piece>,
    readings: u64,
}

impl<'a> Cursor<'a> {
    fn new(report: &'a TemperatureReport, interval: Interval, gap_ms: i64) -> Self {
        let mut pieces = Pieces::new(report, interval, gap_ms);
        let next = pieces.next();
        Self { pieces, current: None, next, readings: 0 }
    }

    /// When something changes.
    fn next_ms(&self) -> Option<i64> {
        self.current.map(|piece| piece.to_ms).or(self.next.map(|piece| piece.from_ms))
    }

    /// Takes the change at `now_ms`. Returns a piece that holds for this moment alone; it is active too.
    fn step(&mut self, now_ms: i64, active: &mut Active) -> Option<Piece> {
        if let Some(ended) = self.current.take() {
            active.remove(&ended);
        }
        let piece = self.next.filter(|piece| piece.from_ms <= now_ms)?;
        self.next = self.pieces.next();
        self.readings += 1;
        active.insert(&piece);
        if piece.is_moment() {
            return Some(piece);
        }
        self.current = Some(piece);
        None
    }
}

/// What has been counted so far.
struct Tally {
    from_ms: i64,
    to_ms: i64,
    gap_ms: i64,
    limits: Limits,
    extremes: Option<(Temperature, Temperature)>,
    covered_ms: i64,
    mean: Mean,
    above: Outside,
    below: Outside,
    gaps: Vec<Gap>,
    gaps_further: u64,
    pen: Pen,
    /// What held before, to draw to its end.
    before: Option<Now>,
}

/// A mean weighted by time; where no time was covered, by readings.
#[derive(Default)]
struct Mean {
    sum: f64,
    weight: f64,
    moments_sum: f64,
    moments: f64,
}

impl Mean {
    fn get(&self) -> Option<Temperature> {
        let mean = if self.weight > 0.0 { self.sum / self.weight } else { self.moments_sum / self.moments };
        // Not a number where nothing was told; a cast would make it 0.
        if mean.is_nan() { None } else { Temperature::from_hundredths(mean.round() as i64) }
    }
}

impl Tally {
    fn new(from_ms: i64, to_ms: i64, limits: Limits, rule: &Rule) -> Self {
        let thresholds = rule.thresholds(limits);
        Self {
            from_ms,
            to_ms: from_ms,
            gap_ms: rule.gap_ms,
            limits,
            extremes: None,
            covered_ms: 0,
            mean: Mean::default(),
            above: Outside::new(Side::Above, limits, thresholds),
            below: Outside::new(Side::Below, limits, thresholds),
            gaps: Vec::new(),
            gaps_further: 0,
            pen: Pen::new(from_ms, to_ms),
            before: None,
        }
    }

    /// At `now_ms` the sensors say `moment`, and until `until_ms` `held`.
    fn add(&mut self, now_ms: i64, until_ms: i64, moment: Option<Now>, held: Option<Now>) {
        self.to_ms = now_ms;
        if let Some(ended) = self.before.filter(|_| moment.is_none()) {
            self.pen.draw(now_ms, ended.range);
        }
        if let Some(Now { range, mean }) = moment {
            let (low, high) = self.extremes.unwrap_or((range.low, range.high));
            self.extremes = Some((low.min(range.low), high.max(range.high)));
            self.mean.moments_sum += mean.unwrap_or_default();
            self.mean.moments += if mean.is_some() { 1.0 } else { 0.0 };
            self.pen.draw(now_ms, range);
            self.count(now_ms, now_ms, range);
        }
        self.before = held;
        match held {
            Some(Now { range, mean }) => {
                let ms = until_ms - now_ms;
                self.covered_ms += ms;
                if let Some(mean) = mean {
                    self.mean.sum += mean * ms as f64;
                    self.mean.weight += ms as f64;
                }
                self.count(now_ms, until_ms, range);
            }
            None => self.pause(now_ms, until_ms),
        }
    }

    fn count(&mut self, from_ms: i64, to_ms: i64, range: super::side::Range) {
        self.above.add(from_ms, to_ms, range);
        self.below.add(from_ms, to_ms, range);
    }

    fn pause(&mut self, from_ms: i64, to_ms: i64) {
        self.above.pause();
        self.below.pause();
        self.pen.lift();
        if to_ms - from_ms > self.gap_ms {
            if self.gaps.len() < GAPS_MAX {
                self.gaps.push(Gap { from_ms, to_ms });
            } else {
                self.gaps_further += 1;
            }
        }
    }

    fn finish(mut self, readings: u64) -> Option<ColdChain> {
        self.above.pause();
        self.below.pause();
        let (min, max) = self.extremes?;
        let mut excursions = std::mem::take(&mut self.above.excursions);
        excursions.append(&mut self.below.excursions);
        excursions.sort_by_key(|excursion| excursion.from_ms);
        let cut = excursions.len().saturating_sub(EXCURSIONS_MAX);
        excursions.truncate(EXCURSIONS_MAX);
        Some(ColdChain {
            from_ms: self.from_ms,
            to_ms: self.to_ms,
            readings,
            min,
            max,
            mean: self.mean.get(),
            covered_ms: self.covered_ms,
            above_ms: self.above.outside_ms,
            below_ms: self.below.outside_ms,
            excursions,
            excursions_further: self.above.further + self.below.further + cut as u64,
            gaps: self.gaps,
            gaps_further: self.gaps_further,
            limits: self.limits,
            breach: self.above.breach().or_else(|| self.below.breach()),
            curve: self.pen.finish(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        cold_chain::{Clause, Reading, Series, Thresholds},
        limits::CURVE_COLUMNS,
    };

    const MINUTE_MS: i64 = 60_000;
    const START_MS: i64 = 1_780_272_000_000;

    fn rule() -> Rule {
        let thresholds = |tolerance, beyond, total, outside| Thresholds {
            tolerance_hundredths: tolerance,
            beyond_ms: beyond * MINUTE_MS,
            beyond_total_ms: total * MINUTE_MS,
            outside_ms: outside * MINUTE_MS,
        };
        Rule { gap_ms: 90 * MINUTE_MS, frozen: thresholds(300, 60, 240, 1440), chilled: thresholds(200, 60, 240, 360) }
    }

    fn degrees(celsius: f64) -> Temperature {
        Temperature::from_celsius(celsius).unwrap()
    }

    fn frozen() -> Limits {
        Limits { min: None, max: Some(degrees(-18.0)) }
    }

    /// Readings at these minutes.
    fn report(readings: &[(i64, f64)]) -> TemperatureReport {
        let reading = |(minute, celsius): &(i64, f64)| Reading {
            time_ms: START_MS + minute * MINUTE_MS,
            temperature: degrees(*celsius),
        };
        TemperatureReport::of(Series::new(&readings.iter().map(reading).collect::<Vec<_>>()).unwrap(), None)
    }

    /// One temperature every five minutes, over these minutes.
    fn steady(from: i64, to: i64, celsius: f64) -> Vec<(i64, f64)> {
        (from..to).step_by(5).map(|minute| (minute, celsius)).collect()
    }

    fn folded(reports: &[&[(i64, f64)]], limits: Limits) -> ColdChain {
        let reports: Vec<_> = reports.iter().map(|readings| report(readings)).collect();
        let parts: Vec<_> = reports.iter().map(|report| (report, Interval::ALWAYS)).collect();
        fold(&parts, limits, &rule()).unwrap()
    }

    fn minutes(ms: i64) -> i64 {
        ms / MINUTE_MS
    }

    fn spans(chain: &ColdChain) -> Vec<(i64, i64, f64, i64)> {
        let span = |it: &Excursion| {
            let minute = |ms: i64| minutes(ms - START_MS);
            (minute(it.from_ms), minute(it.to_ms), it.peak.celsius(), minutes(it.outside_ms))
        };
        chain.excursions.iter().map(span).collect()
    }

    #[test]
    fn a_reading_holds_until_the_next() {
        let chain = folded(&[&[(0, -20.0), (10, -15.0), (15, -16.0), (30, -20.0), (40, -20.0)]], frozen());
        assert_eq!((minutes(chain.above_ms), minutes(chain.covered_ms), chain.readings), (20, 40, 5));
        assert_eq!(spans(&chain), [(10, 30, -15.0, 20)]);
        // (10 x -20 + 5 x -15 + 15 x -16 + 10 x -20) / 40
        assert_eq!(chain.mean.unwrap().celsius(), -17.88);
        assert_eq!((chain.min.celsius(), chain.max.celsius()), (-20.0, -15.0));
        assert!(chain.gaps.is_empty() && chain.breach.is_none());
    }

    #[test]
    fn a_gap_is_shown_and_counts_for_nothing() {
        let chain = folded(&[&[(0, -10.0), (91, -20.0), (96, -20.0)]], frozen());
        assert_eq!((minutes(chain.above_ms), minutes(chain.covered_ms)), (0, 5));
        assert_eq!(chain.gaps, [Gap { from_ms: START_MS, to_ms: START_MS + 91 * MINUTE_MS }]);
        assert_eq!(spans(&chain), [(0, 0, -10.0, 0)]);
        assert_eq!(chain.curve.stretches.len(), 2);
        assert_eq!(folded(&[&[(0, -10.0), (90, -20.0)]], frozen()).gaps, []);
    }

    #[test]
    fn of_several_sensors_the_warmest_counts_for_warmth_and_all_for_the_mean() {
        let (cold, warm) = (steady(0, 125, -20.0), steady(30, 65, -16.0));
        let chain = folded(&[&cold, &warm], frozen());
        assert_eq!(spans(&chain), [(30, 60, -16.0, 30)]);
        assert_eq!(minutes(chain.above_ms), 30);
        // 90 minutes at -20 and 30 at -18, the mean of both.
        assert_eq!(chain.mean.unwrap().celsius(), -19.5);
        // The same file twice changes nothing but the count.
        let twice = folded(&[&cold, &warm, &warm, &cold], frozen());
        assert_eq!(ColdChain { readings: chain.readings, ..twice }, chain);
    }

    #[test]
    fn a_record_in_several_files_has_no_holes_where_they_meet() {
        let whole = [steady(0, 100, -20.0), steady(100, 200, -16.0), steady(200, 305, -20.0)].concat();
        let one = folded(&[&whole], frozen());
        for cut in [1, 10, 25, 30, whole.len() - 1] {
            let (first, second) = whole.split_at(cut);
            assert_eq!(folded(&[first, second], frozen()), one, "{cut}");
            assert_eq!(folded(&[second, first], frozen()), one, "{cut}");
        }
    }

    #[test]
    fn only_the_time_inside_the_interval_counts() {
        let report = report(&[(0, -10.0), (60, -20.0), (120, -10.0)]);
        let cut =
            |from: i64, to: i64| Interval { from_ms: START_MS + from * MINUTE_MS, to_ms: START_MS + to * MINUTE_MS };
        let chain = fold(&[(&report, cut(30, 100))], frozen(), &rule()).unwrap();
        assert_eq!(spans(&chain), [(30, 60, -10.0, 30)]);
        assert_eq!((minutes(chain.covered_ms), chain.min.celsius(), chain.max.celsius()), (70, -20.0, -10.0));
        let chain = fold(&[(&report, cut(60, 119))], frozen(), &rule()).unwrap();
        assert_eq!((chain.max.celsius(), chain.excursions.len()), (-20.0, 0));
        assert_eq!(fold(&[(&report, cut(121, 200))], frozen(), &rule()), None);
        assert_eq!(fold(&[(&report, cut(-9, -1))], frozen(), &rule()), None);
        assert_eq!(fold(&[], frozen(), &rule()), None);
    }

    #[test]
    fn extremes_alone_say_for_certain_only_what_they_must() {
        let told = |min: f64, max: f64, mean: Option<f64>| TemperatureReport {
            from_ms: START_MS,
            to_ms: START_MS + 600 * MINUTE_MS,
            min: degrees(min),
            max: degrees(max),
            mean: mean.map(degrees),
            device: None,
            series: None,
        };
        let folded = |report: TemperatureReport| fold(&[(&report, Interval::ALWAYS)], frozen(), &rule()).unwrap();
        let chain = folded(told(-21.4, -12.0, Some(-19.0)));
        assert_eq!((chain.above_ms, chain.breach, chain.mean), (0, None, Some(degrees(-19.0))));
        assert_eq!(spans(&chain), [(0, 600, -12.0, 0)]);
        let chain = folded(told(-14.0, -12.0, None));
        assert_eq!((minutes(chain.above_ms), chain.mean), (600, None));
        assert_eq!(chain.breach.unwrap().clause, Clause::Beyond);
    }

    #[test]
    fn the_rule_breaks_where_the_page_says_and_not_a_minute_before() {
        let limits = frozen();
        let breach = |readings: &[Vec<(i64, f64)>]| {
            folded(&[&readings.concat()], limits).breach.map(|breach| (breach.clause, minutes(breach.found_ms)))
        };
        let cold = |from, to| steady(from, to, -20.0);
        // Beyond -15 for 60 minutes, and for 65.
        assert_eq!(breach(&[cold(0, 10), steady(10, 70, -14.9), cold(70, 80)]), None);
        assert_eq!(breach(&[cold(0, 10), steady(10, 75, -14.9), cold(75, 80)]), Some((Clause::Beyond, 65)));
        // Just at the tolerance is within it.
        assert_eq!(breach(&[cold(0, 10), steady(10, 1000, -15.0), cold(1000, 1010)]), None);
        // 240 minutes in all, and 245.
        let pulses = |last: i64| -> Vec<Vec<(i64, f64)>> {
            let pulse = |at: i64| [steady(at * 100, at * 100 + 40, 0.0), cold(at * 100 + 40, at * 100 + 100)].concat();
            (0..6).map(pulse).chain([steady(600, 600 + last, 0.0), cold(600 + last, 700)]).collect()
        };
        assert_eq!(breach(&pulses(0)), None);
        assert_eq!(breach(&pulses(5)), Some((Clause::BeyondTotal, 245)));
        // A little too warm for a day, and for longer.
        assert_eq!(breach(&[steady(0, 1440, -17.9), cold(1440, 1450)]), None);
        assert_eq!(breach(&[steady(0, 1445, -17.9), cold(1445, 1450)]), Some((Clause::Outside, 1445)));
        // A gap never breaks the chain.
        assert_eq!(breach(&[cold(0, 10), cold(100_000, 100_010)]), None);
    }

    #[test]
    fn too_cold_breaks_the_chain_of_chilled_goods_as_well() {
        let limits = Limits { min: Some(degrees(0.0)), max: Some(degrees(4.0)) };
        let chain = folded(&[&[steady(0, 10, 2.0), steady(10, 80, -5.0), steady(80, 90, 2.0)].concat()], limits);
        assert_eq!((minutes(chain.below_ms), chain.above_ms), (70, 0));
        let breach = chain.breach.unwrap();
        assert_eq!((breach.side, breach.clause, breach.tolerance_hundredths), (Side::Below, Clause::Beyond, 200));
    }

    #[test]
    fn without_limits_nothing_is_outside() {
        let chain = folded(&[&steady(0, 1000, 30.0)], Limits::default());
        assert_eq!((chain.above_ms, chain.below_ms, chain.breach), (0, 0, None));
    }

    #[test]
    fn a_spike_of_one_reading_stays_in_the_curve() {
        let mut readings = steady(0, 57_600, -20.0);
        readings[7777].1 = 3.5;
        let chain = folded(&[&readings], frozen());
        let columns: Vec<_> = chain.curve.stretches.iter().flatten().collect();
        assert!(columns.len() as i64 <= CURVE_COLUMNS + 1, "{}", columns.len());
        assert_eq!(columns.iter().map(|column| column.high.celsius()).fold(f64::MIN, f64::max), 3.5);
        assert!(columns.is_sorted_by(|one, other| one.at_ms < other.at_ms));
    }

    proptest! {
        #[test]
        fn the_record_agrees_with_a_walk_over_every_minute(
            series in prop::collection::vec((0..200_i64, prop::collection::vec((1..40_i64, -2_100..-1_300_i64), 1..30)), 1..4),
            cut in (0..200_i64, 0..400_i64),
        ) {
            let reports: Vec<_> = series.iter().map(|(start, steps)| {
                let mut minute = *start;
                report(&steps.iter().map(|(step, value)| { minute += step; (minute, *value as f64 / 100.0) }).collect::<Vec<_>>())
            }).collect();
            let interval = Interval { from_ms: START_MS + cut.0 * MINUTE_MS, to_ms: START_MS + (cut.0 + cut.1) * MINUTE_MS };
            let parts: Vec<_> = reports.iter().map(|report| (report, interval)).collect();
            let Some(chain) = fold(&parts, frozen(), &rule()) else { return Ok(()) };
            // What each sensor holds in a minute: no pause is a gap here.
            let holds = |report: &TemperatureReport, at: i64| {
                let readings: Vec<_> = report.series.as_ref().unwrap().readings().collect();
                let last = readings.last().unwrap().time_ms;
                readings.iter().rev().find(|it| it.time_ms <= at && at < last).map(|it| it.temperature)
            };
            let (mut above, mut covered) = (0, 0);
            for at in (interval.from_ms..interval.to_ms).step_by(MINUTE_MS as usize) {
                let held: Vec<_> = reports.iter().filter_map(|report| holds(report, at)).collect();
                above += i64::from(held.iter().any(|it| it.hundredths() > -1800));
                covered += i64::from(!held.is_empty());
            }
            // Over a pause between sensors the last value holds on, which the walk does not know.
            prop_assert!(minutes(chain.covered_ms) >= covered, "{} {covered}", minutes(chain.covered_ms));
            prop_assert!(minutes(chain.above_ms) >= above);
            if minutes(chain.covered_ms) == covered {
                prop_assert_eq!(minutes(chain.above_ms), above);
            }
            prop_assert!(chain.excursions.iter().map(|it| it.outside_ms).sum::<i64>() == chain.above_ms);
        }
    }
}
