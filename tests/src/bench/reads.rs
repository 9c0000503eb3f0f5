//! `GET /user` against a function that makes one bare `GetItem` of the same account.

use super::Failure;
use super::report::{Compared, Report, Row};
use super::samples::Turns;
use super::stage::Stage;

const FLOOR: &str = "bare GetItem";

/// From the process spawned to its first answer.
pub(super) async fn cold(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let turns = Turns {
        warm_up: 2,
        counted: 20,
        each: 1,
    };
    let first_answer = async |name| {
        let mut function = stage.function(name).await?;
        let answer = function.invoke(&stage.get_user, 200).await?;
        Ok(answer.since_spawn)
    };
    let (cold, bare) = turns
        .measure(
            async || first_answer("get-user").await,
            async || first_answer("bare-get-item").await,
        )
        .await?;
    let row = |what, cold, bare| Row::new(what, cold, FLOOR, bare, Compared::Ratio);
    let median = row("GET /user, cold start, p50", cold.p50(), bare.p50());
    report.add(median.at_most(1.5));
    report.add(row("GET /user, cold start, max", cold.max(), bare.max()));
    Ok(())
}

/// From an event handed out to its answer, in a process that has answered before.
pub(super) async fn warm(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let turns = Turns {
        warm_up: 5,
        counted: 20,
        each: 100,
    };
    let event = &stage.get_user;
    let mut get_user = stage.function("get-user").await?;
    let mut bare = stage.function("bare-get-item").await?;
    let (warm, bare) = turns
        .measure(
            async || get_user.time(event, 200).await,
            async || bare.time(event, 200).await,
        )
        .await?;
    let row = |what, warm, bare| Row::new(what, warm, FLOOR, bare, Compared::Ratio);
    let median = row("GET /user, p50", warm.p50(), bare.p50());
    report.add(median.at_most(1.3));
    report.add(row("GET /user, p99", warm.p99(), bare.p99()));
    Ok(())
}
