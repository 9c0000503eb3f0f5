//! Granting scopes.

use super::error::AuthError;
use crate::app::App;
use crate::domain::{Account, Identifier, Scopes};

/// Replaces an account's scopes, from its next request on. Returns `None` if no account has this
/// identifier.
pub async fn grant_scopes(
    app: &App,
    identifier: &Identifier,
    scopes: &Scopes,
) -> Result<Option<Account>, AuthError> {
    let Some(claim) = app.store.claim(identifier).await? else {
        return Ok(None);
    };
    let granted = app.store.set_scopes(&claim.account, scopes).await?;
    if let Some(account) = &granted {
        let scopes: Vec<_> = account.scopes.iter().collect();
        tracing::info!(account = %account.id, ?scopes, "scopes granted");
    }
    Ok(granted)
}
