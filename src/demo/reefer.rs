//! What loggers see: a cold store on its way, quiet or broken down.

use super::{chance::Chance, goods::Kind};
use crate::{
    cold_chain::{Reading, Series, SeriesError, Temperature},
    limits::READINGS_MAX,
};

/// How long a broken reefer stays broken, in minutes.
const BROKEN_MIN: i64 = 11 * 60;
/// The warmest that goods become meanwhile, above their limit, in hundredths of a degree.
const BROKEN_HUNDREDTHS: i64 = 1_150;

/// Readings every `step_min` minutes, and their mean.
///
/// # Errors
/// Where there is not one reading.
pub fn readings(
    chance: &mut Chance,
    goods: &Kind,
    (from_ms, to_ms): (i64, i64),
    step_min: u16,
    broken: bool,
) -> Result<(Series, Option<Temperature>), SeriesError> {
    let (set, swing) = set_point(goods);
    let step_ms = i64::from(step_min.max(1)) * 60_000;
    let limit = i64::from(goods.storage_celsius.1) * 100;
    let breaks_ms = from_ms + (to_ms - from_ms) * 6 / 10;
    let mut readings = Vec::new();
    for at in 0..READINGS_MAX as i64 {
        let time_ms = from_ms + at * step_ms;
        if time_ms > to_ms {
            break;
        }
        let noise = i64::from(chance.within(0, 40)) - 20;
        let wave = i64::from(triangle(at, 19)) * swing / 100;
        let minutes = (time_ms - breaks_ms) / 60_000;
        let hundredths = if broken && (0..BROKEN_MIN).contains(&minutes) {
            let warmed = BROKEN_HUNDREDTHS - (minutes - BROKEN_MIN / 2).abs() * BROKEN_HUNDREDTHS / (BROKEN_MIN / 2);
            limit + warmed.max(set - limit) + noise
        } else {
            set + wave + noise
        };
        // As loggers write it: to a tenth.
        readings.extend(
            Temperature::from_hundredths(hundredths / 10 * 10).map(|temperature| Reading { time_ms, temperature }),
        );
    }
    let sum: i64 = readings.iter().map(|reading| i64::from(reading.temperature.hundredths())).sum();
    let mean = Temperature::from_hundredths(sum / (readings.len() as i64).max(1));
    Ok((Series::new(&readings)?, mean))
}

/// Where a reefer is set for goods, and how far it swings, in hundredths of a degree.
fn set_point(goods: &Kind) -> (i64, i64) {
    let (least, most) = goods.storage_celsius;
    let most = i64::from(most) * 100;
    match least {
        // -18 to -22 where -18 is the limit.
        None => (most - 220, 130),
        Some(least) => {
            let least = i64::from(least) * 100;
            ((least + most) / 2, ((most - least) / 4).min(150))
        }
    }
}

/// From -100 to 100 and back, over so many steps.
fn triangle(at: i64, steps: i64) -> i32 {
    let place = at.rem_euclid(steps) * 400 / steps;
    i32::try_from(if place < 200 { place - 100 } else { 300 - place }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::goods::KINDS;

    #[test]
    fn every_kind_stays_within_its_limits_unless_its_reefer_breaks() {
        let day_ms = 24 * 3_600_000;
        for goods in KINDS {
            let span = (1_780_000_000_000, 1_780_000_000_000 + 30 * day_ms);
            let (series, mean) = readings(&mut Chance::new(1), goods, span, 60, false).unwrap();
            let (least, most) = goods.storage_celsius;
            assert!(series.max().celsius() <= f64::from(most), "{}: {}", goods.name_en, series.max());
            assert!(least.is_none_or(|least| series.min().celsius() >= f64::from(least)), "{}", goods.name_en);
            assert!(mean.unwrap() < series.max() && mean.unwrap() > series.min());
            let (series, _) = readings(&mut Chance::new(1), goods, span, 60, true).unwrap();
            assert!(series.max().celsius() > f64::from(most) + 5.0);
        }
    }
}
