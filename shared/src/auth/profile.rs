//! Updating the caller's profile.

use super::authenticate::Caller;
use super::error::{AuthError, Name};
use crate::app::App;
use crate::domain::{Profile, ProfileUpdate};
use crate::store::{ChangedProfile, StoreError};

/// A profile update as the caller sent it. `Some(None)` is a null.
#[derive(Debug, Clone, Default)]
pub struct ProfileRequest {
    /// If present, must equal the account's username.
    pub username: Option<Option<String>>,
    /// If present, must equal the account's email.
    pub email: Option<Option<String>>,
    pub update: ProfileUpdate,
}

/// Each conflict means that another update succeeded, so up to this many racing updates of one
/// setting all succeed.
const MAX_ATTEMPTS: u32 = 30;

/// Updates the caller's profile and returns the result. `first` is the profile that authentication
/// read.
///
/// Racing updates of different fields and settings all survive. For one field the last update wins.
/// Updates of one setting are applied one after another.
pub async fn update_profile(
    app: &App,
    caller: &Caller,
    first: Profile,
    request: &ProfileRequest,
) -> Result<Profile, AuthError> {
    let account = &caller.account;
    for (sent, stored, name) in [
        (&request.username, &account.username, Name::Username),
        (&request.email, &account.email, Name::Email),
    ] {
        if sent
            .as_ref()
            .is_some_and(|sent| sent.as_ref() != Some(stored))
        {
            return Err(AuthError::Unchangeable(name));
        }
    }
    let mut delta = first.delta(&request.update, &first)?;
    if delta.is_empty() {
        return Ok(first);
    }
    let new_ids = app
        .store
        .reserve_setting_ids(&account.id, delta.created.len())
        .await?;
    for attempt in 1..=MAX_ATTEMPTS {
        let now = app.clock.now();
        let changed = app
            .store
            .change_profile(&account.id, &delta, &new_ids, now)
            .await?;
        let profile = match changed {
            ChangedProfile::Written(profile) => return Ok(profile.with_ended_api_keys(account)),
            ChangedProfile::Stale(profile) => profile.with_ended_api_keys(account),
        };
        delta = profile.delta(&request.update, &first)?;
        if delta.is_empty() {
            return Ok(profile);
        }
        app.store.back_off(attempt).await;
    }
    Err(StoreError::Contended.into())
}
