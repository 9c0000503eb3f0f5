//! Revoking tokens.

use super::authenticate::Caller;
use super::error::{AuthError, Denial};
use crate::app::App;
use crate::crypto::ids::random_id;
use crate::domain::AccountId;

/// Revokes the caller's token on all instances, from the next request on. Of racing calls with one
/// token exactly one succeeds; the others return [`Denial::TokenRevoked`].
pub async fn sign_out(app: &App, caller: &Caller) -> Result<(), AuthError> {
    let token = caller.token.as_ref().ok_or(AuthError::NoToken)?;
    let revocation = random_id(app.entropy.as_ref())?;
    let revoked = app
        .store
        .revoke(&token.token_id, token.expires_at, &revocation)
        .await?;
    if revoked {
        Ok(())
    } else {
        Err(Denial::TokenRevoked.into())
    }
}

/// Revokes all tokens of an account, but not its API keys. Returns `false` if the account does not
/// exist.
pub async fn sign_out_everywhere(app: &App, account: &AccountId) -> Result<bool, AuthError> {
    Ok(app.store.raise_generation(account).await?)
}
