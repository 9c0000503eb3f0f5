//! Creating and revoking API keys.

use super::authenticate::Caller;
use super::error::{AuthError, Denial};
use super::mail::notice;
use crate::app::App;
use crate::crypto::PlainApiKey;
use crate::domain::{
    ApiKey, ApiKeyDescription, ApiKeyName, MAX_LIVE_API_KEYS, Notice, Permissions, Profile,
    Timestamp,
};
use crate::store::{AddedApiKey, StoreError};

#[derive(Debug, Clone)]
pub struct NewApiKey {
    pub name: ApiKeyName,
    pub description: Option<ApiKeyDescription>,
    pub permissions: Permissions,
    /// `None` if the key never expires.
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug)]
pub struct CreatedApiKey {
    /// The key itself, which is shown only once.
    pub plain: PlainApiKey,
    /// What its owner can see afterwards.
    pub key: ApiKey,
}

/// How often to try while other requests create keys for the same account.
const MAX_ATTEMPTS: u32 = 30;

/// Creates a key for the caller. `profile` is the one that authentication read.
///
/// The key expires within the operator's maximum lifetime, if there is one, even if `new` asks for
/// a later date. Ids increase and are never reused. Racing requests cannot exceed [`MAX_LIVE_API_KEYS`].
pub async fn create_api_key(
    app: &App,
    caller: &Caller,
    mut profile: Profile,
    new: NewApiKey,
) -> Result<CreatedApiKey, AuthError> {
    let plain = PlainApiKey::generate(app.entropy.as_ref())?;
    let created_at = app.clock.now();
    let max_lifetime = app.config.api_key_max_lifetime;
    let latest_expiry = max_lifetime.map(|lifetime| created_at.plus(lifetime.duration()));
    let mut key = ApiKey {
        id: 0,
        name: new.name,
        description: new.description,
        permissions: new.permissions,
        start: plain.start().to_owned(),
        digest: plain.digest(),
        created_at,
        expires_at: new.expires_at.into_iter().chain(latest_expiry).min(),
        revoked_at: None,
        generation: caller.account.key_generation,
    };
    let (account, session) = (&caller.account, caller.require_session()?);
    let notice = notice(app, account, Notice::ApiKeyCreated)?;
    for attempt in 1..=MAX_ATTEMPTS {
        let now = app.clock.now();
        if profile.live_api_keys(now) >= MAX_LIVE_API_KEYS {
            return Err(AuthError::TooManyApiKeys);
        }
        key.id = profile.last_api_key().saturating_add(1);
        let forgotten = profile.forgettable_api_keys(now);
        let added = app
            .store
            .add_api_key(account, session, &key, &forgotten, notice.as_ref())
            .await?;
        match added {
            AddedApiKey::Stored => return Ok(CreatedApiKey { plain, key }),
            AddedApiKey::Ended => return Err(Denial::TokenRevoked.into()),
            AddedApiKey::Conflict => {
                app.store.back_off(attempt).await;
                profile = app.store.profile(account).await?;
            }
        }
    }
    Err(StoreError::Contended.into())
}

/// Revokes the caller's key with this id, from the next request on. Succeeds without a change if
/// the key is already revoked or no longer listed.
pub async fn revoke_api_key(
    app: &App,
    caller: &Caller,
    profile: &Profile,
    id: u64,
) -> Result<(), AuthError> {
    if id == 0 || id > profile.last_api_key() {
        return Err(AuthError::NoApiKey);
    }
    match profile.api_keys.get(&id) {
        // Revoked or expired so long ago that it is no longer listed.
        None => Ok(()),
        Some(key) if key.revoked_at.is_some() => Ok(()),
        Some(key) => {
            let now = app.clock.now();
            Ok(app
                .store
                .revoke_api_key(&caller.account.id, key, now)
                .await?)
        }
    }
}
