//! A load of known content, run by this test binary as its own child so that it can be killed, and the check of what
//! must be there afterwards.

use std::{
    env, fs,
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use coldproof::{
    registration::{Kind, Parent},
    store::{Chunk, Claims, Feed, Store, Writer, Writes, local::LocalStore},
    trace::{BatchId, Record, RecordId, Subject},
};

use super::sample;

/// Where the child finds what to do.
const TASK: &str = "COLDPROOF_STORE_TASK";

/// What the child is to do in a folder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    /// Number of its first capture.
    pub first: u64,
    /// How many captures each writer makes.
    pub count: u64,
    /// How many write at the same time; each takes every so many-th number.
    pub writers: u64,
    /// Whether it closes the store when it is done, or waits to be killed.
    pub close: bool,
}

/// Runs this binary's test `name` as a child with an environment of its own.
pub fn child(name: &str, env: &[(&str, String)]) -> Command {
    // A file over its limit is then an error and not the end of the process.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(env::current_exe().unwrap());
    command.args([name, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    command.envs(env.iter().map(|(name, value)| (*name, value.as_str())));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null());
    command
}

/// A load under way; what it says is read all the time, so that it never waits for its reader.
pub struct Running {
    child: Child,
    heard: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Drop for Running {
    /// A test that fails leaves no child behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a load on a folder.
pub fn start(folder: &Path, task: Task) -> Running {
    run(&mut child("store::load::the_child_that_loads", &[(TASK, task.to_line(folder))]))
}

/// Starts a child and listens to it.
pub fn run(command: &mut Command) -> Running {
    let mut child = command.spawn().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (mut out, sink) = (child.stdout.take().unwrap(), Arc::clone(&heard));
    let reader = thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = out.read(&mut bytes) {
            sink.lock().unwrap().extend_from_slice(&bytes[..read]);
        }
    });
    Running { child, heard, reader }
}

impl Running {
    /// Waits until the child has said a line that begins so.
    pub fn wait_for(&mut self, line: &str) {
        let line = format!("> {line}");
        while !self.heard.lock().unwrap().windows(line.len()).any(|window| window == line.as_bytes()) {
            assert!(self.child.try_wait().unwrap().is_none(), "the child ended: {}", self.lossy());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The whole lines that it has said by now.
    pub fn heard(&self) -> Vec<String> {
        let text = self.lossy();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().filter_map(|line| line.strip_prefix("> ").map(str::to_owned)).collect()
    }

    /// Kills the child, if it lives, and gives the whole lines that it said.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.end()
    }

    /// Waits for the child's end and gives the whole lines that it said.
    pub fn end(mut self) -> Vec<String> {
        self.child.wait().unwrap();
        while !self.reader.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        self.heard()
    }

    fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

impl Task {
    fn to_line(self, folder: &Path) -> String {
        let Self { first, count, writers, close } = self;
        format!("{first} {count} {writers} {close} {}", folder.display())
    }
}

/// Numbers of the captures that were acknowledged, and which of them were told to be finished.
pub fn acknowledged(said: &[String], word: &str) -> Vec<u64> {
    said.iter().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')?.parse().ok()).collect()
}

/// What follows a word in each line that begins with it.
pub fn acknowledged_with_text(said: &[String], word: &str) -> Vec<String> {
    said.iter().filter_map(|line| line.strip_prefix(word).map(str::to_owned)).collect()
}

/// Says a line to the parent.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // One write, so that a line is whole or not there.
    out.write_all(format!("\n> {line}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of other tests"]
async fn the_child_that_loads() {
    let task = env::var(TASK).unwrap();
    let [first, count, writers, close, folder] = task.splitn(5, ' ').collect::<Vec<_>>()[..] else { panic!("{task}") };
    let number = |text: &str| text.parse::<u64>().unwrap();
    let (first, count, writers) = (number(first), number(count), number(writers));
    let store = LocalStore::open(Path::new(folder)).unwrap();
    say("open");
    let load = (0..writers).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for i in 0..count {
                let number = first + i * writers + writer;
                if let Err(error) = put(&*store, number, writer).await {
                    say(&format!("failed {number} {error}"));
                    return false;
                }
            }
            true
        })
    });
    let whole = futures_util::future::join_all(load.collect::<Vec<_>>()).await;
    if whole.into_iter().any(|whole| !whole.unwrap()) {
        let refused = store.swap("after a failure", None, b"").await;
        assert!(matches!(refused, Err(coldproof::store::Error::Unavailable(_))), "{refused:?}");
        assert!(store.capture(sample::load_capture(first).id).await.unwrap().is_some());
        say("refuses and reads");
    }
    if close == "true" {
        store.close().await.unwrap();
        say("closed");
    } else {
        say("ready");
        thread::sleep(Duration::from_secs(60));
    }
}

/// Every third capture is staged and applied in two chunks; all others are atomic. Each also moves a claim on.
pub fn is_large(number: u64) -> bool {
    number % 3 == 2
}

