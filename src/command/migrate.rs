//! `coldproof migrate`: the keyspace and its tables.

use super::{ConfigArgs, Error, Result, open, runtime};
use crate::{
    config::Location,
    store::cql::{SCHEMA_VERSION, migrate},
};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof migrate --store cql://10.0.0.1,10.0.0.2/coldproof
  coldproof migrate --store cql://10.0.0.1/coldproof --set store.replication=dc1:3,dc2:3

Makes the keyspace where there is none and brings its tables to the version of this program. Tables are only made and
extended, so that servers of the version before go on. It may be run again, and by several at once.";

/// Arguments of `migrate`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Makes the keyspace, brings its tables up to date, and says which versions it applied.
///
/// # Errors
/// Where the store is no cluster, no node answers, or the cluster refuses.
pub fn run(args: Args) -> Result<()> {
    let config = args.config.load(Vec::new(), Vec::new())?.store;
    let Location::Cluster { nodes, keyspace } = &config.location else {
        return Err(Error::Usage(format!("{} needs no migration: only a cql:// store does", config.location)));
    };
    let access = open::access(&config, nodes, keyspace);
    let applied = runtime()?.block_on(migrate(&access, &config.replication()))?;
    match applied.as_slice() {
        [] => println!("{access} has version {SCHEMA_VERSION} already."),
        applied => {
            let versions: Vec<_> = applied.iter().map(i32::to_string).collect();
            println!("{access} has version {SCHEMA_VERSION} now; applied: {}.", versions.join(", "));
        }
    }
    Ok(())
}
