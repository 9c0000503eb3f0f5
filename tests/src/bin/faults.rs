//! `make faults`: mixed requests, `REQUESTS` of them, through a wire that fails as `SEED` says;
//! then an audit. Prints what happened, and fails where a promise was broken.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use tests::storm::{self, Patience};

const REQUESTS: u64 = 10_000;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what happened is what it is for")]
async fn main() -> ExitCode {
    let requests = number("REQUESTS").unwrap_or(REQUESTS);
    let seed = number("SEED").unwrap_or_else(of_today);
    println!("SEED={seed} REQUESTS={requests}");
    let report = storm::run(seed, requests, Patience::OfTheFunctions).await;
    print!("{report}");
    if report.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[expect(clippy::disallowed_methods, reason = "no setting of the functions")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A seed nobody chose.
#[expect(clippy::disallowed_methods, reason = "no time of the functions")]
fn of_today() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}
