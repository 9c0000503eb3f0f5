//! Who the caller is, and what they may do: decided here and nowhere else.

use super::credentials::{ApiKeyHeader, Authorization, Credentials};
use super::error::{AuthError, Denial};
use super::limits;
use super::tokens::verify_token;
use crate::app::App;
use crate::crypto::{Claims, PlainApiKey};
use crate::domain::{Account, Permission, Policy, Profile, Scope, SourceIp, Timestamp};
use crate::observe;
use crate::store::{StoredApiKey, WithProfile};

/// What a route asks of a caller, beyond being known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A key that is used must have this permission.
    Permission(Permission),
    /// No key may be used, not even beside a token.
    TokenAlone,
    /// Nothing.
    Nothing,
}

impl Need {
    /// Whether a caller who used `key`, or none, may go on.
    fn check(self, key: Option<&StoredApiKey>) -> Result<(), AuthError> {
        match (self, key) {
            (_, None) | (Self::Nothing, Some(_)) => Ok(()),
            (Self::TokenAlone, Some(_)) => Err(AuthError::TokenAlone),
            (Self::Permission(needed), Some(key)) if key.permissions.include(needed) => Ok(()),
            (Self::Permission(_), Some(_)) => Err(AuthError::InsufficientScope),
        }
    }
}

/// Whoever made a request: an account as it is stored now, not as a token remembers it.
#[derive(Debug)]
pub struct Caller {
    /// The caller's account.
    pub account: Account,
    /// What their token says, if they credentials one.
    pub token: Option<Claims>,
}

impl Caller {
    /// Whether the caller's account has one of these scopes.
    #[must_use]
    pub fn has_any(&self, scopes: &[Scope]) -> bool {
        self.account.scopes.has_any(scopes)
    }
}

/// Decides who the caller is and whether they may. One round trip for a token, two where there is
/// an API key.
///
/// With both, both must be valid and of one owner, and the key still restricts.
pub async fn authenticate(
    app: &App,
    source: SourceIp,
    credentials: Credentials<'_>,
    need: Need,
) -> Result<Caller, AuthError> {
    let (caller, _) = identify(app, source, credentials, need, WithProfile::No).await?;
    Ok(caller)
}

/// Like [`authenticate`], and reads the caller's profile in the same round trip.
pub async fn authenticate_with_profile(
    app: &App,
    source: SourceIp,
    credentials: Credentials<'_>,
    need: Need,
) -> Result<(Caller, Profile), AuthError> {
    identify(app, source, credentials, need, WithProfile::Yes).await
}

/// For a route that needs no credentials: an API key that is sent all the same must be a live one,
/// of anybody.
pub async fn authenticate_key_if_sent(
    app: &App,
    source: SourceIp,
    credentials: Credentials<'_>,
) -> Result<(), AuthError> {
    let key_alone = Credentials {
        authorization: Authorization::Nothing,
        ..credentials
    };
    match authenticate(app, source, key_alone, Need::Nothing).await {
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
    let token_id = token.as_ref().map(|token| token.token_id.as_str());
    let record = app.store.caller(owner, token_id, with_profile).await?;
    let account = record.account.ok_or(if_gone)?;
    let is_outdated = |token: &Claims| token.generation != account.generation;
    if record.is_revoked || token.as_ref().is_some_and(is_outdated) {
        return Err(Denial::TokenRevoked.into());
    }
    observe::authenticated(&account.id);
    need.check(key.as_ref())?;
    Ok((Caller { account, token }, record.profile))
}

/// The key, if it can be used. One that nobody has is a guess, and counts for the address it came
/// from; however many those are, a live key is never refused for them.
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
            limits::take(app, Policy::ApiKeyIp, limits::api_key_ip(source)).await?;
            Err(Denial::ApiKey.into())
        }
    }
}
