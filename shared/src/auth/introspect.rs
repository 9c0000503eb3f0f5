//! Introspection and revocation of tokens that somebody else presents.

use super::authenticate::{check_session, live_account};
use super::error::{AuthError, Denial};
use super::tokens::{verify_refresh_token, verify_token};
use crate::app::App;
use crate::crypto::{Claims, PlainApiKey, RefreshToken};
use crate::domain::Account;
use crate::store::AlsoRead;

/// What a live token says, and its account as it is stored now.
#[derive(Debug)]
pub struct LiveToken {
    pub claims: Claims,
    pub account: Account,
}

/// Whether `GET /user` would accept the token at this moment. Takes one round trip, or none if the token is not
/// ours.
pub async fn introspect(app: &App, token: &str) -> Result<Option<LiveToken>, AuthError> {
    match live_token(app, token).await {
        Ok(live) => Ok(Some(live)),
        Err(AuthError::Denied(_) | AuthError::EmailNotVerified) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn live_token(app: &App, token: &str) -> Result<LiveToken, AuthError> {
    let now = app.clock.now();
    let claims = verify_token(app, token, now).await?;
    let (owner, session) = (&claims.account, claims.session.as_str());
    let read = app.store.caller(owner, Some(session), AlsoRead::Nothing);
    let record = read.await?;
    let account = live_account(record.account, Denial::TokenRevoked)?;
    check_session(record.session, &account, now)?;
    if account.lacks_verification(app.config.mail.verification) {
        return Err(AuthError::EmailNotVerified);
    }
    Ok(LiveToken { claims, account })
}

/// Ends the session of a token or of a refresh token, even of one that was used. A token that is not ours, or has
/// expired, is nothing to revoke (RFC 7009 section 2.2).
pub async fn revoke(app: &App, text: &str) -> Result<(), AuthError> {
    if PlainApiKey::parse(text).is_some() {
        return Err(AuthError::UnsupportedToken);
    }
    let (account, session) = if RefreshToken::has_form(text) {
        match verify_refresh_token(app, text).await? {
            Ok((token, _)) => (token.account, token.session),
            Err(_) => return Ok(()),
        }
    } else {
        match verify_token(app, text, app.clock.now()).await {
            Ok(claims) => (claims.account, claims.session),
            Err(AuthError::Denied(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
    };
    app.store.end_session(&account, &session).await?;
    Ok(())
}
