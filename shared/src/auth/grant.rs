//! Saying what an account may do.

use super::error::AuthError;
use crate::app::App;
use crate::domain::{Account, Identifier, Scopes};

/// Replaces the scopes of whoever has this name, from their next request on; `None` if nobody has.
pub async fn grant_scopes(
    app: &App,
    identifier: &Identifier,
    scopes: &Scopes,
) -> Result<Option<Account>, AuthError> {
    match app.store.claim(identifier).await? {
        Some(claim) => Ok(app.store.set_scopes(&claim.account, scopes).await?),
        None => Ok(None),
    }
}
