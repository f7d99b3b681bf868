//! After a failed write the store refuses every further one until it is opened again; reads go on.

use std::{path::Path, process::Command};

use coldproof::store::{Claims, Error, Feed, Records, Verify, local::LocalStore};

use super::{
    load::{self, Task},
    loop_fs, sample,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_fails_stops_all_writes_until_the_store_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let task = Task { first: 0, count: 100_000, writers: 4, close: false };
    let mut child = load::start(folder.path(), task);
    child.wait_for("finished");
    // From here on no file may grow beyond this: the engine's journal soon fails with EFBIG.
    let limited = Command::new("prlimit").args([format!("--pid={}", child.id()), "--fsize=1000000".into()]).status();
    if !limited.is_ok_and(|status| status.success()) {
        println!("skipped: prlimit does not limit the child");
        return;
    }
    child.wait_for("refuses and reads");
    let said = child.kill();
    let failed = load::acknowledged_with_text(&said, "failed");
    assert_eq!(failed.len(), 4, "every writer fails once: {failed:?}");
    assert!(
        failed.iter().all(|failure| failure.contains("not available") || failure.contains("not known")),
        "{failed:?}"
    );

    let store = LocalStore::open(folder.path()).unwrap();
    let (committed, finished) = (load::acknowledged(&said, "committed"), load::acknowledged(&said, "finished"));
    for number in 0..committed.iter().max().unwrap() + 8 {
        load::check(&*store, number, committed.contains(&number), finished.contains(&number)).await.unwrap();
    }
    assert!(store.verify().is_clean());
    assert!(store.swap("again", None, b"").await.unwrap(), "it writes again once opened again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_writes_are_refused_and_reads_go_on() {
    let Some(fs) = loop_fs::available(64) else { return };
    let (folder, ballast) = (fs.path().join("store"), fs.path().join("ballast"));
    let store = LocalStore::open(&folder).unwrap();
    assert!(store.writable());
    fill(&ballast, 4 << 20);
    let mut kept = 0;
    let refused = loop {
        let writes = coldproof::store::Writes { records: vec![sample::record_of(kept, 100_000)], ..Default::default() };
        match store.append(sample::capture(kept, 1), writes).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 10_000, "the disk is never full");
    };
    assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
    assert!(!store.writable(), "what has refused one write says that it takes none");
    std::fs::remove_file(&ballast).unwrap();
    let again = store.swap("claim", None, b"").await;
    assert!(matches!(again, Err(Error::Unavailable(_))), "room alone does not make it go on: {again:?}");
    for number in 0..kept {
        assert_eq!(store.record(sample::record(number).id).await.unwrap(), Some(sample::record_of(number, 100_000)));
    }
    assert!(store.close().await.is_err(), "a store that failed is not closed cleanly");
    drop(store);

    let store = LocalStore::open(&folder).unwrap();
    for number in 0..kept {
        assert!(store.capture(sample::capture(number, 1).id).await.unwrap().is_some(), "capture {number} of {kept}");
    }
    assert!(store.swap("claim", None, b"").await.unwrap());
    assert!(store.verify().is_clean());
    drop(store);
}

/// Leaves so many bytes free.
fn fill(ballast: &Path, free: u64) {
    let output = Command::new("stat").args(["-f", "-c", "%a %S"]).arg(ballast.parent().unwrap()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let bytes = (numbers[0] * numbers[1]).saturating_sub(free);
    std::fs::write(ballast, vec![7; bytes as usize]).unwrap();
}
