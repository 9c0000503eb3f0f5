//! What users change of their own accounts. The account is changed only if the caller's session is still live.

use std::sync::Arc;

use super::attempt::{Attempt, Proved, Purpose};
use super::authenticate::{Caller, read_again};
use super::change::{self, MAX_TRIES};
use super::deletion::delete;
use super::error::AuthError;
use super::limits::Counter;
use crate::app::App;
use crate::crypto::PasswordHash;
use crate::domain::{Account, Password, RateLimitPolicy, SourceIp, Username};
use crate::store::{AccountChange, Authority, Claim, CurrentSession, StoreError};

/// The caller's current password, and where it was sent from.
#[derive(Debug)]
pub struct Proof {
    pub source: SourceIp,
    pub password: Password,
}

/// Checks the current password. This is an attempt to sign in under the account's email, with the same
/// limits. A source that is familiar to the username counts as familiar too: it is the owner's.
pub(super) async fn prove(app: &App, caller: &Caller, proof: Proof) -> Result<Claim, AuthError> {
    let email = caller.account.email_identifier();
    let mut attempt = Attempt::begin(app, proof.source, &email, Purpose::Proof)?;
    attempt.recognize(&caller.account).await?;
    let keys = app.keys.current(app.clock.now()).await?;
    let Proved { claim, .. } = attempt.verify(&keys, Arc::new(proof.password)).await?;
    if claim.account != caller.account.id {
        // The email is no longer the caller's.
        return Err(AuthError::InvalidCredentials);
    }
    let admitted = attempt.admit(&claim).await?;
    attempt.succeed(admitted, &claim).await?;
    Ok(claim)
}

/// Changes the username. The old one is free at once.
///
/// A name that another account has counts as an attempt to sign up from the source, so that names cannot
/// be tried without limit.
pub async fn change_username(
    app: &App,
    caller: &Caller,
    proof: Proof,
    username: &Username,
) -> Result<Account, AuthError> {
    let sign_ups = Counter::new(RateLimitPolicy::SignUpIp, proof.source);
    sign_ups.refuse_reached(app).await?;
    let claim = prove(app, caller, proof).await?;
    let rename = OwnChange::To {
        new: &|account| account.with_username(username),
        password_hash: Some(&claim.password_hash),
        current: CurrentSession::GoesOn,
    };
    match change_own(app, caller, Some(&claim), rename).await {
        Ok(account) => {
            tracing::info!(account = %account.id, "username changed");
            Ok(account)
        }
        Err(AuthError::Taken { .. }) => {
            let status = sign_ups.count(app).await?;
            let rate_limits = vec![(RateLimitPolicy::SignUpIp, status)];
            Err(AuthError::Taken { rate_limits })
        }
        Err(error) => Err(error),
    }
}

/// Deletes the account: its tokens and API keys are dead, and its email and username free, at once.
pub async fn delete_own_account(app: &App, caller: &Caller, proof: Proof) -> Result<(), AuthError> {
    let claim = prove(app, caller, proof).await?;
    let deleted = change_own(app, caller, Some(&claim), OwnChange::Deletion);
    let account = deleted.await?;
    tracing::info!(account = %account.id, "account deleted");
    Ok(())
}

/// A change of the caller's account.
#[derive(Clone, Copy)]
pub(super) enum OwnChange<'a> {
    /// To what `new` makes of the account.
    To {
        new: &'a (dyn Fn(Account) -> Account + Sync),
        /// See [`AccountChange`].
        password_hash: Option<&'a PasswordHash>,
        /// If the change ends all sessions.
        current: CurrentSession,
    },
    Deletion,
}

/// Writes a change, again if another request changes the account in between. Returns the changed
/// account; a deleted one as it was.
///
/// `proved` is the claim whose password was proved, if the change needs that.
pub(super) async fn change_own(
    app: &App,
    caller: &Caller,
    proved: Option<&Claim>,
    change: OwnChange<'_>,
) -> Result<Account, AuthError> {
    let mut account = caller.account.clone();
    if proved.is_some_and(|claim| claim.password_version != account.password_version) {
        account = read_again(app, caller).await?;
    }
    for tries in 1..=MAX_TRIES {
        if proved.is_some_and(|claim| claim.password_version != account.password_version) {
            return Err(AuthError::InvalidCredentials);
        }
        if let Some(account) = write(app, caller, &account, change).await? {
            return Ok(account);
        }
        app.store.back_off(tries).await;
        account = read_again(app, caller).await?;
        // What the caller asked for was checked against this email.
        if account.email != caller.account.email {
            break;
        }
    }
    Err(StoreError::Contended.into())
}

async fn write(
    app: &App,
    caller: &Caller,
    seen: &Account,
    change: OwnChange<'_>,
) -> Result<Option<Account>, AuthError> {
    let session = caller.require_session()?;
    let owner = |current| Authority::Owner { session, current };
    match change {
        OwnChange::To {
            new,
            password_hash,
            current,
        } => {
            let change = AccountChange {
                password_hash,
                ..AccountChange::new(seen, new(seen.clone()), owner(current))
            };
            change::write(app, change).await
        }
        OwnChange::Deletion => {
            let deleted = delete(app, seen, owner(CurrentSession::Ends)).await?;
            Ok(deleted.map(|_| seen.clone()))
        }
    }
}
