//! Measures Coldproof from outside, over HTTP, beside a bare server on the same machine.
//!
//! Every command starts what it measures, checks what it reads, prints each figure beside its goal, and succeeds only
//! where all goals are met. `loadtest/README.md` says how to run them and how to read them.

mod capture;
mod check;
mod cluster;
mod demo;
mod export;
mod hello;
mod http;
mod issue;
mod load;
mod mixed;
mod process;
mod report;
mod scan;
mod server;
mod start;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures Coldproof beside a bare server on the same machine.
#[derive(Parser)]
#[command(name = "coldproof-loadtest", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Orders of 10^3, 10^5 and 10^7 codes: what they cost.
    Issue(issue::Args),
    /// 8,333,333 codes as a stream: codes a second, and the server's memory meanwhile.
    Export(export::Args),
    /// Scans: how many a second, and how soon each is answered at a fixed rate.
    Scan(scan::Args),
    /// From the start of the process to the first answers, after a clean stop and after a kill.
    Start(start::Args),
    /// Events: durable ones a second, a document of very many, and one on very many codes.
    Capture(capture::Args),
    /// What becomes of a cluster: orders, scans, captures and store reads.
    Cluster(cluster::Args),
    /// Scans while events are captured and codes downloaded.
    Mixed(mixed::Args),
    /// The bare server that the others are compared with.
    Hello(hello::Args),
}

fn main() -> ExitCode {
    let report = match Cli::parse().command {
        Command::Issue(args) => issue::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Scan(args) => scan::run(&args),
        Command::Start(args) => start::run(&args),
        Command::Capture(args) => capture::run(&args),
        Command::Cluster(args) => cluster::run(&args),
        Command::Mixed(args) => mixed::run(&args),
        Command::Hello(args) => match hello::run(&args) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => Err(error),
        },
    };
    match report {
        Ok(report) => {
            print!("{report}");
            if report.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("coldproof-loadtest: {error:#}");
            ExitCode::from(2)
        }
    }
}
