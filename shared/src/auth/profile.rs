//! Changing one's profile.

use super::authenticate::Caller;
use super::error::{AuthError, Name};
use crate::app::App;
use crate::domain::{Profile, ProfileUpdate};
use crate::store::{ChangedProfile, StoreError};

/// What an owner sent of their profile.
#[derive(Debug, Clone, Default)]
pub struct ProfileRequest {
    /// The username, if they sent one; `None` within for null. It cannot be changed.
    pub username: Option<Option<String>>,
    /// The email, likewise.
    pub email: Option<Option<String>>,
    /// What can be.
    pub update: ProfileUpdate,
}

/// A setting that others keep changing under our hands is contention. Whoever loses lost to
/// somebody's success, so that of so many racing updates none is given up.
const MAX_ATTEMPTS: u32 = 30;

/// Updates the caller's profile, which was `first` when they were let in, and returns it as it
/// then is. Racing updates of different fields and settings all survive; of one field the later
/// wins, and a setting is changed as if one update had come after the other.
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
            ChangedProfile::Written(profile) => return Ok(profile),
            ChangedProfile::Stale(profile) => profile,
        };
        delta = profile.delta(&request.update, &first)?;
        if delta.is_empty() {
            return Ok(profile);
        }
        app.store.back_off(attempt).await;
    }
    Err(StoreError::Contended.into())
}
