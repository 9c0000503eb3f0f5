//! Counts the instructions of a warm `GET /user` with callgrind. The count depends on the C
//! library, not on the machine or its load.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::Failure;
use super::stage::Stage;

/// The count that must not be exceeded by more than [`GROWTH_PERCENT`].
const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");
const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/lambda/get-user/bootstrap"
);

/// Growth above this must be accepted with `guard update`.
const GROWTH_PERCENT: u64 = 3;

/// Requests in the two counted runs. Their difference excludes what both do, such as starting and
/// warming up.
const FEW: u64 = 100;
const MANY: u64 = 600;

/// Counts the instructions of `GET /user` in the binary that `make build` made. Fails if the count
/// has grown; with `update`, first saves the new count.
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
        println!("The count has fallen: `target/debug/bench guard update` saves it.");
    }
    println!("1 passed, 0 failed");
    Ok(())
}

/// The instructions of a process from start to exit, with this many requests.
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
