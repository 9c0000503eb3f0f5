//! Every change of an account is written here, with the notices to its owner.

use super::error::AuthError;
use super::mail::notices;
use crate::app::App;
use crate::domain::{Account, AccountId};
use crate::observe;
use crate::store::{AccountChange, Changed, StoreError};

/// How often to try while other requests change the account.
pub(super) const MAX_TRIES: u32 = 5;

/// Writes a change with the notices to the owner, and logs if its answer was lost. Returns the new account, or
/// `None` if something that the change depends on has changed since it was read.
pub(super) async fn write(
    app: &App,
    change: AccountChange<'_>,
) -> Result<Option<Account>, AuthError> {
    let id = &change.seen.id;
    let notices = notices(app, change.seen, &change.new)?;
    let written = app.store.change_account(&change, &notices).await;
    let written = written.inspect_err(|error| may_have_changed(id, error))?;
    Ok(is_written(written)?.then_some(change.new))
}

/// Whether a change was written. If not, something that it depends on has changed since it was read.
pub(super) fn is_written(changed: Changed) -> Result<bool, AuthError> {
    match changed {
        Changed::Written => Ok(true),
        Changed::Stale => Ok(false),
        Changed::Taken => Err(AuthError::taken()),
        Changed::LastAdministrator => Err(AuthError::LastAdministrator),
    }
}

/// Logs that the answer to a change was lost.
pub(super) fn may_have_changed(id: &AccountId, error: &StoreError) {
    let error = observe::causes(error);
    tracing::warn!(account = %id, error, "account may have changed");
}
