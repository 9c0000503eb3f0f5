//! docs/benchmarks.md, of which each measurement writes its own part.

use std::path::PathBuf;

use super::Failure;

const END: &str = "<!-- end -->\n";

/// Puts `figures` where the page has this part: between `<!-- part -->` and `<!-- end -->`.
pub(super) fn write(part: &str, figures: &str) -> Result<(), Failure> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
    let page = std::fs::read_to_string(&path)?;
    let begin = format!("<!-- {part} -->\n");
    let (before, rest) = page
        .split_once(&begin)
        .ok_or_else(|| format!("docs/benchmarks.md has no part {part}"))?;
    let (_, after) = rest
        .split_once(END)
        .ok_or_else(|| format!("docs/benchmarks.md does not end its part {part}"))?;
    let figures = figures.trim_end();
    std::fs::write(&path, format!("{before}{begin}{figures}\n{END}{after}"))?;
    Ok(())
}
