//! Stores of known content whose files are damaged: what is missing or changed is told at the latest by a pass over
//! the store, and never passed over in silence.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use coldproof::store::{Store, local::LocalStore};

use super::load::{self, Chance, Found, Task};

const TASK: &str = "COLDPROOF_STORE_CHECK";
const WRITERS: u64 = 4;
const EACH: u64 = 40;

/// A store whose first half is flushed and whose second half is in its journal, or flushed too.
fn image(closed: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let half = |first, close| Task { first, count: EACH, writers: WRITERS, close };
    let mut first = load::start(folder.path(), half(0, true));
    first.wait_for("closed");
    first.end();
    let mut second = load::start(folder.path(), half(1000, closed));
    second.wait_for(if closed { "closed" } else { "ready" });
    if closed {
        second.end()
    } else {
        second.kill()
    };
    folder
}

/// Every capture of an image.
fn numbers() -> impl Iterator<Item = u64> {
    (0..EACH * WRITERS).chain(1000..1000 + EACH * WRITERS)
}

/// Compares everything in the store with what was written, then lets the store look for itself.
///
/// Says `harmless`, `refused`, `error`, `reported` or `SILENT` first.
async fn judge(folder: &Path) -> String {
    let store = match LocalStore::open(folder) {
        Ok(store) => store,
        Err(error) => return format!("refused: {error}"),
    };
    let compared = compare(&*store).await;
    let report = store.verify();
    match (compared, report.is_clean()) {
        (Ok(()), true) => "harmless".to_owned(),
        (Err(Found::Error(error)), _) => format!("error: {error}"),
        (_, false) => format!("reported: {:?}", report.faults),
        (Err(Found::Wrong(wrong)), true) => format!("SILENT: {wrong}"),
    }
}

async fn compare(store: &dyn Store) -> Result<(), Found> {
    for number in numbers() {
        load::check(store, number, true, true).await?;
    }
    load::check_feed(store, numbers().collect()).await?;
    for writer in 0..WRITERS {
        let last = 1000 + (EACH - 1) * WRITERS + writer;
        let claim = store.claim(&format!("writer/{writer}")).await?;
        if claim.as_deref() != Some(&last.to_be_bytes()) {
            return Err(Found::Wrong(format!("claim of {writer}: {claim:?}")));
        }
    }
    let unfinished = store.unfinished(10).await?;
    if unfinished.is_empty() { Ok(()) } else { Err(Found::Wrong(format!("unfinished: {unfinished:?}"))) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of other tests"]
async fn the_child_that_judges() {
    let verdict = judge(Path::new(&env::var(TASK).unwrap())).await;
    load::say(&verdict.replace('\n', " "));
}

/// What a child of its own finds in a folder: the engine may abort the process, or ask for more memory than there is.
fn verdict(folder: &Path) -> String {
    let task = [(TASK, folder.display().to_string())];
    let said = load::run(&mut load::child("store::damage::the_child_that_judges", &task)).end();
    said.into_iter().next_back().unwrap_or_else(|| "refused: the process aborted".to_owned())
}

/// The bytes of a file that are anything but preallocated space, and a few behind them.
fn used(file: &Path) -> u64 {
    let bytes = fs::read(file).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.len().min(end + 64) as u64
}

fn flip(file: &Path, at: u64, bit: u64) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at as usize] ^= 1 << bit;
    fs::write(file, bytes).unwrap();
}

