//! Store reads of two servers while codes in memory are scanned: at a rate and at ten times that, of some batches and of ten
//! times as many.

use std::{thread, time::Duration};

use anyhow::{Context, Result};

use super::{Site, figures::Requests, keyspace::Place, world::World};
use crate::{
    check::Expected,
    http::{Client, Request},
    load::{Case, Target, once, open},
    report::{Report, Spread},
    server::Server,
};

/// Servers, each with its half of the scans.
const SERVERS: usize = 2;
/// Codes of each batch.
const CODES: u32 = 10;
/// Ten times as many scans, or batches in memory, may cost at most so many times the reads.
const RATIO_MAX: f64 = 1.1;
/// What came in at the start is written and heard by then.
const SETTLED: Duration = Duration::from_secs(15);
const CONNECTIONS: usize = 8;

/// Arguments of `cluster reads`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: Site,
    /// Batches; ten times as many in the last part.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    batches: u32,
    /// Scans a second of both servers together; ten times as many in the second part.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    rate: u32,
    /// Rounds of each part.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    rounds: u32,
    /// The length of each, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600), value_name = "S")]
    seconds: u64,
}

pub fn run(args: &Args) -> Result<Report> {
    let place = Place::on_cluster(&args.site)?;
    let servers = (0..SERVERS).map(|number| place.serve(number, None)).collect::<Result<Vec<_>>>()?;
    let mut client = Client::connect(servers.first().context("a server")?.address)?;
    let world = World::found(&mut client, &place.admin()?)?;
    let few = cases(&mut client, &world, args.batches)?;
    let more = cases(&mut client, &world, args.batches * 9)?;
    let many: Vec<_> = few.iter().chain(&more).cloned().collect();

    let (mut slow, mut fast, mut wide) = (Vec::new(), Vec::new(), Vec::new());
    warm(&servers, &few)?;
    for _ in 0..args.rounds {
        slow.push(measure(args, &servers, &few, args.rate)?);
        fast.push(measure(args, &servers, &few, args.rate * 10)?);
    }
    warm(&servers, &many)?;
    for _ in 0..args.rounds {
        wide.push(measure(args, &servers, &many, args.rate)?);
    }
    report(args, &slow, &fast, &wide)
}

fn report(args: &Args, slow: &[Requests], fast: &[Requests], wide: &[Requests]) -> Result<Report> {
    let per_s = |of: &[Requests], kind: &str| {
        let figures = of.iter().map(|requests| requests.of_kind(kind) / args.seconds as f64);
        Spread::of(figures.collect()).context("nothing was measured")
    };
    let Args { batches, rate, .. } = *args;
    let mut report = Report::new(format!(
        "cluster reads: {SERVERS} servers, {} rounds of {} s, {CODES} codes of each batch, all in memory",
        args.rounds, args.seconds
    ));
    let few = per_s(slow, "read")?;
    for (what, of) in [
        (format!("{batches} batches, {rate} scans/s"), slow),
        (format!("{batches} batches, {} scans/s", rate * 10), fast),
        (format!("{} batches, {rate} scans/s", batches * 10), wide),
    ] {
        let figure = format!("{} reads/s, {} writes/s", per_s(of, "read")?, per_s(of, "write")?);
        report.fact(what, figure);
    }
    for (what, of) in [("ten times the scans / one", fast), ("ten times the batches / one", wide)] {
        report.at_most(format!("reads, {what}"), per_s(of, "read")?.median / few.median, RATIO_MAX, "of the medians");
    }
    for (what, of) in [("few, slow", slow), ("few, fast", fast), ("many, slow", wide)] {
        report.fact(format!("a round, {what}"), of.last().map_or_else(String::new, ToString::to_string));
    }
    Ok(report)
}

/// Scans of the codes of so many new batches.
fn cases(client: &mut Client, world: &World, batches: u32) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for _ in 0..batches {
        let batch = world.batch(client, 100)?;
        for run in world.order(client, batch, CODES, "item")? {
            for code in world.codes(client, &run)? {
                let request = Request::get(&format!("/{code}"), &[("accept", "application/json")]);
                cases.push(Case { request, expected: Expected::Genuine { code, sound: true } });
            }
        }
    }
    Ok(cases)
}

fn target(server: &Server, cases: &[Case]) -> Target {
    Target { address: server.address, process: server.process(), cases: cases.to_vec() }
}

/// Brings codes into the memory of every server.
fn warm(servers: &[Server], cases: &[Case]) -> Result<()> {
    for server in servers {
        once(&target(server, cases), CONNECTIONS)?;
    }
    thread::sleep(SETTLED);
    Ok(())
}

/// What all servers ask of their store while they are scanned at a rate.
fn measure(args: &Args, servers: &[Server], cases: &[Case], rate: u32) -> Result<Requests> {
    let length = Duration::from_secs(args.seconds);
    let read = || -> Result<Vec<Requests>> { servers.iter().map(|server| Requests::read(server.address)).collect() };
    let before = read()?;
    thread::scope(|scope| {
        let each = f64::from(rate) / servers.len() as f64;
        let scans = |server: &Server| {
            let target = target(server, cases);
            scope.spawn(move || open(&target, CONNECTIONS, each, length).map(drop))
        };
        let scans: Vec<_> = servers.iter().map(scans).collect();
        scans.into_iter().try_for_each(|thread| thread.join().ok().context("a loop's thread panicked")?)
    })?;
    let mut all = Requests::default();
    for (after, before) in read()?.into_iter().zip(before) {
        all.add(after.since(&before));
    }
    Ok(all)
}
