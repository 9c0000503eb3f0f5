//! How many instructions a warm `GET /user` takes, by callgrind: the same on every machine whose C
//! library is the same, however busy it is.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::Failure;
use super::stage::Stage;

/// Where the count is that must not be exceeded by more than [`GROWTH_PERCENT`].
const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");
const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/lambda/get-user/bootstrap"
);

/// How much a count may grow before somebody has to say that it is meant to.
const GROWTH_PERCENT: u64 = 3;

/// Requests to a process of which each count is taken: what both do, starting and warming up
/// included, is not in their difference.
const FEW: u64 = 100;
const MANY: u64 = 600;

/// Counts what `GET /user` takes in the binary that `make build` made: an error if that has grown.
/// With `update`, what is checked in becomes what was counted.
pub(super) async fn check(stage: &Stage, update: bool) -> Result<(), Failure> {
    if !Path::new(PROGRAM).exists() {
        return Err(format!("there is no {PROGRAM}: `make build` makes it").into());
    }
    let counted = (total(stage, MANY).await? - total(stage, FEW).await?) / (MANY - FEW);
    if update {
        let counts = json!({ "get-user": counted });
        std::fs::write(CHECKED_IN, format!("{counts:#}\n"))?;
    }
    let counts: Value = serde_json::from_str(&std::fs::read_to_string(CHECKED_IN)?)?;
    let known = counts["get-user"]
        .as_u64()
        .ok_or("no count is checked in")?;
    println!("GET /user, warm: {counted} instructions; checked in: {known}");
    if counted * 100 > known * (100 + GROWTH_PERCENT) {
        return Err(format!("grown by more than {GROWTH_PERCENT} %").into());
    }
    if counted * (100 + GROWTH_PERCENT) < known * 100 {
        println!("Fewer than are checked in: `target/debug/bench guard update` takes them over.");
    }
    println!("1 passed, 0 failed");
    Ok(())
}

/// What a process takes from its start to its end, with so many requests in between.
async fn total(stage: &Stage, requests: u64) -> Result<u64, Failure> {
    let log = stage.program("callgrind.log");
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg("--callgrind-out-file=/dev/null")
        .arg(format!("--log-file={}", log.display()))
        .arg(PROGRAM);
    let function = stage.function_by(command, "get-user").await;
    let mut function = function.map_err(|error| format!("{error} (Debian's package valgrind)"))?;
    for _ in 0..requests {
        function.invoke(&stage.get_user, 200).await?;
    }
    function.end().await?;
    let log = std::fs::read_to_string(log)?;
    let mut lines = log.lines();
    let collected = lines.find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.ok_or_else(|| format!("callgrind counted nothing: {log}"))?;
    Ok(collected.trim().parse()?)
}
