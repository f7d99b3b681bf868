//! Open loop: requests start when they are due, however slow the answers are, as people do who know nothing of each
//! other. A latency counts from when its request was due, so that one slow answer is charged with all that had to wait
//! behind it (no coordinated omission).

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;

use super::Target;
use crate::http::Client;

/// Latencies up to a minute with three digits.
pub type Latencies = Histogram<u64>;

/// A server that is so far behind its schedule does not keep up, and the figure would be that of the queue.
const BEHIND_MAX: Duration = Duration::from_secs(10);

/// The schedule of one connection of several that share a rate evenly.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    /// Between two requests of this connection, in nanoseconds.
    period_ns: f64,
    /// Of its first request, behind the common start.
    offset_ns: f64,
    requests: u64,
}

impl Schedule {
    /// Of connection `at` of `connections`, at `rate_per_s` for all of them together.
    fn new(at: usize, connections: usize, rate_per_s: f64, length: Duration) -> Self {
        let period_ns = connections as f64 * 1e9 / rate_per_s;
        let requests = (length.as_secs_f64() * rate_per_s / connections as f64).ceil() as u64;
        Self { period_ns, offset_ns: period_ns * at as f64 / connections as f64, requests }
    }

    /// When request `at` of this connection is due, behind the common start.
    fn due(&self, at: u64) -> Duration {
        Duration::from_nanos((self.offset_ns + self.period_ns * at as f64) as u64)
    }
}

/// Asks at a fixed rate over so many connections for `length`. Gives latencies in nanoseconds.
///
/// # Errors
/// At the first answer that is wrong, does not come, or comes far too late.
pub fn open(target: &Target, connections: usize, rate_per_s: f64, length: Duration) -> Result<Latencies> {
    ensure!(connections > 0 && rate_per_s > 0.0, "{connections} connections at {rate_per_s} requests a second");
    let clients: Vec<Client> = (0..connections).map(|_| Client::connect(target.address)).collect::<Result<_>>()?;
    let ready = Barrier::new(connections);
    let start = Instant::now() + Duration::from_millis(20);
    let parts: Vec<Result<Latencies>> = thread::scope(|scope| {
        let connection = |(at, client)| {
            let ready = &ready;
            scope.spawn(move || {
                ready.wait();
                let schedule = Schedule::new(at, connections, rate_per_s, length);
                ask_when_due(target, client, at, connections, schedule, start)
            })
        };
        let connections: Vec<_> = clients.into_iter().enumerate().map(connection).collect();
        connections.into_iter().map(|thread| thread.join().ok().context("a connection's thread panicked")?).collect()
    });
    let mut all = empty()?;
    for part in parts {
        all.add(part?)?;
    }
    Ok(all)
}

/// No latency yet.
fn empty() -> Result<Latencies> {
    Ok(Histogram::new_with_bounds(1, 60_000_000_000, 3)?)
}

fn ask_when_due(
    target: &Target,
    mut client: Client,
    at: usize,
    connections: usize,
    schedule: Schedule,
    start: Instant,
) -> Result<Latencies> {
    let mut latencies = empty()?;
    for (number, case) in (0..schedule.requests).zip(target.cases_of(at, connections)) {
        let due = start + schedule.due(number);
        if let Some(early) = due.checked_duration_since(Instant::now()) {
            thread::sleep(early);
        }
        case.expected.check(client.ask(&case.request)?)?;
        let latency = due.elapsed();
        ensure!(latency < BEHIND_MAX, "the server is {} s behind its schedule", latency.as_secs());
        latencies.saturating_record(latency.as_nanos() as u64);
    }
    Ok(latencies)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use super::*;
    use crate::{check::Expected, http::Request, load::Case, process::Process};

    #[test]
    fn connections_take_turns_at_even_distances() {
        let schedules: Vec<_> = (0..4).map(|at| Schedule::new(at, 4, 1000.0, Duration::from_secs(2))).collect();
        let mut due: Vec<_> =
            schedules.iter().flat_map(|schedule| (0..schedule.requests).map(|at| schedule.due(at))).collect();
        due.sort();
        assert_eq!(due.len(), 2000);
        for (at, due) in due.into_iter().enumerate() {
            assert_eq!(due, Duration::from_millis(at as u64));
        }
    }

    #[test]
    fn what_waits_behind_a_slow_answer_is_charged_with_the_wait() {
        const PAUSE: Duration = Duration::from_millis(200);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut answered = 0;
            // The client sends one request at a time, each in one packet.
            while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {
                if answered == 0 {
                    thread::sleep(PAUSE);
                }
                answered += 1;
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
            }
        });
        let cases = vec![Case { request: Request::get("/", &[]), expected: Expected::Bytes(2) }];
        let target = Target { address, process: Process::this(), cases };
        let latencies = open(&target, 1, 100.0, Duration::from_millis(300)).unwrap();
        assert_eq!(latencies.len(), 30);
        // The one slow answer, and the requests that were due 10, 20, ... 100 ms after it: eleven of thirty waited half
        // the pause or longer. A loop that waits for answers would have counted one.
        let waited = latencies.count_between(PAUSE.as_nanos() as u64 / 2, u64::MAX / 2);
        assert!(waited >= 10, "{waited}");
    }
}
