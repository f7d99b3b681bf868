//! Nodes that a test starts for itself (`tests/cassandra`). They end when it drops them, or with its process, however that ends.

use std::{
    io::Write,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Where the nodes of a test lie and answer.
pub struct Nodes {
    pub folder: PathBuf,
    pub port: u16,
    settings: Vec<(&'static str, &'static str)>,
    /// Its input ends with this, or with the process: it ends the servers that it was told of, and the nodes, then.
    watch: Child,
}

impl Nodes {
    /// A place for up to three nodes of these settings, which are those of `tests/cassandra`.
    pub fn new(name: &str, settings: &[(&'static str, &'static str)]) -> Self {
        let is_free = |port: &u16| (1..=3).all(|node| TcpListener::bind((format!("127.0.0.{node}"), *port)).is_ok());
        let port = (19_742..20_000).step_by(10).find(is_free).unwrap();
        let folder = std::env::temp_dir().join(format!("coldproof-{name}-{}", std::process::id()));
        let settings = settings.to_vec();
        // A process's number may be somebody else's by then.
        let end = "while read -r pid; do pids=\"$pids $pid\"; done
            for pid in $pids; do grep -qx coldproof \"/proc/$pid/comm\" && kill -9 \"$pid\"; done
            exec tests/cassandra stop";
        let mut watch = script(&folder, port);
        watch.args(["-c", end]).stdin(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let watch = watch.spawn().unwrap();
        Self { folder, port, settings, watch }
    }

    /// `tests/cassandra` with these arguments, for these nodes.
    pub fn script(&self, arguments: &[&str]) -> Command {
        let mut shell = script(&self.folder, self.port);
        shell.envs(self.settings.iter().copied());
        shell.args(["-c", "exec tests/cassandra \"$@\"", "tests/cassandra"]).args(arguments);
        shell
    }

    /// Has a server end with the nodes.
    pub fn watch(&mut self, server: u32) {
        writeln!(self.watch.stdin.as_mut().unwrap(), "{server}").unwrap();
    }
}

/// A shell in the checkout.
fn script(folder: &std::path::Path, port: u16) -> Command {
    let mut shell = Command::new("bash");
    shell.current_dir(env!("CARGO_MANIFEST_DIR"));
    shell.env("CASSANDRA_TEST_RUN", folder).env("CASSANDRA_TEST_PORT", port.to_string());
    shell
}
