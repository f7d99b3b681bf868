//! `coldproof issue`: order codes for a batch and write them out.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write, stderr, stdout},
    path::PathBuf,
};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::{ConfigArgs, Error, Result, open, runtime};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof issue --store embedded:./data --batch 1 --count 8333333 --output codes.txt
  coldproof issue --store embedded:./data --batch 1 --count 1000 --level case --form csv > cases.csv";

/// Arguments of `issue`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// The batch's number.
    #[arg(long, value_name = "ID")]
    batch: u64,
    /// How many codes.
    #[arg(long, value_name = "N")]
    count: u32,
    /// What each code is put on.
    #[arg(long, default_value = "item", value_name = "LEVEL")]
    level: String,
    /// How codes are written.
    #[arg(long, value_enum, default_value_t = Form::Uri)]
    form: Form,
    /// File to write to, which must not exist; without one, standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How codes are written, one a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The text of the QR symbol.
    Uri,
    /// The bare code.
    Code,
    /// Run, serial, code and link, with a head line.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Form::Uri => "uri",
            Form::Code => "code",
            Form::Csv => "csv",
            Form::Ndjson => "ndjson",
        }
    }
}

#[derive(Serialize)]
struct Order {
    count: u32,
    level: String,
}

#[derive(Deserialize)]
struct Ordered {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    run: String,
    count: u32,
}

/// Orders and writes the codes.
///
/// # Errors
/// Where the order is refused, or the file cannot be written. Codes that were ordered stay ordered: the message names
/// their runs, which can be downloaded again.
pub fn run(args: Args) -> Result<()> {
    let config = args.config.load(Vec::new(), Vec::new())?;
    // The file comes first: an order that cannot be written should not be made.
    let output: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(File::create_new(path).map_err(Error::io(path.display().to_string()))?),
        None => Box::new(stdout().lock()),
    };
    runtime()?.block_on(async {
        let mut server = open::admin(&config).await?;
        let order = Order { count: args.count, level: args.level.clone() };
        let ordered: Ordered = server.client.post(&format!("/v1/batches/{}/runs", args.batch), &order).await?;
        let names = ordered.runs.iter().map(|run| run.run.as_str()).collect::<Vec<_>>().join(", ");
        let written = write_codes(&mut server.client, &ordered.runs, args.form, output).await;
        server.close().await?;
        written.map_err(|error| Error::Usage(format!("the runs {names} were issued, but not written: {error}")))?;
        eprintln!("{} codes issued in the runs {names}", args.count);
        Ok(())
    })
}

async fn write_codes(
    client: &mut crate::http::admin_client::AdminClient,
    runs: &[Run],
    form: Form,
    output: impl Write,
) -> Result<()> {
    let progress = progress_bar(runs.iter().map(|run| u64::from(run.count)).sum());
    let mut output = BufWriter::with_capacity(1 << 16, output);
    for (index, run) in runs.iter().enumerate() {
        // Only the first run brings the head line of a CSV.
        let mut skip_line = form == Form::Csv && index > 0;
        let path = format!("/v1/runs/{}/codes?from=0&count={}&form={}", run.run, run.count, form.name());
        let take = |bytes: &[u8]| take_lines(bytes, &mut skip_line, &mut output, &progress);
        client.download(&path, take).await?;
    }
    progress.finish_and_clear();
    output.flush().map_err(Error::io("the codes could not be written"))
}

fn take_lines(bytes: &[u8], skip_line: &mut bool, output: &mut impl Write, progress: &ProgressBar) -> io::Result<()> {
    let mut bytes = bytes;
    if *skip_line {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return Ok(()) };
        *skip_line = false;
        bytes = bytes.get(end + 1..).unwrap_or_default();
    }
    progress.inc(bytes.iter().filter(|byte| **byte == b'\n').count() as u64);
    output.write_all(bytes)
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(codes: u64) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(codes);
    match ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} codes  {per_sec}  {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_line_of_later_runs_is_left_out_wherever_the_stream_is_cut() {
        for cut in 0..="head\n1\n2\n".len() {
            let (first, second) = b"head\n1\n2\n".split_at(cut);
            let (mut skip_line, mut output) = (true, Vec::new());
            for bytes in [first, second] {
                take_lines(bytes, &mut skip_line, &mut output, &ProgressBar::hidden()).unwrap();
            }
            assert_eq!(output, b"1\n2\n", "cut at {cut}");
        }
    }
}
