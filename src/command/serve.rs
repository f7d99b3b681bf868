//! `coldproof serve`: the service, until a signal.

use tokio::net::TcpListener;

use super::{ConfigArgs, Error, Result, logging, open, runtime};
use crate::{
    config::{Config, Setting},
    http::{
        admin_socket::AdminSocket,
        health::install_metrics,
        layers::layered,
        serve::{Ending, serve, signals},
    },
};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof keygen --store embedded:./data
  coldproof serve --store embedded:./data --listen 127.0.0.1:8080 --host trace.example.com
  coldproof serve --config /etc/coldproof.toml --set log.format=json";

/// Arguments of `serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Address and port of the HTTP service [server.listen].
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Canonical host of every link; fixed when the store is created [server.host].
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
}

/// Runs the service until SIGTERM or SIGINT; then finishes what was accepted.
///
/// # Errors
/// Where the configuration is wrong, there is no key ring, the store does not open, or the address is taken.
pub fn run(args: Args) -> Result<()> {
    let listen = args.listen.iter().map(|listen| Setting::new("server", "listen", listen));
    let host = args.host.iter().map(|host| Setting::new("server", "host", host));
    let config = args.config.load(Vec::new(), listen.chain(host).collect())?;
    logging::start(&config.log)?;
    runtime()?.block_on(until_stopped(config))
}

/// Opens, serves and closes.
pub(super) async fn until_stopped(config: Config) -> Result<()> {
    let metrics = install_metrics()
        .map_err(|error| Error::Io { what: "metrics".to_owned(), source: std::io::Error::other(error) })?;
    let signals = signals().map_err(Error::io("signals"))?;
    let opened = open::open(config).await?;
    let server = &opened.app.config.server;
    let listener = TcpListener::bind(server.listen).await.map_err(Error::io(server.listen.to_string()))?;
    let folder = opened.app.config.store.location.folder();
    let admin = AdminSocket::bind(folder).map_err(Error::io("the admin socket"))?;
    let upkeep = tokio::spawn(upkeep(metrics.clone()));
    let router = layered(opened.router(Some(metrics)), server, open::random_number()?);
    tracing::info!(listen = %server.listen, store = %opened.app.config.store.location, "serving");
    let ending = serve(listener, Some(admin), router, server, signals).await;
    upkeep.abort();
    opened.close().await?;
    match ending {
        Ending::Finished => tracing::info!("stopped: everything that was accepted has been answered"),
        Ending::Cut(connections) => tracing::warn!(connections, "stopped: connections were cut"),
    }
    Ok(())
}

/// Drains histograms, so that they stay small where nobody reads `/metrics`.
async fn upkeep(metrics: metrics_exporter_prometheus::PrometheusHandle) {
    let mut ticks = tokio::time::interval(std::time::Duration::from_secs(crate::limits::METRICS_UPKEEP_S));
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}
