//! `POST /user/auth`: what it adds to a hash, and whether its two refusals can be told apart.

use tokio::sync::Mutex;

use super::bare_hash::BareHash;
use super::report::{Compared, Report, Row};
use super::samples::Turns;
use super::stage::{EMAIL, Stage};
use super::{Failure, events};

const TURNS: Turns = Turns {
    warm_up: 10,
    counted: 200,
    each: 1,
};

/// As long as the email of the user who has signed up.
const UNKNOWN_EMAIL: &str = "xyz@example.com";

/// Signs in with the right password: what it takes beside the hash it computes, and beside that of
/// the crate `argon2`, which is the floor it is meant to stay near.
pub(super) async fn right_password(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let event = events::sign_in(EMAIL, events::PASSWORD);
    let mut sign_in = stage.function("sign-in").await?;
    let (mut ours, mut theirs) = (BareHash::of_the_functions()?, BareHash::of_argon2()?);
    let (warm, ours) = TURNS
        .measure(
            async || sign_in.time(&event, 200).await,
            async || ours.time().await,
        )
        .await?;
    let what = "POST /user/auth, p50";
    let (name, floor) = ("bare Argon2id", ours.p50());
    report.add(Row::new(what, warm.p50(), name, floor, Compared::Excess));
    let (warm, theirs) = TURNS
        .measure(
            async || sign_in.time(&event, 200).await,
            async || theirs.time().await,
        )
        .await?;
    let (name, floor) = ("crate argon2", theirs.p50());
    let row = Row::new(what, warm.p50(), name, floor, Compared::Excess);
    report.add(row.at_most(2.0));
    Ok(())
}

/// The hash the functions compute, by two crates.
pub(super) async fn hashes(report: &mut Report) -> Result<(), Failure> {
    let mut ours = BareHash::of_the_functions()?;
    let mut theirs = BareHash::of_argon2()?;
    let (ours, theirs) = TURNS
        .measure(async || ours.time().await, async || theirs.time().await)
        .await?;
    report.add(Row::new(
        "bare Argon2id, p50",
        ours.p50(),
        "crate argon2",
        theirs.p50(),
        Compared::Ratio,
    ));
    Ok(())
}

/// Tries a wrong password, and the right one of a user there is not.
pub(super) async fn refusals(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let wrong_password = events::sign_in(EMAIL, "incorrect horse battery");
    let unknown_user = events::sign_in(UNKNOWN_EMAIL, events::PASSWORD);
    let mut sign_in = stage.function("sign-in").await?;
    let known = sign_in.invoke(&wrong_password, 403).await?;
    let unknown = sign_in.invoke(&unknown_user, 403).await?;
    if known.response != unknown.response {
        return Err("sign-in tells a wrong password from an unknown user".into());
    }
    // One function answers both, or the difference would be that of two processes.
    let sign_in = Mutex::new(sign_in);
    let (known, unknown) = TURNS
        .measure(
            async || sign_in.lock().await.time(&wrong_password, 403).await,
            async || sign_in.lock().await.time(&unknown_user, 403).await,
        )
        .await?;
    let row = Row::new(
        "POST /user/auth, wrong password, p50",
        known.p50(),
        "unknown user",
        unknown.p50(),
        Compared::Deviation,
    );
    report.add(row.at_most(5.0));
    Ok(())
}
