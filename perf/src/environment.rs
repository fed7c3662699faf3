//! What a figure depends on and what the kernel knows: CPU model, kernel, CPU time of a process.

use std::fs;
use std::time::Duration;

/// Unit of the CPU times in /proc: Linux fixes it at a hundredth of a second for user space.
const TICK: Duration = Duration::from_millis(10);

/// CPU time of all threads of a process so far, in user space and in the kernel.
pub(crate) fn process_cpu(pid: u32) -> Result<Duration, String> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    parse_cpu(&text).ok_or_else(|| format!("{path}: unexpected form"))
}

/// Fields 14 and 15 of `stat`; the command in field 2 may hold anything but ends with the last `)`.
fn parse_cpu(stat: &str) -> Option<Duration> {
    let (_, after_command) = stat.rsplit_once(')')?;
    let mut fields = after_command.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let kernel: u32 = fields.next()?.parse().ok()?;
    Some(TICK * user + TICK * kernel)
}

/// One line: CPU model, number of CPUs, kernel.
pub(crate) fn line() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or("unknown CPU", |(_, model)| model);
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {count} CPUs, Linux {}", kernel.trim())
}

#[cfg(test)]
#[path = "environment_tests.rs"]
mod tests;
