//! `coldproof demo` as a user runs it: the binary, a folder, and HTTP over the loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod history;

use std::{
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

/// A running server.
pub struct Demo {
    process: Child,
    pub base_url: String,
}

impl Demo {
    /// Starts a demo on a free port and waits until it answers.
    pub async fn start(folder: &Path) -> Demo {
        Self::run(&["demo", "--data", folder.to_str().unwrap()]).await
    }

    /// Starts a server with these arguments on a free port and waits until it answers.
    pub async fn run(args: &[&str]) -> Demo {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_coldproof"))
            .args(args)
            .args(["--listen", &free.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let base_url = format!("http://{free}");
        while reqwest::get(format!("{base_url}/readyz")).await.is_err() {
            assert!(process.try_wait().unwrap().is_none(), "the demo ended before it answered");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Demo { process, base_url }
    }

    pub async fn scan(&self, path: &str) -> Value {
        let request =
            reqwest::Client::new().get(format!("{}{path}", self.base_url)).header("Accept", "application/json");
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn demo_json(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("demo.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_demo_answers_as_its_file_says_and_is_served_again_without_being_filled_again() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path()).await;
    let named = demo_json(folder.path());
    assert_eq!(named["base_url"], demo.base_url.as_str());
    let mode = std::fs::metadata(folder.path().join("demo.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for (name, verdict) in [
        ("genuine", "genuine"),
        ("warm", "genuine"),
        ("forged", "forged"),
        ("recalled", "recalled"),
        ("copied", "suspicious"),
    ] {
        let scan = demo.scan(&format!("/{}", named["codes"][name].as_str().unwrap())).await;
        assert_eq!((scan["verdict"].as_str(), scan["genuine"].as_bool()), (Some(verdict), Some(verdict != "forged")));
        assert_eq!(scan["verdicts"].as_array().unwrap().len(), 1, "{name}");
        assert_ne!(scan["batch"]["id"], named["batch"], "{name} is of another batch");
    }
    let client = reqwest::Client::new();
    let run = format!("{}/v1/runs/{}/codes?form=code", demo.base_url, named["run"].as_str().unwrap());
    let codes = client.get(run).bearer_auth(named["keys"]["importer"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(codes.text().await.unwrap().lines().count(), 1_000);
    drop(demo);

    let again = Demo::start(folder.path()).await;
    let mut moved = named.clone();
    moved["base_url"] = again.base_url.as_str().into();
    assert_eq!(demo_json(folder.path()), moved, "the same keys and codes");
    let scan = again.scan(&format!("/{}", named["codes"]["genuine"].as_str().unwrap())).await;
    assert_eq!(scan["verdict"], "genuine");
}

#[test]
fn a_folder_with_something_else_in_it_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "mine").unwrap();
    let args = ["demo", "--listen", "127.0.0.1:0", "--data"];
    let done = Command::new(env!("CARGO_BIN_EXE_coldproof")).args(args).arg(folder.path()).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8(done.stderr).unwrap().contains("something else"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
