//! Ending tokens before their time.

use super::authenticate::Caller;
use super::error::{AuthError, Denial};
use crate::app::App;
use crate::crypto::ids::random_id;
use crate::domain::AccountId;

/// Ends the token the caller presented: it is dead from the next request on, on every instance.
/// Of racing calls with one token exactly one succeeds; the token of the others is revoked.
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

/// Ends every token of an account at once, by raising its generation; `false` if it is gone. API
/// keys live on.
pub async fn sign_out_everywhere(app: &App, account: &AccountId) -> Result<bool, AuthError> {
    Ok(app.store.raise_generation(account).await?)
}
