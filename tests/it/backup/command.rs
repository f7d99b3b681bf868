//! The commands as an operator calls them.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use coldproof::{
    code::{KeyRing, Serial},
    registration::Content,
    service::backup::{BackupReader, payload::Piece},
    store::{Kept, local::LocalStore},
};
use serde_json::Value;

use super::lived;
use crate::demo::{Demo, demo_json};

pub fn coldproof(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coldproof")).args(args).output().unwrap()
}

#[track_caller]
pub fn succeeds(args: &[&str]) -> String {
    let done = coldproof(args);
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{args:?}: {said}");
    said
}

#[track_caller]
pub fn fails(args: &[&str]) -> String {
    let done = coldproof(args);
    assert!(!done.status.success(), "{args:?}");
    String::from_utf8_lossy(&done.stderr).into_owned()
}

pub fn store(folder: &Path) -> String {
    format!("embedded:{}", folder.display())
}

/// Some codes of every run that a backup has.
pub fn codes(backup: &Path, ring: &Path) -> Vec<String> {
    let ring = KeyRing::parse(&fs::read_to_string(ring).unwrap()).unwrap();
    let bytes = fs::read(backup).unwrap();
    let mut reader = BackupReader::new(&bytes[..]).unwrap();
    let mut codes = Vec::new();
    while let Some(piece) = reader.piece().unwrap() {
        let Piece::Kept(Kept::Statement(statement)) = piece else { continue };
        let Content::Run(run) = statement.content else { continue };
        // A split run takes up all serials, so that there is none behind it.
        let serials = (0..8).map(|part| part * (run.count / 8)).chain([run.count - 1, run.count]);
        let key = ring.run_key(run.id).unwrap();
        codes.extend(serials.filter_map(Serial::new).map(|serial| key.code(serial).to_string()));
    }
    codes
}

/// What an inspector is answered for each path: theirs do not count as scans.
pub async fn answers(server: &Demo, key: &str, paths: &[String]) -> Vec<(String, String)> {
    let client = reqwest::Client::new();
    let mut answers = Vec::new();
    for path in paths {
        let request = client.get(format!("{}{path}", server.base_url)).header("Accept", "application/json");
        let answer = request.bearer_auth(key).send().await.unwrap();
        let status = answer.status();
        answers.push((path.clone(), format!("{status} {}", answer.text().await.unwrap())));
    }
    answers
}

#[track_caller]
pub fn assert_same(before: &[(String, String)], after: &[(String, String)]) {
    assert_eq!(before.len(), after.len());
    for ((path, before), (_, after)) in before.iter().zip(after) {
        let at = before.bytes().zip(after.bytes()).take_while(|(one, other)| one == other).count();
        let around = |text: &str| text.chars().skip(at.saturating_sub(200)).take(400).collect::<String>();
        assert!(before == after, "{path} from {at} on:\n{}\n{}", around(before), around(after));
    }
}

