//! Signing in.

use std::sync::Arc;

use super::error::AuthError;
use super::limits::{self, CountedAttempt};
use super::tokens::issue_token;
use crate::app::App;
use crate::crypto::{PasswordHash, Token};
use crate::domain::{
    Account, Identifier, Lifetime, MAX_PASSWORD_BYTES, Password, RateLimitPolicy, SourceIp,
    Timestamp,
};
use crate::observe;
use crate::store::Claim;

#[derive(Debug)]
pub struct SignIn {
    pub identifier: Identifier,
    pub password: Password,
    /// The lifetime of the new token.
    pub lifetime: Lifetime,
}

#[derive(Debug)]
pub struct SignedIn {
    /// Its `last_login` is this sign-in.
    pub account: Account,
    pub token: Token,
}

/// Signs in, with one round trip before the password hash and one after it.
///
/// Counts the attempt under both limits while the password is verified, and uncounts it unless the
/// password is wrong. The sign-in succeeds only if both limits admit the attempt, so that parallel
/// guesses cannot exceed a limit. Whether an account has the identifier changes neither the
/// response nor the work.
pub async fn sign_in(app: &App, source: SourceIp, sign_in: SignIn) -> Result<SignedIn, AuthError> {
    let ip = limits::sign_in_ip(source);
    let account = limits::sign_in_account(&sign_in.identifier, source);
    limits::refuse_remembered(app, RateLimitPolicy::SignInIp, &ip)?;
    limits::refuse_remembered(app, RateLimitPolicy::SignInAccount, &account)?;
    // Before the attempt is counted, so that a failure leaves nothing to uncount.
    let keys = app.keys.current(app.clock.now()).await?;
    let password = Arc::new(sign_in.password);
    let (verified, ip, account) = tokio::join!(
        verify(app, &sign_in.identifier, Arc::clone(&password)),
        limits::count(app, RateLimitPolicy::SignInIp, ip),
        limits::count(app, RateLimitPolicy::SignInAccount, account),
    );
    let attempts = CountedAttempts::both_or_neither(app, ip, account).await?;
    match verified {
        Ok(claim) => {
            let (account, now) = finish(app, claim, attempts, password).await?;
            let token = issue_token(app, &keys, &account, sign_in.lifetime, now)?;
            observe::signed_in(&account.id);
            Ok(SignedIn { account, token })
        }
        Err(error) => {
            if !matches!(error, AuthError::InvalidCredentials) {
                attempts.uncount(app).await;
            }
            Err(error)
        }
    }
}

/// Returns the claim on the identifier if the password is correct. Does the same work if no account
/// has the identifier.
async fn verify(
    app: &App,
    identifier: &Identifier,
    password: Arc<Password>,
) -> Result<Claim, AuthError> {
    let claim = app.store.claim(identifier).await?;
    let has_valid_length = password.as_bytes().len() <= MAX_PASSWORD_BYTES;
    let hash = claim.as_ref().map(|claim| &claim.password_hash);
    let matches = app.hasher.verify(password, hash).await?;
    match claim {
        Some(claim) if matches && has_valid_length => Ok(claim),
        _ => Err(AuthError::InvalidCredentials),
    }
}

/// Concurrently records the login, uncounts the attempt for the address and clears the counter for
/// the identifier.
async fn finish(
    app: &App,
    claim: Claim,
    attempts: CountedAttempts,
    password: Arc<Password>,
) -> Result<(Account, Timestamp), AuthError> {
    let now = app.clock.now();
    let (account, (), ()) = tokio::join!(
        app.store.record_login(&claim, now),
        limits::uncount(app, &attempts.ip),
        limits::clear(app, &attempts.account),
    );
    let account = account?.ok_or(AuthError::InvalidCredentials)?;
    if app.hasher.is_outdated(&claim.password_hash)? {
        rehash(app, &account, &claim.password_hash, password).await;
    }
    Ok((account, now))
}

/// Replaces a hash that has outdated parameters. If this fails, the sign-in still succeeds, and the
/// next one tries again.
async fn rehash(app: &App, account: &Account, old: &PasswordHash, password: Arc<Password>) {
    let replaced = async {
        let new = app.hasher.hash(password, app.entropy.as_ref()).await?;
        app.store.replace_hash(account, old, &new).await?;
        Ok::<_, AuthError>(())
    };
    if let Err(error) = replaced.await {
        observe::warn("password hash not replaced", &error);
    }
}

struct CountedAttempts {
    ip: CountedAttempt,
    account: CountedAttempt,
}

impl CountedAttempts {
    /// If only one limit admitted the attempt, uncounts it there and returns the other's error.
    async fn both_or_neither(
        app: &App,
        ip: Result<CountedAttempt, AuthError>,
        account: Result<CountedAttempt, AuthError>,
    ) -> Result<Self, AuthError> {
        match (ip, account) {
            (Ok(ip), Ok(account)) => Ok(Self { ip, account }),
            (Ok(attempt), Err(error)) | (Err(error), Ok(attempt)) => {
                limits::uncount(app, &attempt).await;
                Err(error)
            }
            (Err(error), Err(_)) => Err(error),
        }
    }

    /// For an attempt that failed before its password was verified.
    async fn uncount(&self, app: &App) {
        tokio::join!(
            limits::uncount(app, &self.ip),
            limits::uncount(app, &self.account),
        );
    }
}
