//! A user's own sessions.

use super::authenticate::Caller;
use super::error::{AuthError, Denial};
use super::own_account::{OwnChange, change_own};
use crate::app::App;
use crate::domain::Account;
use crate::store::{CurrentSession, ListedSession};

/// Ends the session of the caller's token on all instances, from the next request on. Of racing calls
/// with one token exactly one succeeds; the others return [`Denial::TokenRevoked`].
pub async fn sign_out(app: &App, caller: &Caller) -> Result<(), AuthError> {
    let session = caller.require_session()?;
    if app.store.end_session(&caller.account.id, session).await? {
        Ok(())
    } else {
        Err(Denial::TokenRevoked.into())
    }
}

/// How many sessions a user sees.
const MAX_LISTED: usize = 100;

/// The newest live sessions of the caller, newest first.
pub async fn list_sessions(app: &App, caller: &Caller) -> Result<Vec<ListedSession>, AuthError> {
    let sessions = app
        .store
        .newest_sessions(&caller.account, app.clock.now(), MAX_LISTED);
    Ok(sessions.await?)
}

/// The newest stored sessions of the caller, those that have ended included, newest first.
pub async fn stored_sessions(app: &App, caller: &Caller) -> Result<Vec<ListedSession>, AuthError> {
    Ok(app.store.stored_sessions(&caller.account.id).await?)
}

/// Ends one session of the caller. Of racing calls exactly one succeeds.
pub async fn end_session(app: &App, caller: &Caller, id: &str) -> Result<(), AuthError> {
    if app.store.end_session(&caller.account.id, id).await? {
        Ok(())
    } else {
        Err(AuthError::NoSession)
    }
}

/// Ends all sessions of the caller.
pub async fn end_own_sessions(
    app: &App,
    caller: &Caller,
    current: CurrentSession,
) -> Result<(), AuthError> {
    let end = OwnChange::To {
        new: &Account::with_sessions_ended,
        password_hash: None,
        current,
    };
    let account = change_own(app, caller, None, end).await?;
    tracing::info!(account = %account.id, "sessions ended by their owner");
    Ok(())
}
