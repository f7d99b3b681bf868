//! The curve of a temperature record as inline SVG: no script, no inline style.
//!
//! Text stands in the outer picture, which is not scaled, so that it is as large on a phone as on a screen; the lines stand
//! in an inner one that is stretched, with strokes that are not.

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Lang, Temperatures,
    temperatures::{celsius, duration},
    words::Words,
};
use crate::cold_chain::{ColdChain, Column, Temperature};

/// Height of the lines, and of the picture with the dates below them, in pixels.
const PLOT_HEIGHT: i64 = 160;
const HEIGHT: i64 = PLOT_HEIGHT + 24;
/// Width of the inner picture in its own units.
const PLOT_WIDTH: i64 = 1000;
/// Lines across, and dates below: as many as a phone has room for.
const LINES_MAX: i64 = 5;
const DATES_MAX: i64 = 4;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const DATE_STEPS_MS: [i64; 17] = [
    HOUR_MS / 4,
    HOUR_MS / 2,
    HOUR_MS,
    2 * HOUR_MS,
    3 * HOUR_MS,
    6 * HOUR_MS,
    12 * HOUR_MS,
    DAY_MS,
    2 * DAY_MS,
    5 * DAY_MS,
    10 * DAY_MS,
    14 * DAY_MS,
    30 * DAY_MS,
    60 * DAY_MS,
    90 * DAY_MS,
    180 * DAY_MS,
    365 * DAY_MS,
];

/// From times and temperatures to places.
struct Scale {
    from_ms: i64,
    whole_ms: i64,
    low: i64,
    high: i64,
}

impl Scale {
    fn of(chain: &ColdChain) -> Self {
        let limits = [chain.limits.min, chain.limits.max].into_iter().flatten();
        let all = || limits.clone().chain([chain.min, chain.max]).map(|it| i64::from(it.hundredths()));
        let (low, high) = (all().min().unwrap_or_default(), all().max().unwrap_or_default());
        // Some air, and at least two degrees in all.
        let air = ((high - low) / 12).max(100);
        let (from_ms, whole_ms) = (chain.curve.from_ms, (chain.curve.to_ms - chain.curve.from_ms).max(1));
        Self { from_ms, whole_ms, low: low - air, high: high + air }
    }

    fn x(&self, ms: i64) -> i64 {
        ((ms - self.from_ms).clamp(0, self.whole_ms) * PLOT_WIDTH) / self.whole_ms
    }

    fn y(&self, temperature: Temperature) -> i64 {
        self.y_of(temperature.hundredths().into())
    }

    fn y_of(&self, hundredths: i64) -> i64 {
        (self.high - hundredths) * PLOT_HEIGHT / (self.high - self.low)
    }
}

