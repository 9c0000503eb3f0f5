//! `POST /user/auth`: what it adds to a hash.

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

/// Compares signing in with the right password to a function that does nothing but hash, and to
/// the hash without a function around it.
pub(super) async fn right_password(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let event = events::sign_in(EMAIL, events::PASSWORD);
    let mut sign_in = stage.function("sign-in").await?;
    let row = |warm, floor_is, floor| {
        let what = "POST /user/auth, p50";
        Row::new(what, warm, floor_is, floor, Compared::Excess)
    };
    for (floor_is, variables, target) in [
        ("bare hash", &[][..], Some(1.0)),
        ("bare read, hash and write", &[("BARE_SIGN_IN", "1")], None),
    ] {
        let mut function = stage.function_with("bare-hash", variables).await?;
        let (warm, floor) = TURNS
            .measure(
                async || sign_in.time(&event, 200).await,
                async || function.time(&event, 200).await,
            )
            .await?;
        let row = row(warm.p50(), floor_is, floor.p50());
        report.add(match target {
            Some(target) => row.at_most(target),
            None => row,
        });
    }
    let mut hash = BareHash::start()?;
    let (warm, floor) = TURNS
        .measure(
            async || sign_in.time(&event, 200).await,
            async || hash.time().await,
        )
        .await?;
    report.add(row(warm.p50(), "argon2 alone", floor.p50()));
    Ok(())
}
