//! `[server]`.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use axum::http::HeaderName;
use ipnet::IpNet;
use serde::Deserialize;

use super::{Error, Result};
use crate::code::{Host, LinkScheme};

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
    #[serde(deserialize_with = "hosts")]
    pub host_aliases: Vec<Host>,
    /// Scheme of links in answers and on labels.
    pub link_scheme: LinkScheme,
    /// Proxies whose word about a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The one header in which they speak.
    pub proxy_header: ProxyHeader,
    /// The header in which they tell a client's region; `None` (an empty string in the file) where they tell none.
    #[serde(deserialize_with = "header_or_empty")]
    pub region_header: Option<HeaderName>,
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

fn host_or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Host>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

fn header_or_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<HeaderName>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    let error = |_| serde::de::Error::custom(format!("found {text:?}, expected the name of a header"));
    text.parse().map(Some).map_err(error)
}

fn hosts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<Host>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
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
