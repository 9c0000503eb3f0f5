//! The families of routes and their envelopes.

use lambda_http::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::route::segments;

/// The published API that a route belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Appmixer's authentication API.
    Appmixer,
    /// The management authentication API of the Babel Licensing Service: every path below `/v1/`.
    Management,
    /// What OAuth's standards define: every path below `/oauth/`.
    OAuth,
}

/// Appmixer's error envelope. Its clients read the status from here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppmixerError<'m> {
    /// The HTTP status.
    status_code: u16,
    /// The status's reason phrase.
    error: &'m str,
    /// A message for people; some clients compare it.
    message: &'m str,
}

/// The Management family's error envelope.
#[derive(Serialize, ToSchema)]
pub(super) struct ManagementError<'m> {
    success: bool,
    /// For programs.
    code: Code,
    /// For people.
    message: &'m str,
}

/// OAuth's error response (RFC 6749 section 5.2).
#[derive(Serialize, ToSchema)]
pub(super) struct OAuthError<'m> {
    /// For programs.
    error: &'static str,
    /// For people.
    error_description: &'m str,
}

impl Family {
    pub(super) const ALL: [Self; 3] = [Self::Appmixer, Self::Management, Self::OAuth];

    /// The family of a path, even if no route has that path.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let mut segments = segments(path);
        match (segments.next(), segments.next()) {
            (Some("v1"), Some(_)) => Self::Management,
            (Some("oauth"), Some(_)) => Self::OAuth,
            _ => Self::Appmixer,
        }
    }

    /// Appmixer's clients expect 403.
    pub(super) fn status_of_invalid_credentials(self) -> StatusCode {
        match self {
            Self::Appmixer => StatusCode::FORBIDDEN,
            Self::Management | Self::OAuth => StatusCode::UNAUTHORIZED,
        }
    }

    /// An error body in the family's envelope.
    pub(super) fn error(self, status: StatusCode, code: Code, message: &str) -> String {
        let json = match self {
            Self::Appmixer => serde_json::to_string(&AppmixerError {
                status_code: status.as_u16(),
                error: status.canonical_reason().unwrap_or_default(),
                message,
            }),
            Self::Management => serde_json::to_string(&ManagementError {
                success: false,
                code,
                message,
            }),
            Self::OAuth => serde_json::to_string(&OAuthError {
                error: oauth_error(status, code),
                error_description: &described(message),
            }),
        };
        json.unwrap_or_default()
    }

    /// The value of `WWW-Authenticate` (RFC 6750 section 3). OAuth's clients expect a registered name in `error`, those
    /// of the other families the message.
    pub(super) fn challenge(self, status: StatusCode, code: Code, message: &str) -> String {
        match self {
            Self::Appmixer | Self::Management => format!("Bearer error=\"{message}\""),
            Self::OAuth => {
                let (error, described) = (oauth_error(status, code), described(message));
                format!("Bearer error=\"{error}\", error_description=\"{described}\"")
            }
        }
    }
}

/// Removes the characters that an `error_description` must not contain (RFC 6749 section 5.2).
fn described(message: &str) -> String {
    message.replace(['"', '\\'], "")
}

/// The registered name of an error (RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 7009 section 2.2.1).
fn oauth_error(status: StatusCode, code: Code) -> &'static str {
    match code {
        Code::UnsupportedToken => "unsupported_token_type",
        Code::InsufficientScope => "insufficient_scope",
        Code::NoCredentials | Code::OtherScheme | Code::ApiKey => "invalid_client",
        _ => match status {
            StatusCode::UNAUTHORIZED => "invalid_token",
            StatusCode::FORBIDDEN => "access_denied",
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                "temporarily_unavailable"
            }
            status if status.is_server_error() => "server_error",
            // Also 404, 405, 413 and 415, which have no name of their own.
            _ => "invalid_request",
        },
    }
}
