//! The bench: real binaries behind a Lambda Runtime API, over an embedded DynamoDB.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`runtime_api`] | the Runtime API: hands out events, takes answers, notes when |
//! | [`function`] | a function's process |
//! | [`events`] | the events API Gateway would send |
//! | [`stage`], [`crowd`] | what all functions share: engine, settings, a user who has signed up; and a million others |
//! | [`caller`] | every endpoint, and somebody who asks something of it |
//! | [`samples`] | measurements, two sides in turns |
//! | [`reads`] | `GET /user` against a bare `GetItem`, cold and warm |
//! | [`sign_ins`] | `POST /user/auth` against a bare hash |
//! | [`guesses`] | wrong passwords, tokens and keys against others as wrong |
//! | [`sign_ups`] | `POST /user`, admitted and refused |
//! | [`endpoints`], [`costs`] | each endpoint: latency, memory, size, and what it asks of DynamoDB |
//! | [`instructions`] | what a warm `GET /user` takes, by callgrind |
//! | [`bare_hash`] | one hash without a function around it |
//! | [`cpu_shares`] | latency and price at each size of memory |
//! | [`growth`] | up to a million accounts, and up to 64 processes |
//! | [`loopback`] | a round trip over the loopback interface |
//! | [`report`], [`table`], [`page`] | figures beside their floors, tables, and docs/benchmarks.md |
//! | [`machine`] | what it was taken on |
//!
//! A figure and its floor are measured in turns, so that the machine's drift meets both. An answer
//! of another status than the expected one ends the bench.

mod bare_hash;
mod caller;
mod clock;
mod costs;
mod cpu_shares;
mod crowd;
mod endpoints;
mod events;
mod function;
mod growth;
mod guesses;
mod instructions;
mod loopback;
mod machine;
mod page;
mod reads;
mod report;
mod runtime_api;
mod samples;
mod sign_ins;
mod sign_ups;
mod stage;
mod table;

use report::Report;
use stage::Stage;

/// Why there are no figures.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What docs/benchmarks.md has a part for, in the order in which it is measured.
const PARTS: [&str; 7] = [
    "floors",
    "endpoints",
    "instructions",
    "cpu-shares",
    "accounts",
    "processes",
    "keys",
];

/// Does what the command line asks for, and shows it: some parts of docs/benchmarks.md or all of
/// them, or the guard over the instructions that a request takes.
pub(crate) async fn run(arguments: &[String], show: impl Fn(&str)) -> Result<(), Failure> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["guard"] => show(&instructions::guard(&Stage::set().await?, false).await?),
        ["guard", "update"] => show(&instructions::guard(&Stage::set().await?, true).await?),
        [] => parts(&PARTS, show).await?,
        some if some.iter().all(|part| PARTS.contains(part)) => parts(some, show).await?,
        _ => return Err(format!("bench [guard [update]] or some of {PARTS:?}").into()),
    }
    Ok(())
}

async fn parts(parts: &[&str], show: impl Fn(&str)) -> Result<(), Failure> {
    let facts = machine::facts();
    show(&facts);
    page::write("machine", &facts)?;
    let stage = Stage::set().await?;
    for part in parts {
        let figures = measure(part, &stage).await?;
        show(&format!("\n{part}\n\n{figures}"));
        page::write(part, &figures)?;
    }
    Ok(())
}

async fn measure(part: &str, stage: &Stage) -> Result<String, Failure> {
    Ok(match part {
        "floors" => floors(stage).await?.to_string(),
        "endpoints" => endpoints::measure(stage).await?.to_string(),
        "instructions" => instructions::beside_floor(stage).await?.to_string(),
        "cpu-shares" => cpu_shares::measure(stage).await?,
        "accounts" => growth::accounts().await?,
        "processes" => growth::fleets(stage).await?.to_string(),
        "keys" => costs::keys().await?.to_string(),
        other => return Err(format!("no part {other}").into()),
    })
}

/// Figures beside the least they could be.
async fn floors(stage: &Stage) -> Result<Report, Failure> {
    let mut report = Report::default();
    reads::cold(stage, &mut report).await?;
    reads::warm(stage, &mut report).await?;
    sign_ins::right_password(stage, &mut report).await?;
    guesses::measure(stage, &mut report).await?;
    sign_ups::admitted(stage, &mut report).await?;
    sign_ups::refused(stage, &mut report).await?;
    Ok(report)
}
