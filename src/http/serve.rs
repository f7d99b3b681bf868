//! From a bound socket to the last answer: accept, serve, and stop without dropping what was accepted.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, extract::ConnectInfo, http::Request, response::Response};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc},
};
use tower::{Service, ServiceExt};
use tower_http::timeout::TimeoutBody;

use super::admin_socket::AdminSocket;
use crate::{config::Server, limits::ACCEPT_PAUSE_MS};

/// What a client is, as the socket knows it: put into the extensions of each of its requests.
#[derive(Clone, Copy)]
pub(super) enum Peer {
    /// The other end of a TCP connection, as `ConnectInfo`.
    Tcp(SocketAddr),
    /// The admin socket, as a caller with the admin's role.
    Admin,
}

/// How the service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything that was accepted has been answered.
    Finished,
    /// So many connections were still busy when the time was up, or a second signal came.
    Cut(usize),
}

/// What answers requests: the router with its layers.
pub trait Serves:
    Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Serves for S where
    S: Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// Serves until the first signal, then finishes what was accepted within `server.shutdown_timeout()`, or until the
/// second signal: who presses the keys again does not want to wait. `router` must have its layers already.
pub async fn serve(
    listener: TcpListener,
    admin: Option<AdminSocket>,
    router: impl Serves,
    server: &Server,
    mut signals: mpsc::Receiver<Signal>,
) -> Ending {
    let connections = Connections::new(router, server);
    tokio::select! {
        () = connections.accept_tcp(&listener) => {}
        () = connections.accept_admin(admin.as_ref()) => {}
        _ = signals.recv() => {}
    }
    // Closing the sockets first lets the system refuse newcomers, who then try another server.
    drop((listener, admin));
    connections.finish(server.shutdown_timeout(), signals).await
}

/// Serves one caller in this process, as if it had come through the admin socket, until it hangs up.
pub async fn serve_in_process(stream: DuplexStream, router: impl Serves, server: &Server) {
    let connections = Connections::new(router, server);
    connections.spawn(stream, Peer::Admin, None);
    connections.ended().await;
}

/// SIGTERM or SIGINT.
#[derive(Clone, Copy, Debug)]
pub struct Signal;

/// The process's signals from now on. To be called within a runtime.
///
/// # Errors
/// When the system does not let the process listen for signals.
pub fn signals() -> io::Result<mpsc::Receiver<Signal>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if sender.send(Signal).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

struct Connections<S> {
    router: S,
    http: http1::Builder,
    receive_timeout: Duration,
    permits: Arc<Semaphore>,
    graceful: GracefulShutdown,
    /// How many connections there are.
    open: Arc<AtomicUsize>,
    last_ended: Arc<Notify>,
}

impl<S: Serves> Connections<S> {
    fn new(router: S, server: &Server) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(server.receive_timeout());
        Self {
            router,
            http,
            receive_timeout: server.receive_timeout(),
            permits: Arc::new(Semaphore::new(server.connections_max.min(Semaphore::MAX_PERMITS))),
            graceful: GracefulShutdown::new(),
            open: Arc::default(),
            last_ended: Arc::default(),
        }
    }

    async fn accept_tcp(&self, listener: &TcpListener) {
        loop {
            let permit = self.permit().await;
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // An answer is written at once; without this its last packet may wait for an acknowledgement.
                    let _ = stream.set_nodelay(true);
                    self.spawn(stream, Peer::Tcp(peer), permit);
                }
                Err(error) => pause_after(error).await,
            }
        }
    }

    /// Never done where there is no admin socket. Its connections take no permit: an operator gets in when the
    /// service is full.
    async fn accept_admin(&self, admin: Option<&AdminSocket>) {
        let Some(admin) = admin else { return std::future::pending().await };
        loop {
            match admin.accept().await {
                Ok(stream) => self.spawn(stream, Peer::Admin, None),
                Err(error) => pause_after(error).await,
            }
        }
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed; without a permit the limit would be off, not the service.
        self.permits.clone().acquire_owned().await.ok()
    }

    fn spawn(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        let receive_timeout = self.receive_timeout;
        let router = self.router.clone().map_request(move |request: Request<Incoming>| {
            let mut request = request.map(|body| match body.is_end_stream() {
                true => Body::empty(),
                false => Body::new(Box::pin(TimeoutBody::new(receive_timeout, body))),
            });
            match peer {
                Peer::Tcp(address) => request.extensions_mut().insert(ConnectInfo(address)).map(drop),
                Peer::Admin => request.extensions_mut().insert(super::admin_socket::CALLER).map(drop),
            };
            request
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        let connection = self.graceful.watch(connection);
        let (open, last_ended) = (self.open.clone(), self.last_ended.clone());
        open.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection broke off");
            }
            if open.fetch_sub(1, Ordering::Relaxed) == 1 {
                last_ended.notify_one();
            }
            drop(permit);
        });
    }

    async fn finish(self, limit: Duration, mut signals: mpsc::Receiver<Signal>) -> Ending {
        let open = self.open.clone();
        tracing::info!(connections = open.load(Ordering::Relaxed), "stopping: finishing what was accepted");
        tokio::select! {
            () = self.graceful.shutdown() => Ending::Finished,
            () = tokio::time::sleep(limit) => Ending::Cut(open.load(Ordering::Relaxed)),
            _ = signals.recv() => Ending::Cut(open.load(Ordering::Relaxed)),
        }
    }

    /// Done when the last connection has ended by itself.
    async fn ended(&self) {
        self.last_ended.notified().await;
    }
}

