//! `POST /user`: admitted, and refused by limits the function knows of.

use std::time::Duration;

use super::caller::{Caller, endpoint};
use super::function::Function;
use super::report::{Compared, Report, Row};
use super::samples::{Samples, Turns};
use super::stage::{EMAIL, Stage};
use super::{Failure, events};

/// Signs up somebody new each time.
pub(super) async fn admitted(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let mut function = stage.function("bare-hash").await?;
    let event = events::sign_up(EMAIL);
    let floor = async || function.time(&event, 200).await;
    let (warm, floor) = signing_up(stage, floor).await?;
    let what = "POST /user, p50";
    report.add(Row::new(
        what,
        warm.p50(),
        "bare hash",
        floor.p50(),
        Compared::Excess,
    ));
    Ok(())
}

async fn signing_up(
    stage: &Stage,
    beside: impl AsyncFnMut() -> Result<Duration, Failure>,
) -> Result<(Samples, Samples), Failure> {
    // Many in a row, as in a flood: a process that slept between two answers is slower.
    let turns = Turns {
        warm_up: 1,
        counted: 10,
        each: 20,
    };
    let create_user = endpoint("create-user")?;
    let mut caller = Caller::of(stage).await?;
    let mut function = stage.function(create_user.function).await?;
    let sign_up = async || {
        let event = caller.event(create_user).await?;
        function.time(&event, 200).await
    };
    turns.measure(sign_up, beside).await
}

/// Signs up again and again where once is too often.
///
/// The limit of the address is asked first, and costs no call once it is known to refuse: that
/// refusal stands beside an admitted sign-up. One that the email's limit refuses has been counted
/// for the address: one call.
pub(super) async fn refused(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let by_address = "USER_SIGNUP_RATE_LIMIT_IP";
    let what = "POST /user, address refused, p50";
    let event = events::sign_up(EMAIL);
    let mut refusing = refusing(stage, by_address).await?;
    let refusal = async || refusing.time(&event, 429).await;
    let (admitted, refused) = signing_up(stage, refusal).await?;
    let (floor_is, floor) = ("admitted", admitted.p50());
    let row = Row::new(what, refused.p50(), floor_is, floor, Compared::Ratio);
    report.add(row.at_most(1.0 / 50.0));
    let (refused, floor) = refused_by(stage, by_address, "bare-answer").await?;
    let row = |what, refused: &Samples, floor_is, floor: &Samples| {
        Row::new(what, refused.p50(), floor_is, floor.p50(), Compared::Ratio)
    };
    report.add(row(what, &refused, "bare answer", &floor));
    let by_email = "USER_SIGNUP_RATE_LIMIT_EMAIL";
    let what = "POST /user, email refused, p50";
    let (refused, floor) = refused_by(stage, by_email, "bare-get-item").await?;
    report.add(row(what, &refused, "bare GetItem", &floor));
    Ok(())
}

/// A function that has admitted its only sign-up, and knows that it refuses the next.
async fn refusing(stage: &Stage, limit: &str) -> Result<Function, Failure> {
    stage.function_with("create-user", &[(limit, "1")]).await
}

async fn refused_by(
    stage: &Stage,
    limit: &str,
    floor: &str,
) -> Result<(Samples, Samples), Failure> {
    let turns = Turns {
        warm_up: 2,
        counted: 10,
        each: 100,
    };
    let event = events::sign_up(EMAIL);
    let mut create_user = refusing(stage, limit).await?;
    let mut bare = stage.function(floor).await?;
    turns
        .measure(
            async || create_user.time(&event, 429).await,
            async || bare.time(&event, 200).await,
        )
        .await
}
