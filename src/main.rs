//! The commands of `coldproof`: one match.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use coldproof::command::{audit, backup, demo, issue, keygen, migrate, restore, serve, verify};

/// Caches of things of every size that come and go on all threads leave the system's allocator with memory that it
/// cannot give back; docs/PERFORMANCE.md has the figures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Traceable source codes for imported cold-chain food: issued by the million, each provable.
#[derive(Parser)]
#[command(name = "coldproof", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service.
    #[command(after_help = serve::EXAMPLES)]
    Serve(serve::Args),
    /// Run the service with a believable world in a folder of its own.
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::Args),
    /// Make a key ring, add a key to one, or make the first admin key.
    #[command(after_help = keygen::EXAMPLES)]
    Keygen(keygen::Args),
    /// Order codes for a batch and write them to a file.
    #[command(after_help = issue::EXAMPLES)]
    Issue(issue::Args),
    /// Check codes against a key ring, without a store and without a network.
    #[command(after_help = verify::EXAMPLES)]
    Verify(verify::Args),
    /// Make the keyspace of a cluster, or bring its tables to this version.
    #[command(after_help = migrate::EXAMPLES)]
    Migrate(migrate::Args),
    /// Re-check everything that is stored. Succeeds only where all of it is sound.
    #[command(after_help = audit::EXAMPLES)]
    Audit(audit::Args),
    /// Write everything that is stored into one file, while the server goes on. The key ring is not in it.
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::Args),
    /// Make a store from a backup, in quarantine; or release it from there.
    #[command(after_help = restore::EXAMPLES)]
    Restore(restore::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Keygen(args) => keygen::run(args),
        Command::Issue(args) => issue::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Migrate(args) => migrate::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Backup(args) => backup::run(args),
        Command::Restore(args) => restore::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("coldproof: {error}");
            error.exit_code()
        }
    }
}
