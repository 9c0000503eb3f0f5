//! `POST /user`: admitted, and refused by limits the function knows of.

use super::bare_hash::BareHash;
use super::report::{Compared, Report, Row};
use super::samples::{Samples, Turns};
use super::stage::{EMAIL, Stage};
use super::{Failure, events};

/// Signs up somebody new each time.
pub(super) async fn admitted(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let turns = Turns {
        warm_up: 10,
        counted: 200,
        each: 1,
    };
    let mut create_user = stage.function("create-user").await?;
    let mut hash = BareHash::of_the_functions()?;
    let mut signed_up = 0;
    let (warm, bare) = turns
        .measure(
            async || {
                signed_up += 1;
                let email = format!("user{signed_up}@example.com");
                create_user.time(&events::sign_up(&email), 200).await
            },
            async || hash.time().await,
        )
        .await?;
    report.add(Row::new(
        "POST /user, p50",
        warm.p50(),
        "bare Argon2id",
        bare.p50(),
        Compared::Excess,
    ));
    Ok(())
}

/// Signs up again and again where once is too often.
///
/// The limit of the address is asked first, and costs no call once it is known to refuse. One that
/// the email's limit refuses has been counted for the address: one call.
pub(super) async fn refused(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let limit = "USER_SIGNUP_RATE_LIMIT_IP";
    let (refused, bare) = refused_by(stage, limit, "bare-answer").await?;
    report.add(Row::new(
        "POST /user, address refused, p50",
        refused.p50(),
        "bare answer",
        bare.p50(),
        Compared::Ratio,
    ));
    let limit = "USER_SIGNUP_RATE_LIMIT_EMAIL";
    let (refused, bare) = refused_by(stage, limit, "bare-get-item").await?;
    report.add(Row::new(
        "POST /user, email refused, p50",
        refused.p50(),
        "bare GetItem",
        bare.p50(),
        Compared::Ratio,
    ));
    Ok(())
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
    let mut create_user = stage.function_with("create-user", &[(limit, "1")]).await?;
    let mut bare = stage.function(floor).await?;
    turns
        .measure(
            async || create_user.time(&event, 429).await,
            async || bare.time(&event, 200).await,
        )
        .await
}
