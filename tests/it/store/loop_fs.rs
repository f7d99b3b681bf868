//! A small ext4 of one's own in a file, which can be filled up, or stopped as by a power cut.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// A mounted file system; unmounted and removed when dropped.
pub struct LoopFs {
    folder: tempfile::TempDir,
}

fn succeeds(program: &str, args: &[&Path]) -> Result<(), String> {
    let output =
        Command::new(program).args(args).stdin(Stdio::null()).output().map_err(|e| format!("{program}: {e}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{program}: {}", error.trim())) }
}

impl LoopFs {
    /// Makes and mounts one of so many MiB; the reason where this machine does not let us.
    pub fn new(mib: u64) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let fs = Self { folder };
        std::fs::create_dir(fs.path()).map_err(|error| error.to_string())?;
        let image = std::fs::File::create(fs.image()).map_err(|error| error.to_string())?;
        image.set_len(mib << 20).map_err(|error| error.to_string())?;
        succeeds("mkfs.ext4", &[Path::new("-q"), Path::new("-F"), &fs.image()])?;
        fs.mount()?;
        Ok(fs)
    }
    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mount")
    }
    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }
    fn mount(&self) -> Result<(), String> {
        succeeds("mount", &[Path::new("-o"), Path::new("loop"), &self.image(), &self.path()])
    }
    /// Stops it without writing anything more, not even its journal: `EXT4_IOC_SHUTDOWN` with `NOLOGFLUSH`.
    /// Perl makes the call, because it needs no unsafe code here.
    pub fn cut_power(&self) -> Result<(), String> {
        let call = r#"open(my $d, "<", $ARGV[0]) or die "$!"; my $how = pack("L", 2); ioctl($d, 0x8004587d, $how) or die "$!""#;
        succeeds("perl", &[Path::new("-e"), Path::new(call), &self.path()])
    }
    /// Mounts it again, as after a restart; nobody may have anything open in it.
    pub fn restart(&self) {
        self.unmount();
        self.mount().unwrap();
    }
    fn unmount(&self) {
        for _ in 0..200 {
            if succeeds("umount", &[&self.path()]).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for LoopFs {
    fn drop(&mut self) {
        self.unmount();
    }
}

/// Whether a test that needs a file system of its own can run; prints why not.
pub fn available(mib: u64) -> Option<LoopFs> {
    LoopFs::new(mib).inspect_err(|why| println!("skipped: no file system of its own: {why}")).ok()
}
