//! The credentials that a route requires.

use std::time::Duration;

use utoipa::openapi::security::SecurityRequirement;

use super::refusals::limited;
use crate::auth::{AuthError, Denial, KeyUse, Need, Scheme};
use crate::domain::RateLimitPolicy;
use crate::http::HttpError;

/// The security scheme of bearer tokens.
pub(super) const TOKEN: &str = "token";
/// The security scheme of API keys.
pub(super) const API_KEY: &str = "apiKey";

/// Which credentials a route requires.
#[derive(Debug, Clone, Copy)]
pub enum Asks {
    /// Credentials are ignored.
    Ignored,
    /// An API key is optional, but must be live if it is sent.
    LiveKeyIfSent,
    /// Credentials are optional, but must satisfy the need if they are sent.
    IfSent(Need),
    /// Credentials must satisfy the need.
    For(Need),
}

impl Asks {
    /// The alternatives, one of which the caller must send.
    pub(super) fn requirements(self) -> Vec<SecurityRequirement> {
        let nothing = SecurityRequirement::default;
        let token = || SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, []);
        let key = || SecurityRequirement::new::<_, [&str; 0], &str>(API_KEY, []);
        match self {
            Self::Ignored => vec![],
            Self::LiveKeyIfSent => vec![nothing(), key()],
            Self::IfSent(_) => vec![nothing(), token(), key()],
            Self::For(need) => match need.api_key {
                KeyUse::With(_) => vec![token(), key()],
                KeyUse::Any | KeyUse::Refused => vec![token()],
            },
        }
    }

    /// The errors for missing or insufficient credentials.
    pub(super) fn refusals(self) -> Vec<HttpError> {
        match self {
            Self::Ignored => vec![],
            Self::LiveKeyIfSent => vec![
                Denial::ApiKey.into(),
                AuthError::EmailNotVerified.into(),
                limited(RateLimitPolicy::ApiKeyIp),
            ],
            Self::IfSent(need) | Self::For(need) => denials()
                .into_iter()
                .map(HttpError::from)
                .chain(of_need(need).into_iter().map(HttpError::from))
                .chain([limited(RateLimitPolicy::ApiKeyIp)])
                .collect(),
        }
    }
}

fn denials() -> [Denial; 8] {
    [
        Denial::NoCredentials,
        Denial::OtherScheme(Scheme::Basic),
        Denial::TokenFormat,
        Denial::TokenSignature,
        Denial::TokenExpired(super::NOW),
        Denial::TokenNotActive,
        Denial::TokenRevoked,
        Denial::ApiKey,
    ]
}

fn of_need(need: Need) -> Vec<AuthError> {
    let may_lack_scope = need.scope.is_some() || matches!(need.api_key, KeyUse::With(_));
    let too_old = || Denial::SignInNotRecent(Duration::from_mins(15)).into();
    [
        (need.api_key == KeyUse::Refused).then_some(AuthError::TokenAlone),
        may_lack_scope.then_some(AuthError::InsufficientScope),
        need.recent_sign_in.then(too_old),
        need.verified_email.then_some(AuthError::EmailNotVerified),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl From<Denial> for HttpError {
    fn from(denial: Denial) -> Self {
        Self::Auth(denial.into())
    }
}
