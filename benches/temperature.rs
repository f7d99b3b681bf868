//! What temperatures cost on one core: a logger's file of 40 days at five-minute steps, its compact form, its fold.
//!
//! `cargo bench --bench temperature`. Goal: 1,000 such files, a normal day, in well under a minute.

#![allow(clippy::unwrap_used, reason = "a panic fails the benchmark")]

use std::{fmt::Write as _, hint::black_box};

use coldproof::{
    cold_chain::{
        Interval, Limits, Reading, Series, Temperature, TemperatureReport, fold,
        logger::{self, Told},
    },
    config::Config,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const READINGS: i64 = 11_520;

fn readings() -> Vec<Reading> {
    let wave = |at: i64| (at % 24 - 12).abs() + at * 7 % 5;
    let reading = |at: i64| Reading {
        time_ms: 1_780_272_000_000 + at * 300_000,
        temperature: Temperature::from_hundredths(-1_900 + 10 * wave(at)).unwrap(),
    };
    (0..READINGS).map(reading).collect()
}

fn file() -> String {
    let mut file = "No.,Time,Temperature(°C)\n".to_owned();
    for (at, reading) in readings().iter().enumerate() {
        let time = jiff::Timestamp::from_millisecond(reading.time_ms).unwrap().strftime("%Y-%m-%d %H:%M:%S");
        writeln!(file, "{at},{time},{}", reading.temperature).unwrap();
    }
    file
}

fn temperatures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("40 days");
    group.throughput(Throughput::Elements(READINGS.unsigned_abs()));
    let (file, readings) = (file(), readings());
    let told = Told { zone_minutes: Some(0), latest_ms: i64::MAX, ..Told::default() };
    group.bench_function("read the file", |bencher| bencher.iter(|| logger::read(file.as_bytes(), &told).unwrap()));
    group.bench_function("encode", |bencher| bencher.iter(|| Series::new(black_box(&readings)).unwrap()));
    let series = Series::new(&readings).unwrap();
    group.bench_function("check", |bencher| bencher.iter(|| Series::parse(black_box(series.bytes())).unwrap()));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| series.readings().map(|reading| reading.time_ms).fold(0, i64::wrapping_add));
    });
    let report = TemperatureReport::of(series, None);
    let limits = Limits { min: None, max: Temperature::from_celsius(-18.0) };
    let rule = Config::default_values().unwrap().cold_chain.rule();
    let parts = [(&report, Interval::ALWAYS)];
    group.bench_function("fold", |bencher| bencher.iter(|| fold(&parts, limits, &rule).unwrap()));
}

criterion_group!(benches, temperatures);
criterion_main!(benches);
