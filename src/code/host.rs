//! Hosts of links: names that the service answers to.

use std::fmt;
use std::str::FromStr;

/// A link's authority in lower case: a DNS name or an address, and a port where it is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(String);

/// Why a text is not a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing, or more than a DNS name and a port can be.
    #[error("host: {found} characters found where 1 to 253 are expected")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// A character that a host may not hold.
    #[error(
        "host: character {found:?} at position {position} is none of a-z, 0-9, hyphen, dot and the colon before a port"
    )]
    Character {
        /// The first one that does not belong there.
        found: char,
        /// Its place, counted in characters from 1.
        position: usize,
    },
    /// An empty label, or one of more than 63 characters, or one with a hyphen at an end.
    #[error("host: label {found:?} is empty, longer than 63 characters or has a hyphen at an end")]
    Label {
        /// The label.
        found: String,
    },
    /// What follows the colon is no port.
    #[error("host: port {found:?} found where 1 to 65535 is expected")]
    Port {
        /// What was found.
        found: String,
    },
}

impl Host {
    /// Lower case, with a port where one was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads a host in either case: RFC 1123 labels or an IPv4 address, and an optional port.
impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if text.is_empty() || text.len() > 253 {
            return Err(HostError::Length { found: text.chars().count() });
        }
        let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | ':');
        if let Some((at, found)) = text.chars().enumerate().find(|(_, character)| !allowed(*character)) {
            return Err(HostError::Character { found, position: at + 1 });
        }
        let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
        let wrong = |label: &&str| !matches!(label.len(), 1..=63) || label.starts_with('-') || label.ends_with('-');
        if let Some(label) = name.split('.').find(wrong) {
            return Err(HostError::Label { found: label.to_owned() });
        }
        let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number > 0 && !port.starts_with('0'));
        match port {
            Some(port) if !is_port(port) => Err(HostError::Port { found: port.to_owned() }),
            _ => Ok(Self(text.to_ascii_lowercase())),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_in_either_case() {
        for text in ["demo.coldproof.example", "DEMO.ColdProof.example", "192.168.1.5:8080", "localhost:80", "g1.cn"] {
            assert_eq!(text.parse::<Host>().unwrap().as_str(), text.to_ascii_lowercase());
        }
    }

    #[test]
    fn what_is_no_host_says_why() {
        let error = |text: &str| text.parse::<Host>().unwrap_err();
        assert_eq!(error(""), HostError::Length { found: 0 });
        assert_eq!(error("a/b"), HostError::Character { found: '/', position: 2 });
        assert_eq!(error("a..b"), HostError::Label { found: String::new() });
        assert_eq!(error("-a.b"), HostError::Label { found: "-a".to_owned() });
        for port in ["", "0", "65536", "1:2", "080"] {
            assert_eq!(error(&format!("a.b:{port}")), HostError::Port { found: port.to_owned() });
        }
    }
}
