//! `capture`: durable events a second, one document of very many events, and one event on very many codes.

mod texts;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use coldproof::{code::Code, epcis::event_id};
use hdrhistogram::Histogram;
use serde_json::Value;

pub use self::texts::{CLOSING, Goods, OPENING};
use crate::{
    demo::{Demo, order},
    http::{Client, Request, bearer},
    process::Process,
    report::{Report, Spread},
    server::{Place, Scale, Server},
};

/// Durable events a second, at least.
const EVENTS_PER_S_MIN: f64 = 20_000.0;
/// Memory for one large document, at most, in MiB.
const GROWTH_MIB_MAX: f64 = 64.0;
/// One event on 8 million codes may cost at most so much of one on ten.
const RATIO_MAX: f64 = 1.5;
/// Codes that single codes and spans are taken from.
const CODES: u32 = 1_000_000;
/// As many as the precedent of a whole province issued.
const MANY_CODES: u32 = 8_333_333;
/// Events of one large document are sent so many at a time.
const PIECE_EVENTS: u64 = 500;
/// A large document may be worked on for so long before its answer.
const PATIENCE: Duration = Duration::from_secs(600);

/// Arguments of `capture`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Documents in the first part.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..=100_000), value_name = "N")]
    documents: u64,
    /// Events in each of them.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=5_000), value_name = "N")]
    events: u64,
    /// Connections that send them.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64), value_name = "N")]
    connections: u64,
    /// Every so many events one is read back and compared.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..), value_name = "N")]
    check_every: u64,
    /// Events in the large document; 0 leaves it out.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(0..=2_000_000), value_name = "N")]
    large: u64,
    /// Events on 8 million codes, and as many on ten.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=10_000), value_name = "N")]
    singles: u64,
}

/// The server, what is captured there, and by whom.
struct Scene {
    server: Server,
    demo: Demo,
    goods: Goods,
}

/// Documents, one large document, single events; all checked.
///
/// # Errors
/// Where a document is refused, or an event is not there afterwards as it was sent.
pub fn run(args: &Args) -> Result<Report> {
    std::fs::create_dir_all(&args.place.data)?;
    // Beside the other folders, so that its writes go to the same disk.
    let folder = tempfile::Builder::new().prefix("capture-").tempdir_in(&args.place.data)?;
    let data = folder.path().join("demo");
    let server = Server::coldproof(&args.place.bin, &data, Scale::Small)?;
    let demo = Demo::read(&data)?;
    let mut client = Client::connect(server.address)?;
    let runs = order(&mut client, &demo, CODES)?;
    let many = order(&mut client, &demo, MANY_CODES)?;
    let [run] = &runs[..] else { anyhow::bail!("{} runs found where one is expected", runs.len()) };
    let codes = demo.codes_of(&format!("/v1/runs/{}/codes?form=uri&count=1", run.run));
    let link = String::from_utf8(client.expect(&codes, 200)?.to_vec())?;
    let ring = std::fs::read_to_string(data.join("keyring.toml")).context("the key ring")?;
    let goods = Goods::new(&demo, run.clone(), link.trim(), &ring)?;
    let scene = Scene { server, demo, goods };
    let title = format!(
        "capture: {} documents of {} events, {} connections, one event in {} read back",
        args.documents, args.events, args.connections, args.check_every
    );
    let mut report = Report::new(title);
    documents(args, &scene, &mut report)?;
    if args.large > 0 {
        large(args, &scene, &mut report)?;
    }
    let spans =
        many.iter().map(|run| Ok((Code::parse(&run.first)?, Code::parse(&run.last)?))).collect::<Result<Vec<_>>>()?;
    singles(args, &scene, &spans, &mut report)?;
    Ok(report)
}

