//! The one table from error to status and body.
//!
//! Callers get a fixed text, the log gets the cause. Appmixer clients read `statusCode` from the
//! body and match some of these messages to the letter.

use std::borrow::Cow;
use std::error::Error;

use lambda_http::http::StatusCode;
use lambda_http::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;

use super::object::Problem;
use super::reply::Reply;
use crate::auth::{AuthError, Denial, Policy, Scheme};
use crate::domain::{InvalidEmail, InvalidPassword, InvalidUsername, Timestamp};
use crate::store::StoreError;

/// Why a request ends without success.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No route has this path.
    #[error("no such route")]
    NotFound,
    /// The path has routes, by these methods.
    #[error("method not allowed")]
    MethodNotAllowed(String),
    /// The request cannot be read at all.
    #[error("unreadable request")]
    Unreadable,
    /// The body has more than this many bytes.
    #[error("body over {0} bytes")]
    TooLarge(usize),
    /// The body is not declared to be JSON.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// The body is not a JSON object.
    #[error("malformed JSON")]
    MalformedJson,
    /// Something is wrong with this field.
    #[error("field {0}: {1:?}")]
    Field(&'static str, Problem),
    /// A use case ended without success.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The answer did not come in time.
    #[error("no answer in time")]
    TimedOut,
    /// The endpoint panicked.
    #[error("the endpoint panicked")]
    Panicked,
    /// The answer is no JSON.
    #[error("the answer could not be serialized")]
    Unserializable(#[source] serde_json::Error),
}

const UNAVAILABLE: &str = "Service temporarily unavailable. Please try again later.";
const INTERNAL: &str = "An internal server error occurred";

impl HttpError {
    /// The status and the text for the caller.
    fn answer(&self) -> (StatusCode, Cow<'static, str>) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found".into()),
            Self::MethodNotAllowed(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".into())
            }
            Self::Unreadable => (StatusCode::BAD_REQUEST, "Invalid request".into()),
            Self::TooLarge(max) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("Payload content length greater than maximum allowed: {max}").into(),
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported Media Type".into(),
            ),
            Self::MalformedJson => (
                StatusCode::BAD_REQUEST,
                "Invalid request payload JSON format".into(),
            ),
            Self::Field(name, problem) => (
                StatusCode::BAD_REQUEST,
                format!("\"{name}\" {}", problem.text()).into(),
            ),
            Self::Auth(error) => auth_answer(error),
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.into()),
            Self::Panicked | Self::Unserializable(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL.into())
            }
        }
    }

    /// The reply in Appmixer's envelope. Failures of ours are logged here, once.
    #[must_use]
    pub fn into_reply(self, now: Timestamp) -> Reply {
        let (status, message) = self.answer();
        if status.is_server_error() {
            tracing::error!(error = causes(&self), status = status.as_u16(), "failed");
        }
        let mut reply = Reply::new(status, envelope(status, &message));
        if status == StatusCode::UNAUTHORIZED {
            reply.set(WWW_AUTHENTICATE, &self.challenge(&message));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            reply.set(RETRY_AFTER, "1");
        }
        match self {
            Self::MethodNotAllowed(allowed) => reply.set(ALLOW, &allowed),
            Self::Auth(AuthError::Taken { standings }) => {
                return reply.with_rate_limit(&standings, now);
            }
            Self::Auth(AuthError::Limited(refusal)) => {
                let standing = refusal.standing;
                let retry_after = standing.reset_secs(refusal.at).to_string();
                reply.set(RETRY_AFTER, &retry_after);
                if matches!(refusal.policy, Policy::SignUpIp | Policy::SignUpEmail) {
                    return reply.with_rate_limit(&[(refusal.policy, standing)], refusal.at);
                }
            }
            Self::NotFound
            | Self::Unreadable
            | Self::TooLarge(_)
            | Self::UnsupportedMediaType
            | Self::MalformedJson
            | Self::Field(..)
            | Self::Auth(
                AuthError::Denied(_)
                | AuthError::InsufficientScope
                | AuthError::InvalidCredentials
                | AuthError::Store(_)
                | AuthError::Internal(_),
            )
            | Self::TimedOut
            | Self::Panicked
            | Self::Unserializable(_) => {}
        }
        reply
    }

    /// RFC 6750 section 3: no error code for a caller who sent nothing.
    fn challenge(&self, message: &str) -> String {
        match self {
            Self::Auth(AuthError::Denied(Denial::NoCredentials)) => "Bearer".to_owned(),
            _ => format!("Bearer error=\"{message}\""),
        }
    }
}