#[test]
fn one_flipped_bit_anywhere_is_refused_reported_or_harmless_and_never_silent() {
    let mut chance = Chance::new();
    let images = [image(false), image(true)];
    let mut verdicts: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut silent = Vec::new();
    for trial in 0..load::rounds("COLDPROOF_FLIPS", 40) {
        let image = images[usize::from(trial % 4 == 3)].path();
        let folder = tempfile::tempdir().unwrap();
        load::copy_folder(image, folder.path());
        let (file, at, bit) = choose(folder.path(), &mut chance);
        flip(&file, at, bit);
        let verdict = verdict(folder.path());
        let name = file.strip_prefix(folder.path()).unwrap().display().to_string();
        if verdict.starts_with("SILENT") {
            silent.push(format!("{name} byte {at} bit {bit}: {verdict}"));
        }
        let kind = verdict.split(':').next().unwrap_or_default().to_owned();
        *verdicts.entry((name, kind)).or_default() += 1;
    }
    for ((name, kind), count) in verdicts {
        println!("{count:4} {kind:9} {name}");
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// A bit anywhere: half the time of any file alike, half the time of any byte alike.
fn choose(folder: &Path, chance: &mut Chance) -> (PathBuf, u64, u64) {
    let files = load::files(folder).into_iter().filter(|file| !file.ends_with("lock") && used(file) > 0);
    let files: Vec<_> = files.map(|file| (used(&file), file)).collect();
    let (used, file) = if chance.below(2) == 0 {
        files[chance.below(files.len() as u64) as usize].clone()
    } else {
        let mut at = chance.below(files.iter().map(|(used, _)| used).sum());
        files
            .iter()
            .find(|(used, _)| {
                at.checked_sub(*used).is_none_or(|rest| {
                    at = rest;
                    false
                })
            })
            .unwrap()
            .clone()
    };
    (file, chance.below(used), chance.below(8))
}

#[test]
fn an_undamaged_image_is_harmless_and_one_without_its_journal_or_head_is_refused() {
    let image = image(false);
    let damaged = |damage: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        load::copy_folder(image.path(), folder.path());
        damage(folder.path());
        verdict(folder.path())
    };
    assert_eq!(damaged(&|_| {}), "harmless");
    let journal = |folder: &Path| newest_journal(folder);
    let refused = damaged(&|folder| fs::remove_file(journal(folder)).unwrap());
    assert!(refused.starts_with("refused") && refused.contains("the chain of groups is broken"), "{refused}");
    let refused = damaged(&|folder| fs::remove_file(folder.join("head")).unwrap());
    assert!(refused.starts_with("refused") && refused.contains("the file is missing"), "{refused}");
    let refused = damaged(&|folder| fs::remove_dir_all(folder.join("engine")).unwrap());
    assert!(refused.starts_with("refused") && refused.contains("the chain of groups is broken"), "{refused}");
}

fn newest_journal(folder: &Path) -> PathBuf {
    let journals =
        load::files(&folder.join("engine")).into_iter().filter(|file| file.extension().is_some_and(|e| e == "jnl"));
    journals.max_by_key(|file| file.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap()).unwrap()
}

#[test]
fn a_journal_cut_into_what_was_answered_is_refused_and_kept_as_it_was_found() {
    let mut chance = Chance::new();
    let image = image(false);
    for _ in 0..load::rounds("COLDPROOF_TEARS", 6) {
        let folder = tempfile::tempdir().unwrap();
        load::copy_folder(image.path(), folder.path());
        let journal = newest_journal(folder.path());
        let bytes = fs::read(&journal).unwrap();
        let cut = bytes[..(used(&journal) - 64 - 1 - chance.below(2000)) as usize].to_vec();
        fs::write(&journal, &cut).unwrap();
        for _ in 0..2 {
            let refused = verdict(folder.path());
            assert!(refused.starts_with("refused") && refused.contains("the last one answered was"), "{refused}");
        }
        let aside = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let aside = aside.filter(|path| path.display().to_string().contains("journals-")).collect::<Vec<_>>();
        assert_eq!(aside.len(), 1);
        assert_eq!(fs::read(aside[0].join(journal.file_name().unwrap())).unwrap(), cut);
    }
}

/// Makes the last group one that nobody was answered for: the head's newest slot was never written.
fn unanswer_last_group(folder: &Path) {
    let head = folder.join("head");
    let mut bytes = fs::read(&head).unwrap();
    let sequence = |at: usize| u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap());
    let newest = if sequence(0) > sequence(4096) { 0 } else { 4096 };
    bytes[newest..newest + 72].fill(0);
    fs::write(&head, bytes).unwrap();
}

#[test]
fn a_store_torn_in_its_last_write_opens_by_itself_with_all_that_was_answered() {
    let mut chance = Chance::new();
    let image = image(false);
    for _ in 0..load::rounds("COLDPROOF_TEARS", 20) {
        let folder = tempfile::tempdir().unwrap();
        load::copy_folder(image.path(), folder.path());
        unanswer_last_group(folder.path());
        let journal = newest_journal(folder.path());
        let mut bytes = fs::read(&journal).unwrap();
        let end = (used(&journal) - 64) as usize;
        let start = last_batch(&bytes[..end]);
        let how = tear(&mut bytes, start, end, &mut chance);
        fs::write(&journal, &bytes).unwrap();

        let store = LocalStore::open(folder.path()).unwrap_or_else(|error| panic!("{how}: {error}"));
        let report = store.verify();
        assert!(report.is_clean(), "{how}: {report:?}");
        // The last group moved a claim or finished a capture; everything else stands.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let missing = runtime.block_on(async {
            let mut missing = 0;
            for number in numbers() {
                missing += u64::from(!load::check(&*store, number, false, false).await.unwrap());
            }
            missing
        });
        assert!(missing <= WRITERS, "{how}: {missing} captures are missing");
        drop(store);
    }
}

/// Where the last batch begins: its start tag, the count of items (few), the sequence number.
fn last_batch(journal: &[u8]) -> usize {
    let starts = journal
        .windows(13)
        .enumerate()
        .filter(|(_, window)| window[0] == 1 && window[2..5] == [0; 3] && window[8..13] == [0; 5]);
    // A batch begins where the one before ended, with the engine's four bytes.
    starts.filter(|(at, _)| *at == 0 || journal[..*at].ends_with(b"FJL\x03")).map(|(at, _)| at).next_back().unwrap()
}

/// Leaves of the last batch what a machine that stopped half-way may leave.
fn tear(bytes: &mut [u8], start: usize, end: usize, chance: &mut Chance) -> String {
    let length = (end - start) as u64;
    let (from, to) = {
        let (a, b) = (start + chance.below(length) as usize, start + chance.below(length) as usize);
        (a.min(b), a.max(b) + 1)
    };
    match chance.below(4) {
        0 => bytes[from..].fill(0),
        1 => bytes[from..to].fill(0),
        2 => bytes[start..to].fill(0),
        _ => bytes[from..to].iter_mut().for_each(|byte| *byte = chance.below(256) as u8),
    }
    format!("batch {start}..{end} torn at {from}..{to}")
}
