//! Making and revoking API keys.

use super::authenticate::Caller;
use super::error::AuthError;
use crate::app::App;
use crate::crypto::PlainApiKey;
use crate::crypto::ids::random_id;
use crate::domain::{
    ApiKey, ApiKeyDescription, ApiKeyName, MAX_LIVE_API_KEYS, Permissions, Profile, Timestamp,
};
use crate::store::{AddedApiKey, StoreError};

/// What it takes to make a key.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What it is to be called.
    pub name: ApiKeyName,
    /// What it is for.
    pub description: Option<ApiKeyDescription>,
    /// What it may be used for.
    pub permissions: Permissions,
    /// When it dies by itself, if it does.
    pub expires_at: Option<Timestamp>,
}

/// A new key.
#[derive(Debug)]
pub struct CreatedApiKey {
    /// The key itself, to be shown this once.
    pub plain: PlainApiKey,
    /// What its owner can see of it from now on.
    pub key: ApiKey,
}

/// An owner whose other requests keep making keys at the same time is contention.
const MAX_ATTEMPTS: u32 = 30;

/// Makes a key of the caller's, whose profile was `profile` when they were let in. Numbers count
/// up and are never given twice; of racing requests no more succeed than there is room for.
pub async fn create_api_key(
    app: &App,
    caller: &Caller,
    mut profile: Profile,
    new: NewApiKey,
) -> Result<CreatedApiKey, AuthError> {
    let plain = PlainApiKey::generate(app.entropy.as_ref())?;
    let mut key = ApiKey {
        id: 0,
        name: new.name,
        description: new.description,
        permissions: new.permissions,
        start: plain.start().to_owned(),
        digest: plain.digest(),
        created_at: app.clock.now(),
        expires_at: new.expires_at,
        revoked_at: None,
    };
    let owner = &caller.account.id;
    for attempt in 1..=MAX_ATTEMPTS {
        let now = app.clock.now();
        if profile.live_api_keys(now) >= MAX_LIVE_API_KEYS {
            return Err(AuthError::TooManyApiKeys);
        }
        key.id = profile.last_api_key.saturating_add(1);
        let forgotten = profile.forgettable_api_keys(now);
        let request_token = random_id(app.entropy.as_ref())?;
        let added = app
            .store
            .add_api_key(owner, &key, &forgotten, &request_token)
            .await?;
        match added {
            AddedApiKey::Stored => return Ok(CreatedApiKey { plain, key }),
            AddedApiKey::Raced => {
                app.store.back_off(attempt).await;
                profile = app.store.profile(owner).await?;
            }
        }
    }
    Err(StoreError::Contended.into())
}

/// Revokes the caller's key of this number: it is dead from the next request on. One that is dead
/// already stays so.
pub async fn revoke_api_key(
    app: &App,
    caller: &Caller,
    profile: &Profile,
    id: u64,
) -> Result<(), AuthError> {
    if id == 0 || id > profile.last_api_key {
        return Err(AuthError::NoApiKey);
    }
    match profile.api_keys.get(&id) {
        // Dead for so long that it is not listed any more.
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
