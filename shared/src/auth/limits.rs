//! Limits on attempts: who may still try.

use std::fmt::Display;
use std::time::Duration;

use super::error::AuthError;
use crate::app::App;
use crate::crypto::digest;
use crate::domain::{Identifier, Limit, SourceIp, Standing, Timestamp};
use crate::observe;
use crate::store::StoreError;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Sign-ups from an address.
    SignUpIp,
    /// Sign-ups for an email.
    SignUpEmail,
    /// Failed sign-ins from an address.
    SignInIp,
    /// Failed sign-ins for an identifier from an address.
    SignInAccount,
    /// API keys from an address that nobody has.
    ApiKeyIp,
}

/// A limit's answer to one attempt too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The limit that refused.
    pub policy: Policy,
    /// Where the key stands.
    pub standing: Standing,
    /// When it refused.
    pub at: Timestamp,
}

/// A place taken under a limit: one attempt, counted.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) standing: Standing,
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
    match app.refusals.known(counter, now) {
        Some(standing) => Err(refused(policy, standing, now)),
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
    let standing = limit.standing(tally);
    if limit.admits(tally) {
        return Ok(Place { standing, counter });
    }
    if policy.gives_back() {
        // Nothing was tried, so nothing failed.
        log_lost(app.store.give_back(&counter, &standing).await);
    }
    let until = policy.noted_until(standing, now);
    app.refusals.note(counter, standing, until);
    Err(refused(policy, standing, now))
}

fn refused(policy: Policy, standing: Standing, at: Timestamp) -> AuthError {
    AuthError::Limited(Refusal {
        policy,
        standing,
        at,
    })
}

/// Gives a place back: the attempt did not fail.
pub(super) async fn give_back(app: &App, place: &Place) {
    app.refusals.forget(&place.counter);
    log_lost(app.store.give_back(&place.counter, &place.standing).await);
}

/// Clears the counter a place was taken in.
pub(super) async fn clear(app: &App, place: &Place) {
    app.refusals.forget(&place.counter);
    log_lost(app.store.clear(&place.counter).await);
}

/// A place that could not be given back stays taken until its window closes: it may refuse
/// somebody early and never admits anybody.
fn log_lost(given_back: Result<(), StoreError>) {
    if let Err(error) = given_back {
        observe::trouble("place not given back", &error);
    }
}

impl Policy {
    /// Its name, to operators and at the start of its counters' keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignUpIp => "sign-up-ip",
            Self::SignUpEmail => "sign-up-email",
            Self::SignInIp => "sign-in-ip",
            Self::SignInAccount => "sign-in-account",
            Self::ApiKeyIp => "api-key-ip",
        }
    }

    /// The key of the counter of this subject.
    fn counter(self, subject: impl Display) -> String {
        format!("{}#{subject}", self.name())
    }

    /// Whether an attempt that did not fail gives its place back.
    fn gives_back(self) -> bool {
        match self {
            Self::SignUpIp | Self::SignUpEmail | Self::ApiKeyIp => false,
            Self::SignInIp | Self::SignInAccount => true,
        }
    }

    fn noted_until(self, standing: Standing, now: Timestamp) -> Timestamp {
        if self.gives_back() {
            standing.resets_at.min(now.plus(SIGN_IN_NOTE))
        } else {
            standing.resets_at
        }
    }
}

/// The limits as configured.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `USER_SIGNUP_RATE_LIMIT_IP` in `USER_SIGNUP_RATE_LIMIT_IP_WINDOW_MS`.
    pub sign_up_ip: Limit,
    /// `USER_SIGNUP_RATE_LIMIT_EMAIL` in `USER_SIGNUP_RATE_LIMIT_EMAIL_WINDOW_MS`.
    pub sign_up_email: Limit,
    /// `SIGNIN_RATE_LIMIT_IP` in `SIGNIN_RATE_LIMIT_WINDOW_MS`.
    pub sign_in_ip: Limit,
    /// `SIGNIN_RATE_LIMIT_ACCOUNT` in `SIGNIN_RATE_LIMIT_WINDOW_MS`.
    pub sign_in_account: Limit,
}

impl Limits {
    fn of(&self, policy: Policy) -> Limit {
        match policy {
            Policy::SignUpIp => self.sign_up_ip,
            Policy::SignUpEmail => self.sign_up_email,
            // A guessed key is a failed sign-in, counted apart so that it locks nobody out.
            Policy::SignInIp | Policy::ApiKeyIp => self.sign_in_ip,
            Policy::SignInAccount => self.sign_in_account,
        }
    }
}
