//! New passwords: all rules, names included, and the hash. An endpoint may check the length before.

use std::sync::Arc;

use super::attempt::{clear_totals, make_familiar};
use super::authenticate::Caller;
use super::change::{MAX_TRIES, write};
use super::error::{AccountError, AuthError};
use super::operators::{WithApiKeys, account_by_id};
use super::own_account::{OwnChange, Proof, change_own, prove};
use crate::app::App;
use crate::crypto::{GeneratedPassword, PasswordHash};
use crate::domain::{Account, AccountId, InvalidPassword, Password};
use crate::store::{AccountChange, Authority, CurrentSession, LastAdministrator, StoreError};

/// Sets a random password, ends all sessions, and clears the account's totals of failed sign-ins.
pub async fn set_random_password(
    app: &App,
    id: &AccountId,
) -> Result<GeneratedPassword, AccountError> {
    for tries in 1..=MAX_TRIES {
        let account = account_by_id(app, id).await?;
        let min_chars = app.config.passwords.min_chars;
        let generated = GeneratedPassword::generate(min_chars, app.entropy.as_ref());
        let generated = generated.map_err(AuthError::from)?;
        let password = Password::new(generated.expose().to_owned());
        // By chance it contains the account's name.
        if check(app, &account, &password).is_err() {
            continue;
        }
        let hash = hash(app, password).await?;
        let new = account.clone().with_password_changed(app.clock.now());
        let by = Authority::Operator(LastAdministrator::Stays);
        let change = AccountChange {
            password_hash: Some(&hash),
            ..AccountChange::new(&account, new, by)
        };
        if let Some(account) = write(app, change).await? {
            clear_totals(app, &account).await;
            tracing::info!(account = %id, "password set");
            return Ok(generated);
        }
        app.store.back_off(tries).await;
    }
    Err(StoreError::Contended.into())
}

/// Changes the caller's own password, and ends all other sessions and, if asked, the API keys. Clears
/// the account's totals of failed sign-ins, and makes the source familiar.
pub async fn change_password(
    app: &App,
    caller: &Caller,
    proof: Proof,
    new: Password,
    with_api_keys: WithApiKeys,
) -> Result<(), AuthError> {
    check(app, &caller.account, &new)?;
    let source = proof.source;
    let claim = prove(app, caller, proof).await?;
    let hash = hash(app, new).await?;
    let now = app.clock.now();
    let with_new = |account: Account| with_api_keys.end(account.with_password_changed(now), now);
    let change = OwnChange::To {
        new: &with_new,
        password_hash: Some(&hash),
        current: CurrentSession::GoesOn,
    };
    let account = change_own(app, caller, Some(&claim), change).await?;
    tracing::info!(account = %account.id, "password changed");
    tokio::join!(
        clear_totals(app, &account),
        make_familiar(app, source, &account)
    );
    Ok(())
}

pub(super) fn check(
    app: &App,
    account: &Account,
    password: &Password,
) -> Result<(), InvalidPassword> {
    let names = [account.email.as_str(), &account.username];
    app.config.passwords.check(password, &names)
}

pub(super) async fn hash(app: &App, password: Password) -> Result<PasswordHash, AuthError> {
    let hash = app.hasher.hash(Arc::new(password), app.entropy.as_ref());
    Ok(hash.await?)
}