async fn put(store: &dyn Store, number: u64, writer: u64) -> coldproof::store::Result<()> {
    let writes = sample::writes(number);
    if is_large(number) {
        let (head, tail) = writes.records.split_at(1);
        let capture = coldproof::store::Capture { chunks: 2, finished_ms: None, ..sample::load_capture(number) };
        store.stage(capture.id, 0, head).await?;
        store.stage(capture.id, 1, tail).await?;
        let statements = Writes { statements: writes.statements.clone(), ..Writes::default() };
        store.append(capture.clone(), statements).await?;
        say(&format!("committed {number}"));
        let first = Writes { records: head.to_vec(), entries: writes.entries.clone(), ..Writes::default() };
        store.apply(capture.id, 0, first).await?;
        store.apply(capture.id, 1, Writes { records: tail.to_vec(), ..Writes::default() }).await?;
        store.finish(capture.id, 5).await?;
        say(&format!("finished {number}"));
    } else {
        store.append(sample::load_capture(number), writes).await?;
        say(&format!("committed {number}"));
        say(&format!("finished {number}"));
    }
    let name = format!("writer/{writer}");
    let now = store.claim(&name).await?;
    assert!(store.swap(&name, now.as_deref(), &number.to_be_bytes()).await?);
    say(&format!("claimed {number}"));
    Ok(())
}

/// Something that is not as it must be, or an error that says so.
#[derive(Debug)]
pub enum Found {
    /// The store said that it cannot give what it was asked.
    Error(coldproof::store::Error),
    /// The store gave something else than was written.
    Wrong(String),
}

impl From<coldproof::store::Error> for Found {
    fn from(error: coldproof::store::Error) -> Self {
        Self::Error(error)
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, number: u64, found: &T, expected: &T) -> Result<(), Found> {
    if found == expected {
        Ok(())
    } else {
        Err(Found::Wrong(format!("{what} of {number}: {found:?}, not {expected:?}")))
    }
}

/// Checks one capture of the load: all of it if it was acknowledged, all or nothing if it was not.
pub async fn check(store: &dyn Store, number: u64, committed: bool, finished: bool) -> Result<bool, Found> {
    let expected = sample::load_capture(number);
    let writes = sample::writes(number);
    let capture = store.capture(expected.id).await?;
    if committed {
        same("committed", number, &capture.is_some(), &true)?;
    }
    let there = capture.is_some();
    let done = capture.as_ref().is_some_and(|capture| capture.finished_ms.is_some());
    same("finished", number, &(done || !finished), &true)?;
    same("statement", number, &store.statement(Kind::Batch, number).await?.is_some(), &there)?;
    let listed = store.children(&Parent::Consignment(number % 8), Kind::Batch, number.checked_sub(1), 1).await?;
    same("child", number, &listed.contains(&number), &there)?;
    let half_applied = is_large(number) && there && !done;
    if half_applied {
        return Ok(there);
    }
    for record in &writes.records {
        let found: Option<Record> = store.record(record.id).await?;
        same("record", number, &found, &there.then(|| record.clone()))?;
        let ids = store.records_of_event(record.event, 100).await?;
        same("event", number, &ids.contains(&record.id), &there)?;
    }
    for (subject, entry) in &writes.entries {
        let (slice, before) = (coldproof::store::Slice::Whole, entry.place);
        let before = coldproof::trace::Place { event_time_ms: before.event_time_ms - 1, ..before };
        let found = match subject {
            Subject::Batch(_) => store.entries(subject, slice, Some(before), 20).await?,
            _ => store.entries(subject, coldproof::store::Slice::Serial((number % 4096) as u32), None, 100).await?,
        };
        same("entry", number, &found.contains(entry), &there)?;
    }
    if there {
        let chunk = store.chunk(expected.id, 0).await?;
        let ids: Vec<RecordId> = writes.records.iter().map(|record| record.id).collect();
        let ids = if is_large(number) { ids[..1].to_vec() } else { ids };
        same("chunk", number, &chunk, &Some(Chunk::Applied(ids)))?;
    }
    Ok(there)
}

/// Checks that the feed names every capture of `numbers` once and that nothing else is in it.
pub async fn check_feed(store: &dyn Store, mut numbers: Vec<u64>) -> Result<(), Found> {
    let mut expected: Vec<_> = numbers.drain(..).map(|number| sample::load_capture(number).id).collect();
    let (mut named, mut position) = (Vec::new(), 0);
    loop {
        let rows = store.rows(Writer(0), position, 1000).await?;
        let Some(last) = rows.last() else { break };
        position = last.position + 1;
        named.extend(rows.iter().flat_map(|row| row.captures.iter().map(|(id, _)| *id)));
    }
    named.sort();
    expected.sort();
    same("the feed", named.len() as u64, &named, &expected)?;
    let batch = Subject::Batch(BatchId(1));
    store.entries(&batch, coldproof::store::Slice::Whole, None, 10_000).await?;
    Ok(())
}

/// A copy of a folder with its stretches of zeros left out.
pub fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").args(["-r", "--sparse=always"]).arg(from.join(".")).arg(to).status().unwrap();
    assert!(status.success());
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Numbers that look random and can be had again from their seed (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    /// From `COLDPROOF_SEED`, or another each time; printed either way.
    pub fn new() -> Self {
        let fresh =
            || u64::from_be_bytes(sample::digest("seed", u64::from(std::process::id()))[..8].try_into().unwrap());
        let seed = env::var("COLDPROOF_SEED").map_or_else(|_| fresh(), |seed| seed.parse().unwrap());
        println!("COLDPROOF_SEED={seed}");
        Self(seed)
    }
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }
}

/// How many rounds a fault test runs.
pub fn rounds(variable: &str, ordinarily: u64) -> u64 {
    env::var(variable).map_or(ordinarily, |rounds| rounds.parse().unwrap())
}
