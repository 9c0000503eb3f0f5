//! Signing in.

use std::sync::Arc;

use super::attempt::Attempt;
use super::error::AuthError;
use super::tokens::issue_token;
use crate::app::App;
use crate::crypto::{PasswordHash, Token};
use crate::domain::{Account, Identifier, Lifetime, Password, SourceIp};
use crate::observe;

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

/// Signs in, with one round trip before the password hash and one after it. A third one follows if
/// failures are to be cleared or the source is not familiar yet.
pub async fn sign_in(app: &App, source: SourceIp, sign_in: SignIn) -> Result<SignedIn, AuthError> {
    let attempt = Attempt::begin(app, source, &sign_in.identifier)?;
    let keys = app.keys.current(app.clock.now()).await?;
    let password = Arc::new(sign_in.password);
    let claim = attempt.verify(Arc::clone(&password)).await?;
    let now = app.clock.now();
    let (admitted, account) =
        tokio::join!(attempt.admit(&claim), app.store.record_login(&claim, now));
    let admitted = admitted?;
    let account = account?.ok_or(AuthError::InvalidCredentials)?;
    attempt.succeed(admitted, &claim).await?;
    if app.hasher.is_outdated(&claim.password_hash)? {
        rehash(app, &account, &claim.password_hash, password).await;
    }
    let token = issue_token(app, &keys, &account, sign_in.lifetime, now)?;
    observe::signed_in(&account.id);
    Ok(SignedIn { account, token })
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
