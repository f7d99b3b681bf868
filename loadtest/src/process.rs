//! What the system knows of a process (proc(5)): its memory and its time, and the machine it runs on.

use std::fs;

use anyhow::{Context, Result};

/// A process of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    id: u32,
}

impl Process {
    /// The process with this number.
    pub fn new(id: u32) -> Self {
        Self { id }
    }

    /// This very process.
    pub fn this() -> Self {
        Self::new(std::process::id())
    }

    /// Bytes that it has in memory now (VmRSS).
    pub fn resident_bytes(self) -> Result<u64> {
        self.status_bytes("VmRSS:")
    }

    /// The most that it had in memory since it began, or since [`Process::forget_peak`] (VmHWM).
    pub fn resident_peak_bytes(self) -> Result<u64> {
        self.status_bytes("VmHWM:")
    }

    /// Lets the peak begin anew at what is in memory now.
    pub fn forget_peak(self) -> Result<()> {
        let path = format!("/proc/{}/clear_refs", self.id);
        // 5: "reset the peak resident set size", since Linux 4.0.
        fs::write(&path, "5").with_context(|| path)
    }

    /// Processor time that it has used, of all its threads, in seconds.
    pub fn cpu_s(self) -> Result<f64> {
        let path = format!("/proc/{}/stat", self.id);
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        cpu_s(&text).with_context(|| format!("{path}: {text}"))
    }

    fn status_bytes(self, name: &str) -> Result<u64> {
        let path = format!("/proc/{}/status", self.id);
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        status_bytes(&text, name).with_context(|| format!("{path} has no {name}"))
    }
}

/// A line like `VmRSS: 1234 kB`.
fn status_bytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Fields 14 and 15 (utime, stime), in ticks of a hundredth of a second, counted behind the name in parentheses.
fn cpu_s(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some((user + system) as f64 / 100.0)
}

/// The machine in a line: processor and how many.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let unknown = || "unknown".to_owned();
    format!(
        "{cores} cores, {} (model {}), {} MHz",
        field("model name").unwrap_or_else(unknown),
        field("model\t").unwrap_or_else(unknown),
        field("cpu MHz").unwrap_or_else(unknown),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(status_bytes(status, "VmRSS:"), Some(1 << 20));
        assert_eq!(status_bytes(status, "VmHWM:"), Some(2 << 20));
        assert_eq!(status_bytes(status, "VmSwap:"), None);
    }

    #[test]
    fn time_is_counted_behind_a_name_with_spaces_and_parentheses() {
        let stat = "7 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0";
        assert_eq!(cpu_s(stat), Some(2.0));
    }

    #[test]
    fn this_process_is_in_memory_and_its_peak_is_no_lower() {
        let this = Process::this();
        assert!(this.resident_bytes().unwrap() > 0);
        assert!(this.resident_peak_bytes().unwrap() >= this.resident_bytes().unwrap() / 2);
    }
}
