//! Writes each measurement into its part of docs/benchmarks.md.

use std::process::Command;

use super::Failure;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks.md");
const END: &str = "<!-- end -->\n";

/// Replaces the text between `<!-- part -->` and `<!-- end -->` with `figures`.
pub(super) fn write(part: &str, figures: &str) -> Result<(), Failure> {
    let page = std::fs::read_to_string(PAGE)?;
    let begin = format!("<!-- {part} -->\n");
    let parts = page.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| format!("docs/benchmarks.md lacks {part}"))?;
    let figures = figures.trim_end();
    std::fs::write(PAGE, format!("{before}{begin}{figures}\n{END}{after}"))?;
    Ok(())
}

/// One line that names the machine and the commit.
pub(super) fn machine() -> Result<String, Failure> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = cpu.lines();
    let cpu = lines.find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cpu = cpu.map_or("an unnamed processor", |(_, model)| model);
    let cores = std::thread::available_parallelism()?;
    let git = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output()?;
    let commit = String::from_utf8_lossy(&git.stdout);
    let (os, commit) = (std::env::consts::OS, commit.trim());
    Ok(format!(
        "`make bench` on {cpu}, {cores} cores, {os}, commit {commit}."
    ))
}