#[tokio::test]
async fn a_demo_that_was_backed_up_while_it_served_answers_every_scan_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let file = folder.path().join("monday.cpb");
    let demo = Demo::start(&old).await;
    let named = demo_json(&old);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for _ in 0..3 {
        demo.scan(&format!("/{}", text(&named["codes"]["genuine"]))).await;
    }
    let said = succeeds(&["backup", "--store", &store(&old), "--to", file.to_str().unwrap()]);
    assert!(said.contains("captures") && said.contains("key ring is not in it"), "{said}");
    assert!(fails(&["backup", "--store", &store(&old), "--to", file.to_str().unwrap()]).contains("is there already"));
    let mut paths: Vec<_> = codes(&file, &old.join("keyring.toml")).iter().map(|code| format!("/{code}")).collect();
    assert!(paths.len() > 100, "{}", paths.len());
    paths.extend(named["codes"].as_object().unwrap().values().map(|code| format!("/{}", text(code))));
    paths.extend((1..=20).map(|batch| format!("/batch/{batch}")));
    let inspector = text(&named["keys"]["inspector"]);
    let before = answers(&demo, &inspector, &paths).await;
    drop(demo);

    let said = succeeds(&["restore", "--from", file.to_str().unwrap(), "--check"]);
    assert!(said.contains("is whole"), "{said}");
    let ring = old.join("keyring.toml");
    let restore = ["restore", "--from", file.to_str().unwrap(), "--store", &store(&new)];
    assert!(fails(&[&restore[..], &["--keyring", "absent.toml"]].concat()).contains("absent.toml"));
    let said = succeeds(&[&restore[..], &["--keyring", ring.to_str().unwrap()]].concat());
    assert!(said.contains("quarantine") && said.contains("put your copy at"), "{said}");
    let again = fails(&restore);
    assert!(again.contains("has a store already"), "{again}");
    fs::copy(ring, new.join("keyring.toml")).unwrap();
    let server = Demo::run(&["serve", "--store", &store(&new), "--set", "rate.loopback_exempt=true"]).await;
    let after = answers(&server, &inspector, &paths).await;
    assert_same(&before, &after);
    let scan = server.scan(&format!("/{}", text(&named["codes"]["genuine"]))).await;
    assert_eq!(scan["scans"]["count"], 4, "{scan}");

    succeeds(&["audit", "--store", &store(&new)]);
    let batch = named["batch"].to_string();
    let refused = fails(&["issue", "--store", &store(&new), "--batch", &batch, "--count", "10"]);
    assert!(refused.contains("--release"), "{refused}");
    let refused = fails(&["restore", "--release", "--store", &store(&new), "--fresh-key"]);
    assert!(refused.contains("is not fresh"), "{refused}");
    drop(server);
    succeeds(&["keygen", "--store", &store(&new), "--rotate"]);
    let said = succeeds(&["restore", "--release", "--store", &store(&new), "--fresh-key"]);
    assert!(said.contains("slot 1"), "{said}");
    let issued = succeeds(&["issue", "--store", &store(&new), "--batch", &batch, "--count", "10", "--form", "code"]);
    assert!(issued.lines().next().unwrap().starts_with('1'), "{issued}");
    succeeds(&["audit", "--store", &store(&new)]);

    let last = folder.path().join("last.cpb");
    let said = succeeds(&["backup", "--store", &store(&new), "--to", last.to_str().unwrap(), "--final"]);
    assert!(said.contains("is retired"), "{said}");
    let refused = fails(&["issue", "--store", &store(&new), "--batch", &batch, "--count", "10"]);
    assert!(refused.contains("retired by a final backup"), "{refused}");
    let server = Demo::run(&["serve", "--store", &store(&new), "--set", "rate.loopback_exempt=true"]).await;
    let scan = server.scan(&format!("/{}", text(&named["codes"]["genuine"]))).await;
    assert_eq!(scan["verdict"], "genuine");
    succeeds(&["restore", "--from", last.to_str().unwrap(), "--check"]);
}

#[test]
fn arguments_that_do_not_go_together_are_refused() {
    for args in [
        &["restore"][..],
        &["restore", "--release", "--store", "embedded:x"],
        &["restore", "--from", "x", "--release", "--fresh-key"],
        &["restore", "--from", "x", "--fresh-key"],
        &["restore", "--release", "--fresh-key", "--past-run", "000001"],
        &["restore", "--check"],
    ] {
        assert_eq!(coldproof(args).status.code(), Some(2), "{args:?}");
    }
}

#[tokio::test]
async fn a_restore_that_is_killed_leaves_nothing_that_opens_as_a_store() {
    let (app, ..) = lived().await;
    let backup = app.backup().await;
    let folder = tempfile::tempdir().unwrap();
    let (pipe, new) = (folder.path().join("pipe"), folder.path().join("new"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = Command::new(env!("CARGO_BIN_EXE_coldproof"))
        .args(["restore", "--from", pipe.to_str().unwrap(), "--store", &store(&new)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It waits for the rest, which never comes.
    let mut into = File::options().write(true).open(&pipe).unwrap();
    into.write_all(&backup[..backup.len() / 2]).unwrap();
    while !new.join("head").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let refused = LocalStore::open(&new).err().unwrap().to_string();
    assert!(refused.contains("was not finished"), "{refused}");
    let file = folder.path().join("whole");
    fs::write(&file, &backup).unwrap();
    let again = ["restore", "--from", file.to_str().unwrap(), "--store", &store(&new)];
    assert!(fails(&again).contains("was not finished"));
    fs::remove_dir_all(&new).unwrap();
    succeeds(&again);
    LocalStore::open(&new).unwrap();
}
