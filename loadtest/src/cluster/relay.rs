//! Something between a server and its cluster that lets every answer take its time: then the time of a scan counts the rounds
//! of requests that follow from one another.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

const BUFFER_BYTES: usize = 64 << 10;

/// Listens beside each node, at one port for all of them, as drivers expect.
pub struct Relay {
    /// The addresses to connect to, joined by commas.
    pub nodes: String,
    delay_ms: Arc<AtomicU64>,
}

impl Relay {
    pub fn start(nodes: &[String]) -> Result<Self> {
        let delay_ms = Arc::new(AtomicU64::new(0));
        let (mut port, mut near) = (0, Vec::new());
        for node in nodes {
            let node = if node.contains(':') { node.clone() } else { format!("{node}:9042") };
            let real = node.to_socket_addrs()?.next().with_context(|| format!("{node} has no address"))?;
            let listener = TcpListener::bind((real.ip(), port)).context("a relay beside a node")?;
            port = listener.local_addr()?.port();
            near.push(listener.local_addr()?.to_string());
            let delay_ms = Arc::clone(&delay_ms);
            thread::spawn(move || {
                for client in listener.incoming().flatten() {
                    let _ = connect(client, real, &delay_ms);
                }
            });
        }
        Ok(Self { nodes: near.join(","), delay_ms })
    }

    /// From now on each answer takes so long.
    pub fn delay(&self, delay: Duration) {
        self.delay_ms.store(delay.as_millis() as u64, Ordering::Relaxed);
    }
}

fn connect(client: TcpStream, real: SocketAddr, delay_ms: &Arc<AtomicU64>) -> io::Result<()> {
    let server = TcpStream::connect(real)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    let (sender, waiting) = mpsc::channel::<(Instant, Vec<u8>)>();
    let delay_ms = Arc::clone(delay_ms);
    let mut from_server = server;
    thread::spawn(move || {
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Ok(read) = from_server.read(&mut buffer) {
            let due = Instant::now() + Duration::from_millis(delay_ms.load(Ordering::Relaxed));
            let bytes = buffer.get(..read).unwrap_or_default().to_vec();
            if read == 0 || sender.send((due, bytes)).is_err() {
                break;
            }
        }
    });
    let mut to_client = client;
    thread::spawn(move || {
        for (due, bytes) in waiting {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to_client.write_all(&bytes).is_err() {
                break;
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_on_one_side_is_heard_on_the_other() {
        let far = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Relay::start(&[far.local_addr().unwrap().to_string()]).unwrap();
        relay.delay(Duration::from_millis(5));
        let mut near = TcpStream::connect(&relay.nodes).unwrap();
        let (mut there, _) = far.accept().unwrap();
        let mut heard = [0; 4];
        near.write_all(b"ping").unwrap();
        there.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"ping");
        there.write_all(b"pong").unwrap();
        near.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"pong");
    }
}
