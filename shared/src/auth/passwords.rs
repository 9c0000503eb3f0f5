//! Setting a password. No other module does.

use std::sync::Arc;

use super::accounts::{account_by_id, may_have_changed};
use super::attempt::clear_totals;
use super::error::{AccountError, AuthError};
use crate::app::App;
use crate::crypto::GeneratedPassword;
use crate::domain::{Account, AccountId, Password};
use crate::store::{Changed, LastAdministrator, StoreError};

/// How often to try while other requests change the account.
const MAX_TRIES: u32 = 5;

/// The outcome of [`set_password`]. Only `Set` changes anything.
enum PasswordChange {
    Set,
    /// The account has changed since it was read.
    Stale,
    /// The password breaks the policy.
    Refused,
}

/// Sets a random password, ends all sessions, and clears the account's totals of failed sign-ins.
pub async fn set_random_password(
    app: &App,
    id: &AccountId,
) -> Result<GeneratedPassword, AccountError> {
    for tries in 1..=MAX_TRIES {
        let account = account_by_id(app, id).await?;
        let min_chars = app.config.passwords.min_chars;
        let password = GeneratedPassword::generate(min_chars, app.entropy.as_ref());
        let password = password.map_err(AuthError::from)?;
        let set = set_password(app, &account, Password::new(password.expose().to_owned()));
        match set.await? {
            PasswordChange::Set => {
                tracing::info!(account = %id, "password set");
                return Ok(password);
            }
            // By chance it contains the account's name.
            PasswordChange::Refused => {}
            PasswordChange::Stale => app.store.back_off(tries).await,
        }
    }
    Err(StoreError::Contended.into())
}

/// Checks and hashes a password, and sets it in the account, as it was read, and its claims. Ends all
/// sessions and clears the totals of failed sign-ins.
async fn set_password(
    app: &App,
    account: &Account,
    password: Password,
) -> Result<PasswordChange, AuthError> {
    let names = [account.email.as_str(), &account.username];
    if app.config.passwords.check(&password, &names).is_err() {
        return Ok(PasswordChange::Refused);
    }
    let hash = app.hasher.hash(Arc::new(password), app.entropy.as_ref());
    let hash = hash.await?;
    let new = account.clone().with_password_changed();
    // The scopes stay, so no administrator goes.
    let stays = LastAdministrator::Stays;
    let changed = app.store.change_account(account, &new, Some(&hash), stays);
    let changed = changed.await;
    match changed.inspect_err(|error| may_have_changed(&account.id, error))? {
        Changed::Written => {
            clear_totals(app, account).await;
            Ok(PasswordChange::Set)
        }
        Changed::Stale | Changed::LastAdministrator => Ok(PasswordChange::Stale),
    }
}
