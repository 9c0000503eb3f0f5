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
/// Updates of one setting are applied one after another. The result shows other updates as they were
/// read.
///
/// An update of at most [`MAX_SETTINGS_AT_ONCE`](crate::domain::MAX_SETTINGS_AT_ONCE) settings is
/// atomic. A larger one is written in steps, each of which is: if a later one fails, the earlier ones
/// stay.
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
    let mut profile = first.clone();
    let mut created = 0;
    for attempt in 1..=MAX_ATTEMPTS {
        let delta = profile.delta(&request.update, &first, created)?;
        if delta.is_empty() {
            return Ok(profile);
        }
        let step = delta.first_step();
        let now = app.clock.now();
        let changed = app
            .store
            .change_profile(&account.id, &profile, &step, now)
            .await?;
        match changed {
            ChangedProfile::Written => {
                created += step.created.len();
                profile.apply(step, now);
            }
            ChangedProfile::Stale => {
                app.store.back_off(attempt).await;
                profile = app.store.profile(account).await?;
            }
        }
    }
    Err(StoreError::Contended.into())
}
