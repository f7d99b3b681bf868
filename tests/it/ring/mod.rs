//! Faults of a ring of three nodes under load, through the service's own interface. What was acknowledged is noted, and read
//! back behind each fault by a server that has nothing in memory; each test has a control that must fail.
//!
//! They start a ring of their own (`tests/cassandra`), which ends with the process, and take minutes, so that they are run
//! apart: `cargo test --test it ring:: -- --ignored --nocapture --test-threads 1`. `RING_TEST=long` makes phases longer and rounds
//! more, and asserts how long an answer may take; that says something on a machine that does nothing else.

mod history;
mod load;
mod one_node;
mod several_nodes;
mod two_servers;

use std::{
    collections::BTreeSet,
    process::Stdio,
    time::{Duration, Instant},
};

use scylla::{
    client::session::Session,
    policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy},
    statement::{Consistency, Statement},
};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use crate::{
    cluster::{Cluster, PATIENCE},
    store::{keyspace::Keyspace, nodes::Nodes},
};

/// The ring of this process. One test at a time has it.
static RING: Mutex<Option<Ring>> = Mutex::const_new(None);

/// Three nodes, of which some may be away.
struct Ring {
    place: Nodes,
    nodes: Vec<String>,
    dead: BTreeSet<u32>,
    paused: BTreeSet<u32>,
    /// What is kept three times, and what is kept once: keyspaces take long to make. Nobody drops them; they go with the ring.
    triple: Option<Cluster>,
    single: Option<Cluster>,
}

/// Whether the long form was asked for.
fn is_long() -> bool {
    std::env::var("RING_TEST").is_ok_and(|form| form == "long")
}

/// How long a phase of the load takes.
fn phase(short_s: u64, long_s: u64) {
    std::thread::sleep(Duration::from_secs(if is_long() { long_s } else { short_s }));
}

impl Ring {
    /// The ring, all of it there; started by whoever comes first.
    async fn take() -> MappedMutexGuard<'static, Self> {
        let mut ring = MutexGuard::map(RING.lock().await, |ring| ring.get_or_insert_with(Self::start));
        ring.heal();
        if let Some(cluster) = &mut ring.triple {
            cluster.servers.clear();
        }
        ring
    }

    fn start() -> Self {
        let (dead, paused) = (BTreeSet::new(), BTreeSet::new());
        let mut ring =
            Self { place: Nodes::new("ring", &[]), nodes: Vec::new(), dead, paused, triple: None, single: None };
        ring.nodes = ring.run("group", "start", &["3"]).trim().split(',').map(str::to_owned).collect();
        ring
    }

    /// Runs `tests/cassandra` on this ring; what it printed.
    fn run(&self, sync: &str, command: &str, arguments: &[&str]) -> String {
        let begun = Instant::now();
        let mut script = self.place.script(&[&[command], arguments].concat());
        let done = script.env("CASSANDRA_TEST_SYNC", sync).stderr(Stdio::inherit()).output().unwrap();
        assert!(done.status.success(), "tests/cassandra {command} {arguments:?}");
        println!("{command} {}: {:.1?}", arguments.join(" "), begun.elapsed());
        String::from_utf8(done.stdout).unwrap()
    }

    fn on(&self, command: &str, nodes: &[u32]) {
        self.run("group", command, &words(nodes).iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Kills nodes in one moment.
    fn kill(&mut self, nodes: &[u32]) {
        self.on("kill", nodes);
        self.dead.extend(nodes);
    }

    fn pause(&mut self, node: u32) {
        self.on("pause", &[node]);
        self.paused.insert(node);
    }

    fn go_on(&mut self, node: u32) {
        self.on("continue", &[node]);
        self.paused.remove(&node);
    }

    /// Starts nodes again that were killed, with their commit logs synced in this way from now on.
    fn start_again(&mut self, nodes: &[u32], sync: &str) {
        let words = words(nodes);
        self.run(sync, "start-node", &words.iter().map(String::as_str).collect::<Vec<_>>());
        self.dead.retain(|dead| !nodes.contains(dead));
    }

    fn start_empty(&mut self, node: u32) {
        self.on("start-empty", &[node]);
        self.dead.remove(&node);
    }

    /// Repairs what is kept three times.
    fn repair(&self, node: u32) {
        let keyspace = &self.triple.as_ref().unwrap().keyspace.access.keyspace;
        self.run("group", "repair", &[&node.to_string(), keyspace]);
    }

    /// Brings back what a test that failed left away.
    fn heal(&mut self) {
        for node in self.paused.clone() {
            self.go_on(node);
        }
        let dead: Vec<_> = self.dead.iter().copied().collect();
        if !dead.is_empty() {
            self.start_again(&dead, "group");
        }
    }

    /// So many new servers, and no others, on what is kept three times.
    async fn servers(&mut self, many: usize) -> &mut Cluster {
        let kept = self.triple.take();
        let cluster = self.served(kept, 3, many).await;
        self.triple.insert(cluster)
    }

    /// A new server, and no other, on what is kept once.
    async fn control(&mut self) -> Cluster {
        let kept = self.single.take();
        self.served(kept, 1, 1).await
    }

    async fn served(&mut self, kept: Option<Cluster>, replicas: u32, many: usize) -> Cluster {
        let begun = Instant::now();
        let cluster = match kept {
            Some(mut cluster) => {
                cluster.servers.clear();
                for number in 0..many {
                    cluster.add(number).await;
                }
                cluster
            }
            None => Cluster::on(Keyspace::on(self.nodes.clone(), replicas).await, many).await,
        };
        for server in &cluster.servers {
            self.place.watch(server.id());
        }
        println!("{many} servers where there are {replicas} replicas: {:.1?}", begun.elapsed());
        cluster
    }

    /// Waits until every node answers, and knows that all others do.
    async fn is_whole(&self) {
        let begun = Instant::now();
        let keyspace = &self.triple.as_ref().unwrap().keyspace;
        let (session, name) = (keyspace.session().await, &keyspace.access.keyspace);
        while !all_answer(&session, name).await {
            assert!(begun.elapsed() < PATIENCE * 3, "the ring is not whole");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        println!("the ring was whole after {:.1?}", begun.elapsed());
    }
}

fn words(nodes: &[u32]) -> Vec<String> {
    nodes.iter().map(u32::to_string).collect()
}

/// Whether each of three nodes gets an answer from all of them.
async fn all_answer(session: &Session, keyspace: &str) -> bool {
    let nodes = session.get_cluster_state().get_nodes_info().to_vec();
    for node in &nodes {
        let mut read = Statement::new(format!("SELECT version FROM {keyspace}.schema_versions WHERE list = 0"));
        read.set_consistency(Consistency::All);
        let target = SingleTargetLoadBalancingPolicy::new(NodeIdentifier::Node(std::sync::Arc::clone(node)), None);
        read.set_load_balancing_policy(Some(target));
        read.set_request_timeout(Some(Duration::from_secs(5)));
        if session.query_unpaged(read, ()).await.is_err() {
            return false;
        }
    }
    nodes.len() == 3
}
