//! `[server]`.

use std::{collections::HashSet, fmt, net::SocketAddr, str::FromStr, time::Duration};

use ipnet::IpNet;
use serde::Deserialize;

use super::{Error, Result};

/// Longest host name, in bytes (RFC 1035, 2.3.4, without the root's dot).
const HOST_BYTES_MAX: usize = 253;
/// Longest label of a host name, in bytes (RFC 1035, 2.3.4).
const HOST_LABEL_BYTES_MAX: usize = 63;

/// Sockets, names and times of the HTTP service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port of the HTTP service.
    pub listen: SocketAddr,
    /// Canonical host of every link; `None` (an empty string in the file) takes the store's.
    #[serde(deserialize_with = "host_or_empty")]
    pub host: Option<Host>,
    /// Other hosts under which links are resolved.
    pub host_aliases: Vec<Host>,
    /// Scheme of links in answers and on labels.
    pub link_scheme: LinkScheme,
    /// Proxies whose word about a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The one header in which they speak.
    pub proxy_header: ProxyHeader,
    /// Connections open at once.
    pub connections_max: usize,
    /// For a request's head, and between two pieces of its body.
    receive_timeout_ms: u64,
    /// From the request to the head of its answer.
    answer_timeout_ms: u64,
    /// For accepted requests to finish after a signal.
    shutdown_timeout_ms: u64,
}

impl Server {
    /// Time for a request's head to arrive, and between two pieces of its body.
    pub fn receive_timeout(&self) -> Duration {
        Duration::from_millis(self.receive_timeout_ms)
    }

    /// Time from the request to the head of its answer.
    pub fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_timeout_ms)
    }

    /// Time for accepted requests to finish after a signal.
    pub fn shutdown_timeout(&self) -> Duration {
        Duration::from_millis(self.shutdown_timeout_ms)
    }

    pub(super) fn check(&self) -> Result<()> {
        if let Some(network) = self.trusted_proxies.iter().find(|network| network.prefix_len() == 0) {
            let expected = "the network of all addresses would let every client choose its own address";
            return Err(Error::range("server.trusted_proxies", network, expected));
        }
        let mut names: HashSet<&Host> = self.host.iter().collect();
        if let Some(twice) = self.host_aliases.iter().find(|alias| !names.insert(alias)) {
            return Err(Error::range("server.host_aliases", twice, "expected each host once, server.host apart"));
        }
        if self.connections_max == 0 {
            return Err(Error::range("server.connections_max", 0, "expected at least 1"));
        }
        for (key, value) in [
            ("server.receive_timeout_ms", self.receive_timeout_ms),
            ("server.answer_timeout_ms", self.answer_timeout_ms),
        ] {
            if value == 0 {
                return Err(Error::range(key, 0, "expected at least 1"));
            }
        }
        if self.shutdown_timeout_ms < self.answer_timeout_ms {
            let expected = format!(
                "expected at least server.answer_timeout_ms ({}), or accepted requests would be cut",
                self.answer_timeout_ms
            );
            return Err(Error::range("server.shutdown_timeout_ms", self.shutdown_timeout_ms, expected));
        }
        Ok(())
    }
}

/// A host name as it stands in links: lower case, letters, digits, hyphens and dots, with a port where it has one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Host(String);

impl Host {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Host, String> {
        let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
        let is_label = |label: &str| {
            (1..=HOST_LABEL_BYTES_MAX).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        let port_is_valid = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if name.len() <= HOST_BYTES_MAX && name.split('.').all(is_label) && port_is_valid {
            Ok(Host(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} is not a host: expected lower-case labels of letters, digits and hyphens, and dots between them"
            ))
        }
    }
}

impl TryFrom<String> for Host {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Host, String> {
        text.parse()
    }
}

fn host_or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Host>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Scheme of links in answers and on labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkScheme {
    /// For a phone in the same room as a demo.
    Http,
    /// For everything else.
    Https,
}

impl LinkScheme {
    /// The scheme, lower case, without `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkScheme::Http => "http",
            LinkScheme::Https => "https",
        }
    }
}

/// The header in which trusted proxies name their client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For: client, proxy, proxy`.
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239).
    Forwarded,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_lower_case_names_with_or_without_a_port() {
        for good in ["example.com", "demo.coldproof.example", "localhost", "127.0.0.1:8080", "a-b.cn"] {
            assert_eq!(good.parse::<Host>().unwrap().as_str(), good);
        }
        for bad in ["", "Example.com", "a..b", "-a.b", "a.b-", "a b", "https://a", "a:0", "a:65536", "a/b", "食品.cn"]
        {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
        assert!("a".repeat(64).parse::<Host>().is_err());
    }
}
