//! What the figures were taken on, and how.

use std::process::Command;
use std::thread::available_parallelism;

/// One line on the machine, the command and the commit.
pub(super) fn facts() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unnamed processor", |(_, model)| model);
    let cores = available_parallelism().map_or(1, usize::from);
    let os = std::env::consts::OS;
    format!("`make bench` on {cpu}, {cores} cores, {os}, {}.", commit())
}

fn commit() -> String {
    let described = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    match described {
        Ok(output) if output.status.success() => {
            format!("commit {}", String::from_utf8_lossy(&output.stdout).trim())
        }
        _ => "of no commit".to_owned(),
    }
}
