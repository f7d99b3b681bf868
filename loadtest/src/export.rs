//! `export`: codes as a stream, as fast as they come, every line of them checked.

use std::{hint::black_box, path::Path, time::Instant};

use anyhow::{Context, Result, ensure};
use coldproof::code::{Encoder, Form, KeyRing, LinkCase, LinkPrefix, LinkScheme, Serial};
use serde::Deserialize;

use crate::{
    check::{Lines, tampered},
    demo::{Demo, Run, order},
    http::{Client, Request},
    process::Process,
    report::{Report, Spread},
    server::{Place, Scale, Server},
};

/// As many as the precedent of a whole province issued.
const CODES: u32 = 8_333_333;
/// Codes a second over HTTP, at least.
const CODES_PER_S_MIN: f64 = 10e6;
/// Of the in-process limit, at least.
const RATIO_MIN: f64 = 1.0 / 3.0;
/// Memory of the server meanwhile, at most, in MiB.
const GROWTH_MIB_MAX: f64 = 16.0;
/// Codes of each run that are asked about: what one `/v1/verify` takes.
const SAMPLE: u32 = 10_000;
/// What the service itself fills at a time is of this order; the limit hardly depends on it.
const BUFFER_BYTES: usize = 64 << 10;

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Times that the whole order is streamed.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    rounds: u32,
}

/// What one stream of the whole order found.
struct Streamed {
    codes_per_s: f64,
    mb_per_s: f64,
    server_cpu_s: f64,
    client_cpu_s: f64,
    growth_mib: f64,
}

/// Orders, then streams and checks many times, beside the same work in this process.
///
/// # Errors
/// Where a line, a verdict or the count is wrong.
pub fn run(args: &Args) -> Result<Report> {
    std::fs::create_dir_all(&args.place.data)?;
    let folder = tempfile::Builder::new().prefix("export-").tempdir_in(&args.place.data)?;
    let data = folder.path().join("demo");
    let server = Server::coldproof(&args.place.bin, &data, Scale::Small)?;
    let demo = Demo::read(&data)?;
    let mut client = Client::connect(server.address)?;
    let runs = order(&mut client, &demo, CODES)?;

    // The first one is not timed: it asks about a sample of what it reads.
    let mut prefix = String::new();
    for run in &runs {
        let mut lines = Lines::new(run, SAMPLE);
        stream(&mut client, &demo, run, &mut lines)?;
        verify_sample(&mut client, &lines.sample)?;
        prefix = lines.prefix();
    }
    let (mut streamed, mut in_process, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        let there = stream_all(&mut client, server.process(), &demo, &runs)?;
        let here = encode_all(&data, &runs, &prefix)?;
        ratios.push(there.codes_per_s / here);
        in_process.push(here);
        streamed.push(there);
    }
    report(args, &streamed, in_process, ratios)
}

fn report(args: &Args, streamed: &[Streamed], in_process: Vec<f64>, ratios: Vec<f64>) -> Result<Report> {
    let spread = |figure: fn(&Streamed) -> f64| {
        Spread::of(streamed.iter().map(figure).collect()).context("nothing was streamed")
    };
    let title = format!("export: {CODES} codes as uri over one connection, {} times, every line checked", args.rounds);
    let mut report = Report::new(title);
    let codes = spread(|streamed| streamed.codes_per_s)?;
    report.at_least("codes/s over HTTP", codes.median, CODES_PER_S_MIN, codes);
    let here = Spread::of(in_process).context("nothing was encoded")?;
    report.fact("codes/s in process, one core", here.to_string());
    let ratio = Spread::of(ratios).context("nothing was compared")?;
    report.at_least("HTTP / in process", ratio.median, RATIO_MIN, ratio);
    let growth = spread(|streamed| streamed.growth_mib)?;
    report.at_most("server's memory meanwhile, MiB more", growth.max, GROWTH_MIB_MAX, growth);
    report.fact("MB/s over HTTP", spread(|streamed| streamed.mb_per_s)?.to_string());
    report.fact("server's processor time, s", spread(|streamed| streamed.server_cpu_s)?.to_string());
    report.fact("reader's processor time, s", spread(|streamed| streamed.client_cpu_s)?.to_string());
    Ok(report)
}

