//! Signing up.

use std::sync::Arc;

use super::authenticate::authenticate;
use super::credentials::Credentials;
use super::error::{AuthError, Denial, InternalError};
use super::limits::Counter;
use super::mail::{user_created, verification};
use super::need::Need;
use super::tokens::issue_token;
use crate::app::App;
use crate::crypto::ids::session_id;
use crate::crypto::{Token, digest};
use crate::domain::{
    Account, Client, Email, MetadataChange, Password, Permission, RateLimitPolicy, RateLimitStatus,
    Scope, Session, SourceIp, Username,
};
use crate::observe;
use crate::store::{Added, NewAccount};

#[derive(Debug)]
pub struct SignUp {
    pub email: Email,
    pub username: Username,
    pub password: Password,
    pub metadata: Option<MetadataChange>,
}

#[derive(Debug)]
pub struct SignedUp {
    pub account: Account,
    pub token: Token,
    /// The status of each limit that applied to the attempt.
    pub rate_limits: Vec<(RateLimitPolicy, RateLimitStatus)>,
}

/// Who requests a new account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creator {
    /// Any caller, within the rate limits.
    Public,
    /// A caller whose scope exempts them from the rate limits.
    Authorised,
}

/// How many ids to try. Ids collide only if the generator is broken.
const MAX_ID_ATTEMPTS: usize = 3;

/// Decides whether the caller may create an account, and whether the rate limits apply.
///
/// If `API_USER_CREATE_SCOPE` is set, the caller needs one of its scopes. If not, credentials are
/// optional, but must be valid if sent, and an admin is exempt from the rate limits.
pub async fn creator(app: &App, credentials: Credentials<'_>) -> Result<Creator, AuthError> {
    let required = app.config.sign_up.scopes.as_deref();
    let need = Need::permission(Permission::Create);
    let caller = match authenticate(app, credentials, need).await {
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

/// Creates an account, unless a limit is exceeded or the email or username is taken.
///
/// Takes three round trips: two counters and one transaction. A creator who is exempt from the rate
/// limits needs only the transaction.
pub async fn sign_up(
    app: &App,
    creator: Creator,
    client: Client,
    sign_up: SignUp,
) -> Result<SignedUp, AuthError> {
    let rate_limits = match creator {
        Creator::Public => count_attempts(app, client.source, &sign_up.email).await?,
        Creator::Authorised => Vec::new(),
    };
    let metadata = sign_up.metadata.as_ref();
    let metadata = metadata.filter(|change| change.metadata().is_some());
    let password = Arc::new(sign_up.password);
    let hash = app.hasher.hash(password, app.entropy.as_ref()).await?;
    let now = app.clock.now();
    let keys = app.keys.current(now).await?;
    for _ in 0..MAX_ID_ATTEMPTS {
        let mut account = Account::new(
            app.ids.next(now),
            &sign_up.email,
            &sign_up.username,
            app.config.sign_up.vendor.clone(),
            now,
        );
        if let Some(lifetime) = app.config.unverified_account_lifetime {
            account = account.expiring_after(lifetime.duration());
        }
        let session = Session {
            id: session_id(now, app.entropy.as_ref())?,
            account: account.id.clone(),
            generation: account.session_generation,
            created_at: now,
            expires_at: now.plus(app.config.token_lifetime.duration()),
            refresh: None,
            client: client.clone(),
        };
        let mail = verification(app, &account, now)?;
        let webhook = user_created(app, &account, now)?;
        let outbox: Vec<_> = mail.into_iter().chain(webhook).collect();
        let new = NewAccount {
            account: &account,
            hash: &hash,
            session: &session,
            metadata,
            outbox: &outbox,
        };
        match app.store.add_account(&new).await? {
            Added::Stored => {
                let token = issue_token(app, &keys, &account, &session, session.expires_at)?;
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

/// Counts the attempt for the address and then for the email. If the address exceeds its limit, the
/// attempt is not counted for the email.
async fn count_attempts(
    app: &App,
    source: SourceIp,
    email: &Email,
) -> Result<Vec<(RateLimitPolicy, RateLimitStatus)>, AuthError> {
    let ip = Counter::new(RateLimitPolicy::SignUpIp, source);
    let ip = ip.count(app).await?;
    let email = Counter::new(RateLimitPolicy::SignUpEmail, digest(email.canonical()));
    let email = email.count(app).await?;
    Ok(vec![
        (RateLimitPolicy::SignUpIp, ip),
        (RateLimitPolicy::SignUpEmail, email),
    ])
}
