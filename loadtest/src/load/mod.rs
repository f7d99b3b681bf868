//! Load: many connections that ask and check.

mod closed;
mod open;

use std::net::SocketAddr;

pub use closed::{Rate, closed, once};
pub use open::{Latencies, open};

use crate::{check::Expected, http::Request, process::Process};

/// One request and what its answer must say.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is asked.
    pub request: Request,
    /// What is to be answered.
    pub expected: Expected,
}

/// A server and what it is asked, in this order and from the start again; each connection begins elsewhere.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, whose time is read.
    pub process: Process,
    /// What it is asked; not empty.
    pub cases: Vec<Case>,
}

impl Target {
    /// The cases that connection `at` of `connections` asks, without end.
    fn cases_of(&self, at: usize, connections: usize) -> impl Iterator<Item = &Case> {
        self.cases.iter().cycle().skip(self.cases.len() * at / connections.max(1))
    }
}
