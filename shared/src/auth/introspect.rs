//! Introspection and revocation of tokens that somebody else presents.

use super::authenticate::token_owner;
use super::error::AuthError;
use super::need::Need;
use super::tokens::{verify_refresh_token, verify_token};
use crate::app::App;
use crate::crypto::{Claims, PlainApiKey, RefreshToken};
use crate::domain::{Account, AccountId, Permission};
use crate::observe;

/// The claims of a live token, and its account as it is stored now.
#[derive(Debug)]
pub struct LiveToken {
    pub claims: Claims,
    pub account: Account,
}

/// The token, if `GET /user` would accept it at this moment. Takes one round trip, or none if the token is not ours.
pub async fn introspect(app: &App, token: &str) -> Result<Option<LiveToken>, AuthError> {
    match live_token(app, token).await {
        Ok(live) => Ok(Some(live)),
        Err(AuthError::Denied(_) | AuthError::EmailNotVerified) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn live_token(app: &App, token: &str) -> Result<LiveToken, AuthError> {
    // What `GET /user` requires.
    let need = Need::permission(Permission::Read);
    let claims = verify_token(app, token, app.clock.now()).await?;
    let account = token_owner(app, &claims.account, Some(&claims.session), need).await?;
    Ok(LiveToken { claims, account })
}

/// Ends the session of a token or of a refresh token, even of one that was used. Succeeds without an effect if the
/// token is not ours or has expired (RFC 7009 section 2.2).
pub async fn revoke(app: &App, text: &str) -> Result<(), AuthError> {
    if PlainApiKey::parse(text).is_some() {
        return Err(AuthError::UnsupportedToken);
    }
    if let Some((account, session)) = session_of(app, text).await? {
        observe::account(&account);
        app.store.end_session(&account, &session).await?;
    }
    Ok(())
}

async fn session_of(app: &App, text: &str) -> Result<Option<(AccountId, String)>, AuthError> {
    if RefreshToken::has_form(text) {
        let verified = verify_refresh_token(app, text).await?.ok();
        return Ok(verified.map(|(token, _)| (token.account, token.session)));
    }
    match verify_token(app, text, app.clock.now()).await {
        Ok(claims) => Ok(Some((claims.account, claims.session))),
        Err(AuthError::Denied(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
