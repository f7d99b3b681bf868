//! `scan`: a service that answers scans, beside a server that answers nothing, in one run and in turn.

pub mod cases;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{
    check::Expected,
    demo::Demo,
    http::Client,
    load::{Case, Latencies, Rate, Target, closed, once, open},
    report::{Report, Spread},
    server::{Place, Scale, Server},
};

/// The 99th percentile of scans as JSON may be at most so much of the bare server's.
const P99_RATIO_MAX: f64 = 2.0;
/// Memory of the server with the full demo, at most, in MiB.
const RESIDENT_MIB_MAX: f64 = 300.0;
/// What the bare server answers.
const HELLO_BYTES: usize = 13;

/// Arguments of `scan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// What is asked.
    #[arg(long, value_enum, default_value_t = Mode::Json)]
    mode: Mode,
    /// Connections of the closed and of the open loop.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024), value_name = "N")]
    connections: u16,
    /// Rounds: in each, every server is asked once in a closed and once in an open loop.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    rounds: u32,
    /// Length of each loop.
    #[arg(long, default_value_t = 2.0, value_parser = seconds, value_name = "S")]
    seconds: f64,
    /// Requests a second of the open loop; half of the slower server's highest rate where left out.
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// Batches that random codes are of, at most.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "N")]
    batches: u32,
    /// Codes of each of them.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    codes: u32,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// One code as JSON again and again, amid those of its run.
    Json,
    /// The same as a page.
    Page,
    /// Codes of all batches of the full demo as JSON, at random.
    Random,
}

impl Mode {
    /// Of the bare server's rate, at least.
    fn ratio_min(self) -> f64 {
        match self {
            Self::Json => 0.8,
            Self::Page => 0.5,
            Self::Random => 0.6,
        }
    }

