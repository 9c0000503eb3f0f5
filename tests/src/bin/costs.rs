//! `make costs`: updates the figures of docs/costs.md.

use std::path::Path;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/costs.md");
    let page = std::fs::read_to_string(&path)?;
    let (before, rest) = page.split_once(tests::money::BEGIN).unwrap_or((&page, ""));
    let after = rest
        .split_once(tests::money::END)
        .map_or("", |(_, after)| after);
    let figures = tests::money::figures().await;
    let (begin, end) = (tests::money::BEGIN, tests::money::END);
    std::fs::write(&path, format!("{before}{begin}{figures}{end}{after}"))
}