fn stream_all(client: &mut Client, server: Process, demo: &Demo, runs: &[Run]) -> Result<Streamed> {
    server.forget_peak()?;
    let before = (server.resident_bytes()?, server.cpu_s()?, Process::this().cpu_s()?);
    let started = Instant::now();
    let mut bytes = 0;
    for run in runs {
        bytes += stream(client, demo, run, &mut Lines::new(run, 1))?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let growth_bytes = server.resident_peak_bytes()?.saturating_sub(before.0);
    Ok(Streamed {
        codes_per_s: f64::from(CODES) / seconds,
        mb_per_s: bytes as f64 / seconds / 1e6,
        server_cpu_s: server.cpu_s()? - before.1,
        client_cpu_s: Process::this().cpu_s()? - before.2,
        growth_mib: growth_bytes as f64 / f64::from(1 << 20),
    })
}

/// Streams one run through the checker. Gives the number of bytes.
fn stream(client: &mut Client, demo: &Demo, run: &Run, lines: &mut Lines) -> Result<u64> {
    let path = format!("/v1/runs/{}/codes?form=uri", run.run);
    let mut received = 0;
    client.stream(&demo.codes_of(&path), |bytes| {
        received += bytes.len() as u64;
        lines.read(bytes)
    })?;
    lines.end()?;
    Ok(received)
}

#[derive(Deserialize)]
struct Verdicts {
    verdicts: Vec<CodeVerdict>,
}

#[derive(Deserialize)]
struct CodeVerdict {
    code: String,
    genuine: bool,
    verdict: String,
}

/// Asks about these codes, and about each with another tag.
fn verify_sample(client: &mut Client, codes: &[String]) -> Result<()> {
    let forged: Vec<_> = codes.iter().map(|code| tampered(code)).collect();
    for (codes, verdict) in [(codes, "genuine"), (forged.as_slice(), "forged")] {
        let body = serde_json::json!({ "codes": codes }).to_string();
        let answer = client.expect(&Request::post("/v1/verify", None, &body), 200)?;
        let answer: Verdicts = serde_json::from_slice(answer).context("the answer of /v1/verify")?;
        ensure!(answer.verdicts.len() == codes.len(), "{} verdicts on {} codes", answer.verdicts.len(), codes.len());
        for (told, code) in answer.verdicts.iter().zip(codes) {
            let right = told.code == *code && told.genuine == (verdict == "genuine") && told.verdict == verdict;
            ensure!(right, "{} is told {} where {code} is {verdict}", told.code, told.verdict);
        }
    }
    Ok(())
}

/// The same codes, written to a buffer in this process. Gives codes a second.
fn encode_all(data: &Path, runs: &[Run], prefix: &str) -> Result<f64> {
    let path = data.join("keyring.toml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let ring = KeyRing::parse(&text)?;
    let link = link_prefix(prefix)?;
    let mut buffer = Vec::with_capacity(2 * BUFFER_BYTES);
    let started = Instant::now();
    for run in runs {
        let key = ring.run_key(run.run.parse()?).context("a run of an unknown key")?;
        let first = Serial::new(0).context("the first serial")?;
        let mut encoder = Encoder::new(key, link.clone(), Form::Uri, first, run.count);
        loop {
            buffer.clear();
            let whole = encoder.remaining().len() as u32 == run.count;
            if encoder.fill(&mut buffer, BUFFER_BYTES) == 0 {
                break;
            }
            let line = [prefix, &run.first, "\n"].concat();
            ensure!(!whole || buffer.starts_with(line.as_bytes()), "this process makes other codes than the server");
            black_box(&buffer);
        }
    }
    Ok(f64::from(CODES) / started.elapsed().as_secs_f64())
}

/// `HTTPS://HOST/` or `HTTPS://HOST/01/{gtin}/21/`, in upper case, as the demo prints links.
fn link_prefix(text: &str) -> Result<LinkPrefix> {
    let mut parts = text.split('/').skip(2);
    let host = parts.next().unwrap_or_default().to_ascii_lowercase().parse()?;
    let gtin = parts.nth(1).map(str::parse).transpose()?;
    let link = LinkPrefix::new(LinkScheme::Https, &host, gtin, LinkCase::Upper);
    ensure!(link.as_str() == text, "{text:?} is no prefix of a link");
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_link_is_read_back() {
        for text in ["HTTPS://COLD.EXAMPLE/01/09506000134352/21/", "HTTPS://COLD.EXAMPLE/"] {
            assert_eq!(link_prefix(text).unwrap().as_str(), text);
        }
        assert!(link_prefix("HTTPS://COLD.EXAMPLE/01/09506000134352/10/A/21/").is_err());
    }
}
