//! `coldproof backup`: everything that is stored, into one file, while the server goes on.

use std::{
    fs::{self, File},
    io::{BufReader, IsTerminal, Write, stderr},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::{ConfigArgs, Error, Result, open, runtime};
use crate::{
    http::admin_client::AdminClient,
    registration::FileHash,
    service::backup::{BackupReader, Summary, check},
};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof backup --store embedded:./data --to /mnt/backups/monday.cpb
  coldproof backup --store embedded:./data --to final.cpb --final

The file holds one moment of the store, and all uploaded documents and pictures. A running server goes on serving and
capturing meanwhile. The file is read back before the command succeeds.

THE KEY RING IS NOT IN IT. Without the key ring a restored store verifies no label: keep a copy of keyring.toml, and
keep it elsewhere, because whoever has both can issue your codes.

--final moves a house: writes are refused from the moment that the backup shows, and once the file is durable the
store is retired; it then answers scans and refuses every write, for good.";

/// Arguments of `backup`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// File to write to, which must not exist.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Retire the store once the backup is durable: it never takes a write again.
    #[arg(long = "final")]
    last: bool,
}

#[derive(Serialize)]
struct Wanted {
    #[serde(rename = "final")]
    last: bool,
}

#[derive(Serialize)]
struct Retire {
    sha256: String,
}

#[derive(Deserialize)]
struct Retired {}

/// Writes the backup.
///
/// # Errors
/// Where there is such a file already, the server refuses, or what was written is not whole: then the file is removed.
pub fn run(args: Args) -> Result<()> {
    let config = args.config.load(Vec::new(), Vec::new())?;
    if args.to.exists() {
        return Err(Error::Usage(format!("{} is there already: name a new file", args.to.display())));
    }
    let beside = args.to.with_added_extension("part");
    let (summary, digest) = runtime()?.block_on(async {
        let mut server = open::admin(&config).await?;
        let written = write(&mut server.client, &beside, args.last).await;
        let done = match written {
            Ok(done) => finish(&beside, &args.to).map(|()| done),
            Err(error) => {
                // The reason matters; what is left of the file does not.
                let _ = fs::remove_file(&beside);
                Err(error)
            }
        };
        if let (true, Ok((_, digest))) = (args.last, &done) {
            let _: Retired = server.client.post("/v1/backup/retire", &Retire { sha256: digest.to_string() }).await?;
        }
        server.close().await?;
        done
    })?;
    let Summary { captures, records, files, .. } = summary;
    println!("{}: {captures} captures, {records} records, {files} files; SHA-256 {digest}", args.to.display());
    if args.last {
        println!("The store is retired: it answers scans and takes no write any more.");
    }
    eprintln!("The key ring is not in it. Keep a copy of it elsewhere: without it no label can be verified.");
    Ok(())
}

/// Receives the backup into a file, makes that durable and reads it back.
async fn write(client: &mut AdminClient, path: &Path, last: bool) -> Result<(Summary, FileHash)> {
    let named = || path.display().to_string();
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = file.map_err(Error::io(named()))?;
    let progress = spinner();
    let take = |bytes: &[u8]| {
        progress.inc(bytes.len() as u64);
        file.write_all(bytes)
    };
    client.post_download("/v1/backup", &Wanted { last }, take).await?;
    progress.finish_and_clear();
    file.sync_all().map_err(Error::io(named()))?;
    let read = File::open(path).map_err(Error::io(named()))?;
    let bar = super::bytes_bar(read.metadata().map_err(Error::io(named()))?.len());
    let checked = BackupReader::new(BufReader::new(read)).and_then(|mut reader| {
        check(&mut reader, |at| bar.set_position(at))?;
        Ok(reader)
    });
    bar.finish_and_clear();
    let reader = checked.map_err(|source| Error::Backup { path: path.to_owned(), source })?;
    let digest = FileHash(reader.digest().unwrap_or_default());
    Ok((Summary::of(&reader), digest))
}

/// Gives the file its name, durably.
fn finish(beside: &Path, path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let renamed = fs::rename(beside, path).and_then(|()| File::open(folder)?.sync_all());
    renamed.map_err(Error::io(path.display().to_string()))
}

/// Bytes and their rate on a terminal, nothing elsewhere: how many there will be is not known.
fn spinner() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    match ProgressStyle::with_template("{spinner} {bytes} written  {bytes_per_sec}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