/// The picture, with a title and a description for those who do not see it.
pub(super) fn draw(of: &Temperatures, lang: Lang, t: &Words) -> String {
    let (chain, scale) = (&of.chain, Scale::of(&of.chain));
    let mut svg = String::with_capacity(4096);
    // Writing to a string does not fail.
    let _ = write!(
        svg,
        r#"<svg class="curve" width="100%" height="{HEIGHT}" role="img" aria-labelledby="curve-title curve-text"><title id="curve-title">{}</title><desc id="curve-text">{}</desc>"#,
        t.temperatures,
        description(chain, lang),
    );
    let _ = write!(
        svg,
        r#"<svg class="plot" width="100%" height="{PLOT_HEIGHT}" viewBox="0 0 {PLOT_WIDTH} {PLOT_HEIGHT}" preserveAspectRatio="none">"#
    );
    let (lines, dates) = (lines(&scale), dates(&scale, &of.zone));
    let _ = write!(svg, r#"<path class="grid" d=""#);
    for line in &lines {
        let _ = write!(svg, "M0 {}h{PLOT_WIDTH}", scale.y_of(*line));
    }
    for (ms, _) in &dates {
        let _ = write!(svg, "M{} 0v{PLOT_HEIGHT}", scale.x(*ms));
    }
    svg.push_str(r#""/>"#);
    draw_excursions(&mut svg, chain, &scale);
    for limit in [chain.limits.min, chain.limits.max].into_iter().flatten() {
        let _ = write!(svg, r#"<path class="limit" d="M0 {}h{PLOT_WIDTH}"/>"#, scale.y(limit));
    }
    draw_stretches(&mut svg, chain, &scale);
    svg.push_str("</svg>");
    for line in &lines {
        let text = Temperature::from_hundredths(*line).map(celsius).unwrap_or_default();
        let _ = write!(svg, r#"<text x="2" y="{}">{}</text>"#, scale.y_of(*line) - 3, text.trim_end_matches(" °C"));
    }
    for (limit, word) in [(chain.limits.max, "≤"), (chain.limits.min, "≥")] {
        if let Some(limit) = limit {
            let y = if word == "≤" { scale.y(limit) - 4 } else { scale.y(limit) + 13 };
            let _ = write!(
                svg,
                r#"<text class="limit" x="100%" dx="-2" y="{y}" text-anchor="end">{word} {}</text>"#,
                celsius(limit)
            );
        }
    }
    for (ms, label) in &dates {
        let permille = (ms - scale.from_ms) * 1000 / scale.whole_ms;
        let anchor = match permille {
            ..70 => "start",
            930.. => "end",
            _ => "middle",
        };
        let (whole, tenth) = (permille / 10, permille % 10);
        let _ =
            write!(svg, r#"<text x="{whole}.{tenth}%" y="{}" text-anchor="{anchor}">{label}</text>"#, PLOT_HEIGHT + 16);
    }
    svg.push_str("</svg>");
    svg
}

fn draw_excursions(svg: &mut String, chain: &ColdChain, scale: &Scale) {
    if chain.excursions.is_empty() {
        return;
    }
    svg.push_str(r#"<path class="excursion" d=""#);
    for excursion in &chain.excursions {
        let (from, to) = (scale.x(excursion.from_ms), scale.x(excursion.to_ms));
        let _ = write!(svg, "M{from} 0h{}v{PLOT_HEIGHT}h-{}z", to - from, to - from);
    }
    svg.push_str(r#""/>"#);
}

/// A line where one temperature is known at a time, a band between lowest and highest where several are.
fn draw_stretches(svg: &mut String, chain: &ColdChain, scale: &Scale) {
    for stretch in &chain.curve.stretches {
        let high = |column: &Column| (scale.x(column.at_ms), scale.y(column.high));
        let low = |column: &Column| (scale.x(column.at_ms), scale.y(column.low));
        let is_line = stretch.iter().all(|column| column.low == column.high);
        let points: Vec<_> = if is_line {
            stretch.iter().map(high).collect()
        } else {
            stretch.iter().map(high).chain(stretch.iter().rev().map(low)).collect()
        };
        let _ = write!(svg, r#"<path class="{}" d=""#, if is_line { "line" } else { "line band" });
        draw_points(svg, &points);
        svg.push_str(if is_line && points.len() > 1 { r#""/>"# } else { r#"z"/>"# });
    }
}

/// Each point from the one before it, without separators that are not needed.
fn draw_points(svg: &mut String, points: &[(i64, i64)]) {
    let mut before = None;
    for (x, y) in points {
        let _ = match before {
            None => write!(svg, "M{x} {y}l0 0"),
            Some((other_x, other_y)) => {
                let (dx, dy) = (x - other_x, y - other_y);
                write!(svg, "{}{dx}{}{dy}", if dx < 0 { "" } else { " " }, if dy < 0 { "" } else { " " })
            }
        };
        before = Some((x, y));
    }
}

/// Temperatures of the lines across, in hundredths of a degree.
fn lines(scale: &Scale) -> Vec<i64> {
    let step = [100, 200, 500, 1_000, 2_000, 5_000, 10_000]
        .into_iter()
        .find(|step| (scale.high - scale.low) / step < LINES_MAX);
    let step = step.unwrap_or(20_000);
    let first = scale.low.div_euclid(step) + 1;
    (first..).map(|at| at * step).take_while(|line| *line < scale.high).collect()
}

/// Times of the lines down, and what is written below them.
fn dates(scale: &Scale, zone: &TimeZone) -> Vec<(i64, String)> {
    let step = DATE_STEPS_MS.into_iter().find(|step| scale.whole_ms / step < DATES_MAX).unwrap_or(scale.whole_ms);
    let zoned = |ms| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
    let offset_ms = i64::from(zoned(scale.from_ms).offset().seconds()) * 1000;
    let first = (scale.from_ms + offset_ms).div_euclid(step) + 1;
    let times = (first..).map(|at| at * step - offset_ms).take_while(|ms| *ms < scale.from_ms + scale.whole_ms);
    let label = |ms: i64| {
        let at = zoned(ms).datetime();
        if step < DAY_MS && (at.hour(), at.minute()) != (0, 0) {
            format!("{:02}:{:02}", at.hour(), at.minute())
        } else {
            format!("{:02}-{:02}", at.month(), at.day())
        }
    };
    times.map(|ms| (ms, label(ms))).collect()
}

fn description(chain: &ColdChain, lang: Lang) -> String {
    let (min, max, mean) = (celsius(chain.min), celsius(chain.max), chain.mean.map(celsius));
    let outside = duration(chain.above_ms + chain.below_ms, lang);
    match lang {
        Lang::Zh => {
            let mean = mean.map(|mean| format!("，平均 {mean}")).unwrap_or_default();
            format!("最低 {min}，最高 {max}{mean}；超出范围 {outside}。")
        }
        Lang::En => {
            let mean = mean.map(|mean| format!(", {mean} on average")).unwrap_or_default();
            format!("From {min} to {max}{mean}; outside the limits for {outside}.")
        }
    }
}
