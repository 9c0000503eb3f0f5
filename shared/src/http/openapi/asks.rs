//! The credentials a route asks for.

use utoipa::openapi::security::SecurityRequirement;

use super::refusals::limited;
use crate::auth::{AuthError, Denial, Need, Scheme};
use crate::domain::Policy;
use crate::http::HttpError;

/// The name of the security scheme of bearer tokens.
pub(super) const TOKEN: &str = "token";
/// The name of the security scheme of API keys.
pub(super) const API_KEY: &str = "apiKey";

/// What a route asks of a caller.
#[derive(Debug, Clone, Copy)]
pub enum Asks {
    /// Nothing: credentials are not looked at.
    Nothing,
    /// Nothing, but an API key that is sent must be a live one.
    LiveKeyIfSent,
    /// Nothing, unless credentials are sent, which must then be good for this.
    IfSent(Need),
    /// Credentials that are good for this.
    For(Need),
}

impl Asks {
    /// What must be sent: one of these.
    pub(super) fn requirements(self) -> Vec<SecurityRequirement> {
        let nothing = SecurityRequirement::default;
        let token = || SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, []);
        let key = || SecurityRequirement::new::<_, [&str; 0], &str>(API_KEY, []);
        match self {
            Self::Nothing => vec![],
            Self::LiveKeyIfSent => vec![nothing(), key()],
            Self::IfSent(_) => vec![nothing(), token(), key()],
            Self::For(Need::Permission(_)) => vec![token(), key()],
            Self::For(Need::TokenAlone | Need::Nothing) => vec![token()],
        }
    }

    /// What is refused for want of them.
    pub(super) fn refusals(self) -> Vec<HttpError> {
        match self {
            Self::Nothing => vec![],
            Self::LiveKeyIfSent => vec![Denial::ApiKey.into(), limited(Policy::ApiKeyIp)],
            Self::IfSent(need) | Self::For(need) => denials()
                .into_iter()
                .map(HttpError::from)
                .chain(of_need(need).map(HttpError::from))
                .chain([limited(Policy::ApiKeyIp)])
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

fn of_need(need: Need) -> Option<AuthError> {
    match need {
        Need::Permission(_) => Some(AuthError::InsufficientScope),
        Need::TokenAlone => Some(AuthError::TokenAlone),
        Need::Nothing => None,
    }
}

impl From<Denial> for HttpError {
    fn from(denial: Denial) -> Self {
        Self::Auth(denial.into())
    }
}
