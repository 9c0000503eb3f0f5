//! What administrators do to the accounts of others, through the API.
//!
//! Each change leaves a line in the log: who, whose account, and what.

use super::attempt::clear_totals;
use super::authenticate::{Caller, read_again};
use super::change::{MAX_TRIES, write};
use super::error::AuthError;
use super::passwords::{check, hash};
use crate::app::App;
use crate::crypto::PasswordHash;
use crate::domain::{
    Account, AccountId, Email, Identifier, Metadata, MetadataChange, Password, Scopes, Username,
};
use crate::store::{AccountChange, Authority, StoreError};

/// What to change of an account. `None` keeps what it has.
#[derive(Debug, Default)]
pub struct AccountUpdate {
    /// As typed. Its rules depend on the email.
    pub username: Option<String>,
    pub email: Option<Email>,
    pub password: Option<Password>,
    pub scopes: Option<Scopes>,
    pub vendor: Option<Vec<String>>,
    pub disabled: Option<bool>,
    pub metadata: Option<MetadataChange>,
    /// The email by which the account was found. It must have it still when it is changed.
    pub found_by: Option<Identifier>,
}

/// An account with its metadata.
#[derive(Debug)]
pub struct DescribedAccount {
    pub account: Account,
    pub metadata: Option<Metadata>,
}

/// Reads any account by its id.
pub async fn read_account(app: &App, id: &str) -> Result<DescribedAccount, AuthError> {
    let id = AccountId::parse(id).map_err(|_| AuthError::NoUser)?;
    let found = app.store.account_with_metadata(&id).await?;
    let (account, metadata) = found.ok_or(AuthError::NoUser)?;
    Ok(DescribedAccount { account, metadata })
}

/// Sets the password of the account with this email. All its sessions end, and the totals of failed
/// sign-ins are cleared.
pub async fn reset_password(
    app: &App,
    caller: &Caller,
    email: &Identifier,
    password: Password,
) -> Result<(), AuthError> {
    let account = app.store.account_with(email).await?;
    let account = account.ok_or(AuthError::NoUser)?;
    let update = AccountUpdate {
        password: Some(password),
        found_by: Some(email.clone()),
        ..AccountUpdate::default()
    };
    let metadata = None;
    let account = DescribedAccount { account, metadata };
    update_account(app, caller, account, update).await?;
    Ok(())
}

/// Changes an account in one transaction, again if another request changed it meanwhile. A new password and
/// disabling end all its sessions; another email is not verified. Writes nothing if nothing changes.
///
/// Nothing is written once the administrator's session has ended or the scope is gone.
pub async fn update_account(
    app: &App,
    caller: &Caller,
    mut described: DescribedAccount,
    update: AccountUpdate,
) -> Result<DescribedAccount, AuthError> {
    // Refuses an invalid update before it takes the time of a hash.
    updated(app, &described.account, &update)?;
    let new_hash = match &update.password {
        Some(password) => Some(hash(app, password.clone()).await?),
        None => None,
    };
    let mut administrator = caller.account.clone();
    for tries in 1..=MAX_TRIES {
        let seen = &described.account;
        let new = updated(app, seen, &update)?;
        if new == *seen && update.metadata.is_none() {
            return Ok(described);
        }
        let same_names = seen.identifiers().eq(new.identifiers());
        let password_hash = match &new_hash {
            Some(hash) => Some(hash.clone()),
            None if same_names => None,
            None => current_hash(app, seen).await?,
        };
        let written = if password_hash.is_some() || same_names {
            let by = Authority::Administrator {
                account: &administrator,
                session: caller.require_session()?,
            };
            let change = AccountChange {
                password_hash: password_hash.as_ref(),
                metadata: update.metadata.as_ref(),
                ..AccountChange::new(seen, new, by)
            };
            write(app, change).await?
        } else {
            None
        };
        if let Some(account) = written {
            log(caller, &update, &account);
            if new_hash.is_some() {
                clear_totals(app, &account).await;
            }
            let metadata = match &update.metadata {
                Some(change) => change.metadata().cloned(),
                None => described.metadata,
            };
            return Ok(DescribedAccount { account, metadata });
        }
        app.store.back_off(tries).await;
        administrator = read_again(app, caller).await?;
        described = read_target(app, &seen.id, &update).await?;
    }
    Err(StoreError::Contended.into())
}

/// Reads the account that is changed, with its metadata unless it was found by its email, as the response
/// then has none of it.
async fn read_target(
    app: &App,
    id: &AccountId,
    update: &AccountUpdate,
) -> Result<DescribedAccount, AuthError> {
    if update.found_by.is_none() {
        return read_account(app, id.as_str()).await;
    }
    let account = app.store.account(id).await?.ok_or(AuthError::NoUser)?;
    let metadata = None;
    Ok(DescribedAccount { account, metadata })
}

/// Logs who changed whose account, and what.
fn log(caller: &Caller, update: &AccountUpdate, new: &Account) {
    let (by, account) = (&caller.account.id, &new.id);
    let changed: Vec<_> = [
        (update.username.is_some(), "username"),
        (update.email.is_some(), "email"),
        (update.password.is_some(), "password"),
        (update.scopes.is_some(), "scope"),
        (update.vendor.is_some(), "vendor"),
        (update.disabled.is_some(), "disabled"),
        (update.metadata.is_some(), "metadata"),
    ]
    .into_iter()
    .filter_map(|(is_changed, name)| is_changed.then_some(name))
    .collect();
    let scopes: Vec<_> = new.scopes.iter().collect();
    let disabled = new.is_disabled();
    tracing::info!(%by, %account, ?changed, ?scopes, disabled, "account changed by an administrator");
}

/// The account as the update makes it.
fn updated(app: &App, seen: &Account, update: &AccountUpdate) -> Result<Account, AuthError> {
    let now = app.clock.now();
    let is_other = |found_by: &Identifier| *found_by != seen.email_identifier();
    if update.found_by.as_ref().is_some_and(is_other) {
        return Err(AuthError::NoUser);
    }
    let mut new = seen.clone();
    if let Some(email) = &update.email {
        new = new.with_email(email, now);
    }
    if let Some(username) = &update.username {
        let username = Username::of_account(username, &new.email_canonical)?;
        new = new.with_username(&username);
    }
    if let Some(scopes) = &update.scopes {
        new = new.with_scopes(scopes.clone());
    }
    if let Some(vendor) = &update.vendor {
        new.vendor.clone_from(vendor);
    }
    if let Some(password) = &update.password {
        check(app, &new, password)?;
        new = new.with_password_changed(now);
    }
    Ok(match (update.disabled, new.is_disabled()) {
        (Some(true), false) => new.disabled(now),
        (Some(false), true) => new.enabled(),
        _ => new,
    })
}

/// The hash in the account's claims, for the claim of a new name. `None` if the account has changed since it
/// was read; then its change will not be written either.
async fn current_hash(app: &App, seen: &Account) -> Result<Option<PasswordHash>, AuthError> {
    let claim = app.store.claim(&seen.email_identifier()).await?;
    let claim = claim.filter(|claim| {
        claim.account == seen.id && claim.session_generation == seen.session_generation
    });
    Ok(claim.map(|claim| claim.password_hash))
}
