//! `coldproof demo`: a believable world in a folder of its own.

use std::{
    io::{ErrorKind, IsTerminal},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use super::{ConfigArgs, Error, Result, keygen, logging, open, runtime, serve};
use crate::{
    config::{Config, Setting},
    demo::{Condition, Filled, Size, Unfinished, World, condition, fill, moved},
};

/// The seed of the demo's world: everybody's demo shows the same goods, with other keys and dates.
const SEED: u64 = 20_210_126;
/// The canonical host of a new demo.
const HOST: &str = "demo.coldproof.example";

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
    /// Canonical host of every link; fixed when the folder is filled [demo.coldproof.example].
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
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

impl Scale {
    fn size(self) -> Size {
        match self {
            Self::Small => Size::SMALL,
            Self::Full => Size::FULL,
        }
    }
}

impl Args {
    fn config(&self, condition: Condition) -> Result<Config> {
        let mut settings = vec![
            Setting::new("store", "location", format!("embedded:{}", self.data)),
            Setting::new("server", "listen", &self.listen),
            Setting::new("server", "link_scheme", &self.link_scheme),
            Setting::new("rate", "loopback_exempt", "true"),
        ];
        // A filled folder has its host already.
        let default = (condition != Condition::Filled).then_some(HOST);
        settings.extend(self.host.as_deref().or(default).map(|host| Setting::new("server", "host", host)));
        ConfigArgs::default().load(Vec::new(), settings)
    }
}

/// Fills the folder where it is new, and serves it until SIGTERM or SIGINT.
///
/// # Errors
/// As of `serve`, and where the folder holds something else.
pub fn run(args: Args) -> Result<()> {
    let folder = Path::new(&args.data);
    let failed = || Error::io(folder.display().to_string());
    let condition = condition(folder).map_err(failed())?;
    let config = args.config(condition)?;
    logging::start(&config.log)?;
    let base_url = base_url(config.server.listen);
    // A taken address is better known before the work than after it.
    drop(TcpListener::bind(config.server.listen).map_err(Error::io(config.server.listen.to_string()))?);
    runtime()?.block_on(async {
        match condition {
            Condition::Foreign => {
                let message = format!("{} holds something else than a demo; name a new folder with --data", args.data);
                return Err(Error::Usage(message));
            }
            Condition::Filled => {
                moved(folder, &base_url).map_err(failed())?;
                println!("{}: a demo, served as it is.", args.data);
            }
            Condition::New => make(&args, &config, &base_url).await?,
            Condition::Unfinished => {
                println!("{}: a demo that was stopped before it was whole; it is made anew.", args.data);
                make(&args, &config, &base_url).await?;
            }
        }
        println!("Open {base_url}/ in a browser; Ctrl-C stops. {}/demo.json names keys and codes.", args.data);
        serve::until_stopped(config).await
    })
}

/// Where the demo is reached from this machine.
fn base_url(listen: SocketAddr) -> String {
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(address, listen.port()))
}

/// Fills a folder, and says what is in it.
async fn make(args: &Args, config: &Config, base_url: &str) -> Result<()> {
    let begun = Instant::now();
    let unfinished = Unfinished::begin(Path::new(&args.data)).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => Error::Usage(format!("{}: another process is filling this folder", args.data)),
        _ => Error::io(args.data.clone())(error),
    })?;
    keygen::ensure_ring(&config.keyring_path())?;
    // The demo lives through its history: its clock is set.
    let time = Arc::new(AtomicI64::new(jiff::Timestamp::now().as_millisecond()));
    let shown = Arc::clone(&time);
    let opened = open::open_at(config.clone(), Arc::new(move || shown.load(Ordering::Relaxed))).await?;
    let service = opened.app.service.clone();
    let size = args.scale.size();
    let world = World::new(size, service.date(service.now_ms()), SEED);
    let world = world.ok_or_else(|| Error::Unsound("the demo's own tables are not sound".to_owned()))?;
    let progress = progress(size);
    let filled = fill(&service, world, &time, random, &progress).await;
    progress.finish_and_clear();
    drop(service);
    opened.close().await?;
    let filled = filled.map_err(|error| Error::Unsound(error.to_string()))?;
    let file = unfinished.finish(&filled.demo_json(base_url)).map_err(Error::io(args.data.clone()))?;
    report(size, &filled, begun.elapsed().as_secs_f64(), base_url);
    println!("  keys     {}, mode 0600", file.display());
    Ok(())
}

fn random() -> std::result::Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn progress(size: Size) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let progress = ProgressBar::new(size.batches.into());
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} batches, {msg} events");
    progress.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn report(size: Size, filled: &Filled, seconds: f64, base_url: &str) {
    let (Size { batches, codes }, events) = (size, filled.events);
    println!("Made a demo of {batches} batches, {codes} codes and {events} events in {seconds:.1} s.");
    println!("  genuine  {base_url}{}", filled.genuine_path);
    println!("  forged   {base_url}{}", filled.forged_path);
    println!("  label    {}", filled.genuine_link);
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
        let config = Cli::parse_from(["demo"]).args.config(Condition::New).unwrap();
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.store.location.to_string(), "embedded:./demo-data");
        assert_eq!(config.server.host.unwrap().as_str(), "demo.coldproof.example");
        assert!(config.rate.loopback_exempt);
    }

    #[test]
    fn a_filled_folder_keeps_the_host_that_is_on_its_labels() {
        let args = Cli::parse_from(["demo"]).args;
        assert_eq!(args.config(Condition::Filled).unwrap().server.host, None);
        assert_eq!(base_url("0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
        assert_eq!(base_url("[::1]:8080".parse().unwrap()), "http://[::1]:8080");
    }
}
