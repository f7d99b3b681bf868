//! `coldproof restore`: from a backup to a store, in quarantine; and out of it.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{ConfigArgs, Error, Result, bytes_bar, key_ring_file, open, runtime};
use crate::{
    config::{self, Config, Location},
    service::{
        backup::{
            self, BackupReader, Restoration, Summary,
            payload::{Header, decode, encode},
        },
        quarantine::slots_of,
    },
    store::{FolderLock, Store, cql, local},
};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof restore --from monday.cpb --check                        read it to its end; restore nothing
  coldproof restore --from monday.cpb --store embedded:./new --keyring keyring-copy.toml
  coldproof restore --from monday.cpb --store cql://10.0.0.1,10.0.0.2/coldproof --keyring keyring-copy.toml
  coldproof restore --release --store embedded:./new --fresh-key
  coldproof restore --release --store embedded:./new --past-run 00004K

A keyspace must be empty, as `coldproof migrate` makes it. A restore into one that was stopped goes on when it is run
again with the same file; one into a folder is begun anew in another folder. At the end everything is read back and
compared with what was put.

A restored store is in QUARANTINE: it answers scans and takes registrations and captures, but issues no codes, because
the lost machine may have issued codes after the backup, and the same code must never stand on different goods. It
stays so over restarts, until it is released in one of two ways:

  --fresh-key      The key ring has a new key that the lost machine never had. Put the copy of your key ring into the
                   new folder, make a key with `coldproof keygen --rotate --store embedded:./new`, then release. Keys
                   count as fresh where they were not in the ring that --keyring named at the restore; where it named
                   none, in the ring with which the store was first opened. This is the safe way.
  --past-run RUN   RUN is the last run that the lost machine issued, by the six characters that its codes begin with,
                   as you find it on labels or in files. Only where you are certain of it.

Never start the lost machine again. Labels of orders after the backup scan as not issued: order them anew.";

/// Arguments of `restore`.
#[derive(Clone, Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["from", "release"])))]
#[command(group(clap::ArgGroup::new("how").args(["fresh_key", "past_run"]).requires("release")))]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// The backup to restore, into a folder without a store or an empty keyspace.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Only read the backup and say whether it is whole.
    #[arg(long, requires = "from")]
    check: bool,
    /// End the quarantine of a restored store, through the running server or in the store itself.
    #[arg(long, requires = "how")]
    release: bool,
    /// The key ring has a new key, made after the restore.
    #[arg(long, conflicts_with = "from")]
    fresh_key: bool,
    /// The last run that the lost machine issued.
    #[arg(long, conflicts_with = "from", value_name = "RUN")]
    past_run: Option<String>,
}

#[derive(Serialize)]
struct Release {
    fresh_key: bool,
    past_run: Option<String>,
}

#[derive(Deserialize)]
struct Released {
    slot: u8,
    first_run: Option<String>,
}

/// Restores, checks or releases.
///
/// # Errors
/// Where the backup is not whole, the folder has a store, or it is not certain that no code would be issued twice.
pub fn run(args: Args) -> Result<()> {
    let config = args.config.load(Vec::new(), Vec::new())?;
    match &args.from {
        None => runtime()?.block_on(release(&config, args.fresh_key, args.past_run)),
        Some(path) if args.check => check(path),
        Some(path) => runtime()?.block_on(restore(&config, path)),
    }
}

fn check(path: &Path) -> Result<()> {
    let (mut reader, length) = opened(path)?;
    let bar = bytes_bar(length);
    let checked = backup::check(&mut reader, |at| bar.set_position(at));
    bar.finish_and_clear();
    checked.map_err(|source| Error::Backup { path: path.to_owned(), source })?;
    say(path, "is whole", &Summary::of(&reader));
    Ok(())
}

