//! Limits on attempts: who may still try.

use std::time::Duration;

use super::error::{AuthError, LimitExceeded};
use crate::app::App;
use crate::crypto::digest;
use crate::domain::{Identifier, Policy, RateLimitStatus, SourceIp, Timestamp};
use crate::observe;
use crate::store::StoreError;

/// A place taken under a limit: one attempt, counted.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) status: RateLimitStatus,
    counter: String,
}

/// How long a refused sign-in is remembered in memory. Shorter than the window, because a place
/// may be given back in the meantime: ten right passwords at once must not cost the eleventh
/// fifteen minutes.
const SIGN_IN_NOTE: Duration = Duration::from_secs(10);

/// The key of the counter of sign-ups from an address.
pub(super) fn sign_up_ip(ip: SourceIp) -> String {
    Policy::SignUpIp.counter(ip)
}

/// The key of the counter of sign-ups for a canonical email.
pub(super) fn sign_up_email(canonical: &str) -> String {
    Policy::SignUpEmail.counter(digest(canonical))
}

/// The key of the counter of failed sign-ins from an address.
pub(super) fn sign_in_ip(ip: SourceIp) -> String {
    Policy::SignInIp.counter(ip)
}

/// The key of the counter of guessed API keys from an address.
pub(super) fn api_key_ip(ip: SourceIp) -> String {
    Policy::ApiKeyIp.counter(ip)
}

/// The key of the counter of failed sign-ins for an identifier from an address. Email, username
/// and neither are told apart, so that no identifier can be made to share another's counter.
pub(super) fn sign_in_account(identifier: &Identifier, ip: SourceIp) -> String {
    let named = match identifier {
        Identifier::Email(email) => format!("email {ip} {email}"),
        Identifier::Username(username) => format!("username {ip} {username}"),
        Identifier::Nobody(presented) => format!("nobody {ip} {presented}"),
    };
    Policy::SignInAccount.counter(digest(&named))
}

/// Refuses without a call what this instance knows to be refused.
pub(super) fn refuse_known(app: &App, policy: Policy, counter: &str) -> Result<(), AuthError> {
    let now = app.clock.now();
    match app.exceeded.get(counter, now) {
        Some(status) => Err(refused(policy, status, now)),
        None => Ok(()),
    }
}

/// Takes a place: counts the attempt in the table, exactly, unless this instance knows that the
/// counter refuses.
pub(super) async fn take(app: &App, policy: Policy, counter: String) -> Result<Place, AuthError> {
    refuse_known(app, policy, &counter)?;
    let now = app.clock.now();
    let limit = app.config.limits.of(policy);
    let tally = app.store.count(&counter, &limit, now).await?;
    let status = limit.status(tally);
    if limit.admits(tally) {
        return Ok(Place { status, counter });
    }
    if policy.counts_failures_only() {
        // Nothing was tried, so nothing failed.
        log_lost(app.store.give_back(&counter, &status).await);
    }
    let until = if policy.counts_failures_only() {
        status.resets_at.min(now.plus(SIGN_IN_NOTE))
    } else {
        status.resets_at
    };
    app.exceeded.insert(counter, status, until);
    Err(refused(policy, status, now))
}

fn refused(policy: Policy, status: RateLimitStatus, at: Timestamp) -> AuthError {
    AuthError::Limited(LimitExceeded { policy, status, at })
}

/// Gives a place back: the attempt did not fail.
pub(super) async fn give_back(app: &App, place: &Place) {
    app.exceeded.remove(&place.counter);
    log_lost(app.store.give_back(&place.counter, &place.status).await);
}

/// Clears the counter a place was taken in.
pub(super) async fn clear(app: &App, place: &Place) {
    app.exceeded.remove(&place.counter);
    log_lost(app.store.clear(&place.counter).await);
}

/// A place that could not be given back stays taken until its window closes: it may refuse
/// somebody early and never admits anybody.
fn log_lost(given_back: Result<(), StoreError>) {
    if let Err(error) = given_back {
        observe::trouble("place not given back", &error);
    }
}
