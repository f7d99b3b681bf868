//! First scans of codes with nothing, one unit and two units around them: each answer of the cluster takes a fixed time, so that
//! the time of a scan says in how many rounds of requests it was answered.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::{Site, keyspace::Place, relay::Relay, world::World};
use crate::{
    check::Expected,
    http::{Client, Request},
    report::{Report, Spread},
};

/// Rounds of a code with nothing around it, at most.
const ROUNDS_MAX: f64 = 3.0;
/// More of them for each unit around it.
const ROUNDS_A_LEVEL: f64 = 2.0;
/// Units around a code.
const LEVELS: [&str; 3] = ["nothing around it", "in a case", "in a case on a pallet"];

/// Arguments of `cluster cold`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: Site,
    /// Codes of each kind, each of a batch of its own.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    codes: u32,
    /// How long each answer of the cluster takes, in milliseconds: less than what a server waits before it asks another node.
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u64).range(10..=95), value_name = "MS")]
    round_ms: u64,
}

pub fn run(args: &Args) -> Result<Report> {
    let place = Place::on_cluster(&args.site)?;
    let filler = place.serve(0, None)?;
    let mut client = Client::connect(filler.address)?;
    let world = World::found(&mut client, &place.admin()?)?;
    let mut codes: [Vec<String>; LEVELS.len()] = Default::default();
    for (level, codes) in codes.iter_mut().enumerate() {
        for _ in 0..args.codes {
            codes.push(code(&mut client, &world, level)?);
        }
    }
    drop(client);
    filler.terminate()?;

    // A server that has none of it in memory.
    let relay = Relay::start(&args.site.store.nodes)?;
    let server = place.serve(1, Some(&relay.nodes))?;
    let mut client = Client::connect(server.address)?;
    let round = Duration::from_millis(args.round_ms);
    relay.delay(round);
    let mut report = Report::new(format!(
        "cluster cold: the first scan of {} codes of each kind, each answer of the cluster {} ms",
        args.codes, args.round_ms
    ));
    for (level, (name, codes)) in LEVELS.iter().zip(codes).enumerate() {
        let mut seconds = Vec::new();
        for code in codes {
            let request = Request::get(&format!("/{code}"), &[("accept", "application/json")]);
            let begun = Instant::now();
            Expected::Genuine { code, sound: true }.check(client.ask(&request)?)?;
            seconds.push(begun.elapsed().as_secs_f64());
        }
        let of = |figure: &dyn Fn(f64) -> f64| {
            Spread::of(seconds.iter().map(|seconds| figure(*seconds)).collect()).context("nothing was scanned")
        };
        let rounds = of(&|seconds| (seconds / round.as_secs_f64()).floor())?;
        let detail = format!("({:.0} to {:.0}); {} ms", rounds.min, rounds.max, of(&|seconds| seconds * 1e3)?);
        report.at_most(format!("rounds, {name}"), rounds.median, ROUNDS_MAX + ROUNDS_A_LEVEL * level as f64, detail);
    }
    Ok(report)
}

/// A code with so many units around it, of a batch of its own.
fn code(client: &mut Client, world: &World, level: usize) -> Result<String> {
    let batch = world.batch(client, 1_000)?;
    let items = world.order(client, batch, 10, "item")?.into_iter().next().context("an order without a run")?;
    if level > 0 {
        let case = world.order(client, batch, 1, "case")?.into_iter().next().context("an order without a run")?;
        world.pack(client, &json!({ "first": items.first, "last": items.last }), &case.first)?;
        if level > 1 {
            let pallet = world.pallet(client)?;
            world.pack(client, &json!(case.first), &pallet)?;
        }
    }
    Ok(items.first)
}
