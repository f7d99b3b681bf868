//! Scans of codes in memory: over a cluster and over the embedded store, in one run and in turn.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Site, figures::Requests, keyspace::Place, world::World};
use crate::{
    http::Client,
    load::{Rate, Target, closed, once},
    report::{Report, Spread},
    scan::{Mode, cases},
    server::Server,
};

/// Over a cluster, of the embedded store's rate, at least.
const RATIO_MIN: f64 = 0.9;

/// Arguments of `cluster scan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: Site,
    /// Connections.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024), value_name = "N")]
    connections: u16,
    /// Rounds: in each, both are asked once.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    rounds: u32,
    /// For how long each, in seconds.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600), value_name = "S")]
    seconds: u64,
}

/// A server with a world of its own, the same on both stores.
fn target(place: &Place) -> Result<(Server, Target)> {
    let server = place.serve(0, None)?;
    let mut client = Client::connect(server.address)?;
    let demo = World::found(&mut client, &place.admin()?)?.warm(&mut client)?;
    let cases = cases::of_run(&mut client, &demo, Mode::Json)?;
    let target = Target { address: server.address, process: server.process(), cases };
    Ok((server, target))
}

pub fn run(args: &Args) -> Result<Report> {
    let (on_cluster, in_folder) = (Place::on_cluster(&args.site)?, Place::in_folder(&args.site)?);
    let (_cluster_server, cluster) = target(&on_cluster)?;
    let (_embedded_server, embedded) = target(&in_folder)?;
    let (connections, length) = (usize::from(args.connections), Duration::from_secs(args.seconds));
    for target in [&cluster, &embedded] {
        once(target, connections)?;
        closed(target, connections, length)?;
    }
    let before = Requests::read(cluster.address)?;
    let (mut on, mut within): (Vec<Rate>, Vec<Rate>) = Default::default();
    for round in 0..args.rounds {
        // Every other round goes backwards, so that whoever is second gains nothing by it.
        if round % 2 == 0 {
            on.push(closed(&cluster, connections, length)?);
            within.push(closed(&embedded, connections, length)?);
        } else {
            within.push(closed(&embedded, connections, length)?);
            on.push(closed(&cluster, connections, length)?);
        }
    }
    let asked = Requests::read(cluster.address)?.since(&before);
    let spread = |figures: Vec<f64>| Spread::of(figures).context("nothing was measured");
    let mut report = Report::new(format!(
        "cluster scan: {connections} connections, {} rounds of {} s, every answer checked",
        args.rounds, args.seconds
    ));
    for (what, rates) in [("on the cluster, scans/s", &on), ("embedded, scans/s", &within)] {
        let (rate, cpu) = (rates.iter().map(Rate::per_s).collect(), rates.iter().map(Rate::server_us).collect());
        report.fact(what, format!("{}; server's processor time {} us each", spread(rate)?, spread(cpu)?));
    }
    let ratio = spread(on.iter().zip(&within).map(|(on, within)| on.per_s() / within.per_s()).collect())?;
    report.at_least("cluster / embedded", ratio.median, RATIO_MIN, ratio);
    let scans: u64 = on.iter().map(|rate| rate.requests).sum();
    report.fact("store reads meanwhile", format!("{:.0} beside {scans} scans", asked.of_kind("read")));
    Ok(report)
}