    fn scale(self) -> Scale {
        match self {
            Self::Json | Self::Page => Scale::Small,
            Self::Random => Scale::Full,
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err(format!("{text:?} found where 0.1 to 600 is expected")),
    }
}

/// The service, the bare server, and the bare server with answers as long as the service's.
struct Servers {
    coldproof: Target,
    hello: Target,
    equal: Target,
}

/// What all rounds found.
#[derive(Default)]
struct Found {
    /// Of the service, before the rounds: each code's first scan.
    first: Vec<Rate>,
    coldproof: Vec<Rate>,
    hello: Vec<Rate>,
    equal: Vec<Rate>,
    /// Of the service and of the bare server, in the same rounds.
    latencies: Vec<(Latencies, Latencies)>,
}

/// Starts the servers, loads them in turn, checks every answer.
///
/// # Errors
/// Where an answer is wrong or does not come.
pub fn run(args: &Args) -> Result<Report> {
    let scale = args.mode.scale();
    let folder = args.place.folder(scale);
    let coldproof = Server::coldproof(&args.place.bin, &folder, scale)?;
    let demo = Demo::read(&folder)?;
    let mut client = Client::connect(coldproof.address)?;
    let cases = match args.mode {
        Mode::Json | Mode::Page => cases::of_run(&mut client, &demo, args.mode)?,
        Mode::Random => cases::at_random(&mut client, &demo, args.batches, args.codes)?,
    };
    let first = cases.first().context("there is nothing to ask")?;
    let body_bytes = client.expect(&first.request, 200)?.len();
    let request = first.request.clone();
    drop(client);
    let (hello, equal) = (Server::hello(None)?, Server::hello(Some(body_bytes))?);
    let bare = |server: &Server, bytes| Target {
        address: server.address,
        process: server.process(),
        cases: vec![Case { request: request.clone(), expected: Expected::Bytes(bytes) }],
    };
    let servers = Servers {
        hello: bare(&hello, HELLO_BYTES),
        equal: bare(&equal, body_bytes),
        coldproof: Target { address: coldproof.address, process: coldproof.process(), cases },
    };
    let found = measure(args, &servers)?;
    let resident_mib = coldproof.process().resident_peak_bytes()? as f64 / f64::from(1 << 20);
    report(args, &servers, body_bytes, &found, resident_mib)
}

fn measure(args: &Args, servers: &Servers) -> Result<Found> {
    let connections = usize::from(args.connections);
    let length = Duration::from_secs_f64(args.seconds);
    let mut found = Found { first: vec![once(&servers.coldproof, connections)?], ..Found::default() };
    for target in [&servers.coldproof, &servers.hello, &servers.equal] {
        closed(target, connections, length)?;
    }
    for round in 0..args.rounds {
        // Every other round goes backwards, so that whoever is second gains nothing by it.
        let order = if round % 2 == 0 { [0, 1, 2] } else { [2, 1, 0] };
        for at in order {
            match at {
                0 => found.coldproof.push(closed(&servers.coldproof, connections, length)?),
                1 => found.hello.push(closed(&servers.hello, connections, length)?),
                _ => found.equal.push(closed(&servers.equal, connections, length)?),
            }
        }
    }
    let rate = match args.rate {
        Some(rate) => f64::from(rate),
        None => median(&found.coldproof, Rate::per_s)?.median.min(median(&found.hello, Rate::per_s)?.median) / 2.0,
    };
    for round in 0..args.rounds {
        let ask = |target| open(target, connections, rate, length);
        found.latencies.push(if round % 2 == 0 {
            let coldproof = ask(&servers.coldproof)?;
            (coldproof, ask(&servers.hello)?)
        } else {
            let hello = ask(&servers.hello)?;
            (ask(&servers.coldproof)?, hello)
        });
    }
    Ok(found)
}

fn median(rates: &[Rate], figure: impl Fn(&Rate) -> f64) -> Result<Spread> {
    Spread::of(rates.iter().map(figure).collect()).context("nothing was measured")
}

fn report(args: &Args, servers: &Servers, body_bytes: usize, found: &Found, resident_mib: f64) -> Result<Report> {
    let Args { mode, connections, rounds, seconds, .. } = args;
    let title =
        format!("scan, {mode:?}: {connections} connections, {rounds} rounds of {seconds} s, every answer checked");
    let mut report = Report::new(title);
    report.fact("codes asked for, 1 in 100 tampered", servers.coldproof.cases.len().to_string());
    for first in &found.first {
        let figures = format!("{:.0}; server's processor time {:.0} us each", first.per_s(), first.server_us());
        report.fact("coldproof, each code's first scan, requests/s", figures);
    }
    for (what, rates) in [
        (format!("coldproof, {body_bytes} bytes, requests/s"), &found.coldproof),
        (format!("hello, {HELLO_BYTES} bytes, requests/s"), &found.hello),
        (format!("hello, {body_bytes} bytes, requests/s"), &found.equal),
    ] {
        let cpu = median(rates, Rate::server_us)?;
        report.fact(what, format!("{}; server's processor time {cpu} us each", median(rates, Rate::per_s)?));
    }
    let client_share = median(&found.coldproof, |rate| rate.client_cpu_s / (rate.client_cpu_s + rate.server_cpu_s))?;
    report.fact("the client's share of the processor time", client_share.to_string());
    let ratios = |others: &[Rate]| {
        let pairs = found.coldproof.iter().zip(others).map(|(coldproof, other)| coldproof.per_s() / other.per_s());
        Spread::of(pairs.collect()).context("nothing was compared")
    };
    let ratio = ratios(&found.hello)?;
    report.at_least("coldproof / hello", ratio.median, mode.ratio_min(), ratio);
    report.fact("coldproof / hello of equal bytes", ratios(&found.equal)?.to_string());
    latencies(&mut report, *mode, seconds * f64::from(*rounds), &found.latencies)?;
    match mode.scale() {
        Scale::Full => report.at_most("server's memory, most, MiB", resident_mib, RESIDENT_MIB_MAX, ""),
        Scale::Small => report.fact("server's memory, most, MiB", format!("{resident_mib:.0}")),
    }
    Ok(report)
}

/// The open loop's figures, in microseconds.
fn latencies(report: &mut Report, mode: Mode, seconds: f64, rounds: &[(Latencies, Latencies)]) -> Result<()> {
    let requests: u64 = rounds.iter().map(|(coldproof, _)| coldproof.len()).sum();
    report.fact("open loop, requests/s", format!("{:.0}", requests as f64 / seconds));
    let at = |latencies: &Latencies, quantile: f64| latencies.value_at_quantile(quantile) as f64 / 1e3;
    for (quantile, name) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")] {
        let spread = |figure: &dyn Fn(&(Latencies, Latencies)) -> f64| {
            Spread::of(rounds.iter().map(figure).collect()).context("no latency was measured")
        };
        let coldproof = spread(&|(coldproof, _)| at(coldproof, quantile))?;
        let hello = spread(&|(_, hello)| at(hello, quantile))?;
        report.fact(format!("{name}, us"), format!("coldproof {coldproof}, hello {hello}"));
        if name == "p99" {
            let ratio = spread(&|(coldproof, hello)| at(coldproof, quantile) / at(hello, quantile))?;
            match mode {
                Mode::Json => report.at_most("p99, coldproof / hello", ratio.median, P99_RATIO_MAX, ratio),
                Mode::Page | Mode::Random => report.fact("p99, coldproof / hello", ratio.to_string()),
            }
        }
    }
    Ok(())
}
