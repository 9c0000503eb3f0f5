//! What administrators do to the accounts of others, through the API.
//!
//! Each change leaves a line in the log: who, whose account, and what.

use super::accounts::{account_with, write};
use super::attempt::clear_totals;
use super::authenticate::Caller;
use super::error::{AccountError, AuthError};
use super::passwords::{check, hash};
use crate::app::App;
use crate::crypto::PasswordHash;
use crate::domain::{Account, AccountId, Email, Identifier, Password, Scopes, Username};
use crate::store::{AccountChange, Changed, StoreError};

/// How often to try while other requests change the account.
const MAX_TRIES: u32 = 5;

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
}

/// Reads any account by its id.
pub async fn read_account(app: &App, id: &str) -> Result<Account, AuthError> {
    let id = AccountId::parse(id).map_err(|_| AuthError::NoUser)?;
    app.store.account(&id).await?.ok_or(AuthError::NoUser)
}

/// Sets the password of the account with this email. All its sessions end, and the totals of failed
/// sign-ins are cleared.
pub async fn reset_password(
    app: &App,
    caller: &Caller,
    email: &Identifier,
    password: Password,
) -> Result<(), AuthError> {
    let account = account_with(app, email).await.map_err(unknown)?;
    let update = AccountUpdate {
        password: Some(password),
        ..AccountUpdate::default()
    };
    update_account(app, caller, account, update).await?;
    Ok(())
}

/// Changes an account, as it was read, in one transaction. A new password and disabling end all its sessions; another
/// email is not verified.
pub async fn update_account(
    app: &App,
    caller: &Caller,
    mut seen: Account,
    update: AccountUpdate,
) -> Result<Account, AuthError> {
    let username = update.username.as_deref();
    let new_hash = match &update.password {
        Some(password) => {
            check(
                app,
                &renamed(&seen, username, update.email.as_ref())?,
                password,
            )?;
            Some(hash(app, password.clone()).await?)
        }
        None => None,
    };
    for tries in 1..=MAX_TRIES {
        let new = updated(app, &seen, &update)?;
        let password_hash = match &new_hash {
            Some(hash) => Some(hash.clone()),
            None => current_hash(app, &seen, &new).await?,
        };
        let change = AccountChange {
            password_hash: password_hash.as_ref(),
            ..AccountChange::new(&seen, new)
        };
        match write(app, &change).await? {
            Changed::Written => {
                let changed = update.names();
                let (by, account) = (&caller.account.id, &seen.id);
                tracing::info!(%by, %account, ?changed, "account changed by an administrator");
                if new_hash.is_some() {
                    clear_totals(app, &change.new).await;
                }
                return Ok(change.new);
            }
            Changed::Taken => {
                let rate_limits = Vec::new();
                return Err(AuthError::Taken { rate_limits });
            }
            Changed::LastAdministrator => return Err(AuthError::LastAdministrator),
            Changed::Stale | Changed::SessionEnded => {
                app.store.back_off(tries).await;
                seen = read_account(app, seen.id.as_str()).await?;
            }
        }
    }
    Err(StoreError::Contended.into())
}

impl AccountUpdate {
    /// The names of the fields that are changed.
    fn names(&self) -> Vec<&'static str> {
        [
            (self.username.is_some(), "username"),
            (self.email.is_some(), "email"),
            (self.password.is_some(), "password"),
            (self.scopes.is_some(), "scope"),
            (self.vendor.is_some(), "vendor"),
            (self.disabled.is_some(), "disabled"),
        ]
        .into_iter()
        .filter_map(|(is_changed, name)| is_changed.then_some(name))
        .collect()
    }
}

fn unknown(error: AccountError) -> AuthError {
    match error {
        AccountError::Failed(error) => error,
        AccountError::LastAdministrator => AuthError::LastAdministrator,
        AccountError::InvalidId(_) | AccountError::UnknownAccount => AuthError::NoUser,
    }
}

fn updated(app: &App, seen: &Account, update: &AccountUpdate) -> Result<Account, AuthError> {
    let mut new = renamed(seen, update.username.as_deref(), update.email.as_ref())?;
    if let Some(scopes) = &update.scopes {
        new = new.with_scopes(scopes.clone());
    }
    if let Some(vendor) = &update.vendor {
        new.vendor.clone_from(vendor);
    }
    if update.password.is_some() {
        new = new.with_password_changed();
    }
    match (update.disabled, new.disabled_at) {
        (Some(true), _) => new = new.disabled(app.clock.now()),
        (Some(false), Some(_)) => new = new.enabled(),
        (Some(false) | None, _) => {}
    }
    Ok(new)
}

/// The account under its new names.
fn renamed(
    account: &Account,
    username: Option<&str>,
    email: Option<&Email>,
) -> Result<Account, AuthError> {
    let mut account = account.clone();
    if let Some(email) = email {
        account = account.with_email(email);
    }
    if let Some(username) = username {
        let username = Username::of_account(username, &account.email_canonical)?;
        account = account.with_username(&username);
    }
    Ok(account)
}

/// The hash for the claim of a new name; `None` if the names stay.
async fn current_hash(
    app: &App,
    seen: &Account,
    new: &Account,
) -> Result<Option<PasswordHash>, AuthError> {
    let names = |account: &Account| {
        let canonical = account.username_canonical.clone();
        (account.email_canonical.clone(), canonical)
    };
    if names(seen) == names(new) {
        return Ok(None);
    }
    let email = Identifier::Email(seen.email_canonical.clone());
    let claim = app.store.claim(&email).await?;
    // A claim of another version means that the account has changed, so the write will fail.
    Ok(claim.map(|claim| claim.password_hash))
}
