//! Captured events, beside inserts of the very rows that they became, into another keyspace of the same cluster.

use std::{
    collections::HashSet,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{Site, figures::Requests, keyspace::Place, rows::Writer, world::World};
use crate::{
    capture::{CLOSING, Goods, OPENING, captured},
    demo::{Codes, Demo, Keys},
    http::{Client, Request, bearer},
    process::Process,
    report::{Report, Spread},
};

/// Of what the cluster takes as bare inserts of the same rows, at least.
const RATIO_MIN: f64 = 0.6;
/// Lightweight transactions for a capture, at most.
const SWAPS_MAX: f64 = 0.0;
/// Codes that single codes and spans are taken from.
const CODES: u32 = 1_000_000;
/// Rows that a server writes at the same time for one document (`limits::CQL_ROWS_AT_ONCE`).
const ROWS_AT_ONCE: usize = 64;
/// Everything that stays of a capture. What is staged meanwhile is written besides, and not counted.
const TABLES: [&str; 7] =
    ["records", "records_by_event", "records_by_given_id", "ledgers", "captures", "applied", "feed_rows"];

/// Arguments of `cluster capture`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: Site,
    /// Rounds: in each, documents are captured and their rows inserted.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    rounds: u32,
    /// Documents of a round.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=10_000), value_name = "N")]
    documents: u64,
    /// Events in each of them.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=5_000), value_name = "N")]
    events: u64,
    /// Connections that send them.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64), value_name = "N")]
    connections: u64,
    /// Rows under way for the inserts; as many as the server may have where it is left out.
    #[arg(long, value_name = "N")]
    in_flight: Option<usize>,
}

pub fn run(args: &Args) -> Result<Report> {
    let (place, bare) = (Place::on_cluster(&args.site)?, Place::on_cluster(&args.site)?);
    let server = place.serve(0, None)?;
    let mut client = Client::connect(server.address)?;
    let world = World::found(&mut client, &place.admin()?)?;
    let goods = goods(&mut client, &world, &place)?;
    let writer = Writer::new(&args.site.store)?;
    let mut seen = HashSet::new();
    writer.new_rows(place.keyspace(), bare.keyspace(), &TABLES, &mut seen)?;
    // As much as the server may have under way for so many documents.
    let in_flight = args.in_flight.unwrap_or(args.connections as usize * ROWS_AT_ONCE);
    let events = (args.documents * args.events) as f64;
    let (mut rates, mut bare_rates, mut ratios, mut cpu_us) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut rows_an_event, mut swaps, mut asked) = (Vec::new(), Vec::new(), Requests::default());
    for round in 0..args.rounds {
        // What leases and such ask for by themselves is counted while nothing else is asked.
        let idle = swaps_in(server.address, || {
            thread::sleep(Duration::from_secs(5));
            Ok(())
        })?;
        let requests = documents(args, &world, &goods, round)?;
        let (before, cpu, begun) = (Requests::read(server.address)?, server.process().cpu_s()?, Instant::now());
        send(server.address, args.connections, &requests)?;
        let seconds = begun.elapsed().as_secs_f64();
        let of_round = Requests::read(server.address)?.since(&before);
        cpu_us.push((server.process().cpu_s()? - cpu) * 1e6 / events);
        // What would have come anyway; one more may fall on either side.
        let own = (idle.0 / idle.1 * seconds).ceil() + 1.0;
        swaps.push((of_round.of_kind("swap") - own).max(0.0) / args.documents as f64);
        asked.add(of_round);

        let rows = writer.new_rows(place.keyspace(), bare.keyspace(), &TABLES, &mut seen)?;
        ensure!(rows.len() as f64 > 2.0 * events, "{} rows found of {events} events", rows.len());
        rows_an_event.push(rows.len() as f64 / events);
        let bare_seconds = writer.write(rows, in_flight)?;
        rates.push(events / seconds);
        bare_rates.push(events / bare_seconds);
        ratios.push(bare_seconds / seconds);
    }
    let spread = |figures| Spread::of(figures).context("nothing was measured");
    let mut report = Report::new(format!(
        "cluster capture: {} rounds of {} documents of {} events, {} connections; then the same rows, {in_flight} under way",
        args.rounds, args.documents, args.events, args.connections
    ));
    report
        .fact("captured events/s", format!("{}; server's processor time {} us each", spread(rates)?, spread(cpu_us)?));
    report.fact("events/s as bare inserts", spread(bare_rates)?.to_string());
    report.fact("rows an event", spread(rows_an_event)?.to_string());
    let ratio = spread(ratios)?;
    report.at_least("captured / bare inserts", ratio.median, RATIO_MIN, ratio);
    let swaps = spread(swaps)?;
    report.at_most("lightweight transactions a capture", swaps.median, SWAPS_MAX, "beside those of leases");
    report.fact("claims read meanwhile", format!("{:.0}", asked.of("read", "claims")));
    report.fact("requests meanwhile", asked.to_string());
    report.fact("this process, processor time, s", format!("{:.1}", Process::this().cpu_s()?));
    Ok(report)
}

/// How many swaps there are while something is done, and for how many seconds that is.
fn swaps_in(address: SocketAddr, what: impl FnOnce() -> Result<()>) -> Result<(f64, f64)> {
    let (before, begun) = (Requests::read(address)?, Instant::now());
    what()?;
    let swaps = Requests::read(address)?.since(&before).of_kind("swap");
    Ok((swaps, begun.elapsed().as_secs_f64()))
}

/// Goods of a run of the world.
fn goods(client: &mut Client, world: &World, place: &Place) -> Result<Goods> {
    let batch = world.batch(client, u64::from(CODES))?;
    let run = world.order(client, batch, CODES, "item")?.into_iter().next().context("an order without a run")?;
    let codes = Codes { warm: run.first.clone(), forged: String::new() };
    let keys = Keys { importer: world.importer.clone(), inspector: String::new() };
    let demo = Demo { batch, run: run.run.clone(), keys, codes };
    let path = format!("/v1/runs/{}/codes?form=uri&count=1", run.run);
    let request = Request::get(&path, &[("authorization", &bearer(&world.importer))]);
    let link = String::from_utf8(client.expect(&request, 200)?.to_vec())?;
    Goods::new(&demo, run, link.trim(), &place.ring()?)
}

/// The documents of a round: no event comes twice.
fn documents(args: &Args, world: &World, goods: &Goods, round: u32) -> Result<Vec<Request>> {
    let first = u64::from(round) * args.documents;
    let document = |at: u64| {
        let events = (at * args.events..(at + 1) * args.events).map(|at| goods.event(at));
        let events = events.collect::<Result<Vec<_>>>()?.join(",");
        Ok(Request::post("/epcis/capture", Some(&world.importer), &[OPENING, &events, CLOSING].concat()))
    };
    (first..first + args.documents).map(document).collect()
}

fn send(address: SocketAddr, connections: u64, requests: &[Request]) -> Result<()> {
    thread::scope(|scope| {
        let connection = |at: u64| {
            scope.spawn(move || {
                let mut client = Client::connect(address)?;
                for request in requests.iter().skip(at as usize).step_by(connections as usize) {
                    captured(client.expect(request, 202)?)?;
                }
                anyhow::Ok(())
            })
        };
        let connections: Vec<_> = (0..connections).map(connection).collect();
        connections.into_iter().try_for_each(|thread| thread.join().ok().context("a connection's thread panicked")?)
    })
}
