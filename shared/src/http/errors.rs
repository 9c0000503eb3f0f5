//! The table from error to status, code and text, for all families. OAuth's names of errors are in [`super::family`].
//!
//! Callers get a fixed text; the log gets the cause. Appmixer clients read `statusCode` from the
//! body and compare some of these messages literally.

use std::borrow::Cow;

use lambda_http::http::StatusCode;

use super::code::Code;
use super::family::Family;
use super::problem::{FieldName, Problem, field_of, setting_problem};
use crate::auth::{AuthError, Denial, Scheme};
use crate::domain::RateLimitPolicy;
use crate::observe::causes;
use crate::store::StoreError;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No route has this path.
    #[error("no such route")]
    NotFound,
    /// The path has routes for these methods only.
    #[error("method not allowed")]
    MethodNotAllowed(String),
    /// The request has no origin secret, or another one.
    #[error("not through the edge")]
    NotThroughEdge,
    /// The event is not a valid request.
    #[error("unreadable request")]
    Unreadable,
    /// The body has more than this many bytes.
    #[error("body over {0} bytes")]
    TooLarge(usize),
    /// The content type is not that of the route's bodies.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// The body is not a JSON object.
    #[error("malformed JSON")]
    MalformedJson,
    /// This field of the body is invalid.
    #[error("field {0}: {1:?}")]
    Field(FieldName, Problem),
    /// A use case failed.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The endpoint exceeded its time budget.
    #[error("no answer in time")]
    TimedOut,
    #[error("the endpoint panicked")]
    Panicked,
    #[error("the answer could not be serialized")]
    Unserializable(#[source] serde_json::Error),
}

/// What the log says about an error.
pub(super) struct Report {
    /// The code's name.
    pub(super) reason: &'static str,
    /// The name of the limit that was exceeded.
    pub(super) limit: Option<&'static str>,
    /// The error and its causes, for a 5xx only.
    pub(super) error: Option<String>,
}

/// Says in which field of a request a value is invalid.
pub trait InField<T> {
    fn in_field(self, name: &'static str) -> Result<T, HttpError>;
}

impl<T, E: Into<Problem>> InField<T> for Result<T, E> {
    fn in_field(self, name: &'static str) -> Result<T, HttpError> {
        self.map_err(|problem| HttpError::field(name, problem))
    }
}

/// A row of the table.
type Row = (StatusCode, Code, Cow<'static, str>);

impl HttpError {
    pub fn field(name: &'static str, problem: impl Into<Problem>) -> Self {
        Self::Field(name.into(), problem.into())
    }

    #[must_use]
    pub fn missing(name: &'static str) -> Self {
        Self::field(name, Problem::Missing)
    }

    pub(super) fn row(&self, family: Family) -> Row {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, Code::NotFound, "Not Found".into()),
            Self::MethodNotAllowed(_) => (
                StatusCode::METHOD_NOT_ALLOWED,
                Code::MethodNotAllowed,
                "Method Not Allowed".into(),
            ),
            Self::NotThroughEdge => (
                StatusCode::FORBIDDEN,
                Code::NotThroughEdge,
                "Forbidden".into(),
            ),
            Self::Unreadable => bad_request(Code::Unreadable, "Invalid request"),
            Self::TooLarge(max) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                Code::TooLarge,
                format!("Payload content length greater than maximum allowed: {max}").into(),
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Code::UnsupportedMediaType,
                "Unsupported Media Type".into(),
            ),
            Self::MalformedJson => {
                bad_request(Code::MalformedJson, "Invalid request payload JSON format")
            }
            Self::Field(name, problem) => invalid_field(*name, *problem),
            Self::Auth(error) => auth_row(error, family),
            Self::TimedOut => unavailable(),
            Self::Panicked | Self::Unserializable(_) => internal(),
        }
    }

    pub(super) fn report(&self, family: Family) -> Report {
        let (status, code, _) = self.row(family);
        Report {
            reason: code.name(),
            limit: match self {
                Self::Auth(AuthError::Limited(exceeded)) => Some(exceeded.policy.name()),
                _ => None,
            },
            error: status.is_server_error().then(|| causes(self)),
        }
    }
}

