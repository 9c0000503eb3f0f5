//! `GET /user` against a function that makes one bare `GetItem` of the same account.

use super::Failure;
use super::report::{Compared, Report, Row};
use super::samples::{Samples, Turns};
use super::stage::Stage;

const FLOOR: &str = "bare GetItem";

/// The floor where the key ring is in Secrets Manager.
const FLOOR_WITH_RING: &str = "bare 2 reads";

/// From the process spawned to its first answer: with the key ring in a file, and in Secrets
/// Manager, which is one call more.
pub(super) async fn cold(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let in_secret: &[_] = &[];
    let what = "GET /user, cold start";
    first_answers(stage, report, what, FLOOR, stage.ring_in_file()).await?;
    let what = "GET /user, cold start, ring read";
    first_answers(stage, report, what, FLOOR_WITH_RING, in_secret).await
}

async fn first_answers(
    stage: &Stage,
    report: &mut Report,
    what: &str,
    floor: &'static str,
    variables: &[(&str, &str)],
) -> Result<(), Failure> {
    let turns = Turns {
        warm_up: 2,
        counted: 100,
        each: 1,
    };
    let first_answer = async |name| {
        let mut function = stage.function_with(name, variables).await?;
        let answer = function.invoke(&stage.get_user, 200).await?;
        Ok(answer.since_spawn)
    };
    let (cold, bare) = turns
        .measure(
            async || first_answer("get-user").await,
            async || first_answer("bare-get-item").await,
        )
        .await?;
    let row = |what, cold, bare| Row::new(what, cold, floor, bare, Compared::Ratio);
    let median = row(format!("{what}, p50"), cold.p50(), bare.p50());
    report.add(median.at_most(1.2));
    report.add(row(format!("{what}, p99"), cold.p99(), bare.p99()));
    Ok(())
}

/// From an event handed out to its answer, in a process that has answered before: beside one bare
/// read, and beside one bare call for both items that are read, the account and the revocation of
/// the token.
pub(super) async fn warm(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let (warm, bare) = answers(stage, &[]).await?;
    let row = |what, warm, bare| Row::new(what, warm, FLOOR, bare, Compared::Ratio);
    report.add(row("GET /user, p50", warm.p50(), bare.p50()).at_most(1.15));
    report.add(row("GET /user, p99", warm.p99(), bare.p99()));
    let (warm, both) = answers(stage, &[("BARE_SESSION", "revoked#nothing")]).await?;
    let (floor_is, floor) = ("bare BatchGetItem", both.p50());
    let what = "GET /user, p50";
    report.add(Row::new(what, warm.p50(), floor_is, floor, Compared::Ratio));
    Ok(())
}

async fn answers(stage: &Stage, variables: &[(&str, &str)]) -> Result<(Samples, Samples), Failure> {
    let turns = Turns {
        warm_up: 5,
        counted: 20,
        each: 100,
    };
    let event = &stage.get_user;
    let mut get_user = stage.function("get-user").await?;
    let mut bare = stage.function_with("bare-get-item", variables).await?;
    turns
        .measure(
            async || get_user.time(event, 200).await,
            async || bare.time(event, 200).await,
        )
        .await
}
