//! Refreshing sessions: a new access token and a new refresh token for the current refresh token.

use std::time::Duration;

use super::authenticate::{enabled_account, live_session};
use super::error::{AuthError, Denial};
use super::tokens::{sign, verify_refresh_token};
use crate::app::App;
use crate::crypto::ids::random_id;
use crate::crypto::{KeyRing, NewToken, RefreshToken, Token};
use crate::domain::{Account, Refresh, Session, Timestamp, TokenUse};
use crate::keys::KeysError;
use crate::observe;
use crate::store::{AlsoRead, StoreError};

#[derive(Debug)]
pub struct Refreshed {
    pub token: Token,
    /// How long the token lives.
    pub expires_in: Duration,
    pub refresh_token: Token,
}

/// How often to try while other requests refresh the session.
const MAX_TRIES: usize = 3;

/// Refreshes a session. Fails if the account has changed in a way that ends its sessions.
///
/// If several requests use one token at once, one of them advances the session, and all get the same successor. A token
/// that was used longer ago than `REFRESH_GRACE`, or whose successor was used too, ends the session, because two parties may
/// have it (RFC 9700 section 4.14.2).
pub async fn refresh(app: &App, text: &str) -> Result<Refreshed, AuthError> {
    let verified = verify_refresh_token(app, text).await?;
    let (token, keys) = verified.map_err(|_| Denial::RefreshToken)?;
    observe::account(&token.account);
    let mut attempted = None;
    for _ in 0..MAX_TRIES {
        if let Some(advanced) = advance(app, &token, &mut attempted).await? {
            return issue(app, &keys, token, &advanced);
        }
    }
    Err(StoreError::Contended.into())
}

/// A session after its refresh token was replaced.
struct Advanced {
    account: Account,
    signed_in_at: Timestamp,
    successor: Refresh,
    now: Timestamp,
}

/// Replaces the session's refresh token by its successor, unless an earlier request did. Returns `None` if the write's
/// condition failed: another request was first, or this one was, and its answer was lost. `attempted` is the successor that an
/// earlier try wrote: with a short grace, our own write would look like a reuse.
async fn advance(
    app: &App,
    token: &RefreshToken,
    attempted: &mut Option<Refresh>,
) -> Result<Option<Advanced>, AuthError> {
    let (owner, id) = (&token.account, token.session.as_str());
    let also_read = AlsoRead::Nothing;
    let record = app.store.caller(owner, Some(id), also_read).await?;
    let now = app.clock.now();
    let account = enabled_account(record.account, Denial::RefreshToken)?;
    let session = live_session(record.session, &account, now, Denial::RefreshToken)?;
    if account.lacks_verification(app.config.mail.verification) {
        return Err(AuthError::EmailNotVerified);
    }
    let current = session.refresh.ok_or(Denial::RefreshToken)?;
    let grace = app.config.refresh_grace.duration();
    let successor = match current.use_of(token.number, now, grace) {
        TokenUse::First => {
            let next = current.next(now);
            *attempted = Some(next);
            let store = &app.store;
            if !store
                .advance_refresh(&account, (id, &session), current, next)
                .await?
            {
                return Ok(None);
            }
            next
        }
        TokenUse::Repeated => current,
        TokenUse::Reused if *attempted == Some(current) => current,
        TokenUse::Reused => {
            observe::refresh_token_reused();
            app.store.end_session(owner, id).await?;
            return Err(Denial::RefreshToken.into());
        }
    };
    Ok(Some(Advanced {
        account,
        signed_in_at: session.created_at,
        successor,
        now,
    }))
}

fn issue(
    app: &App,
    keys: &KeyRing,
    used: RefreshToken,
    advanced: &Advanced,
) -> Result<Refreshed, AuthError> {
    let Advanced {
        account,
        signed_in_at,
        successor,
        now,
    } = advanced;
    let lifetime = app.config.access_lifetime.duration();
    let expires_at = now.plus(lifetime).min(successor.ends(*signed_in_at));
    let new = NewToken {
        id: random_id(app.entropy.as_ref())?,
        session: &used.session,
        authenticated_at: *signed_in_at,
        issued_at: *now,
        expires_at,
    };
    let token = sign(app, keys, account, new)?;
    let successor = RefreshToken {
        number: successor.number,
        ..used
    };
    Ok(Refreshed {
        token,
        expires_in: now.until(expires_at),
        refresh_token: issued(&successor, keys)?,
    })
}

/// The first refresh token of a session. `None` if it cannot be refreshed.
pub(super) fn first_refresh_token(
    keys: &KeyRing,
    session: &Session,
) -> Result<Option<Token>, AuthError> {
    let Some(refresh) = session.refresh else {
        return Ok(None);
    };
    let first = RefreshToken {
        account: session.account.clone(),
        session: session.id.clone(),
        number: refresh.number,
    };
    issued(&first, keys).map(Some)
}

fn issued(token: &RefreshToken, keys: &KeyRing) -> Result<Token, AuthError> {
    let issued = token.issue(keys);
    issued.ok_or_else(|| KeysError::NoDecoyKey.into())
}
