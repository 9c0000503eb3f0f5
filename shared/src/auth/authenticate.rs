//! Who the caller is.

use std::fmt;

use super::error::{AuthError, Denial};
use crate::app::App;
use crate::domain::{Account, Scope};

/// Credentials as a request presented them, well-formed or not.
#[derive(Clone, Copy)]
pub enum Presented<'r> {
    /// None at all.
    Nothing,
    /// What follows `Bearer` in an `Authorization`.
    Bearer(&'r str),
    /// An `Authorization` of another scheme.
    OtherScheme(Scheme),
    /// An `Authorization` that is none of these.
    Malformed,
    /// An `x-api-key`, alone or beside a token.
    ApiKey,
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(redacted)")
    }
}

/// The authentication schemes that are named to a caller who confused them with Bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 7616.
    Digest,
    /// RFC 4559.
    Negotiate,
    /// No standard, but seen.
    ApiKey,
    /// No standard, but seen.
    Token,
}

/// Whoever made a request: an account as it is stored now, not as a token remembers it.
#[derive(Debug)]
pub struct Caller {
    /// The caller's account.
    pub account: Account,
}

impl Caller {
    /// Whether the caller's account has one of these scopes.
    #[must_use]
    pub fn has_any(&self, scopes: &[Scope]) -> bool {
        self.account.scopes.has_any(scopes)
    }
}

/// Decides who the caller is: the one place that does. One round trip for a token.
///
/// No API key can be live before there is a way to create one, so each is unknown.
pub async fn authenticate(app: &App, presented: Presented<'_>) -> Result<Caller, AuthError> {
    let token = match presented {
        Presented::Bearer(token) => token,
        Presented::Nothing => return Err(Denial::NoCredentials.into()),
        Presented::OtherScheme(scheme) => return Err(Denial::OtherScheme(scheme).into()),
        Presented::Malformed => return Err(Denial::TokenFormat.into()),
        Presented::ApiKey => return Err(Denial::ApiKey.into()),
    };
    let now = app.clock.now();
    let claims = app.tokens.verify(token, now).map_err(Denial::from)?;
    let standing = app
        .store
        .token_standing(&claims.account, &claims.token_id)
        .await?;
    match standing.account {
        Some(account) if !standing.is_revoked && account.generation == claims.generation => {
            Ok(Caller { account })
        }
        _ => Err(Denial::TokenRevoked.into()),
    }
}
