//! Changing one's profile.

use super::authenticate::Caller;
use super::error::{AuthError, Name};
use crate::app::App;
use crate::crypto::ids::random_id;
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

/// A setting that others keep changing under our hands is contention.
const MAX_ATTEMPTS: u32 = 10;

/// Updates the caller's profile, which was `profile` when they were let in, and returns it as it
/// then is. Racing updates of different fields and settings all survive; of one field the later
/// wins, and a setting is changed as if one update had come after the other.
pub async fn update_profile(
    app: &App,
    caller: &Caller,
    mut profile: Profile,
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
    let mut reserved = None;
    for attempt in 1..=MAX_ATTEMPTS {
        let delta = profile.delta(&request.update)?;
        if delta.is_empty() {
            return Ok(profile);
        }
        let first_id = match reserved {
            Some(first_id) => first_id,
            None if delta.created.is_empty() => 0,
            None => {
                let count = delta.created.len();
                let first_id = app.store.reserve_setting_ids(&account.id, count).await?;
                *reserved.insert(first_id)
            }
        };
        let now = app.clock.now();
        let update_id = random_id(app.entropy.as_ref())?;
        let changed = app
            .store
            .change_profile(&account.id, &delta, first_id, now, &update_id)
            .await?;
        profile = match changed {
            ChangedProfile::Written(profile) => return Ok(profile),
            ChangedProfile::Stale(profile) => profile,
        };
        app.store.back_off(attempt).await;
    }
    Err(StoreError::Contended.into())
}
