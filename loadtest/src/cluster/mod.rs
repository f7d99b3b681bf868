//! `cluster`: what Coldproof makes of a cluster, beside what that same cluster does without it, and beside the embedded store.

mod capture;
mod cold;
mod figures;
mod issue;
mod keyspace;
mod reads;
mod relay;
mod rows;
mod scan;
mod world;

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use crate::report::Report;

/// Arguments of `cluster`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

/// Where the cluster is, and what is measured on it.
#[derive(Clone, Debug, clap::Args)]
pub struct Site {
    /// The cluster, `cql://HOST[:PORT][,HOST...]/NAME`. Each measurement makes keyspaces whose names begin with NAME, and
    /// drops them at its end.
    #[arg(long, value_name = "STORE")]
    store: keyspace::Cluster,
    /// The binary to measure.
    #[arg(long, default_value = "target/release/coldproof", value_name = "FILE")]
    bin: PathBuf,
    /// Where servers have their folders while they run.
    #[arg(long, default_value = "target/loadtest", value_name = "DIR")]
    data: PathBuf,
}

#[derive(Debug, Subcommand)]
enum What {
    /// An order of 8,333,333 codes, beside a row for each code.
    Issue(issue::Args),
    /// Scans of what is in memory, beside the embedded store.
    Scan(scan::Args),
    /// First scans: in how many rounds of requests each is answered.
    Cold(cold::Args),
    /// Captured events, beside inserts of the same rows.
    Capture(capture::Args),
    /// What scans and batches in memory cost in store reads.
    Reads(reads::Args),
}

/// Measures one of them.
///
/// # Errors
/// Where an answer is wrong or does not come.
pub fn run(args: &Args) -> Result<Report> {
    match &args.what {
        What::Issue(args) => issue::run(args),
        What::Scan(args) => scan::run(args),
        What::Cold(args) => cold::run(args),
        What::Capture(args) => capture::run(args),
        What::Reads(args) => reads::run(args),
    }
}
