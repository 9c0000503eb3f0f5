//! Signing up.

use std::sync::Arc;

use super::authenticate::{Need, authenticate};
use super::credentials::Credentials;
use super::error::{AuthError, Denial, InternalError};
use super::limits;
use super::tokens::issue_token;
use crate::app::App;
use crate::crypto::Token;
use crate::crypto::ids::random_id;
use crate::domain::{
    Account, Email, Password, Permission, Policy, RateLimitStatus, Scope, SourceIp, Username,
};
use crate::observe;
use crate::store::Added;

/// What it takes to sign up.
#[derive(Debug)]
pub struct SignUp {
    /// The account's address.
    pub email: Email,
    /// The account's name.
    pub username: Username,
    /// The account's password.
    pub password: Password,
}

/// A new account, and its first token.
#[derive(Debug)]
pub struct SignedUp {
    /// The account.
    pub account: Account,
    /// A token of it.
    pub token: Token,
    /// Where the attempt stands against each limit that applied to it.
    pub rate_limits: Vec<(Policy, RateLimitStatus)>,
}

/// Who asks for a new account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creator {
    /// Anybody, within the limits.
    Public,
    /// Somebody whose scope frees them of the limits.
    Authorised,
}

/// How many ids are tried before giving up; two are never the same but by a broken generator.
const MAX_ID_ATTEMPTS: usize = 3;

/// Decides who asks for a new account.
///
/// With `API_USER_CREATE_SCOPE` credentials of such a scope are needed; without it anybody may,
/// credentials that are sent must be valid, and those of an admin free from the limits.
pub async fn creator(
    app: &App,
    source: SourceIp,
    credentials: Credentials<'_>,
) -> Result<Creator, AuthError> {
    let required = app.config.sign_up.scopes.as_deref();
    let need = Need::Permission(Permission::Create);
    let caller = match authenticate(app, source, credentials, need).await {
        Ok(caller) => caller,
        Err(AuthError::Denied(Denial::NoCredentials)) if required.is_none() => {
            return Ok(Creator::Public);
        }
        Err(error) => return Err(error),
    };
    match required {
        Some(scopes) if caller.has_any(scopes) => Ok(Creator::Authorised),
        Some(_) => Err(AuthError::InsufficientScope),
        None if caller.has_any(&[Scope::admin()]) => Ok(Creator::Authorised),
        None => Ok(Creator::Public),
    }
}

/// Makes an account, unless a limit refuses or its email or username is taken.
///
/// Three round trips, two counters and one transaction, or the transaction alone where the
/// creator is free of limits.
pub async fn sign_up(
    app: &App,
    creator: Creator,
    source: SourceIp,
    sign_up: SignUp,
) -> Result<SignedUp, AuthError> {
    let rate_limits = match creator {
        Creator::Public => count_attempt(app, source, &sign_up.email).await?,
        Creator::Authorised => Vec::new(),
    };
    let password = Arc::new(sign_up.password);
    let hash = app.hasher.hash(password, app.entropy.as_ref()).await?;
    let now = app.clock.now();
    let keys = app.keys.current(now).await?;
    for _ in 0..MAX_ID_ATTEMPTS {
        let account = Account::new(
            app.ids.next(now),
            &sign_up.email,
            &sign_up.username,
            app.config.sign_up.vendor.clone(),
            now,
        );
        let request_token = random_id(app.entropy.as_ref())?;
        match app
            .store
            .add_account(&account, &hash, &request_token)
            .await?
        {
            Added::Stored => {
                let lifetime = app.config.token_lifetime;
                let token = issue_token(app, &keys, &account, lifetime, now)?;
                observe::signed_up(&account.id);
                return Ok(SignedUp {
                    account,
                    token,
                    rate_limits,
                });
            }
            Added::Taken => return Err(AuthError::Taken { rate_limits }),
            Added::IdCollision => {}
        }
    }
    Err(InternalError::NoFreeId.into())
}

/// Counts an attempt for the address, then for the email. One that the address's limit refuses is
/// not counted for the email.
async fn count_attempt(
    app: &App,
    source: SourceIp,
    email: &Email,
) -> Result<Vec<(Policy, RateLimitStatus)>, AuthError> {
    let ip = limits::take(app, Policy::SignUpIp, limits::sign_up_ip(source)).await?;
    let email = limits::sign_up_email(email.canonical());
    let email = limits::take(app, Policy::SignUpEmail, email).await?;
    Ok(vec![
        (Policy::SignUpIp, ip.status),
        (Policy::SignUpEmail, email.status),
    ])
}
