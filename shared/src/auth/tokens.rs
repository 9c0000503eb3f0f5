//! Issuing and verifying bearer tokens with this instance's key ring.

use std::sync::Arc;

use super::error::{AuthError, Denial, InternalError};
use crate::app::App;
use crate::crypto::ids::random_id;
use crate::crypto::{Claims, InvalidToken, KeyRing, NewToken, RefreshToken, Token};
use crate::domain::{Account, Session, Timestamp};
use crate::keys::KeysError;

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

/// Verifies a token's signature and claims. Does not look its session up.
pub async fn verify_token(app: &App, token: &str, now: Timestamp) -> Result<Claims, AuthError> {
    let verify = |keys: &KeyRing| app.tokens.verify(keys, token, now);
    let verified = verify_with_ring(app, now, verify).await?;
    let (claims, _) = verified.map_err(Denial::from)?;
    Ok(claims)
}

/// Verifies that a refresh token is ours, but not whether it is current.
pub(super) async fn verify_refresh_token(
    app: &App,
    text: &str,
) -> Result<VerifiedWithRing<RefreshToken>, KeysError> {
    let verify = |keys: &KeyRing| RefreshToken::verify(text, keys);
    verify_with_ring(app, app.clock.now(), verify).await
}

/// A verified token with the ring that has its key, or why it is invalid.
type VerifiedWithRing<T> = Result<(T, Arc<KeyRing>), InvalidToken>;

/// Verifies with the ring in use. Fails if no ring can be read.
///
/// If the token's key is unknown, reloads the ring, at most once a minute, because it may have been
/// rotated.
async fn verify_with_ring<T>(
    app: &App,
    now: Timestamp,
    verify: impl Fn(&KeyRing) -> Result<T, InvalidToken>,
) -> Result<VerifiedWithRing<T>, KeysError> {
    let keys = app.keys.current(now).await?;
    let verified = verify(&keys);
    if matches!(verified, Err(InvalidToken::UnknownKey))
        && let Some(newer) = app.keys.newer(&keys, now).await?
    {
        return Ok(verify(&newer).map(|token| (token, newer)));
    }
    Ok(verified.map(|token| (token, keys)))
}
