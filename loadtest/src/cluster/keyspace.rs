//! A keyspace for one measurement, and servers on it.

use std::{
    fs::{self, OpenOptions},
    path::PathBuf,
    process::{Command, Stdio},
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use scylla::client::{session::Session, session_builder::SessionBuilder};
use tokio::runtime::Runtime;

use super::Site;
use crate::server::{Server, free_address};

/// Nodes, and what the names of keyspaces begin with.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub nodes: Vec<String>,
    name: String,
}

impl FromStr for Cluster {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text:?} found where cql://HOST[:PORT][,HOST...]/NAME is expected");
        let (nodes, name) = text.strip_prefix("cql://").and_then(|rest| rest.split_once('/')).ok_or_else(expected)?;
        let nodes: Vec<_> = nodes.split(',').filter(|node| !node.is_empty()).map(str::to_owned).collect();
        let is_name = !name.is_empty() && name.len() <= 20 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if nodes.is_empty() || !is_name {
            return Err(expected());
        }
        Ok(Self { nodes, name: name.to_owned() })
    }
}

impl Cluster {
    /// A session of one's own, with the driver's defaults: it knows which node has a row.
    pub fn session(&self, runtime: &Runtime) -> Result<Session> {
        let builder = SessionBuilder::new().known_nodes(&self.nodes).tcp_nodelay(true);
        runtime.block_on(builder.build()).with_context(|| self.nodes.join(", "))
    }
}

/// The store of a world: a keyspace that goes when this is dropped, or a folder.
#[derive(Debug)]
pub struct Place {
    bin: PathBuf,
    folder: tempfile::TempDir,
    keyspace: Option<(Cluster, String)>,
}

impl Place {
    /// A keyspace with its tables and a key ring.
    pub fn on_cluster(site: &Site) -> Result<Self> {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let name = format!("{}_{millis}", site.store.name);
        let mut place = Self::embedded(site)?;
        place.keyspace = Some((site.store.clone(), name));
        place.coldproof(0, &["migrate"])?;
        place.coldproof(0, &["keygen"])?;
        Ok(place)
    }

    /// A folder; without a key ring.
    fn embedded(site: &Site) -> Result<Self> {
        ensure!(site.bin.exists(), "{}: no such file; `cargo build --release` makes it", site.bin.display());
        fs::create_dir_all(&site.data)?;
        let folder = tempfile::Builder::new().prefix("cluster-").tempdir_in(&site.data)?;
        Ok(Self { bin: site.bin.clone(), folder, keyspace: None })
    }

    /// A folder with a key ring.
    pub fn in_folder(site: &Site) -> Result<Self> {
        let place = Self::embedded(site)?;
        place.coldproof(0, &["keygen"])?;
        Ok(place)
    }

    /// The keyspace's name; empty for a folder.
    pub fn keyspace(&self) -> &str {
        self.keyspace.as_ref().map_or("", |(_, name)| name)
    }

    fn folder_of(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("server-{number}"))
    }

    fn store(&self, number: usize, nodes: Option<&str>) -> Vec<String> {
        let folder = self.folder_of(number);
        let Some((cluster, name)) = &self.keyspace else {
            return vec!["--store".to_owned(), format!("embedded:{}", folder.display())];
        };
        let nodes = nodes.map_or_else(|| cluster.nodes.join(","), str::to_owned);
        let folder = format!("store.folder={}", folder.display());
        vec!["--store".to_owned(), format!("cql://{nodes}/{name}"), "--set".to_owned(), folder]
    }

    /// Runs a command to its end; what it printed.
    fn coldproof(&self, number: usize, args: &[&str]) -> Result<String> {
        let done = Command::new(&self.bin).args(args).args(self.store(number, None)).output()?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "coldproof {}: {said}", args.join(" "));
        Ok(String::from_utf8(done.stdout)?)
    }

    /// Starts a server with the key ring of the first one; `nodes` are others than the cluster's where they are given. What it
    /// logs goes to a file in its folder.
    pub fn serve(&self, number: usize, nodes: Option<&str>) -> Result<Server> {
        let folder = self.folder_of(number);
        fs::create_dir_all(&folder)?;
        if number > 0 {
            fs::copy(self.folder_of(0).join("keyring.toml"), folder.join("keyring.toml"))?;
        }
        let log = OpenOptions::new().create(true).append(true).open(folder.join("log"))?;
        let address = free_address()?;
        let mut command = Command::new(&self.bin);
        command.args(["serve", "--host", "load.example", "--listen", &address.to_string()]);
        // Many scans of one code are what is measured here, and nobody's misuse.
        for setting in ["rate.loopback_exempt=true", "misuse.item_scans_max=1000000000"] {
            command.args(["--set", setting]);
        }
        command.args(self.store(number, nodes)).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut server = Server::start(command, address)?;
        server.until_ready()?;
        Ok(server)
    }

    /// The text of the key ring.
    pub fn ring(&self) -> Result<String> {
        fs::read_to_string(self.folder_of(0).join("keyring.toml")).context("the key ring")
    }

    /// A key of an admin, by the first server, which is running.
    pub fn admin(&self) -> Result<String> {
        Ok(self.coldproof(0, &["keygen", "--admin"])?.trim().to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((cluster, name)) = &self.keyspace
            && let Ok(runtime) = Runtime::new()
            && let Ok(session) = cluster.session(&runtime)
        {
            // What stays is in nobody's way, and goes with the cluster.
            let _ = runtime.block_on(session.query_unpaged(format!("DROP KEYSPACE IF EXISTS {name}"), ()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_names_nodes_and_a_keyspace() {
        let cluster: Cluster = "cql://127.0.0.1:9042,127.0.0.2/load".parse().unwrap();
        assert_eq!((cluster.nodes.len(), cluster.name.as_str()), (2, "load"));
        for text in ["embedded:x", "cql://", "cql:///load", "cql://a/", "cql://a/b;c"] {
            text.parse::<Cluster>().unwrap_err();
        }
    }
}
