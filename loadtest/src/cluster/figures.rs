//! What a server says that it asked of its store, by table and kind.

use std::{collections::BTreeMap, fmt, net::SocketAddr};

use anyhow::{Context, Result};

use crate::http::{Client, Request};

const METRIC: &str = "coldproof_store_requests_total{";

/// Requests by kind and table.
#[derive(Clone, Debug, Default)]
pub struct Requests(BTreeMap<(String, String), f64>);

impl Requests {
    /// All since the start of the server at an address. The connection is a new one: a server hangs up one that says nothing.
    pub fn read(address: SocketAddr) -> Result<Self> {
        let mut client = Client::connect(address)?;
        let text = String::from_utf8(client.expect(&Request::get("/metrics", &[]), 200)?.to_vec())?;
        text.lines().filter_map(|line| line.strip_prefix(METRIC)).map(request).collect::<Result<_>>().map(Self)
    }

    /// Those that came behind `before`.
    pub fn since(mut self, before: &Self) -> Self {
        for (of, count) in &mut self.0 {
            *count -= before.0.get(of).copied().unwrap_or_default();
        }
        self
    }

    /// Adds another server's.
    pub fn add(&mut self, other: Self) {
        for (of, count) in other.0 {
            *self.0.entry(of).or_default() += count;
        }
    }

    /// How many there are of a kind.
    pub fn of_kind(&self, kind: &str) -> f64 {
        self.0.iter().filter(|((of, _), _)| of == kind).map(|(_, count)| count).sum()
    }

    /// How many there are of a kind on a table.
    pub fn of(&self, kind: &str, table: &str) -> f64 {
        self.0.get(&(kind.to_owned(), table.to_owned())).copied().unwrap_or_default()
    }
}

/// Each kind and table with its count, those that were asked.
impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = self.0.iter().filter(|(_, count)| **count > 0.0);
        let words: Vec<_> = asked.map(|((kind, table), count)| format!("{kind} {table} {count}")).collect();
        write!(f, "{}", words.join(", "))
    }
}

fn request(line: &str) -> Result<((String, String), f64)> {
    let parse = || {
        let (labels, count) = line.split_once("} ")?;
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\""))?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        Some(((label("kind")?, label("table")?), count.trim().parse().ok()?))
    };
    parse().with_context(|| format!("{METRIC}{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_kind_and_a_table() {
        let line = |count| format!("table=\"ledgers\",kind=\"read\"}} {count}");
        let requests = |count| Requests([request(&line(count)).unwrap()].into());
        let since = requests(12).since(&requests(5));
        assert_eq!((since.of_kind("read"), since.of("read", "ledgers"), since.of_kind("swap")), (7.0, 7.0, 0.0));
        assert_eq!(since.to_string(), "read ledgers 7");
        request("table=\"x\"} y").unwrap_err();
    }
}
