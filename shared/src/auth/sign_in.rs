//! Signing in.

use std::sync::Arc;
use std::time::Duration;

use super::attempt::{Attempt, Proved, Purpose};
use super::error::AuthError;
use super::mail::ask_to_verify_email;
use super::refresh::first_refresh_token;
use super::tokens::issue_token;
use crate::app::App;
use crate::crypto::ids::session_id;
use crate::crypto::{PasswordHash, Token};
use crate::domain::{
    Account, Client, EmailVerification, Identifier, Lifetime, Password, Refresh, Session,
};
use crate::keys::KeysError;
use crate::observe;
use crate::store::{Claim, StoreError};

#[derive(Debug)]
pub struct SignIn {
    pub identifier: Identifier,
    pub password: Password,
    /// The lifetime of the new token, unless the session can be refreshed.
    pub lifetime: Lifetime,
    /// Whether the session can be refreshed. Its tokens live for `ACCESS_EXPIRES_IN` then.
    pub refresh: bool,
}

#[derive(Debug)]
pub struct SignedIn {
    /// Its `last_login` is this sign-in.
    pub account: Account,
    pub token: Token,
    /// How long the token lives.
    pub expires_in: Duration,
    pub refresh_token: Option<Token>,
}

/// How often to start over if the password or the session generation changes during a sign-in.
const MAX_TRIES: usize = 3;

/// Signs in, with one round trip before the password hash and one after it. A third one follows if
/// failures are to be cleared, or the source is not familiar, or its familiarity is renewed.
///
/// If the account lacks a verified email that it needs, a right password counts as a success but starts no
/// session: a code is mailed instead, within the limits of mail.
pub async fn sign_in(app: &App, client: Client, sign_in: SignIn) -> Result<SignedIn, AuthError> {
    let attempt = Attempt::begin(app, client.source, &sign_in.identifier, Purpose::SignIn)?;
    let keys = app.keys.current(app.clock.now()).await?;
    if sign_in.refresh && !keys.issues_refresh_tokens() {
        // Before the password is verified, so that the answer says nothing of it.
        return Err(KeysError::NoDecoyKey.into());
    }
    let password = Arc::new(sign_in.password);
    let lifetime = if sign_in.refresh {
        app.config.access_lifetime.duration()
    } else {
        sign_in.lifetime.duration()
    };
    for _ in 0..MAX_TRIES {
        let proved = attempt.verify(&keys, Arc::clone(&password)).await?;
        let claim = &proved.claim;
        let now = app.clock.now();
        let refresh = sign_in.refresh.then(|| Refresh::first(now));
        let session_ends = refresh.map_or(now.plus(lifetime), |refresh| refresh.ends(now));
        let token_ends = session_ends.min(now.plus(lifetime));
        let session = Session {
            id: session_id(now, app.entropy.as_ref())?,
            account: claim.account.clone(),
            generation: claim.session_generation,
            created_at: now,
            expires_at: session_ends,
            refresh,
            client: client.clone(),
        };
        let refresh_token = first_refresh_token(&keys, &session)?;
        let Some(account) = start(app, &attempt, &proved, &session).await? else {
            continue;
        };
        if app.hasher.is_outdated(&claim.password_hash)? {
            rehash(app, &account, &claim.password_hash, password).await;
        }
        let token = issue_token(app, &keys, &account, &session, token_ends)?;
        observe::signed_in(&account.id);
        return Ok(SignedIn {
            account,
            token,
            expires_in: now.until(token_ends),
            refresh_token,
        });
    }
    Err(StoreError::Contended.into())
}

/// Starts the session unless a limit refuses the sign-in or the account needs a verified email. Returns `None`
/// if the account has changed since the claim was read.
///
/// At a familiar source, writes beside the read of the counters and undoes it if a limit refuses; elsewhere
/// writes after it (decision 3).
async fn start(
    app: &App,
    attempt: &Attempt<'_>,
    proved: &Proved,
    session: &Session,
) -> Result<Option<Account>, AuthError> {
    let Proved { claim, is_familiar } = proved;
    let verification = app.config.mail.verification;
    let start = || app.store.start_session(claim, session, verification);
    let (admitted, started) = if *is_familiar {
        let (admitted, started) = tokio::join!(attempt.admit(claim), start());
        match (admitted, started) {
            (Ok(admitted), Ok(account)) => (attempt.succeed(admitted, claim).await, Ok(account)),
            (admitted, started) => (admitted.map(|_| ()), started),
        }
    } else {
        match attempt.admit(claim).await {
            Ok(admitted) => tokio::join!(attempt.succeed(admitted, claim), start()),
            Err(error) => (Err(error), Ok(None)),
        }
    };
    match (admitted, started) {
        (Ok(()), Ok(Some(account))) => Ok(Some(Account {
            last_login: Some(session.created_at),
            ..account
        })),
        (Ok(()), Ok(None)) => match unverified(app, claim).await? {
            Some(account) => {
                ask_to_verify_email(app, session.client.source, &account).await?;
                Err(AuthError::EmailNotVerified)
            }
            None => Ok(None),
        },
        (Ok(()), Err(error)) => Err(error.into()),
        (Err(error), started) => {
            // Also if nothing was started, so that it takes as long.
            let before = started.ok().flatten();
            app.store.abandon_sign_in(session, before.as_ref()).await;
            Err(error)
        }
    }
}

/// The account that the claim was read for, if only its email keeps it from signing in.
async fn unverified(app: &App, claim: &Claim) -> Result<Option<Account>, AuthError> {
    let verification = app.config.mail.verification;
    if verification == EmailVerification::Optional {
        return Ok(None);
    }
    let account = app.store.account(&claim.account).await?;
    Ok(account.filter(|account| {
        account.lacks_verification(verification)
            && account.password_version == claim.password_version
            && account.session_generation == claim.session_generation
    }))
}

/// Replaces a hash that has outdated parameters. If this fails, the sign-in still succeeds, and the
/// next one tries again.
async fn rehash(app: &App, account: &Account, old: &PasswordHash, password: Arc<Password>) {
    let replaced = async {
        let new = app.hasher.hash(password, app.entropy.as_ref()).await?;
        Ok::<_, AuthError>(app.store.replace_hash(account, old, &new).await?)
    };
    match replaced.await {
        Ok(true) => {}
        Ok(false) => tracing::info!(account = %account.id, "password hash changed meanwhile"),
        Err(error) => observe::warn("password hash not replaced", &error),
    }
}
