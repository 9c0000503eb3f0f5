//! The two families of routes and their envelopes.

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

impl Family {
    /// The family of a path, whether a route has it or not.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let mut segments = segments(path);
        if segments.next() == Some("v1") && segments.next().is_some() {
            Self::Management
        } else {
            Self::Appmixer
        }
    }

    /// Appmixer's clients expect 403.
    pub(super) fn status_of_invalid_credentials(self) -> StatusCode {
        match self {
            Self::Appmixer => StatusCode::FORBIDDEN,
            Self::Management => StatusCode::UNAUTHORIZED,
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
        };
        json.unwrap_or_default()
    }
}
