//! `[store]`.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Error, Result};

/// The folder of a server whose store is a cluster, where none is given.
const FOLDER: &str = "./data";

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Which store, and where.
    pub location: Location,
    /// The folder of what is not in the store, as given; see [`Store::folder`].
    folder: PathBuf,
    /// Who logs in at a cluster; empty where it asks nobody.
    pub user: String,
    /// With what.
    pub password: Secret,
    /// Certificates of whoever signs those of a cluster's nodes, as PEM; empty for connections that are not encrypted.
    pub tls_ca: PathBuf,
    /// The data center whose nodes are asked; empty where there is but one.
    pub data_center: String,
    /// Replicas by data center, for a keyspace that is made; none for three, or as many as there are nodes.
    replication: Vec<String>,
    /// How long a server of a cluster may hear nothing of what others write before it confirms no safety any more, in
    /// milliseconds.
    pub unconfirmed_after_ms: i64,
    /// Whether a cluster is taken that may lose what it acknowledged.
    pub accept_data_loss: bool,
}

impl Store {
    /// The folder of this server: the embedded store's own, or what a server of a cluster keeps by itself.
    pub fn folder(&self) -> &Path {
        match &self.location {
            _ if !self.folder.as_os_str().is_empty() => &self.folder,
            Location::Embedded(folder) => folder,
            Location::Cluster { .. } => Path::new(FOLDER),
        }
    }

    /// Replicas by data center.
    pub fn replication(&self) -> Vec<(String, u32)> {
        self.replication.iter().filter_map(|text| replicas(text)).collect()
    }

    pub(super) fn check(&self) -> Result<()> {
        if let Location::Embedded(folder) = &self.location
            && !self.folder.as_os_str().is_empty()
        {
            let expected = format!("the embedded store has everything in {}; leave it empty", folder.display());
            return Err(Error::range("store.folder", self.folder.display(), expected));
        }
        if let Some(wrong) = self.replication.iter().find(|text| replicas(text).is_none()) {
            let expected = "expected DATACENTER:REPLICAS, such as dc1:3, with 1 to 15 replicas";
            return Err(Error::range("store.replication", wrong, expected));
        }
        if !(1_000..=600_000).contains(&self.unconfirmed_after_ms) {
            return Err(Error::range(
                "store.unconfirmed_after_ms",
                self.unconfirmed_after_ms,
                "expected 1000 to 600000",
            ));
        }
        if self.user.is_empty() != self.password.0.is_empty() {
            let found = if self.user.is_empty() { "empty" } else { "set" };
            return Err(Error::range("store.user", found, "expected both user and password, or neither"));
        }
        Ok(())
    }
}

/// `dc1:3`.
fn replicas(text: &str) -> Option<(String, u32)> {
    let (name, replicas) = text.split_once(':')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    let replicas = replicas.parse().ok().filter(|replicas| (1..=15).contains(replicas))?;
    is_name.then(|| (name.to_owned(), replicas))
}

/// A text that is shown nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(pub Zeroizing<String>);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Which store, and where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Location {
    /// `embedded:DIR`: a folder of this machine, for one process at a time.
    Embedded(PathBuf),
    /// `cql://HOST[:PORT][,HOST[:PORT]...]/KEYSPACE`: a keyspace of an Apache Cassandra or ScyllaDB cluster.
    Cluster {
        /// Nodes that are asked first.
        nodes: Vec<String>,
        /// Its name.
        keyspace: String,
    },
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(folder) => write!(f, "embedded:{}", folder.display()),
            Self::Cluster { nodes, keyspace } => write!(f, "cql://{}/{keyspace}", nodes.join(",")),
        }
    }
}

/// Of a keyspace: what CQL takes without quotes.
fn is_keyspace(name: &str) -> bool {
    let mut letters = name.bytes();
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_')
        && name.len() <= 48
}

fn cluster(text: &str) -> Option<Location> {
    let (nodes, keyspace) = text.split_once('/')?;
    let is_node = |node: &str| !node.is_empty() && !node.contains(|c: char| c.is_whitespace() || "/@?#".contains(c));
    let nodes: Vec<_> = nodes.split(',').map(str::to_owned).collect();
    let right = nodes.iter().all(|node| is_node(node)) && is_keyspace(keyspace);
    right.then(|| Location::Cluster { nodes, keyspace: keyspace.to_owned() })
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Location, String> {
        let parsed = match text.split_once(':') {
            Some(("embedded", folder)) if !folder.is_empty() => Some(Location::Embedded(folder.into())),
            Some(("cql", rest)) => rest.strip_prefix("//").and_then(cluster),
            _ => None,
        };
        parsed.ok_or_else(|| {
            format!(
                "{text:?} is not a store: expected embedded:DIR or cql://HOST[,HOST...]/KEYSPACE, the keyspace of up to \
                 48 small letters, digits and underscores"
            )
        })
    }
}

impl TryFrom<String> for Location {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Location, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_and_written_alike_and_nothing_else_is_one() {
        for text in ["embedded:./data", "cql://a/k", "cql://10.0.0.1:9142,b.example,[::1]:9042/cold_proof2"] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), text);
        }
        for text in
            ["", "embedded:", "cql:a/k", "cql://a", "cql:///k", "cql://a,/k", "cql://a/", "cql://a/K", "cql://a/1k"]
        {
            assert!(text.parse::<Location>().is_err(), "{text}");
        }
        assert!("cql://user@a/k".parse::<Location>().is_err(), "a login belongs in no address");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::from("hush".to_owned())), "Secret(..)");
    }
}
