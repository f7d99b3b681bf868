//! Closed loop: every connection asks again as soon as it is answered, for a while or until each case was asked. What comes
//! out is the highest rate.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{Case, Target};
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
    ask_all(target, connections, |at, client| {
        let end = Instant::now() + length;
        let mut requests = 0;
        for case in target.cases_of(at, connections) {
            ask(client, case)?;
            requests += 1;
            if Instant::now() >= end {
                break;
            }
        }
        Ok(requests)
    })
}

/// Asks every case once, over so many connections.
///
/// # Errors
/// At the first answer that is wrong or does not come.
pub fn once(target: &Target, connections: usize) -> Result<Rate> {
    ask_all(target, connections, |at, client| {
        let mut requests = 0;
        for case in target.cases.iter().skip(at).step_by(connections) {
            ask(client, case)?;
            requests += 1;
        }
        Ok(requests)
    })
}

fn ask(client: &mut Client, case: &Case) -> Result<()> {
    case.expected.check(client.ask(&case.request)?)
}

/// Has every connection do its part, all from one moment on.
fn ask_all(
    target: &Target,
    connections: usize,
    part: impl Fn(usize, &mut Client) -> Result<u64> + Sync,
) -> Result<Rate> {
    let clients: Vec<Client> = (0..connections).map(|_| Client::connect(target.address)).collect::<Result<_>>()?;
    let ready = Barrier::new(connections);
    let (server, this) = (target.process, Process::this());
    let before = (server.cpu_s()?, this.cpu_s()?, Instant::now());
    let requests = thread::scope(|scope| {
        let connection = |(at, mut client): (usize, Client)| {
            let (ready, part) = (&ready, &part);
            scope.spawn(move || {
                ready.wait();
                part(at, &mut client)
            })
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
