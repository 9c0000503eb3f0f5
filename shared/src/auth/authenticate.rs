//! Authenticates callers and checks the route's [`Need`]. `sign_up` checks who may create accounts, and `refresh`
//! checks refresh tokens.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::credentials::{ApiKeyHeader, Authorization, Credentials};
use super::error::{AuthError, Denial};
use super::limits::{Counter, SourceCounters};
use super::need::Need;
use super::tokens::verify_token;
use crate::app::App;
use crate::crypto::{Claims, PlainApiKey};
use crate::domain::{
    Account, AccountId, Metadata, Profile, RateLimitPolicy, Scope, SourceIp, Timestamp,
};
use crate::observe;
use crate::store::{AlsoRead, StoredApiKey, StoredSession};

/// The account that made a request, as it is stored now and not as it was when the token was
/// issued.
#[derive(Debug)]
pub struct Caller {
    pub account: Account,
    /// `None` if the caller used an API key alone.
    pub token: Option<Claims>,
    /// What the route requires.
    need: Need,
}

impl Caller {
    /// The session of the caller's token.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.session.as_str())
    }

    pub(super) fn require_session(&self) -> Result<&str, AuthError> {
        self.session().ok_or(AuthError::NoToken)
    }

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
    credentials: Credentials<'_>,
    need: Need,
) -> Result<Caller, AuthError> {
    let verified = verify(app, credentials).await?;
    let (caller, _) = identify(app, verified, need, AlsoRead::Nothing).await?;
    Ok(caller)
}

/// Like [`authenticate`], but also reads the caller's metadata in the same round trip.
pub async fn authenticate_with_metadata(
    app: &App,
    credentials: Credentials<'_>,
    need: Need,
) -> Result<(Caller, Option<Metadata>), AuthError> {
    let verified = verify(app, credentials).await?;
    let (caller, profile) = identify(app, verified, need, AlsoRead::Metadata).await?;
    Ok((caller, profile.metadata))
}

/// Like [`authenticate`], but also reads the caller's profile in the same round trip.
pub async fn authenticate_with_profile(
    app: &App,
    credentials: Credentials<'_>,
    need: Need,
) -> Result<(Caller, Profile), AuthError> {
    let verified = verify(app, credentials).await?;
    identify(app, verified, need, AlsoRead::Profile).await
}

/// Like [`authenticate_with_profile`], and parses the update and counts it against the account's
/// limit. Credentials are checked first, then permission, then the update, then the limit.
///
/// The update is counted while the account is read (decision 6). It is not counted if the key lacks the
/// permission or the update is invalid, and only after the read if this instance has refused a caller of the
/// account before. So all ended sessions and keys of an account together are counted at most once on each instance.
pub async fn authenticate_update<T, E: From<AuthError>>(
    app: &App,
    credentials: Credentials<'_>,
    need: Need,
    parse: impl FnOnce() -> Result<T, E>,
) -> Result<(Caller, Profile, T), E> {
    let verified = verify(app, credentials).await?;
    let update = parse();
    let owner = verified.owner.clone();
    let counts_at_once = update.is_ok()
        && need.check_api_key(verified.key.as_ref()).is_ok()
        && !app.refused.contains(&owner);
    let updates = Counter::new(RateLimitPolicy::ProfileUpdate, &owner);
    let count = || updates.count(app);
    let identified = identify(app, verified, need, AlsoRead::Profile);
    let (identified, counted) = if counts_at_once {
        let (identified, counted) = tokio::join!(identified, count());
        if let Err(AuthError::Denied(_)) = &identified {
            app.refused.insert(&owner);
        }
        (identified?, Some(counted))
    } else {
        (identified.await?, None)
    };
    let update = update?;
    match counted {
        Some(counted) => counted?,
        None => count().await?,
    };
    let (caller, profile) = identified;
    Ok((caller, profile, update))
}

