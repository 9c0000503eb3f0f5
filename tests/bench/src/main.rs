//! `make bench`: what a person would ask of Latchkey (cold start, latency, capacity, size,
//! throughput), measured on its release binaries behind a Lambda Runtime API, over the embedded
//! DynamoDB, each figure beside a floor of the same run.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`runtime_api`] | the Runtime API: hands out events, takes answers, notes when |
//! | [`function`] | a function's process |
//! | [`stage`] | what all functions share: the engine, settings, a user who has signed up |
//! | [`caller`] | what that user asks of each endpoint |
//! | [`samples`] | measurements, two sides in turns |
//! | [`floors`] | figures beside the least they could be |
//! | [`endpoints`] | each endpoint: latency, throughput, memory, size, and what it asks of DynamoDB |
//! | [`guard`] | how many instructions a warm `GET /user` takes, by callgrind |
//! | [`table`], [`page`] | tables, and docs/benchmarks.md |
//!
//! An answer of another status than the expected one ends the bench.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a tool for people, which may end where something is not as expected"
)]

mod caller;
mod endpoints;
mod floors;
mod function;
mod guard;
mod page;
mod runtime_api;
mod samples;
mod stage;
mod table;

use stage::Stage;

/// Why there are no figures.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What docs/benchmarks.md has a part for, in the order in which it is measured.
const PARTS: [&str; 2] = ["floors", "endpoints"];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["guard"] => guard::check(&Stage::set().await?, false).await,
        ["guard", "update"] => guard::check(&Stage::set().await?, true).await,
        [] => measure(&PARTS).await,
        parts if parts.iter().all(|part| PARTS.contains(part)) => measure(parts).await,
        _ => Err(format!("bench [guard [update]] or some of {PARTS:?}").into()),
    }
}

async fn measure(parts: &[&str]) -> Result<(), Failure> {
    let machine = page::machine()?;
    println!("{machine}");
    page::write("machine", &machine)?;
    let stage = Stage::set().await?;
    for part in parts {
        let figures = match *part {
            "floors" => floors::measure(&stage).await?,
            _ => endpoints::measure(&stage).await?,
        };
        println!("\n{part}\n\n{figures}");
        page::write(part, &figures.to_string())?;
    }
    Ok(())
}

/// Now.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the time that really passes"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
