//! Authenticates callers and checks what they may do. No other module decides this.

use std::time::Duration;

use super::credentials::{ApiKeyHeader, Authorization, Credentials};
use super::error::{AuthError, Denial};
use super::limits::SourceCounters;
use super::tokens::verify_token;
use crate::app::App;
use crate::crypto::{Claims, PlainApiKey};
use crate::domain::{Account, Permission, Profile, Scope, SourceIp, Timestamp};
use crate::observe;
use crate::store::{StoredApiKey, StoredSession, WithProfile};

/// What a route requires in addition to authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// If the caller uses an API key, it must have this permission.
    Permission(Permission),
    /// The caller must not use an API key, not even together with a token.
    TokenAlone,
    /// Like [`Need::TokenAlone`], and the password was proved within `REAUTH_MAX_AGE`.
    RecentSignIn,
    AnyCredentials,
}

impl Need {
    fn check(self, key: Option<&StoredApiKey>) -> Result<(), AuthError> {
        match (self, key) {
            (_, None) | (Self::AnyCredentials, Some(_)) => Ok(()),
            (Self::TokenAlone | Self::RecentSignIn, Some(_)) => Err(AuthError::TokenAlone),
            (Self::Permission(needed), Some(key)) if key.permissions.include(needed) => Ok(()),
            (Self::Permission(_), Some(_)) => Err(AuthError::InsufficientScope),
        }
    }

    /// RFC 9470.
    fn check_age(
        self,
        token: Option<&Claims>,
        max_age: Duration,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        let is_recent = token.is_some_and(|token| now <= token.authenticated_at.plus(max_age));
        match self {
            Self::RecentSignIn if !is_recent => Err(Denial::SignInNotRecent(max_age).into()),
            Self::RecentSignIn | Self::TokenAlone | Self::Permission(_) | Self::AnyCredentials => {
                Ok(())
            }
        }
    }
}

/// The account that made a request, as it is stored now and not as it was when the token was
/// issued.
#[derive(Debug)]
pub struct Caller {
    pub account: Account,
    /// `None` if the caller used an API key alone.
    pub token: Option<Claims>,
}

impl Caller {
    #[must_use]
    pub fn has_any(&self, scopes: &[Scope]) -> bool {
        self.account.scopes.has_any(scopes)
    }
}

/// Authenticates the caller and checks `need`. Takes one round trip for a token alone, and two if
/// there is an API key.
///
/// If a request has both, both must be valid and belong to one account, and the key's permissions
/// apply.
pub async fn authenticate(
    app: &App,
    source: SourceIp,
    credentials: Credentials<'_>,
    need: Need,
) -> Result<Caller, AuthError> {
    let (caller, _) = identify(app, source, credentials, need, WithProfile::No).await?;
    Ok(caller)
}

/// Like [`authenticate`], but also reads the caller's profile in the same round trip.
pub async fn authenticate_with_profile(
    app: &App,
    source: SourceIp,
    credentials: Credentials<'_>,
    need: Need,
) -> Result<(Caller, Profile), AuthError> {
    identify(app, source, credentials, need, WithProfile::Yes).await
}

/// For routes that need no credentials: if the request has an API key, it must be a live one, of
/// any account.
pub async fn authenticate_key_if_sent(
    app: &App,
    source: SourceIp,
    credentials: Credentials<'_>,
) -> Result<(), AuthError> {
    let key_alone = Credentials {
        authorization: Authorization::Nothing,
        ..credentials
    };
    match authenticate(app, source, key_alone, Need::AnyCredentials).await {
        Ok(_) | Err(AuthError::Denied(Denial::NoCredentials)) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn identify(
    app: &App,
    source: SourceIp,
    credentials: Credentials<'_>,
    need: Need,
    with_profile: WithProfile,
) -> Result<(Caller, Profile), AuthError> {
    let now = app.clock.now();
    let token = match credentials.authorization {
        Authorization::Bearer(token) => Some(verify_token(app, token, now).await?),
        Authorization::Nothing => None,
        Authorization::OtherScheme(scheme) => return Err(Denial::OtherScheme(scheme).into()),
        Authorization::Malformed => return Err(Denial::TokenFormat.into()),
    };
    let key = match credentials.api_key {
        ApiKeyHeader::Key(key) => Some(live_key(app, source, &key, now).await?),
        ApiKeyHeader::Nothing => None,
        ApiKeyHeader::Malformed => return Err(Denial::ApiKey.into()),
    };
    let (owner, if_gone) = match (&token, &key) {
        (None, None) => return Err(Denial::NoCredentials.into()),
        (None, Some(key)) => (&key.owner, Denial::ApiKey),
        (Some(token), Some(key)) if token.account != key.owner => {
            return Err(Denial::ApiKey.into());
        }
        (Some(token), _) => (&token.account, Denial::TokenRevoked),
    };
    let session = token.as_ref().map(|token| token.session.as_str());
    let record = app.store.caller(owner, session, with_profile).await?;
    let account = record.account.ok_or(if_gone)?;
    let is_live = |session: &StoredSession| session.is_live(account.session_generation, now);
    if token.is_some() && !record.session.as_ref().is_some_and(is_live) {
        return Err(Denial::TokenRevoked.into());
    }
    if key
        .as_ref()
        .is_some_and(|key| key.generation != account.key_generation)
    {
        return Err(Denial::ApiKey.into());
    }
    observe::authenticated(&account.id);
    need.check(key.as_ref())?;
    need.check_age(token.as_ref(), app.config.reauth_max_age.duration(), now)?;
    let profile = record.profile.with_ended_api_keys(&account);
    Ok((Caller { account, token }, profile))
}

/// Returns the key if it is live. An unknown key is counted as a guess from this address. The limit
/// on guesses never refuses a live key.
async fn live_key(
    app: &App,
    source: SourceIp,
    key: &PlainApiKey,
    now: Timestamp,
) -> Result<StoredApiKey, AuthError> {
    match app.store.api_key(&key.digest()).await? {
        Some(key) if key.is_live(now) => Ok(key),
        Some(_) => Err(Denial::ApiKey.into()),
        None => {
            SourceCounters::of_api_keys(source).count(app).await?;
            Err(Denial::ApiKey.into())
        }
    }
}
