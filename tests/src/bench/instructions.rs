//! How many instructions a warm request takes, by callgrind: the same on every machine whose C
//! library is the same, however busy it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Failure;
use super::report::{Compared, Quantity, Report, Row};
use super::stage::Stage;

/// Where the counts are that no request may exceed by more than [`GROWTH_PERCENT`].
const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// How much a count may grow before somebody has to say that it is meant to.
const GROWTH_PERCENT: u64 = 3;

/// Requests to a process of which each count is taken: what both do, starting and warming up
/// included, is not in their difference.
const FEW: u64 = 100;
const MANY: u64 = 600;

/// Counts by function.
type Counts = BTreeMap<String, u64>;

/// What `GET /user` takes in the binary that `make build` made, beside what is checked in; an error
/// if it has grown. With `update`, what is checked in becomes what was counted.
pub(super) async fn guard(stage: &Stage, update: bool) -> Result<String, Failure> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/lambda/get-user/bootstrap");
    if !program.exists() {
        return Err("there is no target/lambda/get-user/bootstrap: `make build` makes it".into());
    }
    let counted = of_get_user(stage, &program).await?;
    if update {
        let counts = Counts::from([("get-user".to_owned(), counted)]);
        std::fs::write(CHECKED_IN, serde_json::to_string_pretty(&counts)? + "\n")?;
    }
    let counts: Counts = serde_json::from_str(&std::fs::read_to_string(CHECKED_IN)?)?;
    let known = *counts.get("get-user").ok_or("no count is checked in")?;
    let figures = format!("GET /user, warm: {counted} instructions; checked in: {known}");
    if counted * 100 > known * (100 + GROWTH_PERCENT) {
        return Err(format!("{figures}: grown by more than {GROWTH_PERCENT} %").into());
    }
    let has_shrunk = counted * (100 + GROWTH_PERCENT) < known * 100;
    let advice = if has_shrunk {
        "\nFewer than are checked in: `target/debug/bench guard update` makes that the new bound."
    } else {
        ""
    };
    Ok(format!("{figures}{advice}\n1 passed, 0 failed"))
}

/// What `GET /user` takes beside a bare `GetItem`, in the binaries that are measured.
pub(super) async fn beside_floor(stage: &Stage) -> Result<Report, Failure> {
    let ours = of_get_user(stage, &stage.program("get-user")).await?;
    let bare = of_get_user(stage, &stage.program("bare-get-item")).await?;
    let mut report = Report::default();
    report.add(Row::new(
        "GET /user, warm, instructions",
        Quantity::Instructions(ours),
        "bare GetItem",
        Quantity::Instructions(bare),
        Compared::Ratio,
    ));
    Ok(report)
}

/// What a warm `GET /user` takes in this program.
async fn of_get_user(stage: &Stage, program: &Path) -> Result<u64, Failure> {
    let few = total(stage, program, FEW).await?;
    let many = total(stage, program, MANY).await?;
    Ok(many.saturating_sub(few) / (MANY - FEW))
}

/// What a process takes from its start to its end, with so many requests in between.
async fn total(stage: &Stage, program: &Path, requests: u64) -> Result<u64, Failure> {
    let log = scratch("callgrind.log")?;
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg("--callgrind-out-file=/dev/null")
        .arg(format!("--log-file={}", log.display()))
        .arg(program);
    let function = stage.function_by(command, "get-user").await;
    let mut function = function.map_err(|error| format!("{error} (Debian's package valgrind)"))?;
    for _ in 0..requests {
        function.invoke(&stage.get_user, 200).await?;
    }
    function.end().await?;
    let log = std::fs::read_to_string(log)?;
    let collected = log
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .ok_or_else(|| format!("callgrind counted nothing: {log}"))?;
    Ok(collected.1.trim().parse()?)
}

/// A file of ours beside the bench itself.
fn scratch(name: &str) -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe()?.with_file_name(name))
}
