//! The bench: real binaries behind a Lambda Runtime API, over an embedded DynamoDB.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`runtime_api`] | the Runtime API: hands out events, takes answers, notes when |
//! | [`function`] | a function's process |
//! | [`events`] | the events API Gateway would send |
//! | [`stage`] | what all functions share: engine, settings, a user who has signed up |
//! | [`samples`] | measurements, two sides in turns |
//! | [`reads`] | `GET /user` against a bare `GetItem`, cold and warm |
//! | [`sign_ins`] | `POST /user/auth` against a bare hash, and its two refusals against each other |
//! | [`sign_ups`] | `POST /user`, admitted and refused |
//! | [`bare_hash`] | a bare Argon2id hash |
//! | [`report`] | the table |
//! | [`machine`] | what it was taken on |
//!
//! A figure and its floor are measured in turns, so that the machine's drift meets both. An answer
//! of another status than the expected one ends the bench.

mod bare_hash;
mod clock;
mod events;
mod function;
mod machine;
mod reads;
mod report;
mod runtime_api;
mod samples;
mod sign_ins;
mod sign_ups;
mod stage;

use report::{Compared, Report, Row};
use stage::Stage;

/// Why there are no figures.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures everything, and returns the report.
pub(crate) async fn run() -> Result<String, Failure> {
    let stage = Stage::set().await?;
    let mut report = Report::default();
    reads::cold(&stage, &mut report).await?;
    reads::warm(&stage, &mut report).await?;
    sign_ins::hashes(&mut report).await?;
    sign_ins::right_password(&stage, &mut report).await?;
    sign_ins::refusals(&stage, &mut report).await?;
    sign_ups::admitted(&stage, &mut report).await?;
    sign_ups::refused(&stage, &mut report).await?;
    sizes(&stage, &mut report)?;
    let costs = costs().await?;
    Ok(format!(
        "{}\n\n{report}\n\n{LEGEND}\n\n{costs}",
        machine::facts()
    ))
}

/// What requests cost, which is the same on every machine: no floor, but what the tests hold.
async fn costs() -> Result<String, Failure> {
    let head = format!(
        "{:38} {:>11}  {:>10}  {:>11}",
        "request", "round trips", "read units", "write units"
    );
    let alone = tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok::<_, Failure>(runtime.block_on(tests::costs::measure()))
    });
    let rows = alone.await??.into_iter().map(|row| {
        let cost = row.cost;
        format!(
            "{:38} {:>11}  {:>10}  {:>11}",
            row.request, cost.round_trips, cost.read_units, cost.write_units
        )
    });
    let lines: Vec<String> = std::iter::once(head).chain(rows).collect();
    Ok(lines.join("\n"))
}

/// What the table does not say.
const LEGEND: &str = "\
Latencies are from the event handed out to the answer posted, the Runtime API's share included;
a cold start is from the process spawned to its first answer. A figure and its floor were
measured in turns.
  bare GetItem   a Lambda function that makes one strongly consistent GetItem
  bare 2 reads   one that first makes one GetSecretValue, as ours do where the ring is a secret
  bare answer    a Lambda function that does nothing
  bare Argon2id  one hash of 19 MiB, 2 passes, 1 lane, in memory that is kept, by the crate
                 argon2-rust, which the functions hash with
  crate argon2   the same by that crate";

fn sizes(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let floor = stage.size("bare-get-item")?;
    for name in local::functions::NAMES {
        let size = stage.size(name)?;
        let what = format!("size of {name}");
        report.add(Row::new(what, size, "bare GetItem", floor, Compared::Ratio));
    }
    Ok(())
}
