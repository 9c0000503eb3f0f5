//! What the figures were taken on, and how.

use std::thread::available_parallelism;

/// One line on the machine and the command.
pub(super) fn facts() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unnamed processor", |(_, model)| model);
    let cores = available_parallelism().map_or(1, usize::from);
    format!(
        "`make bench` on {cpu}, {cores} cores, {}",
        std::env::consts::OS
    )
}