/// Memory of the server now, in bytes; its peak begins anew.
fn memory(server: Process) -> Result<u64> {
    server.forget_peak()?;
    server.resident_bytes()
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn documents(args: &Args, scene: &Scene, report: &mut Report) -> Result<()> {
    let path = "/epcis/capture";
    let (goods, key) = (&scene.goods, scene.demo.keys.importer.as_str());
    let document = |at: u64| {
        let events = (at * args.events..(at + 1) * args.events).map(|at| goods.event(at));
        let events = events.collect::<Result<Vec<_>>>()?.join(",");
        Ok(Request::post(path, Some(key), &[OPENING, &events, CLOSING].concat()))
    };
    // All of them first: what the client computes while it sends is taken from the figure.
    let requests: Vec<_> = (0..args.documents).map(document).collect::<Result<_>>()?;
    let bytes: usize = requests.iter().map(Request::bytes).sum();
    let (process, this) = (scene.server.process(), Process::this());
    let resident = memory(process)?;
    let (cpu, client_cpu, begun) = (process.cpu_s()?, this.cpu_s()?, Instant::now());
    let latencies = thread::scope(|scope| {
        let connection = |first: u64| {
            let requests = requests.iter().skip(first as usize).step_by(args.connections as usize);
            scope.spawn(move || send(scene, requests))
        };
        let threads: Vec<_> = (0..args.connections).map(connection).collect();
        let mut all = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3)?;
        for thread in threads {
            all.add(thread.join().ok().context("a connection's thread panicked")??)?;
        }
        anyhow::Ok(all)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let events = args.documents * args.events;
    let (cpu, client_cpu) = (process.cpu_s()? - cpu, this.cpu_s()? - client_cpu);
    let growth = mib(process.resident_peak_bytes()?.saturating_sub(resident));
    let mut client = Client::connect(scene.server.address)?;
    let checked = (0..events).step_by(args.check_every as usize);
    let mut read_back = 0;
    for at in checked {
        check(&mut client, scene, &goods.event(at)?)?;
        read_back += 1;
    }
    let at = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
    report.at_least("durable events/s", events as f64 / seconds, EVENTS_PER_S_MIN, format!("{bytes} bytes in all"));
    report.fact("a document, ms", format!("p50 {:.1}, p99 {:.1}, most {:.1}", at(0.5), at(0.99), at(1.0)));
    report.fact("server's processor time, us an event", format!("{:.1}", cpu * 1e6 / events as f64));
    report.fact("the client's share of the processor time", format!("{:.2}", client_cpu / (cpu + client_cpu)));
    report.fact("server's memory before, MiB", format!("{:.0}, and {growth:.0} more at most", mib(resident)));
    report.fact("events read back", read_back.to_string());
    Ok(())
}

/// Latencies in microseconds.
fn send<'r>(scene: &Scene, requests: impl Iterator<Item = &'r Request>) -> Result<Histogram<u64>> {
    let mut client = Client::connect(scene.server.address)?;
    let mut latencies = Histogram::new_with_bounds(1, 600_000_000, 3)?;
    for request in requests {
        let begun = Instant::now();
        captured(client.expect(request, 202)?)?;
        latencies.saturating_record(begun.elapsed().as_micros() as u64);
    }
    Ok(latencies)
}

/// The answer to a capture must say that all of it has taken effect.
pub fn captured(body: &[u8]) -> Result<()> {
    let job: Value = serde_json::from_slice(body).context("the answer to a capture")?;
    let is = |field, value| job.get(field) == Some(&Value::Bool(value));
    ensure!(is("success", true) && is("running", false), "a capture that is not done: {job}");
    Ok(())
}

/// An event must be there as it was sent.
fn check(client: &mut Client, scene: &Scene, event: &str) -> Result<()> {
    let expected = scene.goods.expected(event)?;
    let id: String = event_id(expected.hash).bytes().map(|byte| format!("%{byte:02X}")).collect();
    let path = format!("/epcis/events/{id}");
    let request = Request::get(&path, &[("authorization", &bearer(&scene.demo.keys.importer))]);
    let document: Value = serde_json::from_slice(client.expect(&request, 200)?)?;
    let mut found = document.pointer("/epcisBody/eventList/0").cloned().context("a document without an event")?;
    if let Some(members) = found.as_object_mut() {
        members.remove("recordTime");
    }
    let sent: Value = serde_json::from_str(&expected.body)?;
    ensure!(found == sent, "an event is not what was sent: {found} found where {sent} is expected");
    Ok(())
}

/// What one large document took.
struct Large {
    /// To the last byte of it, and to its answer.
    sent_s: f64,
    answered_s: f64,
    bytes: usize,
    cpu_s: f64,
    /// The most that the server had in memory meanwhile.
    peak_bytes: u64,
}

/// A tenth of it first: caches that any use fills are full then, and what is more must not follow the size.
fn large(args: &Args, scene: &Scene, report: &mut Report) -> Result<()> {
    let from = args.documents * args.events;
    let small = send_large(scene, from, args.large / 10)?;
    let all = send_large(scene, from + args.large / 10, args.large)?;
    let figure = format!(
        "{:.0}; {:.1} s, {:.1} of them to send {} bytes; server's processor time {:.1} us an event",
        args.large as f64 / all.answered_s,
        all.answered_s,
        all.sent_s,
        all.bytes,
        all.cpu_s * 1e6 / args.large as f64
    );
    report.fact(format!("one document of {} events, events/s", args.large), figure);
    let growth = mib(all.peak_bytes.saturating_sub(small.peak_bytes));
    let detail = format!("than {:.0} for one of {} events", mib(small.peak_bytes), args.large / 10);
    report.at_most("server's memory for it, MiB more", growth, GROWTH_MIB_MAX, detail);
    Ok(())
}

/// One document of very many events, made while it is sent; a hundred of them are read back.
fn send_large(scene: &Scene, from: u64, count: u64) -> Result<Large> {
    let event = |at: u64| scene.goods.event(from + at);
    let pieces = (0..count).step_by(PIECE_EVENTS as usize).map(|first| {
        let events = (first..count.min(first + PIECE_EVENTS)).map(event).collect::<Result<Vec<_>>>()?;
        let opening = if first == 0 { OPENING } else { "," };
        let closing = if first + PIECE_EVENTS >= count { CLOSING } else { "" };
        Ok([opening, &events.join(","), closing].concat())
    });
    let process = scene.server.process();
    let mut client = Client::connect(scene.server.address)?;
    process.forget_peak()?;
    let (cpu, begun) = (process.cpu_s()?, Instant::now());
    let key = Some(scene.demo.keys.importer.as_str());
    let bytes = client.send_pieces("/epcis/capture", key, pieces, PATIENCE)?;
    let sent_s = begun.elapsed().as_secs_f64();
    captured(client.answer(202)?)?;
    let answered_s = begun.elapsed().as_secs_f64();
    let large =
        Large { sent_s, answered_s, bytes, cpu_s: process.cpu_s()? - cpu, peak_bytes: process.resident_peak_bytes()? };
    for at in (0..count).step_by((count / 100).max(1) as usize) {
        check(&mut client, scene, &event(at)?)?;
    }
    Ok(large)
}

/// Events on very many codes and on ten, in turn.
fn singles(args: &Args, scene: &Scene, many: &[(Code, Code)], report: &mut Report) -> Result<()> {
    let mut client = Client::connect(scene.server.address)?;
    let (mut many_us, mut ten_us) = (Vec::new(), Vec::new());
    let from = args.documents * args.events + args.large / 10 + args.large;
    for at in 0..args.singles {
        let time = from + 2 * at;
        let on_many = scene.goods.on_spans(time, many)?;
        let on_ten = scene.goods.on_codes(time + 1, 10 * at as u32, 10)?;
        // Every other time the other one first.
        let mut both = [(&on_many, &mut many_us), (&on_ten, &mut ten_us)];
        if at % 2 == 1 {
            both.reverse();
        }
        for (event, latencies) in both {
            let text = event.replacen('{', r#"{"@context":[],"#, 1);
            let request = Request::post("/epcis/events", Some(&scene.demo.keys.importer), &text);
            let begun = Instant::now();
            client.expect(&request, 201)?;
            latencies.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        if at == 0 {
            check(&mut client, scene, &on_many)?;
            check(&mut client, scene, &on_ten)?;
        }
    }
    let spread = |latencies| Spread::of(latencies).context("no event was timed");
    let (many, ten) = (spread(many_us)?, spread(ten_us)?);
    report.fact(format!("one event on {MANY_CODES} codes, us"), many.to_string());
    report.fact("one event on 10 codes, us", ten.to_string());
    report.at_most("8 million codes / ten codes", many.median / ten.median, RATIO_MAX, "of the medians");
    Ok(())
}
