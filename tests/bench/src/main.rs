//! `make bench` measures cold start, latency, capacity, size and throughput of the release
//! binaries, behind a Lambda Runtime API and over the embedded DynamoDB. Each run also measures
//! floors: the same work without Latchkey.
//!
//! | module | content |
//! | --- | --- |
//! | [`runtime_api`] | the Runtime API: delivers events, receives responses, records when |
//! | [`function`] | a function's process |
//! | [`stage`] | the environment of all functions: the database, settings, a signed-up user |
//! | [`caller`] | that user's requests to each endpoint |
//! | [`samples`] | measurements, two sides in turns |
//! | [`floors`] | figures compared with their floors |
//! | [`endpoints`] | endpoints: latency, throughput, memory, size, and cost in DynamoDB |
//! | [`ways`] | ways to check a token in another team's API |
//! | [`guard`] | instructions of a warm `GET /user`, by callgrind |
//! | [`tls`] | HTTPS in front of the embedded services |
//! | [`table`], [`page`] | tables, and docs/benchmarks.md |
//!
//! A response with an unexpected status aborts the bench.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a command-line tool, which may panic on unexpected input"
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
mod tls;
mod ways;

use stage::Stage;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The parts of docs/benchmarks.md, in the order in which they are measured.
const PARTS: [&str; 3] = ["floors", "endpoints", "ways"];

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
            "ways" => ways::measure(&stage).await?,
            _ => endpoints::measure(&stage).await?,
        };
        println!("\n{part}\n\n{figures}");
        page::write(part, &figures.to_string())?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
