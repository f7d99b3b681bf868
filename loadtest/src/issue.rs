//! `issue`: what an order costs, by its size.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::{
    demo::{Demo, order, ordered},
    http::Client,
    report::{Report, Spread},
    server::{Place, Scale, Server},
};

/// Codes of a small, a middle and a large order.
const SIZES: [u32; 3] = [1_000, 100_000, 10_000_000];
/// An order of 10^7 may cost at most so much of one of 10^3.
const RATIO_MAX: f64 = 2.0;
/// Small and middle orders of one round: with one large order they stay within the batch's 20 million.
const ORDERS_MAX: u32 = 80;

/// Arguments of `issue`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Rounds, each on a new folder: a batch takes one order of 10^7.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    rounds: u32,
    /// Small and middle orders in each round.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=ORDERS_MAX as i64), value_name = "N")]
    orders: u32,
}

/// Orders, times and checks.
///
/// # Errors
/// Where an order is refused or its answer is not what was ordered.
pub fn run(args: &Args) -> Result<Report> {
    std::fs::create_dir_all(&args.place.data)?;
    let mut latencies_ms: [Vec<f64>; SIZES.len()] = Default::default();
    let mut runs = [0; SIZES.len()];
    for _ in 0..args.rounds {
        // Beside the other folders, so that its writes go to the same disk.
        let folder = tempfile::Builder::new().prefix("issue-").tempdir_in(&args.place.data)?;
        let data = folder.path().join("demo");
        let server = Server::coldproof(&args.place.bin, &data, Scale::Small)?;
        let demo = Demo::read(&data)?;
        let mut client = Client::connect(server.address)?;
        // The first order of a process pays for more than itself.
        order(&mut client, &demo, 1)?;
        for at in 0..args.orders {
            for ((size, latencies_ms), runs) in SIZES.into_iter().zip(&mut latencies_ms).zip(&mut runs) {
                // The large one amid the others.
                if size < 10_000_000 || at == args.orders / 2 {
                    let request = demo.order(size);
                    let started = Instant::now();
                    let body = client.expect(&request, 201)?;
                    latencies_ms.push(started.elapsed().as_secs_f64() * 1e3);
                    *runs = ordered(body, size)?.len();
                }
            }
        }
    }
    report(args, latencies_ms, runs)
}

fn report(args: &Args, latencies_ms: [Vec<f64>; SIZES.len()], runs: [usize; SIZES.len()]) -> Result<Report> {
    let mut report = Report::new(format!("issue: {} rounds, one connection, each order durable", args.rounds));
    let mut medians = Vec::new();
    for ((size, latencies_ms), runs) in SIZES.into_iter().zip(latencies_ms).zip(runs) {
        let orders = latencies_ms.len();
        let spread = Spread::of(latencies_ms).context("no order was timed")?;
        medians.push(spread.median);
        let figure = format!("{spread} ms; {orders} orders, {runs} rows each");
        report.fact(format!("an order of {size} codes"), figure);
    }
    if let [small, .., large] = medians.as_slice() {
        report.at_most("10^7 codes / 10^3 codes", large / small, RATIO_MAX, "of the medians");
    }
    Ok(report)
}
