//! Signing out.

use super::authenticate::Caller;
use super::error::{AuthError, Denial};
use crate::app::App;

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