/// For routes that need no credentials: if the request has an API key, it must be a live one, of
/// any account.
pub async fn authenticate_key_if_sent(
    app: &App,
    credentials: Credentials<'_>,
) -> Result<(), AuthError> {
    let key_alone = Credentials {
        authorization: Authorization::Nothing,
        ..credentials
    };
    match authenticate(app, key_alone, Need::ANY_CREDENTIALS).await {
        Ok(_) | Err(AuthError::Denied(Denial::NoCredentials)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A valid token, a live key, or both.
struct Verified {
    token: Option<Claims>,
    key: Option<StoredApiKey>,
    owner: AccountId,
    /// The error if the account does not exist or is disabled.
    if_gone: Denial,
}

/// Boxed and not `async`, so that it is compiled once (decision 12): most functions authenticate their callers.
fn verify<'a>(
    app: &'a App,
    credentials: Credentials<'a>,
) -> BoxFuture<'a, Result<Verified, AuthError>> {
    let verified = async move {
        let now = app.clock.now();
        let token = match credentials.authorization {
            Authorization::Bearer(token) => Some(verify_token(app, token, now).await?),
            Authorization::Nothing => None,
            Authorization::OtherScheme(scheme) => return Err(Denial::OtherScheme(scheme).into()),
            Authorization::Malformed => return Err(Denial::TokenFormat.into()),
        };
        let key = match credentials.api_key {
            ApiKeyHeader::Key(key) => Some(live_key(app, credentials.source, &key, now).await?),
            ApiKeyHeader::Nothing => None,
            ApiKeyHeader::Malformed => return Err(Denial::ApiKey.into()),
        };
        let (owner, if_gone) = match (&token, &key) {
            (None, None) => return Err(Denial::NoCredentials.into()),
            (None, Some(key)) => (key.owner.clone(), Denial::ApiKey),
            (Some(token), Some(key)) if token.account != key.owner => {
                return Err(Denial::ApiKey.into());
            }
            (Some(token), _) => (token.account.clone(), Denial::TokenRevoked),
        };
        Ok(Verified {
            token,
            key,
            owner,
            if_gone,
        })
    };
    verified.boxed()
}

/// Boxed like [`verify`].
fn identify(
    app: &App,
    verified: Verified,
    need: Need,
    also_read: AlsoRead,
) -> BoxFuture<'_, Result<(Caller, Profile), AuthError>> {
    let identified = async move {
        let now = app.clock.now();
        let Verified {
            token,
            key,
            owner,
            if_gone,
        } = verified;
        let session = token.as_ref().map(|token| token.session.as_str());
        let record = app.store.caller(&owner, session, also_read).await?;
        let account = enabled_account(record.account, if_gone)?;
        if token.is_some() {
            live_session(record.session, &account, now, if_gone)?;
        }
        if key
            .as_ref()
            .is_some_and(|key| key.generation != account.key_generation)
        {
            return Err(Denial::ApiKey.into());
        }
        observe::account(&account.id);
        need.check_verification(&account, app.config.mail.verification)?;
        need.check_api_key(key.as_ref())?;
        need.check_scope(&account)?;
        need.check_age(token.as_ref(), app.config.reauth_max_age.duration(), now)?;
        let caller = Caller {
            account,
            token,
            need,
        };
        Ok((caller, record.profile))
    };
    identified.boxed()
}

pub(super) fn enabled_account(
    account: Option<Account>,
    if_gone: Denial,
) -> Result<Account, Denial> {
    account
        .filter(|account| !account.is_disabled())
        .ok_or(if_gone)
}

pub(super) fn live_session(
    session: Option<StoredSession>,
    account: &Account,
    now: Timestamp,
    if_gone: Denial,
) -> Result<StoredSession, Denial> {
    let is_live = |session: &StoredSession| session.is_live(account.session_generation, now);
    session.filter(is_live).ok_or(if_gone)
}

/// Reads the account of a caller with a token again. Fails if the session has ended, or the account no longer
/// has the verified email or the scope that the route requires.
pub(super) async fn read_again(app: &App, caller: &Caller) -> Result<Account, AuthError> {
    let account = token_owner(app, &caller.account.id, caller.session(), caller.need).await?;
    caller.need.check_scope(&account)?;
    Ok(account)
}

/// Reads the account of a token. Fails if the session has ended, or the account lacks the verified email that the
/// need includes.
pub(super) async fn token_owner(
    app: &App,
    id: &AccountId,
    session: Option<&str>,
    need: Need,
) -> Result<Account, AuthError> {
    let record = app.store.caller(id, session, AlsoRead::Nothing).await?;
    let if_gone = Denial::TokenRevoked;
    let account = enabled_account(record.account, if_gone)?;
    live_session(record.session, &account, app.clock.now(), if_gone)?;
    need.check_verification(&account, app.config.mail.verification)?;
    Ok(account)
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
