//! `coldproof demo`: a believable world in a folder of its own.

use clap::ValueEnum;

use super::{ConfigArgs, Result, keygen, logging, runtime, serve};
use crate::config::{Config, Setting};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof demo                                  20 batches, 20,000 codes, in ./demo-data
  coldproof demo --scale full --data ./full       10,000 batches, 8.33 million codes
  coldproof demo --listen 0.0.0.0:8080 --host 192.168.1.20:8080 --link-scheme http
                                                  links that a phone on the local network opens

A folder that is filled already is served as it is. DIR/demo.json names keys and codes to try.";

/// Arguments of `demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folder of the demo's world.
    #[arg(long, default_value = "./demo-data", value_name = "DIR")]
    data: String,
    /// Address and port of the HTTP service.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    listen: String,
    /// How much of a world.
    #[arg(long, value_enum, default_value_t = Scale::Small)]
    scale: Scale,
    /// Canonical host of every link.
    #[arg(long, default_value = "demo.coldproof.example", value_name = "HOST")]
    host: String,
    /// Scheme of printed links: http or https.
    #[arg(long, default_value = "https", value_name = "SCHEME")]
    link_scheme: String,
}

/// How much of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// 20 batches, 20,000 codes.
    Small,
    /// 10,000 batches, 8.33 million codes.
    Full,
}

impl Args {
    fn config(&self) -> Result<Config> {
        let settings = vec![
            Setting::new("store", "location", format!("embedded:{}", self.data)),
            Setting::new("server", "listen", &self.listen),
            Setting::new("server", "host", &self.host),
            Setting::new("server", "link_scheme", &self.link_scheme),
            Setting::new("rate", "loopback_exempt", "true"),
        ];
        ConfigArgs::default().load(Vec::new(), settings)
    }
}

/// Fills the folder where it is new, and serves it until SIGTERM or SIGINT.
///
/// # Errors
/// As of `serve`, and where the folder holds something else.
pub fn run(args: Args) -> Result<()> {
    let config = args.config()?;
    logging::start(&config.log)?;
    runtime()?.block_on(async {
        if keygen::ensure_ring(&config.keyring_path())? {
            println!("{}: a key ring for the demo", config.keyring_path().display());
        }
        serve::until_stopped(config).await
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn the_demo_stands_on_defaults_that_its_documents_name() {
        let config = Cli::parse_from(["demo"]).args.config().unwrap();
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.store.location.to_string(), "embedded:./demo-data");
        assert_eq!(config.server.host.unwrap().as_str(), "demo.coldproof.example");
        assert!(config.rate.loopback_exempt);
    }
}
