//! Counting attempts against rate limits.

use std::time::Duration;

use super::error::{AuthError, LimitExceeded};
use crate::app::App;
use crate::crypto::digest;
use crate::domain::{Identifier, RateLimitPolicy, RateLimitStatus, SourceIp, Timestamp};
use crate::observe;
use crate::store::StoreError;

/// An attempt that was counted and admitted.
#[derive(Debug)]
pub(super) struct CountedAttempt {
    pub(super) status: RateLimitStatus,
    counter: String,
}

/// How long this instance remembers a refused sign-in. Shorter than the window, because other
/// attempts may be uncounted: ten successful sign-ins at once must not block the eleventh for
/// fifteen minutes.
const SIGN_IN_REFUSAL: Duration = Duration::from_secs(10);

/// The counter of sign-ups from an address.
pub(super) fn sign_up_ip(ip: SourceIp) -> String {
    RateLimitPolicy::SignUpIp.counter(ip)
}

/// The counter of sign-ups for a canonical email.
pub(super) fn sign_up_email(canonical: &str) -> String {
    RateLimitPolicy::SignUpEmail.counter(digest(canonical))
}

/// The counter of failed sign-ins from an address.
pub(super) fn sign_in_ip(ip: SourceIp) -> String {
    RateLimitPolicy::SignInIp.counter(ip)
}

/// The counter of guessed API keys from an address.
pub(super) fn api_key_ip(ip: SourceIp) -> String {
    RateLimitPolicy::ApiKeyIp.counter(ip)
}

/// The counter of failed sign-ins for an identifier from an address. It includes the identifier's
/// kind, so that no two identifiers share a counter.
pub(super) fn sign_in_account(identifier: &Identifier, ip: SourceIp) -> String {
    let named = match identifier {
        Identifier::Email(email) => format!("email {ip} {email}"),
        Identifier::Username(username) => format!("username {ip} {username}"),
        Identifier::Invalid(presented) => format!("nobody {ip} {presented}"),
    };
    RateLimitPolicy::SignInAccount.counter(digest(&named))
}

/// Refuses an attempt, without a call to DynamoDB, if this instance remembers that the limit is
/// exceeded.
pub(super) fn refuse_remembered(
    app: &App,
    policy: RateLimitPolicy,
    counter: &str,
) -> Result<(), AuthError> {
    let now = app.clock.now();
    match app.exceeded.get(counter, now) {
        Some(status) => Err(refused(policy, status, now)),
        None => Ok(()),
    }
}

/// Counts an attempt in the table, unless this instance remembers that the limit is exceeded.
pub(super) async fn count(
    app: &App,
    policy: RateLimitPolicy,
    counter: String,
) -> Result<CountedAttempt, AuthError> {
    refuse_remembered(app, policy, &counter)?;
    let now = app.clock.now();
    let limit = app.config.limits.of(policy);
    let tally = app.store.count(&counter, &limit, now).await?;
    let status = limit.status(tally);
    if limit.admits(tally) {
        return Ok(CountedAttempt { status, counter });
    }
    let until = if policy.uncounts() {
        // A refused attempt is not a failure.
        log_failure(app.store.uncount(&counter, &status).await);
        status.resets_at.min(now.plus(SIGN_IN_REFUSAL))
    } else {
        status.resets_at
    };
    app.exceeded.insert(counter, status, until);
    Err(refused(policy, status, now))
}

fn refused(policy: RateLimitPolicy, status: RateLimitStatus, at: Timestamp) -> AuthError {
    AuthError::Limited(LimitExceeded { policy, status, at })
}

/// Uncounts an attempt that did not fail.
pub(super) async fn uncount(app: &App, attempt: &CountedAttempt) {
    app.exceeded.remove(&attempt.counter);
    log_failure(app.store.uncount(&attempt.counter, &attempt.status).await);
}

/// Clears the counter of an attempt.
pub(super) async fn clear(app: &App, attempt: &CountedAttempt) {
    app.exceeded.remove(&attempt.counter);
    log_failure(app.store.clear(&attempt.counter).await);
}

/// An attempt that cannot be uncounted stays counted until its window closes. It may cause an early
/// refusal, but never admits an attempt too many.
fn log_failure(uncounted: Result<(), StoreError>) {
    if let Err(error) = uncounted {
        observe::warn("attempt not uncounted", &error);
    }
}
