//! `coldproof audit`: re-check everything that is stored.

use serde::Deserialize;

use super::{ConfigArgs, Error, Result, open, runtime};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof audit --store embedded:./data

Checks ledgers against bodies, spans against runs, the feed against ledgers, and every hash and count. Each finding is
a line; the exit status is 0 only where there is none. A running server goes on serving meanwhile.";

/// Arguments of `audit`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

/// What an audit found.
#[derive(Deserialize)]
struct Report {
    /// What was looked at, in words: "12 captures, 40 records".
    checked: u64,
    /// What is not sound, a sentence each.
    findings: Vec<String>,
}

/// Audits the store and prints each finding.
///
/// # Errors
/// [`Error::Unsound`] where there is a finding.
pub fn run(args: Args) -> Result<()> {
    let config = args.config.load(Vec::new(), Vec::new())?;
    let report: Report = runtime()?.block_on(async {
        let mut server = open::admin(&config).await?;
        let report = server.client.post("/v1/audit", &()).await?;
        server.close().await?;
        Ok::<Report, Error>(report)
    })?;
    for finding in &report.findings {
        println!("{finding}");
    }
    println!("{} things checked", report.checked);
    match report.findings.len() {
        0 => Ok(()),
        findings => Err(Error::Unsound(format!("{findings} findings: the store is not sound"))),
    }
}
