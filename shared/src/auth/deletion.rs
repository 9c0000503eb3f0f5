//! Deletions. An account is gone for signing in at once; the function `erase-account` deletes what else
//! belonged to it.

use super::authenticate::{Caller, read_again};
use super::change::{MAX_TRIES, is_written, may_have_changed};
use super::error::{AccountError, AuthError};
use super::mail::notice;
use crate::app::App;
use crate::crypto::ids;
use crate::domain::{Account, AccountId, Deletion, Notice};
use crate::store::{AccountDeletion, Authority, LastAdministrator, StoreError};

/// Deletes an account, for operators. A deletion of an account that is deleted already succeeds.
pub async fn delete_account(
    app: &App,
    id: &AccountId,
    last_administrator: LastAdministrator,
) -> Result<(), AccountError> {
    let by = Authority::Operator(last_administrator);
    for tries in 1..=MAX_TRIES {
        let Some(account) = app.store.account(id).await? else {
            let deletion = app.store.deletion(id).await?;
            return deletion.map(|_| ()).ok_or(AccountError::UnknownAccount);
        };
        if delete(app, &account, by).await?.is_some() {
            tracing::info!(account = %id, "account deleted");
            return Ok(());
        }
        app.store.back_off(tries).await;
    }
    Err(StoreError::Contended.into())
}

/// Deletes any account, for administrators. Returns the ticket that tells of the progress.
///
/// Nothing is deleted once the administrator's session has ended or the scope is gone.
pub async fn remove_user(app: &App, caller: &Caller, id: &str) -> Result<String, AuthError> {
    let id = AccountId::parse(id).map_err(|_| AuthError::NoUser)?;
    let mut administrator = caller.account.clone();
    for tries in 1..=MAX_TRIES {
        let account = app.store.account(&id).await?.ok_or(AuthError::NoUser)?;
        let by = Authority::Administrator {
            account: &administrator,
            session: caller.require_session()?,
        };
        if let Some(ticket) = delete(app, &account, by).await? {
            let by = &caller.account.id;
            tracing::info!(%by, account = %id, "account deleted by an administrator");
            return Ok(ticket);
        }
        app.store.back_off(tries).await;
        administrator = read_again(app, caller).await?;
    }
    Err(StoreError::Contended.into())
}

/// The deletion that the ticket was given for.
pub async fn read_deletion(app: &App, id: &str, ticket: &str) -> Result<Deletion, AuthError> {
    let id = AccountId::parse(id).map_err(|_| AuthError::NoTicket)?;
    let deletion = app.store.deletion(&id).await?;
    let now = app.clock.now();
    deletion
        .filter(|deletion| deletion.has_ticket(ticket, now))
        .ok_or(AuthError::NoTicket)
}

/// Deletes the account as it was read. Returns the ticket, or `None` if the account has changed since.
pub(super) async fn delete(
    app: &App,
    seen: &Account,
    by: Authority<'_>,
) -> Result<Option<String>, AuthError> {
    let ticket = ids::uuid(app.entropy.as_ref())?;
    let notice = notice(app, seen, Notice::AccountDeleted)?;
    let deletion = AccountDeletion {
        seen,
        now: app.clock.now(),
        ticket: &ticket,
        by,
        notice: notice.as_ref(),
    };
    let deleted = app.store.delete_account(&deletion).await;
    let deleted = deleted.inspect_err(|error| may_have_changed(&seen.id, error))?;
    Ok(is_written(deleted)?.then_some(ticket))
}