/// A listener that cannot accept now (no file descriptors left) may do so again soon.
async fn pause_after(error: io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;
    use crate::config::{Config, parse_setting};

    struct Running {
        address: SocketAddr,
        signals: mpsc::Sender<Signal>,
        ending: tokio::task::JoinHandle<Ending>,
    }

    async fn start(router: Router, settings: &[&str]) -> Running {
        let settings: Vec<_> = settings.iter().map(|setting| parse_setting(setting).unwrap()).collect();
        let server = Config::load(None, [], &settings).unwrap().server;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (signals, received) = mpsc::channel(1);
        let ending = tokio::spawn(async move { serve(listener, None, router, &server, received).await });
        Running { address, signals, ending }
    }

    /// A route that says when it has begun and answers when told to.
    fn held() -> (Router, Arc<Semaphore>, Arc<Semaphore>) {
        let (begun, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (begun_too, go_too) = (begun.clone(), go.clone());
        let route = get(async move || {
            begun_too.add_permits(1);
            let _go = go_too.acquire().await.unwrap();
            "done"
        });
        (Router::new().route("/", route), begun, go)
    }

    async fn ask(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        stream
    }

    #[tokio::test]
    async fn what_was_accepted_is_answered_after_the_signal_and_nothing_more_is_accepted() {
        let (router, begun, go) = held();
        let running = start(router, &[]).await;
        let mut stream = ask(running.address).await;
        let _idle = TcpStream::connect(running.address).await.unwrap();
        drop(begun.acquire().await.unwrap());
        running.signals.send(Signal).await.unwrap();
        while TcpStream::connect(running.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        go.add_permits(1);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
        assert_eq!(running.ending.await.unwrap(), Ending::Finished);
    }

    #[tokio::test]
    async fn waiting_for_answers_ends_when_somebody_is_in_a_hurry() {
        let (router, begun, _go) = held();
        let running = start(router, &[]).await;
        let _stream = ask(running.address).await;
        drop(begun.acquire().await.unwrap());
        running.signals.send(Signal).await.unwrap();
        running.signals.send(Signal).await.unwrap();
        assert_eq!(running.ending.await.unwrap(), Ending::Cut(1));
    }

    #[tokio::test]
    async fn a_client_that_sends_no_request_is_shown_the_door() {
        let running = start(Router::new(), &["server.receive_timeout_ms=20"]).await;
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        // Ends when the server closes the connection; a hanging server would hang this test.
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
    }

    #[tokio::test]
    async fn a_body_that_stops_flowing_fails_its_request() {
        let read = async |request: Request<Body>| match axum::body::to_bytes(request.into_body(), 100).await {
            Ok(_) => "whole",
            Err(_) => "broken",
        };
        let running =
            start(Router::new().route("/", axum::routing::post(read)), &["server.receive_timeout_ms=20"]).await;
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("broken"), "{answer}");
    }
}
