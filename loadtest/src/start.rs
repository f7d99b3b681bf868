//! `start`: how soon a server answers on the full demo's folder.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};

use crate::{
    check::Expected,
    demo::{Demo, order},
    http::{Client, Request},
    report::{Report, Spread},
    server::{Place, Scale, Server},
};

/// To the first scan's answer after a clean stop, at most, in seconds.
const CLEAN_S_MAX: f64 = 1.0;
/// The same after a kill.
const KILLED_S_MAX: f64 = 3.0;
/// Scans that wait to be flushed when it is stopped.
const SCANS: u32 = 1_000;

/// Arguments of `start`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Clean stops, and as many kills.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    rounds: u32,
}

/// From the start of the process, in seconds.
#[derive(Default)]
struct Times {
    healthy_s: Vec<f64>,
    scanned_s: Vec<f64>,
}

/// Stops and starts in turn, under a little load each time.
///
/// # Errors
/// Where it does not start, stop or answer rightly.
pub fn run(args: &Args) -> Result<Report> {
    let folder = args.place.folder(Scale::Full);
    let mut server = Server::coldproof(&args.place.bin, &folder, Scale::Full)?;
    let demo = Demo::read(&folder)?;
    let (mut clean, mut killed) = (Times::default(), Times::default());
    for _ in 0..args.rounds {
        work(&server, &demo)?;
        server.terminate()?;
        server = start(&args.place.bin, &folder, &demo, &mut clean)?;
        work(&server, &demo)?;
        server.kill()?;
        server = start(&args.place.bin, &folder, &demo, &mut killed)?;
    }
    server.terminate()?;

    let title = format!("start: the full demo, {} clean stops and as many kills, files in the page cache", args.rounds);
    let mut report = Report::new(title);
    for (how, times, goal) in [("a clean stop", clean, CLEAN_S_MAX), ("a kill", killed, KILLED_S_MAX)] {
        let healthy = Spread::of(times.healthy_s).context("nothing was started")?;
        let scanned = Spread::of(times.scanned_s).context("nothing was scanned")?;
        report.fact(format!("after {how}: /healthz, s"), healthy.to_string());
        // The slowest counts.
        report.at_most(format!("after {how}: the first scan, s"), scanned.max, goal, scanned);
    }
    Ok(report)
}

/// Something in memory and in the journal: scans and a small order.
fn work(server: &Server, demo: &Demo) -> Result<()> {
    let mut client = Client::connect(server.address)?;
    for _ in 0..SCANS {
        scan(&mut client, demo)?;
    }
    order(&mut client, demo, 1)?;
    Ok(())
}

fn start(bin: &Path, folder: &Path, demo: &Demo, times: &mut Times) -> Result<Server> {
    let mut server = Server::spawn(bin, folder, Scale::Full)?;
    let healthy: Duration = server.until_ready()?;
    scan(&mut Client::connect(server.address)?, demo)?;
    times.healthy_s.push(healthy.as_secs_f64());
    times.scanned_s.push(server.started.elapsed().as_secs_f64());
    Ok(server)
}

fn scan(client: &mut Client, demo: &Demo) -> Result<()> {
    let request = Request::get(&format!("/{}", demo.codes.warm), &[("accept", "application/json")]);
    let expected = Expected::Genuine { code: demo.codes.warm.clone(), sound: true };
    expected.check(client.ask(&request)?)
}
