//! `make bench`: what a person would ask of Latchkey, measured on its release binaries and printed
//! beside a floor of the same run.

#[path = "../bench/mod.rs"]
mod bench;

use std::io::Write;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match bench::run(&arguments, print).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// A reader that has seen enough, such as `head`, is no failure.
fn print(report: &str) {
    let _ = writeln!(std::io::stdout(), "{report}");
}

#[expect(clippy::print_stderr, reason = "a person reads it")]
fn complain(error: &bench::Failure) {
    eprintln!("bench: {error}");
}
