//! What operators are given beside the program: it names what there is.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use coldproof::config::{Config, Location};

use crate::demo::Demo;

const MONITORING: &str = include_str!("../../docs/MONITORING.md");
const ALERTS: &str = include_str!("../../deploy/alerts.yml");
const DASHBOARD: &str = include_str!("../../deploy/grafana-dashboard.json");
const COMPOSE: &str = include_str!("../../docker-compose.yml");
const DOCKERFILE: &str = include_str!("../../Dockerfile");
const ENV_EXAMPLE: &str = include_str!("../../.env.example");

/// Names of metrics in a text, without what a histogram adds to its own.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    let named = words.filter(|word| word.starts_with("coldproof_"));
    let plain = |word: &str| {
        let parts = ["_bucket", "_sum", "_count"];
        parts.iter().find_map(|part| word.strip_suffix(part)).unwrap_or(word).to_owned()
    };
    named.map(plain).collect()
}

/// The first column of a table's rows that begin with `prefix`, up to its labels.
fn rows(page: &str, prefix: &str) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(['`', '{']).next());
    rows.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_metric_of_a_running_server_is_explained_and_no_other_is_named_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path()).await;
    let text = reqwest::get(format!("{}/metrics", demo.base_url)).await.unwrap().text().await.unwrap();
    let shown = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    // Requests to a cluster are counted where there is one.
    let shown: BTreeSet<_> = shown.chain(["coldproof_store_requests_total"]).map(str::to_owned).collect();
    assert!(shown.len() > 5, "{text}");
    assert_eq!(rows(MONITORING, "coldproof_"), shown);
    for (name, used) in [("alerts", metrics(ALERTS)), ("dashboard", metrics(DASHBOARD))] {
        assert!(used.len() > 5, "{name}");
        assert_eq!(used.difference(&shown).collect::<Vec<_>>(), Vec::<&String>::new(), "{name}");
    }
}

#[test]
fn every_alert_is_explained_with_its_severity() {
    let rules = ALERTS.split("- alert: ").skip(1);
    let rules: BTreeMap<_, _> = rules
        .map(|rule| {
            let (name, rest) = rule.split_once('\n').unwrap();
            for part in ["expr: ", "severity: ", "summary: "] {
                assert!(rest.contains(part), "{name} has no {part}");
            }
            (name, rest.split("severity: ").nth(1).unwrap().split(' ').next().unwrap())
        })
        .collect();
    assert_eq!(rows(MONITORING, "Coldproof"), rules.keys().map(|name| (*name).to_owned()).collect());
    for (name, severity) in rules {
        assert!(MONITORING.contains(&format!("| `{name}` | {severity} |")), "{name} is explained as {severity}");
    }
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
}

/// The text with what `.env` of the example gives, or the default that stands in it.
fn filled(text: &str) -> String {
    let variables = ENV_EXAMPLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let variables: BTreeMap<_, _> = variables.collect();
    let mut parts = text.split("${");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, rest) = part.split_once('}').unwrap();
        let (name, default) = inside.split_once(":-").or(inside.split_once(":?")).unwrap_or((inside, ""));
        let given = variables.get(name).unwrap_or_else(|| panic!("{name} is not in .env.example"));
        out += if given.is_empty() { default } else { given };
        out += rest;
    }
    out
}

#[test]
fn the_variables_of_the_containers_are_a_configuration() {
    let compose = filled(COMPOSE);
    let variables: Vec<_> = compose
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .filter(|(name, _)| name.starts_with("COLDPROOF_"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert!(variables.len() > 5, "{variables:?}");
    let config = Config::load(None, variables, &[]).unwrap();
    let Location::Cluster { nodes, .. } = &config.store.location else { panic!("{}", config.store.location) };
    for node in nodes {
        assert!(COMPOSE.contains(&format!("\n  {node}:\n")), "{node} is no service");
    }
    let image = DOCKERFILE.lines().map(|line| line.trim().trim_start_matches("ENV ").trim_end_matches(" \\"));
    let image = image.filter_map(|line| line.split_once('=')).filter(|(name, _)| name.starts_with("COLDPROOF_"));
    Config::load(None, image.map(|(name, value)| (name.to_owned(), value.to_owned())), &[]).unwrap();
}

#[test]
fn images_are_pinned_by_version_and_no_secret_stands_in_a_file() {
    let images = COMPOSE.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let bases = DOCKERFILE.lines().filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next());
    let images: Vec<_> = images.chain(bases).collect();
    assert!(images.len() >= 6, "{images:?}");
    for image in images {
        let version = image.split_once(':').unwrap_or_else(|| panic!("{image} has no version")).1;
        assert!(version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.'), "{image}");
    }
    for secret in ["PASSWORD", "KEYRING"] {
        for line in COMPOSE.lines().filter(|line| line.contains(secret) && !line.trim().starts_with('#')) {
            assert!(line.contains("${"), "{line}");
        }
    }
    for line in ENV_EXAMPLE.lines().filter(|line| line.contains("PASSWORD=")) {
        assert!(line.ends_with('='), "{line}");
    }
}

#[test]
fn the_compose_file_parses_where_there_is_a_client_that_can() {
    let client = Command::new("docker").args(["compose", "version"]).output();
    if !client.is_ok_and(|done| done.status.success()) {
        println!("skipped: there is no docker compose");
        return;
    }
    let folder = env!("CARGO_MANIFEST_DIR");
    for profile in ["cassandra", "scylla"] {
        let args = ["compose", "--env-file", ".env.example", "--profile", profile, "config", "--quiet"];
        let done = Command::new("docker").args(args).current_dir(folder).output().unwrap();
        assert!(done.status.success(), "{profile}: {}", String::from_utf8_lossy(&done.stderr));
    }
}