fn auth_row(error: &AuthError, family: Family) -> Row {
    match error {
        AuthError::Denied(denial) => denial_row(*denial),
        AuthError::InsufficientScope => (
            StatusCode::FORBIDDEN,
            Code::InsufficientScope,
            "Insufficient scope".into(),
        ),
        AuthError::TokenAlone => (
            StatusCode::FORBIDDEN,
            Code::TokenAlone,
            "A bearer token without an API key is required".into(),
        ),
        AuthError::EmailNotVerified => (
            StatusCode::FORBIDDEN,
            Code::EmailNotVerified,
            "Email address is not verified.".into(),
        ),
        AuthError::NoToken => bad_request(Code::NoToken, "A bearer token is required"),
        AuthError::InvalidCredentials => (
            family.status_of_invalid_credentials(),
            Code::InvalidCredentials,
            "Invalid username or password.".into(),
        ),
        AuthError::Taken { .. } => bad_request(Code::Taken, "User already exists."),
        AuthError::Unchangeable(name) => invalid_field(field_of(*name), Problem::Unchangeable),
        AuthError::Setting(invalid) => {
            let (name, problem) = setting_problem(*invalid);
            invalid_field(name, problem)
        }
        AuthError::NoUser => (StatusCode::NOT_FOUND, Code::NoUser, "User not found".into()),
        AuthError::InvalidCursor => invalid_field("after".into(), Problem::NotACursor),
        AuthError::InvalidUsername(invalid) => invalid_field("username".into(), (*invalid).into()),
        AuthError::NoSession => (
            StatusCode::NOT_FOUND,
            Code::NoSession,
            "Session not found".into(),
        ),
        AuthError::NoTicket => (
            StatusCode::NOT_FOUND,
            Code::NoTicket,
            "Ticket not found".into(),
        ),
        AuthError::LastAdministrator => (
            StatusCode::CONFLICT,
            Code::LastAdministrator,
            "The last administrator cannot be removed.".into(),
        ),
        AuthError::InvalidPassword(invalid) => invalid_field("password".into(), (*invalid).into()),
        AuthError::UnsupportedToken => bad_request(
            Code::UnsupportedToken,
            "Revoke an API key by DELETE /v1/api-keys/{id}",
        ),
        AuthError::InvalidCode => bad_request(Code::InvalidCode, "Invalid or expired code."),
        AuthError::NoApiKey => (
            StatusCode::NOT_FOUND,
            Code::NoApiKey,
            "API key not found".into(),
        ),
        AuthError::TooManyApiKeys => (
            StatusCode::CONFLICT,
            Code::TooManyApiKeys,
            "Too many API keys. Revoke one first.".into(),
        ),
        AuthError::Limited(exceeded) => limit_row(exceeded.policy),
        AuthError::Store(StoreError::Unavailable(_) | StoreError::Contended)
        | AuthError::Keys(_) => unavailable(),
        AuthError::Store(StoreError::Rejected(_) | StoreError::Unreadable { .. })
        | AuthError::Internal(_) => internal(),
    }
}

fn denial_row(denial: Denial) -> Row {
    let (code, message) = match denial {
        Denial::NoCredentials => (
            Code::NoCredentials,
            "authorization not found in request headers".into(),
        ),
        Denial::OtherScheme(scheme) => {
            let scheme = scheme_name(scheme);
            let message = format!("Expected token type Bearer does not match {scheme}");
            (Code::OtherScheme, message.into())
        }
        Denial::TokenFormat => (
            Code::TokenFormat,
            "Invalid JWT: Token format not valid".into(),
        ),
        Denial::TokenSignature => (
            Code::TokenSignature,
            "Invalid JWT: key or signature is invalid".into(),
        ),
        Denial::TokenExpired(at) => {
            let at = at.to_js_date();
            let message = format!("Invalid JWT: jwt expired expiredAt: {at}");
            (Code::TokenExpired, message.into())
        }
        Denial::TokenNotActive => (Code::TokenNotActive, "Invalid JWT: jwt not active".into()),
        Denial::TokenRevoked => (Code::TokenRevoked, "Bad token".into()),
        Denial::RefreshToken => (Code::RefreshToken, "Invalid refresh token".into()),
        Denial::ApiKey => (Code::ApiKey, "Invalid API key".into()),
        Denial::SignInNotRecent(_) => {
            (Code::SignInNotRecent, "A recent sign-in is required".into())
        }
    };
    (StatusCode::UNAUTHORIZED, code, message)
}

fn limit_row(policy: RateLimitPolicy) -> Row {
    let (code, message) = match policy {
        RateLimitPolicy::SignUpIp => (
            Code::SignUpIpLimit,
            "Too many signup attempts from your IP address. Please try again later.",
        ),
        RateLimitPolicy::SignUpEmail => (
            Code::SignUpEmailLimit,
            "Too many signup attempts for this email address. Please try again later.",
        ),
        RateLimitPolicy::SignInIp
        | RateLimitPolicy::SignInNetwork
        | RateLimitPolicy::SignInAccount
        | RateLimitPolicy::SignInDay
        | RateLimitPolicy::SignInTotal
        | RateLimitPolicy::ApiKeyIp
        | RateLimitPolicy::ApiKeyNetwork
        | RateLimitPolicy::CodeIp
        | RateLimitPolicy::CodeNetwork
        // A mail beyond its limits is not sent, and the caller is not told.
        | RateLimitPolicy::MailAddress
        | RateLimitPolicy::MailIp => (
            Code::SignInLimit,
            "Too many sign-in attempts. Please try again later.",
        ),
        RateLimitPolicy::ProfileUpdate => (
            Code::ProfileUpdateLimit,
            "Too many updates. Please try again later.",
        ),
    };
    (StatusCode::TOO_MANY_REQUESTS, code, message.into())
}

fn invalid_field(name: FieldName, problem: Problem) -> Row {
    let message = format!("\"{name}\" {}", problem.text());
    (StatusCode::BAD_REQUEST, Code::InvalidField, message.into())
}

fn bad_request(code: Code, message: &'static str) -> Row {
    (StatusCode::BAD_REQUEST, code, message.into())
}

fn unavailable() -> Row {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        Code::Unavailable,
        "Service temporarily unavailable. Please try again later.".into(),
    )
}

fn internal() -> Row {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        Code::Internal,
        "An internal server error occurred".into(),
    )
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
