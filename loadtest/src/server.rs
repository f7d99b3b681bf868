//! The processes that are measured: started, waited for, stopped.

use std::{
    fs::{self, OpenOptions},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    http::{Client, Request},
    process::Process,
};

/// Filling the full demo's folder is the longest that anybody waits for.
const READY_MAX: Duration = Duration::from_secs(300);
/// A clean stop is over sooner, or it hangs.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Between two looks at whether it is ready: well below every figure that is measured so.
const LOOK_PAUSE: Duration = Duration::from_millis(1);

/// Which binary is measured, and where it keeps its demo's world.
#[derive(Clone, Debug, clap::Args)]
pub struct Place {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/coldproof", value_name = "FILE")]
    pub bin: PathBuf,
    /// Folder of the demo's world; filled first where it is new. One for each scale.
    #[arg(long, default_value = "target/loadtest", value_name = "DIR")]
    pub data: PathBuf,
}

/// How much of a world the demo makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// 20 batches.
    Small,
    /// 10,000 batches.
    Full,
}

impl Scale {
    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Full => "full",
        }
    }
}

impl Place {
    /// The demo's folder of this scale, kept from one measurement to the next.
    pub fn folder(&self, scale: Scale) -> PathBuf {
        self.data.join(scale.name())
    }
}

/// A server in a process of its own, killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// When its process was started.
    pub started: Instant,
}

impl Server {
    /// Starts `coldproof demo` on a folder, without waiting for it. What it logs goes to a file beside the folder.
    pub fn spawn(bin: &Path, folder: &Path, scale: Scale) -> Result<Self> {
        ensure!(bin.exists(), "{}: no such file; `cargo build --release` makes it", bin.display());
        let parent = folder.parent().context("the folder has no parent")?;
        fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        let log = folder.with_extension("log");
        let log = OpenOptions::new().create(true).append(true).open(&log).with_context(|| log.display().to_string())?;
        let address = free_address()?;
        let mut command = Command::new(bin);
        command.arg("demo").arg("--data").arg(folder);
        command.args(["--listen", &address.to_string(), "--scale", scale.name()]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Self::start(command, address)
    }

    /// Starts `coldproof demo` on a folder and waits until it answers.
    pub fn coldproof(bin: &Path, folder: &Path, scale: Scale) -> Result<Self> {
        let mut server = Self::spawn(bin, folder, scale)?;
        server.until_ready()?;
        Ok(server)
    }

    /// Starts the bare server and waits until it answers.
    pub fn hello(bytes: Option<usize>) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["hello", "--listen", &address.to_string()]);
        if let Some(bytes) = bytes {
            command.args(["--bytes", &bytes.to_string()]);
        }
        let mut server = Self::start(command, address)?;
        server.until_ready()?;
        Ok(server)
    }

    /// Starts a server that will listen at an address, without waiting for it.
    pub fn start(mut command: Command, address: SocketAddr) -> Result<Self> {
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("{command:?}"))?;
        Ok(Self { child, address, started })
    }

    /// Waits for the first 200 of `/healthz`. Gives the time since the process was started.
    pub fn until_ready(&mut self) -> Result<Duration> {
        let healthz = Request::get("/healthz", &[]);
        while self.started.elapsed() < READY_MAX {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended before it answered: {status}; see its log beside the data folder");
            }
            let status = Client::connect(self.address).and_then(|mut client| Ok(client.ask(&healthz)?.status));
            if status.is_ok_and(|status| status == 200) {
                return Ok(self.started.elapsed());
            }
            sleep(LOOK_PAUSE);
        }
        bail!("no answer within {} s", READY_MAX.as_secs())
    }

    /// Its process.
    pub fn process(&self) -> Process {
        Process::new(self.child.id())
    }

    /// Asks it to stop (SIGTERM), and waits until it has.
    pub fn terminate(mut self) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("the process's number")?;
        kill_process(id, Signal::TERM).context("SIGTERM")?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_MAX {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server's last words: {status}");
                return Ok(());
            }
            sleep(LOOK_PAUSE);
        }
        bail!("no stop within {} s", STOP_MAX.as_secs())
    }

    /// Kills it (SIGKILL), and waits until it is gone.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already: then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listened on a moment ago.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
