//! What operators do to an account.
//!
//! Each change takes effect at the next request, on every instance, and leaves a line in the log that
//! says what was done to which account.

use super::change::{MAX_TRIES, write};
use super::error::AccountError;
use crate::app::App;
use crate::domain::{Account, AccountId, Identifier, Scopes, Timestamp};
use crate::store::{AccountChange, Authority, LastAdministrator, StoreError};

/// An account, and how many sessions and API keys it has.
#[derive(Debug)]
pub struct FoundAccount {
    pub account: Account,
    pub live_sessions: u64,
    pub live_api_keys: usize,
}

/// Counts the live sessions and API keys of an account.
pub async fn find_account(app: &App, account: Account) -> Result<FoundAccount, AccountError> {
    let now = app.clock.now();
    let profile = app.store.profile(&account).await?;
    Ok(FoundAccount {
        live_sessions: app.store.live_sessions(&account, now).await?,
        live_api_keys: profile.live_api_keys(now),
        account,
    })
}

/// The account that has this email or username now.
pub async fn account_with(app: &App, identifier: &Identifier) -> Result<Account, AccountError> {
    let account = app.store.account_with(identifier).await?;
    account.ok_or(AccountError::UnknownAccount)
}

pub async fn account_by_id(app: &App, id: &AccountId) -> Result<Account, AccountError> {
    let account = app.store.account(id).await?;
    account.ok_or(AccountError::UnknownAccount)
}

/// Replaces the account's scopes.
pub async fn grant_scopes(
    app: &App,
    id: &AccountId,
    scopes: &Scopes,
    last_administrator: LastAdministrator,
) -> Result<Account, AccountError> {
    let grant = |account: Account| account.with_scopes(scopes.clone());
    let account = change(app, id, last_administrator, grant).await?;
    let scopes: Vec<_> = account.scopes.iter().collect();
    tracing::info!(account = %id, ?scopes, "scopes granted");
    Ok(account)
}

/// Whether to end an account's API keys with its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithApiKeys {
    Yes,
    No,
}

impl WithApiKeys {
    #[must_use]
    pub fn asked(api_keys: bool) -> Self {
        if api_keys { Self::Yes } else { Self::No }
    }

    pub(super) fn end(self, account: Account, now: Timestamp) -> Account {
        match self {
            Self::Yes => account.with_api_keys_ended(now),
            Self::No => account,
        }
    }
}

/// Ends all sessions of an account and, if asked, its API keys.
pub async fn end_sessions(
    app: &App,
    id: &AccountId,
    with_api_keys: WithApiKeys,
) -> Result<(), AccountError> {
    let now = app.clock.now();
    let end = |account: Account| with_api_keys.end(account.with_sessions_ended(), now);
    change(app, id, LastAdministrator::Stays, end).await?;
    let api_keys = with_api_keys == WithApiKeys::Yes;
    tracing::info!(account = %id, api_keys, "sessions ended");
    Ok(())
}

/// Ends the account's sessions, and refuses sign-ins and API keys until the account is enabled. A
/// sign-in gets the answer to a wrong password.
pub async fn disable_account(
    app: &App,
    id: &AccountId,
    last_administrator: LastAdministrator,
) -> Result<Account, AccountError> {
    let disable = |account: Account| account.disabled(app.clock.now());
    let account = change(app, id, last_administrator, disable).await?;
    tracing::info!(account = %id, "account disabled");
    Ok(account)
}

/// Allows sign-ins and API keys again. Ended sessions stay ended.
pub async fn enable_account(app: &App, id: &AccountId) -> Result<Account, AccountError> {
    let account = change(app, id, LastAdministrator::Stays, Account::enabled).await?;
    tracing::info!(account = %id, "account enabled");
    Ok(account)
}

/// Reads the account and writes what `new` makes of it, again if another request changes the account
/// between the two.
async fn change(
    app: &App,
    id: &AccountId,
    last_administrator: LastAdministrator,
    new: impl Fn(Account) -> Account,
) -> Result<Account, AccountError> {
    for tries in 1..=MAX_TRIES {
        let seen = account_by_id(app, id).await?;
        let by = Authority::Operator(last_administrator);
        let change = AccountChange::new(&seen, new(seen.clone()), by);
        if let Some(account) = write(app, change).await? {
            return Ok(account);
        }
        app.store.back_off(tries).await;
    }
    Err(StoreError::Contended.into())
}
