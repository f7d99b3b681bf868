//! `coldproof serve`: the service, until a signal.

use std::{sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch};

use super::{ConfigArgs, Error, Result, logging, open, runtime};
use crate::{
    code::{LinkPrefix, qr},
    config::{Config, Setting},
    http::{
        admin_socket::AdminSocket,
        health::install_metrics,
        layers::layered,
        serve::{Ending, serve, signals},
    },
    limits::{FINISH_INTERVAL_MS, FOLLOW_INTERVAL_MS, SCAN_FLUSH_INTERVAL_MS, SWEEP_INTERVAL_MS},
    service::{Service, follow::Follower},
    store,
};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof keygen --store embedded:./data
  coldproof serve --store embedded:./data --listen 127.0.0.1:8080 --host trace.example.com
  coldproof serve --store cql://10.0.0.1,10.0.0.2/coldproof --host trace.example.com
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
    let mut opened = open::open(config).await?;
    let follower = opened.follower.take();
    let server = &opened.app.config.server;
    let listener = TcpListener::bind(server.listen).await.map_err(Error::io(server.listen.to_string()))?;
    let folder = opened.app.config.store.folder();
    let admin = AdminSocket::bind(folder).map_err(Error::io("the admin socket"))?;
    let upkeep = tokio::spawn(upkeep(metrics.clone()));
    let (stop, stopped) = watch::channel(());
    let flush = tokio::spawn(flush_scans(Arc::clone(&opened.app.service), stopped.clone()));
    let finish = tokio::spawn(finish_captures(Arc::clone(&opened.app.service), stopped.clone()));
    let sweep = tokio::spawn(sweep_captures(Arc::clone(&opened.app.service), stopped.clone()));
    let follow = tokio::spawn(follow(Arc::clone(&opened.app.service), follower, stopped));
    let router = layered(opened.router(Some(metrics)), opened.app.clone(), open::random_number()?);
    say_symbol(&opened.app.service);
    tracing::info!(listen = %server.listen, store = %opened.app.config.store.location, "serving");
    let ending = serve(listener, Some(admin), router, server, signals).await;
    upkeep.abort();
    // They end by themselves: a flush that is cut off would lose what it had taken.
    drop(stop);
    let _ = (flush.await, finish.await, sweep.await, follow.await);
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

/// Writes scan sums as they change, hears those of other servers, and writes alerts of what they tell. What is not taken is
/// tried again; it costs the scans of one interval to lose it.
async fn flush_scans(service: Arc<Service>, mut stopped: watch::Receiver<()>) {
    while tokio::select! {
        goes_on = goes_on(&mut stopped, SCAN_FLUSH_INTERVAL_MS) => goes_on,
        () = service.scans.crowded() => true,
    } {
        let done = async {
            service.flush_scans().await?;
            service.scans.hear(&*service.store, service.now_ms()).await?;
            service.write_alerts().await
        };
        match done.await {
            // A paused store takes them later, a retired one never.
            Ok(_) | Err(store::Error::Paused | store::Error::Retired) => {}
            Err(error) => tracing::warn!(%error, "scan sums or alerts were not written; they stay in memory"),
        }
    }
}

/// Finishes captures whose server, or whose client, went away between commit and answer.
async fn finish_captures(service: Arc<Service>, mut stopped: watch::Receiver<()>) {
    while goes_on(&mut stopped, FINISH_INTERVAL_MS).await {
        match service.finish_captures().await {
            Ok(_) | Err(store::Error::Paused | store::Error::Retired) => {}
            Err(error) => {
                tracing::error!(%error, "a committed capture could not be applied; it is tried again");
            }
        }
    }
}

/// Keeps memory up to date with what the other servers write.
async fn follow(service: Arc<Service>, follower: Option<Follower>, mut stopped: watch::Receiver<()>) {
    let Some(mut follower) = follower else { return };
    let mut is_silent = false;
    while goes_on(&mut stopped, FOLLOW_INTERVAL_MS).await {
        let followed = service.follow(&mut follower).await;
        match &followed {
            Ok(_) if is_silent => tracing::info!("the store answers again: what others wrote is known"),
            Ok(_) => {}
            Err(error) if !is_silent => tracing::error!(%error, "what others write is not known; it is tried again"),
            Err(_) => {}
        }
        is_silent = followed.is_err();
    }
}

/// Removes what was staged and never committed.
async fn sweep_captures(service: Arc<Service>, mut stopped: watch::Receiver<()>) {
    while goes_on(&mut stopped, SWEEP_INTERVAL_MS).await {
        if let Err(error) = service.sweep_captures().await {
            tracing::warn!(%error, "abandoned records could not be removed; it is tried again");
        }
    }
}

/// Waits one interval; false as soon as the service stops.
async fn goes_on(stopped: &mut watch::Receiver<()>, interval_ms: u64) -> bool {
    let interval = tokio::time::sleep(Duration::from_millis(interval_ms));
    tokio::select! {
        () = interval => true,
        _ = stopped.changed() => false,
    }
}

/// Says how large the symbols of this host are on paper: whoever buys label printers wants to know.
fn say_symbol(service: &Service) {
    const DOTS_PER_MODULE: u32 = 4;
    const DPI: u32 = 203;
    let settings = &service.settings;
    let gtin = "00000000000000".parse().ok();
    let prefix = LinkPrefix::new(settings.link_scheme, &settings.host, gtin, settings.link_case);
    match qr::side_of_links(&prefix) {
        Ok(side) => {
            let side_mm = qr::printed_side_mm(side, DOTS_PER_MODULE, DPI);
            tracing::info!(
                modules = side,
                "symbols with a GTIN: {side_mm:.1} mm wide with quiet zone, 4 dots a module at {DPI} dpi"
            );
        }
        Err(error) => tracing::warn!(%error, "no symbol can be drawn for this host"),
    }
}