fn auth_answer(error: &AuthError) -> (StatusCode, Cow<'static, str>) {
    match error {
        AuthError::Denied(denial) => (StatusCode::UNAUTHORIZED, denial_text(*denial)),
        AuthError::InsufficientScope => (StatusCode::FORBIDDEN, "Insufficient scope".into()),
        AuthError::InvalidCredentials => (
            StatusCode::FORBIDDEN,
            "Invalid username or password.".into(),
        ),
        AuthError::Taken { .. } => (StatusCode::BAD_REQUEST, "User already exists.".into()),
        AuthError::Limited(refusal) => (
            StatusCode::TOO_MANY_REQUESTS,
            limit_text(refusal.policy).into(),
        ),
        AuthError::Store(StoreError::Unavailable(_) | StoreError::Contended) => {
            (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.into())
        }
        AuthError::Store(StoreError::Rejected(_) | StoreError::Unreadable { .. })
        | AuthError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL.into()),
    }
}

fn denial_text(denial: Denial) -> Cow<'static, str> {
    match denial {
        Denial::NoCredentials => "authorization not found in request headers".into(),
        Denial::OtherScheme(scheme) => format!(
            "Expected token type Bearer does not match {}",
            scheme_name(scheme)
        )
        .into(),
        Denial::TokenFormat => "Invalid JWT: Token format not valid".into(),
        Denial::TokenSignature => "Invalid JWT: key or signature is invalid".into(),
        Denial::TokenExpired(at) => {
            format!("Invalid JWT: jwt expired expiredAt: {}", at.to_js_date()).into()
        }
        Denial::TokenNotActive => "Invalid JWT: jwt not active".into(),
        Denial::TokenRevoked => "Bad token".into(),
        Denial::ApiKey => "Invalid API key".into(),
    }
}

fn scheme_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Basic => "Basic",
        Scheme::Digest => "Digest",
        Scheme::Negotiate => "Negotiate",
        Scheme::ApiKey => "ApiKey",
        Scheme::Token => "Token",
    }
}

fn limit_text(policy: Policy) -> &'static str {
    match policy {
        Policy::SignUpIp => {
            "Too many signup attempts from your IP address. Please try again later."
        }
        Policy::SignUpEmail => {
            "Too many signup attempts for this email address. Please try again later."
        }
        Policy::SignInIp | Policy::SignInAccount => {
            "Too many sign-in attempts. Please try again later."
        }
    }
}

impl Problem {
    /// What stands behind the field's name.
    fn text(self) -> Cow<'static, str> {
        match self {
            Self::Missing => "is required".into(),
            Self::NotAString => "must be a string".into(),
            Self::Repeated => "must appear only once".into(),
            Self::NotAnEmail => "must be a valid email".into(),
            Self::TooLong(max) => {
                format!("length must be less than or equal to {max} characters long").into()
            }
            Self::NotAUsername => "contains characters that are not allowed".into(),
            Self::AnotherEmail => "must be the account's own email if it contains @".into(),
            Self::PasswordTooShort(min) => {
                format!("length must be at least {min} characters long").into()
            }
            Self::PasswordTooLong(max) => {
                format!("length must be less than or equal to {max} bytes").into()
            }
            Self::PasswordCommon => "is among the most common passwords".into(),
            Self::PasswordHoldsName => "must not contain the email or username".into(),
        }
    }
}

impl From<InvalidEmail> for Problem {
    fn from(_: InvalidEmail) -> Self {
        Self::NotAnEmail
    }
}

impl From<InvalidUsername> for Problem {
    fn from(invalid: InvalidUsername) -> Self {
        match invalid {
            InvalidUsername::TooLong => Self::TooLong(128),
            InvalidUsername::Characters => Self::NotAUsername,
            InvalidUsername::AnotherEmail => Self::AnotherEmail,
        }
    }
}

impl From<InvalidPassword> for Problem {
    fn from(invalid: InvalidPassword) -> Self {
        match invalid {
            InvalidPassword::TooShort(min) => Self::PasswordTooShort(min),
            InvalidPassword::TooLong => Self::PasswordTooLong(crate::domain::MAX_PASSWORD_BYTES),
            InvalidPassword::Common => Self::PasswordCommon,
            InvalidPassword::HoldsName => Self::PasswordHoldsName,
        }
    }
}

/// Appmixer's envelope.
fn envelope(status: StatusCode, message: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope<'m> {
        status_code: u16,
        error: &'m str,
        message: &'m str,
    }
    let envelope = Envelope {
        status_code: status.as_u16(),
        error: status.canonical_reason().unwrap_or_default(),
        message,
    };
    serde_json::to_string(&envelope).unwrap_or_default()
}

/// An error and its causes, outermost first: their `Display`, because the `Debug` of a cancelled
/// transaction holds items.
fn causes(error: &dyn Error) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
