//! Turns an error into a reply: status, envelope and headers.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};

use super::HttpError;
use super::code::Code;
use super::family::Family;
use super::reply::Reply;
use crate::auth::{AuthError, Denial};
use crate::domain::Timestamp;

impl HttpError {
    #[must_use]
    pub fn into_reply(self, family: Family, now: Timestamp) -> Reply {
        let (status, code, message) = self.row(family);
        let mut reply = Reply::new(status, family.error(status, code, &message));
        let lacks_scope = family == Family::OAuth && code == Code::InsufficientScope;
        if status == StatusCode::UNAUTHORIZED || lacks_scope {
            let usual = || family.challenge(status, code, &message);
            let challenge = self.special_challenge().unwrap_or_else(usual);
            reply.set(WWW_AUTHENTICATE, &challenge);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            reply.set(RETRY_AFTER, "1");
        }
        if let Self::MethodNotAllowed(allowed) = &self {
            reply.set(ALLOW, allowed);
        }
        if let Self::Auth(AuthError::Limited(exceeded)) = &self {
            let retry_after = exceeded.status.reset_secs(exceeded.at);
            reply.set(RETRY_AFTER, &retry_after.to_string());
            return reply.with_rate_limit(&[(exceeded.policy, exceeded.status)], exceeded.at);
        }
        if let Self::Auth(AuthError::Taken { rate_limits }) = &self {
            return reply.with_rate_limit(rate_limits, now);
        }
        reply
    }

    /// RFC 6750 section 3: a request without an access token gets no `error`. RFC 9470 section 3: a client
    /// learns how recent a sign-in must be, in seconds. `None` if the family's usual challenge is sent.
    fn special_challenge(&self) -> Option<String> {
        match self {
            Self::Auth(
                AuthError::Denied(Denial::NoCredentials | Denial::RefreshToken)
                | AuthError::InvalidCredentials,
            ) => Some("Bearer".to_owned()),
            Self::Auth(AuthError::Denied(Denial::SignInNotRecent(max_age))) => {
                let max_age = max_age.as_secs();
                Some(format!(
                    "Bearer error=\"insufficient_user_authentication\", max_age={max_age}"
                ))
            }
            _ => None,
        }
    }
}
