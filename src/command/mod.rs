//! The commands: each reads its arguments, does one thing, and ends with one sentence where it fails.

pub mod audit;
pub mod backup;
pub mod demo;
pub mod issue;
pub mod keygen;
pub mod migrate;
pub mod restore;
pub mod serve;
pub mod verify;

mod key_ring_file;
mod logging;
mod open;

use std::{
    io::{self, IsTerminal, stderr},
    path::PathBuf,
    process::ExitCode,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    code::KeyRingError,
    config::{self, Config, Setting, parse_setting},
    http::admin_client,
    service::backup::BackupError,
    store,
};

/// Result of a command.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a command failed. Each is one sentence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Arguments or configuration are wrong.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// Arguments do not go together.
    #[error("{0}")]
    Usage(String),
    /// There is no key ring, or it cannot be read.
    #[error("{}: {message}", path.display())]
    KeyRingFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The key ring's text is wrong.
    #[error("{}: {source}", path.display())]
    KeyRing {
        /// The file.
        path: PathBuf,
        /// What is wrong, without a secret.
        source: KeyRingError,
    },
    /// A socket, file or stream failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A backup could not be written or is not whole.
    #[error("{}: {source}", path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: BackupError,
    },
    /// A running server refused, or broke off.
    #[error(transparent)]
    Admin(#[from] admin_client::Error),
    /// The command did its work, and what it found is not sound.
    #[error("{0}")]
    Unsound(String),
}

impl Error {
    /// For `map_err`: what was being done.
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { what: what.into(), source }
    }

    /// 2 where the command was called wrongly, as the argument parser does; 1 otherwise.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Config(_) | Error::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Arguments of every command that has a configuration.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ConfigArgs {
    /// Configuration file over the defaults (config/default.toml in the sources explains every key).
    #[arg(long, env = "COLDPROOF_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set one key over file and environment; may be repeated.
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
    /// The store: embedded:DIR or cql://HOST[,HOST...]/KEYSPACE [store.location].
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Take a cluster that may lose what it acknowledged: a periodic commit log [store.accept_data_loss].
    #[arg(long)]
    accept_data_loss: bool,
    /// Key ring [keys.ring; otherwise keyring.toml in DIR, or in store.folder].
    #[arg(long, value_name = "FILE")]
    keyring: Option<String>,
}

impl ConfigArgs {
    /// Reads the configuration with `first` under, and `last` over, what these arguments say.
    fn load(&self, first: Vec<Setting>, last: Vec<Setting>) -> Result<Config> {
        let mut settings = first;
        for text in &self.set {
            settings.push(parse_setting(text)?);
        }
        settings.extend(self.store.iter().map(|store| Setting::new("store", "location", store)));
        settings.extend(self.accept_data_loss.then(|| Setting::new("store", "accept_data_loss", "true")));
        settings.extend(self.keyring.iter().map(|file| Setting::new("keys", "ring", file)));
        settings.extend(last);
        // A variable that is not UTF-8 is none of ours.
        let environment = std::env::vars_os();
        let environment =
            environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Ok(Config::load(self.config.as_deref(), environment, &settings)?)
    }
}

/// The runtime on which a command's work runs.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::io("the runtime could not be started"))
}

/// A bar of so many bytes on a terminal, nothing elsewhere.
fn bytes_bar(bytes: u64) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes);
    match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
