//! A cluster that asks who one is, on connections that are encrypted: what gets in, and what each refusal says.

use std::process::{Command, Output};

use super::{keyspace::nodes, nodes::Nodes};

const PASSWORD: &str = "cassandra";

/// `coldproof migrate` with these settings and, where there is one, this password.
fn migrate(port: u16, settings: &[String], password: &str) -> Output {
    let mut migrate = Command::new(env!("CARGO_BIN_EXE_coldproof"));
    migrate.args(["migrate", "--store", &format!("cql://127.0.0.1:{port}/coldproof")]);
    migrate.args(settings.iter().flat_map(|setting| ["--set", setting]));
    if !password.is_empty() {
        migrate.env("COLDPROOF_STORE_PASSWORD", password);
    }
    migrate.output().unwrap()
}

#[test]
fn a_cluster_that_asks_for_a_login_over_tls_is_used_and_each_refusal_says_what_to_do() {
    if nodes().is_none() {
        return;
    }
    let own = Nodes::new("login", &[("CASSANDRA_TEST_AUTH", "password"), ("CASSANDRA_TEST_TLS", "yes")]);
    assert!(own.script(&["start"]).status().unwrap().success());
    let (user, ca) =
        ("store.user=cassandra".to_owned(), |file: &str| format!("store.tls_ca={}", own.folder.join(file).display()));
    let refused = |settings: &[String], password: &str, says: &str| {
        let done = migrate(own.port, settings, password);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && said.contains(says), "{settings:?}: {said}");
        assert!(password.len() < 10 || !said.contains(password), "{said}");
    };
    refused(std::slice::from_ref(&user), PASSWORD, "check store.location and store.tls_ca");
    // The node's own certificate signs nothing.
    refused(&[user.clone(), ca("node1/certificate.pem")], PASSWORD, "check store.location and store.tls_ca");
    refused(&[user.clone(), ca("ca.key")], PASSWORD, "ca.key: there is no certificate in it");
    refused(&[user.clone(), ca("absent.pem")], PASSWORD, "absent.pem: ");
    refused(&[ca("ca.pem")], "", "asks for a login: set store.user and COLDPROOF_STORE_PASSWORD");
    refused(&[user.clone(), ca("ca.pem")], "wrong-password", "refused the user \"cassandra\": check store.user and");

    let done = migrate(own.port, &[user, ca("ca.pem")], PASSWORD);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("has version"));
}
