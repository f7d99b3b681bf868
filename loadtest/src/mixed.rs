//! `mixed`: scans while events are captured and codes downloaded, beside a bare server on the same busy machine.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    capture::{CLOSING, Goods, OPENING, captured},
    check::Expected,
    demo::{Demo, order},
    http::{Client, Request},
    load::{Case, Rate, Target, closed},
    report::{Report, Spread},
    scan::{Mode, cases},
    server::{Place, Scale, Server},
};

/// Of the bare server's rate, at least: as for scans alone.
const RATIO_MIN: f64 = 0.8;
/// Of the events that were due, at least so many must have been captured.
const CAPTURED_MIN: f64 = 0.95;
/// Codes that events are on.
const CODES: u32 = 1_000_000;
/// Events of one document.
const DOCUMENT_EVENTS: u64 = 50;
/// Codes of one download, once a second.
const DOWNLOAD_CODES: u32 = 100_000;
/// What the bare server answers.
const HELLO_BYTES: usize = 13;

/// Arguments of `mixed`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Connections that scan.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024), value_name = "N")]
    connections: u16,
    /// Rounds: in each, both servers are asked once.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    rounds: u32,
    /// Events captured each second.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..=100_000), value_name = "N")]
    events: u64,
}

/// What goes on beside the scans.
struct Beside<'a> {
    demo: &'a Demo,
    goods: &'a Goods,
    address: std::net::SocketAddr,
    per_s: u64,
    stop: AtomicBool,
    events: AtomicU64,
    downloads: AtomicU64,
}

/// Scans in rounds, while events and downloads go on all the time: the bare server is asked on the same busy machine.
///
/// # Errors
/// Where an answer is wrong or does not come.
pub fn run(args: &Args) -> Result<Report> {
    std::fs::create_dir_all(&args.place.data)?;
    let folder = tempfile::Builder::new().prefix("mixed-").tempdir_in(&args.place.data)?;
    let data = folder.path().join("demo");
    let server = Server::coldproof(&args.place.bin, &data, Scale::Small)?;
    let demo = Demo::read(&data)?;
    let mut client = Client::connect(server.address)?;
    let cases = cases::of_run(&mut client, &demo, Mode::Json)?;
    let request = cases.first().context("there is nothing to ask")?.request.clone();
    let run = order(&mut client, &demo, CODES)?.pop().context("an order without a run")?;
    let link = demo.codes_of(&format!("/v1/runs/{}/codes?form=uri&count=1", run.run));
    let link = String::from_utf8(client.expect(&link, 200)?.to_vec())?;
    let goods = Goods::new(&demo, run, link.trim(), &std::fs::read_to_string(data.join("keyring.toml"))?)?;
    let hello = Server::hello(None)?;
    let bare = Case { request, expected: Expected::Bytes(HELLO_BYTES) };
    let coldproof = Target { address: server.address, process: server.process(), cases };
    let hello = Target { address: hello.address, process: hello.process(), cases: vec![bare] };
    let beside = Beside {
        demo: &demo,
        goods: &goods,
        address: server.address,
        per_s: args.events,
        stop: AtomicBool::new(false),
        events: AtomicU64::new(0),
        downloads: AtomicU64::new(0),
    };
    let begun = Instant::now();
    let rounds = thread::scope(|scope| {
        let captures = scope.spawn(|| beside.capture());
        let downloads = scope.spawn(|| beside.download());
        let rounds = rounds(args, &coldproof, &hello);
        beside.stop.store(true, Ordering::Relaxed);
        for thread in [captures, downloads] {
            thread.join().ok().context("a thread panicked")??;
        }
        rounds
    })?;
    report(args, &rounds, &beside, begun.elapsed())
}

/// The service's rates and the bare server's, round by round.
fn rounds(args: &Args, coldproof: &Target, hello: &Target) -> Result<Vec<(Rate, Rate)>> {
    let (connections, length) = (usize::from(args.connections), Duration::from_secs(2));
    closed(coldproof, connections, length)?;
    closed(hello, connections, length)?;
    let round = |round| {
        // Every other round goes backwards, so that whoever is second gains nothing by it.
        if round % 2 == 0 {
            let first = closed(coldproof, connections, length)?;
            Ok((first, closed(hello, connections, length)?))
        } else {
            let first = closed(hello, connections, length)?;
            Ok((closed(coldproof, connections, length)?, first))
        }
    };
    (0..args.rounds).map(round).collect()
}

impl Beside<'_> {
    /// Captures documents when they are due.
    fn capture(&self) -> Result<()> {
        let mut client = Client::connect(self.address)?;
        let begun = Instant::now();
        let period = Duration::from_secs_f64(DOCUMENT_EVENTS as f64 / self.per_s as f64);
        for document in 0_u64.. {
            let due = begun + period.mul_f64(document as f64);
            if let Some(early) = due.checked_duration_since(Instant::now()) {
                thread::sleep(early);
            }
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let events = (document * DOCUMENT_EVENTS..(document + 1) * DOCUMENT_EVENTS).map(|at| self.goods.event(at));
            let events = events.collect::<Result<Vec<_>>>()?.join(",");
            let key = Some(self.demo.keys.importer.as_str());
            let request = Request::post("/epcis/capture", key, &[OPENING, &events, CLOSING].concat());
            captured(client.expect(&request, 202)?)?;
            self.events.fetch_add(DOCUMENT_EVENTS, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Downloads codes once a second.
    fn download(&self) -> Result<()> {
        let mut client = Client::connect(self.address)?;
        let path = format!("/v1/runs/{}/codes?form=uri&count={DOWNLOAD_CODES}", self.goods.run.run);
        let request = self.demo.codes_of(&path);
        while !self.stop.load(Ordering::Relaxed) {
            let lines = client.expect(&request, 200)?.iter().filter(|byte| **byte == b'\n').count();
            ensure!(lines == DOWNLOAD_CODES as usize, "{lines} codes were downloaded, {DOWNLOAD_CODES} were asked for");
            self.downloads.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_secs(1));
        }
        Ok(())
    }
}

fn report(args: &Args, rounds: &[(Rate, Rate)], beside: &Beside<'_>, took: Duration) -> Result<Report> {
    let Args { connections, rounds: count, events, .. } = args;
    let title = format!(
        "mixed: {connections} connections, {count} rounds of 2 s, every answer checked, beside {events} events/s and downloads"
    );
    let mut report = Report::new(title);
    let spread = |figure: &dyn Fn(&(Rate, Rate)) -> f64| {
        Spread::of(rounds.iter().map(figure).collect()).context("nothing was measured")
    };
    report.fact("coldproof, scans/s", spread(&|(coldproof, _)| coldproof.per_s())?.to_string());
    report.fact("hello, requests/s", spread(&|(_, hello)| hello.per_s())?.to_string());
    let ratio = spread(&|(coldproof, hello)| coldproof.per_s() / hello.per_s())?;
    report.at_least("coldproof / hello", ratio.median, RATIO_MIN, ratio);
    let captured = beside.events.load(Ordering::Relaxed) as f64 / took.as_secs_f64();
    let share = captured / *events as f64;
    report.at_least("events captured, of those due", share, CAPTURED_MIN, format!("{captured:.0} a second"));
    report.fact("downloads of 100,000 codes", beside.downloads.load(Ordering::Relaxed).to_string());
    Ok(report)
}
