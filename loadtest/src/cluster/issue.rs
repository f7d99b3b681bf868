//! An order of as many codes as the precedent issued, beside a row for each of them in the same cluster.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Site, keyspace::Place, rows::Writer, world::World};
use crate::{
    demo::ordered,
    http::Client,
    report::{Report, Spread},
};

/// As many as the precedent of a whole province issued.
const CODES: u32 = 8_333_333;
/// An order may take at most one part in so many of what rows take.
const RATIO_MIN: f64 = 1_000.0;

/// Arguments of `cluster issue`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: Site,
    /// Rounds: in each, one order and rows for a while.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    rounds: u32,
    /// For how long rows are written in each, in seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600), value_name = "S")]
    seconds: u64,
    /// Rows under way at the same time.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=4096), value_name = "N")]
    in_flight: u32,
}

pub fn run(args: &Args) -> Result<Report> {
    let place = Place::on_cluster(&args.site)?;
    let server = place.serve(0, None)?;
    let mut client = Client::connect(server.address)?;
    let world = World::found(&mut client, &place.admin()?)?;
    let writer = Writer::new(&args.site.store)?;
    writer.code_table(place.keyspace())?;
    let (mut orders_ms, mut rows_per_s, mut ratios, mut runs) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 0..args.rounds {
        // A connection that has said nothing for a while is hung up.
        let mut client = Client::connect(server.address)?;
        // A batch of its own, so that each order is the first of its batch.
        let batch = world.batch(&mut client, u64::from(CODES))?;
        let request = world.order_of(batch, CODES, "item");
        let begun = Instant::now();
        let body = client.expect(&request, 201)?;
        let order_s = begun.elapsed().as_secs_f64();
        runs = ordered(body, CODES)?.len();
        let length = Duration::from_secs(args.seconds);
        let per_s = writer.codes(place.keyspace(), round, args.in_flight as usize, length)?;
        orders_ms.push(order_s * 1e3);
        rows_per_s.push(per_s);
        ratios.push(f64::from(CODES) / per_s / order_s);
    }
    let spread = |figures| Spread::of(figures).context("nothing was measured");
    let (orders, rows, ratio) = (spread(orders_ms)?, spread(rows_per_s)?, spread(ratios)?);
    let mut report = Report::new(format!(
        "cluster issue: {} rounds, an order of {CODES} codes over HTTP, then {} s of a row for each code, {} under way",
        args.rounds, args.seconds, args.in_flight
    ));
    report.fact("an order, ms", format!("{orders}; {runs} runs"));
    report.fact("rows a second", rows.to_string());
    let whole_s = f64::from(CODES) / rows.median;
    report.fact("all rows, s", format!("{whole_s:.0}, reckoned from the rate"));
    report.at_least("rows / order", ratio.median, RATIO_MIN, ratio);
    Ok(report)
}
