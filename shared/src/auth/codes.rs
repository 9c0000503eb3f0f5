//! Using one-time codes. An invalid one is counted like an unknown API key, and a valid one is never
//! refused for somebody's guesses.

use super::attempt::{clear_totals, make_familiar};
use super::authenticate::{Caller, read_again};
use super::change::{MAX_TRIES, write};
use super::error::AuthError;
use super::limits::SourceCounters;
use super::passwords::{check, hash};
use crate::app::App;
use crate::crypto::PlainCode;
use crate::domain::{Account, CodeDigest, CodePurpose, Email, MailedCode, Password, SourceIp};
use crate::observe;
use crate::store::{AccountChange, Authority, CurrentSession, StoreError};

/// Verifies the email that the code was sent to, as long as it is the account's. The account does not expire
/// from then on.
pub async fn confirm_email(app: &App, source: SourceIp, code: &str) -> Result<(), AuthError> {
    let Some((_, code)) = find(app, code, CodePurpose::VerifyEmail).await? else {
        return Err(invalid(app, source).await);
    };
    observe::account(&code.account);
    for tries in 1..=MAX_TRIES {
        let account = app.store.account(&code.account).await?;
        let account = account
            .filter(|account| !account.is_disabled() && account.email_canonical == code.address);
        let Some(seen) = account else {
            return Err(invalid(app, source).await);
        };
        if seen.is_active {
            return Ok(());
        }
        let change = AccountChange::new(
            &seen,
            seen.clone().with_email_verified(),
            Authority::CodeHolder,
        );
        if write(app, change).await?.is_some() {
            return Ok(());
        }
        app.store.back_off(tries).await;
    }
    Err(StoreError::Contended.into())
}

/// Sets a new password by the newest code that was sent for this, and uses the code up. Of racing uses
/// exactly one succeeds.
///
/// Ends all sessions and API keys. Verifies the email, clears the totals of failed sign-ins, and makes
/// the source familiar. A refused password leaves the code usable.
pub async fn reset_forgotten_password(
    app: &App,
    source: SourceIp,
    code: &str,
    password: Password,
) -> Result<(), AuthError> {
    let Some((digest, account)) = account_to_reset(app, code).await? else {
        return Err(invalid(app, source).await);
    };
    check(app, &account, &password)?;
    let password_hash = hash(app, password.clone()).await?;
    let mut seen = account;
    for tries in 1..=MAX_TRIES {
        let now = app.clock.now();
        let new = seen.clone().with_password_changed(now);
        let new = new.with_api_keys_ended(now).with_email_verified();
        let change = AccountChange {
            password_hash: Some(&password_hash),
            code: Some(&digest),
            ..AccountChange::new(&seen, new, Authority::CodeHolder)
        };
        if let Some(account) = write(app, change).await? {
            observe::account(&account.id);
            tracing::info!(account = %account.id, "password reset");
            tokio::join!(
                clear_totals(app, &account),
                make_familiar(app, source, &account)
            );
            return Ok(());
        }
        app.store.back_off(tries).await;
        match account_to_reset(app, code).await? {
            Some((_, account)) => {
                check(app, &account, &password)?;
                seen = account;
            }
            None => return Err(invalid(app, source).await),
        }
    }
    Err(StoreError::Contended.into())
}

/// Gives the caller's account the email that the code was sent to, if the caller asked for it, and uses
/// the code up. The email is verified by that.
///
/// The account's username changes with it if it is the email. Of accounts that race for one email exactly
/// one gets it.
pub async fn confirm_new_email(
    app: &App,
    caller: &Caller,
    source: SourceIp,
    code: &str,
) -> Result<Account, AuthError> {
    let mut seen = caller.account.clone();
    for tries in 1..=MAX_TRIES {
        let found = find(app, code, CodePurpose::ChangeEmail).await?;
        let found = found.and_then(|(digest, code)| Some((digest, new_email(&code, &seen)?)));
        let Some((digest, email)) = found else {
            return Err(invalid(app, source).await);
        };
        let claim = app.store.claim(&seen.email_identifier()).await?;
        if let Some(claim) = claim.filter(|claim| claim.account == seen.id) {
            let new = seen.clone().with_email(&email, app.clock.now());
            let new = new.with_email_verified();
            let by = Authority::Owner {
                session: caller.require_session()?,
                current: CurrentSession::GoesOn,
            };
            let change = AccountChange {
                password_hash: Some(&claim.password_hash),
                code: Some(&digest),
                ..AccountChange::new(&seen, new, by)
            };
            if let Some(account) = write(app, change).await? {
                tracing::info!(account = %account.id, "email changed");
                return Ok(account);
            }
        }
        app.store.back_off(tries).await;
        seen = read_again(app, caller).await?;
    }
    Err(StoreError::Contended.into())
}

/// The email that the code gives the account; `None` if the code is another account's, was used, or was
/// asked for before the account changed.
fn new_email(code: &MailedCode, account: &Account) -> Option<Email> {
    let (new_email, session_generation) = code.change.as_ref()?;
    let is_valid = code.used_at.is_none()
        && code.account == account.id
        && code.address == account.email_canonical
        && code.password_version == account.password_version
        && *session_generation == account.session_generation;
    is_valid.then(|| Email::parse(new_email).ok())?
}

/// The account whose password the code resets now.
async fn account_to_reset(
    app: &App,
    code: &str,
) -> Result<Option<(CodeDigest, Account)>, StoreError> {
    let Some((digest, code)) = find(app, code, CodePurpose::ResetPassword).await? else {
        return Ok(None);
    };
    if code.used_at.is_some() {
        return Ok(None);
    }
    let account = app.store.account(&code.account).await?;
    let account = account.filter(|account| {
        !account.is_disabled()
            && account.email_canonical == code.address
            && account.password_version == code.password_version
            && account.reset_code.as_ref() == Some(&code.outbox)
    });
    Ok(account.map(|account| (digest, account)))
}

/// A code for this purpose that has not expired.
async fn find(
    app: &App,
    code: &str,
    purpose: CodePurpose,
) -> Result<Option<(CodeDigest, MailedCode)>, StoreError> {
    let Some(code) = PlainCode::parse(code) else {
        return Ok(None);
    };
    let digest = code.digest();
    let found = app.store.code(&digest).await?;
    let now = app.clock.now();
    let found = found.filter(|code| code.purpose == purpose && now < code.expires_at);
    Ok(found.map(|code| (digest, code)))
}

/// Counts an invalid code for the source, and returns what to tell.
async fn invalid(app: &App, source: SourceIp) -> AuthError {
    match SourceCounters::of_codes(source).count(app).await {
        Ok(()) => AuthError::InvalidCode,
        Err(error) => error,
    }
}
