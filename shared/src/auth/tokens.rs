//! Issuing and verifying bearer tokens with this instance's key ring.

use std::sync::Arc;

use super::error::{AuthError, Denial, InternalError};
use crate::app::App;
use crate::crypto::ids::random_id;
use crate::crypto::{Claims, InvalidToken, KeyRing, NewToken, Token};
use crate::domain::{Account, Session, Timestamp};

/// The key ring in use, and the current time.
pub async fn current_keys(app: &App) -> Result<(Arc<KeyRing>, Timestamp), AuthError> {
    let now = app.clock.now();
    Ok((app.keys.current(now).await?, now))
}

/// Issues the first token of a session, for a password that was proved or set when it started.
///
/// Callers load the key ring before they write anything, so that a missing ring leaves no partial
/// change.
pub(super) fn issue_token(
    app: &App,
    keys: &KeyRing,
    account: &Account,
    session: &Session,
    expires_at: Timestamp,
) -> Result<Token, AuthError> {
    let new = NewToken {
        id: random_id(app.entropy.as_ref())?,
        session: &session.id,
        authenticated_at: session.created_at,
        issued_at: session.created_at,
        expires_at,
    };
    sign(app, keys, account, new)
}

pub(super) fn sign(
    app: &App,
    keys: &KeyRing,
    account: &Account,
    new: NewToken<'_>,
) -> Result<Token, AuthError> {
    let signed = app.tokens.issue(keys, account, new);
    signed.map_err(|_| InternalError::Signing.into())
}

/// Verifies a token's signature and claims, but not whether its session is there.
///
/// If the token's key is unknown, reloads the key ring, at most once a minute, because the ring may
/// have been rotated.
pub async fn verify_token(app: &App, token: &str, now: Timestamp) -> Result<Claims, AuthError> {
    let keys = app.keys.current(now).await?;
    let mut verified = app.tokens.verify(&keys, token, now);
    if matches!(verified, Err(InvalidToken::UnknownKey))
        && let Some(newer) = app.keys.newer(&keys, now).await?
    {
        verified = app.tokens.verify(&newer, token, now);
    }
    verified.map_err(|invalid| Denial::from(invalid).into())
}
