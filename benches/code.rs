//! What codes cost on one core: streaming, checking, reading, drawing.
//!
//! `cargo bench --bench code`. Goals: 20 million URIs/s, 2 million symbols/s.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic fails the benchmark")]

use std::hint::black_box;

use coldproof::code::qr::BulkSymbols;
use coldproof::code::{
    Code, Encoder, Form, KeyRing, KeySlot, LinkCase, LinkPrefix, LinkScheme, RunId, RunKey, Serial, key_table,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const CODES: u32 = 1 << 20;

fn ring() -> KeyRing {
    let master = std::array::from_fn(|at| at as u8);
    KeyRing::parse(&key_table(KeySlot::new(0).unwrap(), &master, "2026-01-01")).unwrap()
}

fn run_key() -> RunKey {
    ring().run_key(RunId::from_bits(3).unwrap()).unwrap()
}

fn prefix(host: &str) -> LinkPrefix {
    let gtin = "09506000134352".parse().unwrap();
    LinkPrefix::new(LinkScheme::Https, &host.parse().unwrap(), Some(gtin), LinkCase::Upper)
}

fn codes(key: &RunKey) -> Vec<Code> {
    (0..CODES).step_by(257).map(|serial| key.code(Serial::new(serial).unwrap())).collect()
}

fn streaming(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(CODES.into())).sample_size(20);
    let key = run_key();
    let mut buffer = Vec::with_capacity(1 << 18);
    for (name, form) in [("uri", Form::Uri), ("code", Form::Code), ("csv", Form::Csv), ("ndjson", Form::Ndjson)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let first = Serial::new(0).unwrap();
                let mut encoder = Encoder::new(key.clone(), prefix("cold.example.com"), form, first, CODES);
                while encoder.fill(&mut buffer, 1 << 17) > 0 {
                    black_box(buffer.as_slice());
                    buffer.clear();
                }
            });
        });
    }
}

fn checking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check");
    group.throughput(Throughput::Elements(1));
    let (ring, key) = (ring(), run_key());
    let mut next = codes(&key).into_iter().cycle();
    let texts: Vec<String> = codes(&key).iter().map(Code::to_string).collect();
    let mut next_text = texts.iter().cycle();
    group.bench_function("parse", |bencher| bencher.iter(|| Code::parse(next_text.next().unwrap())));
    group.bench_function("run key kept", |bencher| bencher.iter(|| key.verify(&next.next().unwrap())));
    group.bench_function("run key derived", |bencher| bencher.iter(|| ring.verify(&next.next().unwrap())));
}

fn drawing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("draw");
    group.throughput(Throughput::Elements(1));
    let codes = codes(&run_key());
    for (name, host) in [("29 modules", "cold.cn"), ("33 modules", "demo.coldproof.example")] {
        let symbols = BulkSymbols::new(&prefix(host)).unwrap();
        let mut matrix = symbols.blank();
        let mut next = codes.iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                symbols.draw(*next.next().unwrap(), &mut matrix);
                black_box(&matrix);
            });
        });
    }
    let prefix = prefix("cold.cn");
    let tables = || BulkSymbols::new(&prefix).unwrap();
    group
        .sample_size(20)
        .bench_function("tables", |bencher| bencher.iter_batched(|| (), |()| tables(), BatchSize::LargeInput));
}

criterion_group!(benches, streaming, checking, drawing);
criterion_main!(benches);
