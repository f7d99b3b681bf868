//! Closed loop: every connection asks again as soon as it is answered. What comes out is the highest rate.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::Target;
use crate::{http::Client, process::Process};

/// What a closed loop found.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Requests answered, all of them rightly.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
    /// Processor time of the server meanwhile, in seconds.
    pub server_cpu_s: f64,
    /// Processor time of this process meanwhile, in seconds.
    pub client_cpu_s: f64,
}

impl Rate {
    /// Requests a second.
    pub fn per_s(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Processor time of the server for one request, in microseconds.
    pub fn server_us(&self) -> f64 {
        self.server_cpu_s * 1e6 / self.requests as f64
    }
}

/// Asks over so many connections for `length`.
///
/// # Errors
/// At the first answer that is wrong or does not come.
pub fn closed(target: &Target, connections: usize, length: Duration) -> Result<Rate> {
    let clients: Vec<Client> = (0..connections).map(|_| Client::connect(target.address)).collect::<Result<_>>()?;
    let ready = Barrier::new(connections);
    let (server, this) = (target.process, Process::this());
    let before = (server.cpu_s()?, this.cpu_s()?, Instant::now());
    let requests = thread::scope(|scope| {
        let connection = |(at, client)| {
            let ready = &ready;
            scope.spawn(move || ask_until(target, client, at, connections, ready, length))
        };
        let connections: Vec<_> = clients.into_iter().enumerate().map(connection).collect();
        connections.into_iter().map(|thread| thread.join().ok().context("a connection's thread panicked")?).sum()
    });
    let requests: Result<u64> = requests;
    Ok(Rate {
        requests: requests?,
        seconds: before.2.elapsed().as_secs_f64(),
        server_cpu_s: server.cpu_s()? - before.0,
        client_cpu_s: this.cpu_s()? - before.1,
    })
}

fn ask_until(
    target: &Target,
    mut client: Client,
    at: usize,
    connections: usize,
    ready: &Barrier,
    length: Duration,
) -> Result<u64> {
    ready.wait();
    let end = Instant::now() + length;
    let mut requests = 0;
    for case in target.cases_of(at, connections) {
        case.expected.check(client.ask(&case.request)?)?;
        requests += 1;
        if Instant::now() >= end {
            break;
        }
    }
    Ok(requests)
}
