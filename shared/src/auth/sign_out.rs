//! Ending sessions.

use super::authenticate::Caller;
use super::error::{AuthError, Denial};
use crate::app::App;
use crate::domain::AccountId;

/// Ends the session of the caller's token on all instances, from the next request on. Of racing calls
/// with one token exactly one succeeds; the others return [`Denial::TokenRevoked`].
pub async fn sign_out(app: &App, caller: &Caller) -> Result<(), AuthError> {
    let token = caller.token.as_ref().ok_or(AuthError::NoToken)?;
    let ended = app.store.end_session(&token.account, &token.session);
    if ended.await? {
        Ok(())
    } else {
        Err(Denial::TokenRevoked.into())
    }
}

/// Whether to end an account's API keys with its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithApiKeys {
    Yes,
    No,
}

/// Ends all sessions of an account, from the next request on, and its API keys if asked. Returns
/// `false` if the account does not exist.
pub async fn end_sessions(
    app: &App,
    account: &AccountId,
    with_api_keys: WithApiKeys,
) -> Result<bool, AuthError> {
    let keys_at = (with_api_keys == WithApiKeys::Yes).then(|| app.clock.now());
    let has_ended = app.store.end_sessions(account, keys_at).await?;
    if has_ended {
        tracing::info!(%account, api_keys = keys_at.is_some(), "sessions ended");
    }
    Ok(has_ended)
}