async fn restore(config: &Config, path: &Path) -> Result<()> {
    let (mut reader, length) = opened(path)?;
    let failed = |source| Error::Backup { path: path.to_owned(), source };
    // Where no ring is at hand, its slots are noted when the store is first opened.
    let ring = match key_ring_file::read(&config.keyring_path()) {
        Ok(ring) => Some(slots_of(&ring)),
        Err(_) if config.keys.ring.as_os_str().is_empty() => None,
        Err(error) => return Err(error),
    };
    let restoration = Restoration { ring, begun_ms: jiff::Timestamp::now().as_millisecond() };
    let (target, restoration) = Target::begin(&config.store, reader.header(), restoration).await?;
    let files = open::files(config)?;
    let bar = bytes_bar(length);
    let progress = |at| bar.set_position(at);
    let restored = backup::restore(&mut reader, target.store(), &*files, restoration, progress).await;
    bar.finish_and_clear();
    let (summary, tally) = restored.map_err(failed)?;
    target.finish().await?;
    say(path, &format!("was restored to {}", config.store.location), &summary);
    println!("Read back and compared, what was put with what is there:");
    for (kind, sum) in tally.kinds() {
        println!("  {kind:<10} {:>12}  {}", sum.count, sum.hex());
    }
    println!("It is in quarantine: it issues no codes until `coldproof restore --release` (see --help).");
    let ring = config.store.folder().join("keyring.toml");
    println!("The key ring is no part of a backup: put your copy at {}.", ring.display());
    println!("`coldproof audit` re-checks all of it.");
    Ok(())
}

/// Where a backup is restored to.
enum Target {
    Embedded(local::Restoring),
    /// With the folder of this server.
    Cluster(cql::Restoring, FolderLock),
}

impl Target {
    /// Begins a restore, or goes on with one; then what was noted when it was begun holds.
    async fn begin(config: &config::Store, header: &Header, new: Restoration) -> Result<(Self, Restoration)> {
        let Location::Cluster { nodes, keyspace } = &config.location else {
            return Ok((Self::Embedded(local::Restoring::begin(config.folder())?), new));
        };
        let unreadable = |found: &dyn std::fmt::Display| Error::Usage(format!("the mark of a restore: {found}"));
        let folder = FolderLock::take(config.folder())?;
        let note = encode(&new).map_err(|error| unreadable(&error))?;
        let backup = header.digest().map_err(|error| unreadable(&error))?;
        let (restoring, note) = cql::Restoring::begin(&open::access(config, nodes, keyspace), backup, &note).await?;
        let begun = decode(&note).map_err(|error| unreadable(&error))?;
        if begun != new {
            eprintln!("A restore of this backup was begun before; it goes on.");
        }
        Ok((Self::Cluster(restoring, folder), begun))
    }

    fn store(&self) -> &dyn Store {
        match self {
            Self::Embedded(restoring) => &**restoring.store(),
            Self::Cluster(restoring, _) => &**restoring.store(),
        }
    }

    async fn finish(self) -> Result<()> {
        match self {
            Self::Embedded(restoring) => restoring.finish().await?,
            Self::Cluster(restoring, _folder) => restoring.finish().await?,
        }
        Ok(())
    }
}

async fn release(config: &Config, fresh_key: bool, past_run: Option<String>) -> Result<()> {
    let mut server = open::admin(config).await?;
    let answer = server.client.post("/v1/quarantine/release", &Release { fresh_key, past_run }).await;
    server.close().await?;
    let released: Released = answer?;
    let first = released.first_run.map_or_else(|| "none: it is used up".to_owned(), |run| format!("from {run} on"));
    println!("Released: codes are issued with the key in slot {}, runs {first}.", released.slot);
    Ok(())
}

fn opened(path: &Path) -> Result<(BackupReader<BufReader<File>>, u64)> {
    let failed = || Error::io(path.display().to_string());
    let file = File::open(path).map_err(failed())?;
    let length = file.metadata().map_err(failed())?.len();
    let reader = BackupReader::new(BufReader::new(file));
    Ok((reader.map_err(|source| Error::Backup { path: path.to_owned(), source })?, length))
}

fn say(path: &Path, what: &str, summary: &Summary) {
    let Summary { host, created_ms, captures, records, files } = summary;
    let when = jiff::Timestamp::from_millisecond(*created_ms).unwrap_or_default();
    let path = path.display();
    println!("{path}, of {host} at {when}, {what}: {captures} captures, {records} records, {files} files.");
}
